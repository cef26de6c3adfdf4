package admin

import (
	"context"
	"strings"

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
	LiftOptOut(ctx context.Context, by otp.Actor, which string) (lifted bool, err error)
}

// optOutWire is a number that has opted out.
type optOutWire struct {
	ID    string   `json:"id"`
	Phone string   `json:"phone"` // on the admin socket E.164, on the page masked
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
		phone := one.Address.Masked()
		if !c.Client.IsValid() {
			phone = one.Address.E164()
		}
		answer.OptOuts[i] = optOutWire{optOutPrefix + one.ID, phone, web.Time(one.Since), one.Route}
	}
	return c.JSON(fasthttp.StatusOK, answer)
}

// LiftBody is the body of POST /admin/opt-outs/lift: one of the two.
type LiftBody struct {
	Phone string `json:"phone"`
	ID    string `json:"id"`
}

// LiftOptOut answers POST /admin/opt-outs/lift, also for a number that has not
// opted out.
func (o *Console) LiftOptOut(c *web.Call) error {
	var body LiftBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	which := body.Phone
	if id, ok := strings.CutPrefix(body.ID, optOutPrefix); ok && which == "" {
		which = id
	} else if body.ID != "" {
		return web.Invalid(`"id" is not one that GET /admin/opt-outs has returned, or does not stand alone.`)
	}
	lifted, err := o.actions.OptOuts.LiftOptOut(c.Context, c.Caller.By, which)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, struct {
		Lifted bool `json:"lifted"`
	}{lifted})
}
