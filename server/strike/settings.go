package strike

import (
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// settingsWire is what a page may ask before it shows its login.
type settingsWire struct {
	External          externalWire `json:"external"`
	DisableSignup     bool         `json:"disable_signup"`
	MailerAutoconfirm bool         `json:"mailer_autoconfirm"`
	PhoneAutoconfirm  bool         `json:"phone_autoconfirm"`
	SMSProvider       string       `json:"sms_provider"`
	SAMLEnabled       bool         `json:"saml_enabled"`
}

// externalWire are the ways to log in.
type externalWire struct {
	AnonymousUsers bool `json:"anonymous_users"`
	Email          bool `json:"email"`
	Phone          bool `json:"phone"`
}

// settings answers GET /settings.
func (d *Door) settings(c *web.Call) error {
	if _, err := d.caller(c); err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, settingsWire{External: externalWire{Phone: true}, SMSProvider: "pinferry"})
}

// healthWire says who answers.
type healthWire struct {
	Version     string `json:"version"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

// health answers GET /health, to anybody. The version is that of the errors: the
// box's own is nobody's business.
func (d *Door) health(c *web.Call) error {
	return c.JSON(fasthttp.StatusOK, healthWire{Version: codesVersion, Name: "GoTrue", Description: "The GoTrue door of a pinferry box"})
}
