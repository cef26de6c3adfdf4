package admin

import (
	"context"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// deadPage is how many dead events one answer lists.
const deadPage = 100

// Events is what the console asks of [otp.Events].
type Events interface {
	Dead(ctx context.Context, limit int) ([]otp.Event, error)
}

// eventWire is an event that an app's server never took.
type eventWire struct {
	ID    string        `json:"id"`
	App   string        `json:"app"`
	Type  otp.EventType `json:"type"`
	At    web.Time      `json:"at"`
	Tries int           `json:"tries"`
}

// DeadEvents answers GET /admin/events with those that were given up, the newest
// first.
func (o *Console) DeadEvents(c *web.Call) error {
	dead, err := o.actions.Events.Dead(c.Context, deadPage)
	if err != nil {
		return err
	}
	all := make([]eventWire, len(dead))
	for i, e := range dead {
		all[i] = eventWire{"evt_" + e.ID.String(), e.App, e.Type, web.Time(e.At), int(e.Tries)}
	}
	return c.JSON(fasthttp.StatusOK, struct {
		Dead []eventWire `json:"dead"`
	}{all})
}
