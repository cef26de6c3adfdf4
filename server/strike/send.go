package strike

import (
	"cmp"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// sendBody is the body of POST /otp. The solution of a captcha stands in it
// where Strike's page has it, or where GoTrue's clients put it.
type sendBody struct {
	Phone        string         `json:"phone"`
	CreateUser   *bool          `json:"create_user"`
	Data         jsontext.Value `json:"data"`
	Channel      string         `json:"channel"`
	CaptchaToken string         `json:"captcha_token"`
	Security     struct {
		CaptchaToken string `json:"captcha_token"`
	} `json:"gotrue_meta_security"`
}

// send answers POST /otp.
func (d *Door) send(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	var body sendBody
	if err := d.decode(c, &body); err != nil {
		return err
	}
	data, err := web.Metadata("data", body.Data)
	if err != nil {
		return err
	}
	create := d.creates()
	if body.CreateUser != nil {
		create = *body.CreateUser
	}
	purpose := otp.PurposeSignIn
	if create {
		purpose = otp.PurposeSignUpOrIn
	}
	p, err := d.verifications.Start(c.Context, caller, otp.StartRequest{
		To: d.spell(body.Phone), Channel: body.Channel, Purpose: purpose, Metadata: data,
		Slot: otp.Slot{Door: d.name}, Reveal: d.reveals(create), Captcha: cmp.Or(body.CaptchaToken, body.Security.CaptchaToken),
	})
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, d.sent(&p))
}

// phoneBody is the body of POST /resend, and of POST /verify with a token.
type phoneBody struct {
	Type  string `json:"type"`
	Phone string `json:"phone"`
	Token string `json:"token"`
}

// slot is where a code of the body's type waits: what says which verification
// the call means, for neither it nor the client has a handle.
func (d *Door) slot(b *phoneBody) (otp.Slot, error) {
	switch {
	case b.Phone == "":
		return otp.Slot{}, web.Invalid(`"phone" is missing: the number that the code was sent to.`)
	case b.Type == "sms" || b.Type == "" && d.name == Name:
		return otp.Slot{Door: d.name, Login: d.spell(b.Phone)}, nil
	case b.Type == "phone_change" && d.name == GoTrueName:
		return otp.Slot{Door: changeSlot, Login: d.spell(b.Phone)}, nil
	}
	return otp.Slot{}, web.Invalid(`"type" must be that of a code sent by SMS: sms.`)
}

// waiting reads a call about a code that is under way.
func (d *Door) waiting(c *web.Call) (caller otp.Caller, body phoneBody, slot otp.Slot, err error) {
	if caller, err = d.caller(c); err != nil {
		return caller, body, slot, err
	}
	if err = d.decode(c, &body); err != nil {
		return caller, body, slot, err
	}
	slot, err = d.slot(&body)
	return caller, body, slot, err
}

// resend answers POST /resend.
func (d *Door) resend(c *web.Call) error {
	caller, _, slot, err := d.waiting(c)
	if err != nil {
		return err
	}
	p, err := d.verifications.ResendSlot(c.Context, caller, slot, "")
	waiting := &p
	if err != nil {
		switch otp.AsError(err).Code {
		case otp.CodeUnknown, otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeExhausted:
			waiting = nil
		default:
			return err
		}
	}
	answer, err := d.resent(waiting)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, answer)
}
