package twilio

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// check answers POST VerificationCheck. A wrong code is an answer, not an
// error: the verification as it stands, pending and not valid. A private app
// tells none of its refusals from another, and so has no such answer.
func (d *Door) check(c *web.Call) error {
	caller, f, err := d.request(c)
	if err != nil {
		return err
	}
	if caller, err = withDevice(caller, f); err != nil {
		return err
	}
	code, err := f.need("Code")
	if err != nil {
		return err
	}
	before, err := d.meant(c, caller, f)
	if err != nil {
		return err
	}
	p, err := d.verifications.Check(c.Context, caller, before.Verification.ID, code)
	if err != nil {
		if caller.App.Private || before.Verification.Status != otp.Pending {
			return err
		}
		switch otp.AsError(err).Code {
		case otp.CodeWrong, otp.CodeExhausted: // the last try too was one that it had
			return c.JSON(fasthttp.StatusCreated, checkOf(c, &before))
		}
		return err
	}
	return c.JSON(fasthttp.StatusCreated, checkOf(c, &p))
}

// meant reads the verification that a check is for. One that is not there must
// cost and charge the same as another, so it is an id that names nothing.
func (d *Door) meant(c *web.Call, caller otp.Caller, f form) (otp.Progress, error) {
	word := f.value("VerificationSid")
	if word == "" {
		word = f.value("To")
	}
	if word == "" {
		return otp.Progress{}, invalidRequest("Missing required parameter To or VerificationSid")
	}
	p, err := d.find(c, caller, word)
	if err != nil && otp.AsError(err).Code == otp.CodeUnknown {
		return otp.Progress{Verification: otp.Verification{ID: otp.NewID()}}, nil
	}
	return p, err
}
