package twilio

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// refused are parameters of a create that the box cannot keep its word on, with
// what it does instead. All others that are not read are ignored.
var refused = []struct{ name, instead string }{
	{"CustomCode", "the box makes its codes itself"},
	{"CustomMessage", "the text is the app's own, in the box's config"},
	{"Amount", "a code of this box is bound to no payment"},
	{"Payee", "a code of this box is bound to no payment"},
}

// create answers POST Verifications. While a verification of the number is
// pending, it is the repeat of its message.
func (d *Door) create(c *web.Call) error {
	caller, f, err := d.request(c)
	if err != nil {
		return err
	}
	if caller, err = withDevice(caller, f); err != nil {
		return err
	}
	to, err := f.need("To")
	if err != nil {
		return err
	}
	channel, err := f.need("Channel")
	if err != nil {
		return err
	}
	if channel != otp.ChannelSMS && channel != "auto" {
		return invalid("Channel", "this service has sms")
	}
	for _, parameter := range refused {
		if f.value(parameter.name) != "" {
			return invalid(parameter.name, parameter.instead)
		}
	}
	p, err := d.verifications.Start(c.Context, caller, otp.StartRequest{
		To: to, Purpose: otp.PurposeVerify, Locale: f.value("Locale"), Slot: otp.Slot{Door: Name}, Again: true,
	})
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusCreated, verificationOf(c, &p))
}

// fetch answers GET Verifications/{id}.
func (d *Door) fetch(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	p, err := d.findLive(c, caller)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, verificationOf(c, &p))
}

// update answers POST Verifications/{id}, by which a verification is canceled.
func (d *Door) update(c *web.Call) error {
	caller, f, err := d.request(c)
	if err != nil {
		return err
	}
	status, err := f.need("Status")
	if err != nil {
		return err
	}
	switch otp.Status(status) {
	case otp.Canceled:
	case otp.Approved:
		return invalid("Status", "only the right code approves a verification on this box, by a VerificationCheck")
	default:
		return invalid("Status", "it can be canceled")
	}
	p, err := d.findLive(c, caller)
	if err != nil {
		return err
	}
	if err := d.verifications.Cancel(c.Context, caller, p.Verification.ID); err != nil {
		return err
	}
	p.Verification.Status = otp.Canceled
	return c.JSON(fasthttp.StatusOK, verificationOf(c, &p))
}
