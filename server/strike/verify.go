package strike

import (
	"errors"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// verify answers POST /verify: the code opens a session.
func (d *Door) verify(c *web.Call) error {
	caller, body, slot, err := d.waiting(c)
	if err != nil {
		return err
	}
	if body.Token == "" {
		return web.Invalid(`"token" is missing: the digits from the message, as a string.`)
	}
	p, err := d.verifications.CheckSlot(c.Context, caller, slot, body.Token)
	if err != nil {
		if e := otp.AsError(err); e.Code == otp.LimitPhone {
			return d.on(manyChecks, e)
		}
		return d.ended(err) // the session that asked for a new phone
	}
	if p.Grant == nil || p.Grant.Session == nil {
		return errors.New("verify: the approval opened no session")
	}
	set, err := d.mint.Issue(p.Grant, form(p.Grant))
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, sessionOf(&set, &p.Grant.User))
}
