package login

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// progressWire is what the page asks for now and then while it is open.
type progressWire struct {
	Pending     bool   `json:"pending"`      // false: load the page again
	Delivery    string `json:"delivery"`     // a sentence
	ResendAfter int    `json:"resend_after"` // seconds
	Texted      bool   `json:"texted"`       // the SMS of the channel inbound has come
}

// progress answers GET /login/state.
func (d *Door) progress(c *web.Call) error {
	s, _ := d.load(c)
	_, id, ok := d.current(c, &s)
	if !ok {
		return c.JSON(fasthttp.StatusOK, progressWire{})
	}
	p, err := d.verifications.Get(c.Context, c.Caller, id)
	if err != nil {
		if web.ErrorOf(err).Code == otp.CodeUnknown {
			return c.JSON(fasthttp.StatusOK, progressWire{})
		}
		return err
	}
	w := languages[localeOf(c, s.Request.Locale)]
	answer := progressWire{
		Pending: p.Verification.Status == otp.Pending, ResendAfter: web.Seconds(p.ResendAfter), Texted: p.Texted,
	}
	if p.Verification.Channel == otp.ChannelInbound {
		answer.Delivery = w.Waiting
	} else {
		answer.Delivery = w.delivery(&p.Message)
	}
	return c.JSON(fasthttp.StatusOK, answer)
}
