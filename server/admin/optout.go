package admin

import (
	"context"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// optOutPage is how many opted-out numbers one answer lists.
const optOutPage = 100

// OptOuts is what the console asks of [otp.Outbox] about the numbers that want
// nothing from this box.
type OptOuts interface {
	OptOuts(ctx context.Context, limit int, cursor string) (page []otp.OptOut, next string, err error)
	LiftOptOut(ctx context.Context, number string) (lifted bool, err error)
}

// optOutWire is a number that has opted out.
type optOutWire struct {
	Phone string   `json:"phone"` // E.164: whoever may call here may also lift it
	Since web.Time `json:"since"`
	Route string   `json:"route"` // that received the word
}

// ListOptOuts answers GET /admin/opt-outs?cursor=.
func (o *Console) ListOptOuts(c *web.Call) error {
	list, next, err := o.actions.OptOuts.OptOuts(c.Context, optOutPage, c.Query("cursor"))
	if err != nil {
		return err
	}
	answer := struct {
		OptOuts []optOutWire `json:"opt_outs"`
		Next    string       `json:"next_cursor,omitempty"`
	}{make([]optOutWire, len(list)), next}
	for i, one := range list {
		answer.OptOuts[i] = optOutWire{one.Address.E164(), web.Time(one.Since), one.Route}
	}
	return c.JSON(fasthttp.StatusOK, answer)
}

// LiftBody is the body of POST /admin/opt-outs/lift.
type LiftBody struct {
	Phone string `json:"phone"`
}

// LiftOptOut answers POST /admin/opt-outs/lift, also for a number that has not
// opted out.
func (o *Console) LiftOptOut(c *web.Call) error {
	var body LiftBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	lifted, err := o.actions.OptOuts.LiftOptOut(c.Context, body.Phone)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, struct {
		Lifted bool `json:"lifted"`
	}{lifted})
}
