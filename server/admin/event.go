package admin

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// deadPage is how many dead events one answer lists.
const deadPage = 100

// Events is what the console asks of [otp.Events].
type Events interface {
	Dead(ctx context.Context, limit int) ([]otp.DeadEvent, error)
	Replay(ctx context.Context, id otp.ID) (found bool, err error)
	ReplayAll(ctx context.Context, app string) (n int, err error)
}

// eventPrefix stands before the id of an event.
const eventPrefix = "evt_"

// eventWire is an event that an app's server never took.
type eventWire struct {
	ID    string        `json:"id"`
	App   string        `json:"app"`
	Type  otp.EventType `json:"type"`
	At    web.Time      `json:"at"`
	Tries int           `json:"tries"`
	// Reason is why it was given up: "tries", "overflow" or "late".
	Reason otp.DeadReason `json:"reason,omitempty"`
	Due    web.Time       `json:"due_at,omitzero"` // of one that waits
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
		all[i] = eventWire{ID: eventPrefix + e.ID.String(), App: e.App, Type: e.Type, At: web.Time(e.At), Tries: int(e.Tries), Reason: e.Why}
	}
	waiting, err := o.waiting(c)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, struct {
		Dead    []eventWire `json:"dead"`
		Waiting []eventWire `json:"waiting"`
	}{all, waiting})
}

// waiting lists the events that are still to be delivered.
func (o *Console) waiting(c *web.Call) (all []eventWire, err error) {
	if o.actions.Desk == nil {
		return nil, nil
	}
	events, err := o.actions.Desk.Events(c.Context, deadPage)
	for _, e := range events {
		all = append(all, eventWire{ID: eventPrefix + e.ID.String(), App: e.App, Type: e.Type, At: web.Time(e.At), Tries: int(e.Tries), Due: web.Time(e.Due)})
	}
	return all, err
}

// ReplayBody is the body of POST /admin/events/replay: one event by its id, or
// all, of one app or of every one.
type ReplayBody struct {
	ID  string `json:"id"`
	All bool   `json:"all"`
	App string `json:"app"`
}

// ReplayEvents answers POST /admin/events/replay with how many dead events are
// delivered anew.
func (o *Console) ReplayEvents(c *web.Call) error {
	var body ReplayBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	if body.All != (body.ID == "") || body.ID != "" && body.App != "" {
		return web.Invalid(`Say which events: {"id": "evt_..."}, or {"all": true}, to which "app" may be added.`)
	}
	if err := o.note(c, "events.replay", cmp.Or(body.ID, body.App, "all")); err != nil {
		return err
	}
	n := 0
	var err error
	if body.All {
		n, err = o.actions.Events.ReplayAll(c.Context, body.App)
	} else {
		id, ok := otp.ParseID(strings.TrimPrefix(body.ID, eventPrefix))
		if ok {
			ok, err = o.actions.Events.Replay(c.Context, id)
		}
		if err == nil && !ok {
			return web.Invalid("None of the dead events has this id, or its app has no webhook any more: `pinferry webhook ls` lists them.")
		}
		n = 1
	}
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, struct {
		Replayed int `json:"replayed"`
	}{n})
}

// overdue is how long an event may wait before an operator should know: its
// server is away for longer than a restart takes.
const overdue = 10 * time.Minute

// backlogCheck looks at the events of an app.
func backlogCheck(b *otp.Backlog) Check {
	c := Check{Name: "webhook", Level: Green, Text: fmt.Sprintf("No event for the server of app %q is overdue; %s.", b.App, count(b.Waiting, "event waits", "events wait"))}
	switch {
	case b.Overdue > overdue:
		c.Level, c.Text = Amber, fmt.Sprintf("The server of app %q takes no events: %s, the first for %s.", b.App, count(b.Waiting, "event waits", "events wait"), b.Overdue.Truncate(time.Second))
		c.Fix = "See that it runs and what it answers: `journalctl -u pinferry | grep \"not taken\"`."
	case b.Dead > 0:
		c.Level, c.Text = Amber, fmt.Sprintf("The server of app %q has not taken %s of the last days.", b.App, count(b.Dead, "event", "events"))
		c.Fix = fmt.Sprintf("See why in `pinferry webhook ls` and the log, then run `pinferry webhook replay --all --app %s`.", b.App)
	}
	return c
}
