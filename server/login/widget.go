package login

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// widgetWire is what the widget has to know of an app before it shows anything.
// All of it is on the sign-in page too.
type widgetWire struct {
	Name       string    `json:"name"`
	Test       bool      `json:"test,omitzero"`
	CodeLength int       `json:"code_length"`
	Locale     string    `json:"locale"`
	Region     string    `json:"region"` // the country to begin with, "" for none
	Countries  []country `json:"countries"`
	Email      bool      `json:"email,omitzero"` // whether it takes email addresses too
	TextUs     bool      `json:"text_us"`        // whether a person may text to sign in
	Captcha    bool      `json:"captcha,omitzero"`
	Words      *words    `json:"words"`
}

// describe answers GET /login/config?app=ID&locale=TAG.
func (d *Door) describe(c *web.Call) error {
	app, ok := d.app(c.Query("app"))
	wanted := c.Query("locale")
	switch {
	case !ok:
		return &otp.Error{Code: otp.UnknownApp, Detail: "There is no such app here, or its sign-in page is closed (login = true opens it)."}
	case len(wanted) > maxLocale:
		return web.Invalid("locale must be a language tag such as de or pt-BR.")
	}
	callerOf(c, app)
	locale := localeOf(c, wanted)
	err := c.JSON(fasthttp.StatusOK, widgetWire{
		Name: app.Name, Test: app.Mode == otp.Test, CodeLength: app.CodeLength, Locale: locale,
		Region: regionOf(c, app, wanted), Countries: d.countries[app](), Email: app.Email, TextUs: app.InboundSignIn,
		Captcha: app.Captcha != otp.CaptchaOff, Words: languages[locale],
	})
	if err == nil {
		compress(c)
	}
	return err
}
