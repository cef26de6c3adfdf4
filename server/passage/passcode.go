package passage

import (
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// start answers POST login/otp and register/otp. Whether somebody is registered
// is told at once, as the vendor does, unless the app is private.
func (d *Door) start(purpose otp.Purpose) web.Handler {
	return func(c *web.Call) error {
		caller, err := d.caller(c)
		if err != nil {
			return err
		}
		var body startBody
		if err := c.Loose(&body); err != nil {
			return err
		}
		if err := checkIdentifier(caller.App, body.Identifier); err != nil {
			return err
		}
		p, err := d.verifications.Start(c.Context, caller, otp.StartRequest{
			To: body.Identifier, Email: true, Purpose: purpose, Locale: body.Language, Reveal: true,
		})
		if err != nil {
			return unserved(err)
		}
		return c.JSON(fasthttp.StatusCreated, startWire{p.Verification.ID.String()})
	}
}

// activate answers POST otp/activate: the right code opens a session.
func (d *Door) activate(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	var body activateBody
	if err := c.Loose(&body); err != nil {
		return err
	}
	switch {
	case body.OTP == "":
		return missing("otp")
	case body.ID == "":
		return missing("otp_id")
	}
	p, err := d.verifications.Check(c.Context, caller, web.IDOf(body.ID), body.OTP)
	if err != nil {
		return err
	}
	set, err := d.mint.Issue(p.Grant, formOf(caller.App)(p.Grant))
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, resultOf(caller.App, &set))
}

const emailText = "The identifier must be a phone number such as +41791234567: no relay for email is configured."

// checkIdentifier refuses an identifier that is missing, or an email address
// where the app wants none. Whether the rest is one, or a phone number, is for the
// core to say.
func checkIdentifier(app *otp.App, identifier string) error {
	switch {
	case identifier == "":
		return missing("identifier")
	case !app.Email && strings.Contains(identifier, "@"):
		return web.Invalid(emailText)
	}
	return nil
}

// unserved words a channel that the box has no route for, and so will not have
// soon, as what it is to the caller: an identifier that cannot be taken.
func unserved(err error) error {
	if e := otp.AsError(err); e.Code == otp.ChannelUnavailable && e.RetryAfter == 0 {
		return web.Invalid(emailText)
	}
	return err
}
