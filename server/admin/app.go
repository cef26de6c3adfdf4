package admin

import (
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/text"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// appWire is an app as the config file has it, without its keys.
type appWire struct {
	ID            string            `json:"id"`
	Name          string            `json:"name"`
	Mode          otp.Mode          `json:"mode"`
	Aliases       []string          `json:"aliases"`
	Doors         []string          `json:"doors"`
	Default       bool              `json:"default"`
	Countries     []string          `json:"countries"`
	Sessions      bool              `json:"sessions"`
	Private       bool              `json:"private"`
	CodeLength    int               `json:"code_length"`
	CodeTTL       int               `json:"code_ttl_seconds"`
	Resend        otp.ResendPolicy  `json:"resend"`
	Origins       []string          `json:"origins"`
	Redirects     []string          `json:"redirects"`
	Hosts         []string          `json:"hosts"`
	WebDomain     string            `json:"web_domain"`
	Inbound       bool              `json:"inbound"`
	InboundSignIn bool              `json:"inbound_sign_in"`
	OptOut        otp.OptOutScope   `json:"opt_out"`
	Webhook       bool              `json:"webhook"`
	Texts         map[string]string `json:"texts"`        // its own ones
	TestNumbers   int               `json:"test_numbers"` // how many
}

// ListApps answers GET /admin/apps.
func (o *Console) ListApps(c *web.Call) error {
	w := struct {
		Apps    []appWire `json:"apps"`
		Locales []string  `json:"locales"`
	}{[]appWire{}, text.Locales()}
	for _, a := range o.actions.Apps.All() {
		w.Apps = append(w.Apps, appWire{
			ID: a.ID, Name: a.Name, Mode: a.Mode, Aliases: a.Aliases, Doors: a.Doors, Default: a.Default, Countries: a.Countries,
			Sessions: a.Sessions, Private: a.Private, CodeLength: a.CodeLength, CodeTTL: int(a.CodeTTL / time.Second), Resend: a.Resend,
			Origins: a.Origins, Redirects: a.Redirects, Hosts: a.Hosts, WebDomain: a.WebDomain, Inbound: a.Inbound,
			InboundSignIn: a.InboundSignIn, OptOut: a.OptOut, Webhook: a.Events, Texts: a.Texts, TestNumbers: len(a.TestNumbers),
		})
	}
	return c.JSON(fasthttp.StatusOK, w)
}
