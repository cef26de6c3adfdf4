package ssojet

import (
	"cmp"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// send answers POST phone-otp/send. Nothing is told of who is registered: the
// vendor's pages know no difference between a first login and a later one.
func (d *Door) send(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	var body sendBody
	if err := c.Loose(&body); err != nil {
		return err
	}
	to := cmp.Or(body.PhoneID, body.Phone)
	if to == "" {
		return web.Invalid(`"phone_id" is missing: the phone number in international form, such as +41791234567.`)
	}
	p, err := d.verifications.Start(c.Context, caller, otp.StartRequest{To: to, Purpose: otp.PurposeSignUpOrIn})
	if err != nil {
		return err
	}
	state := p.Verification.ID.String()
	return c.JSON(fasthttp.StatusOK, sendWire{state, state})
}

// pending reads a call about a code that was sent: who makes it, the handle, and
// the code if it has one.
func (d *Door) pending(c *web.Call) (caller otp.Caller, id otp.ID, code string, err error) {
	if caller, err = d.caller(c); err != nil {
		return caller, id, "", err
	}
	var body stateBody
	if err = c.Loose(&body); err != nil {
		return caller, id, "", err
	}
	id, err = idOf(body.State, body.StateID)
	return caller, id, body.OTP, err
}

// resend answers POST phone-otp/resend. The state stays the same.
func (d *Door) resend(c *web.Call) error {
	caller, id, _, err := d.pending(c)
	if err != nil {
		return err
	}
	if _, err := d.verifications.Resend(c.Context, caller, id, ""); err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, struct{}{})
}

// verify answers POST phone-otp/verify: the right code opens a session.
func (d *Door) verify(c *web.Call) error {
	caller, id, code, err := d.pending(c)
	if err != nil {
		return err
	}
	if code == "" {
		return web.Invalid(`"otp" is missing: the digits from the message, as a string.`)
	}
	p, err := d.verifications.Check(c.Context, caller, id, code)
	if err != nil {
		return err
	}
	set, err := d.mint.Issue(p.Grant, formOf(p.Grant))
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, verifyOf(p.Grant, &set))
}

// status answers GET status: whether the code of a state has come back. The
// state is held by whoever asked for the code, so this call never gives tokens,
// and only the app's own server learns which user it was.
func (d *Door) status(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	id, err := idOf(c.Query("state"), c.Query("state_id"))
	if err != nil {
		return err
	}
	p, err := d.verifications.Get(c.Context, caller, id)
	if err != nil {
		return err
	}
	v := &p.Verification
	answer := statusWire{Authenticated: v.Status == otp.Approved}
	if answer.Authenticated && caller.Secret {
		u, err := d.directory.Find(c.Context, caller, v.Address.E164())
		if err != nil {
			return err
		}
		answer.Authenticated = !u.Disabled
		user := userOf(&u, caller.As)
		answer.User = &user
	}
	return c.JSON(fasthttp.StatusOK, answer)
}
