package passage

import (
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// app answers GET of the app itself.
func (d *Door) app(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, appAnswer{appOf(caller)})
}

// keySet answers GET .well-known/jwks.json.
func (d *Door) keySet(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	return c.Public(d.mint.KeySet(caller.App, token.RS256))
}

// configuration answers GET .well-known/openid-configuration. The host of the
// key set comes from the config, never from the request: whoever sends a Host
// of his own would lead readers to keys of his own. Without a host in the config
// the address is relative to this one.
func (d *Door) configuration(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	keys := strings.Replace(base, "{app}", caller.As, 1) + "/.well-known/jwks.json"
	if hosts := caller.App.Hosts; len(hosts) > 0 {
		keys = "https://" + hosts[0] + keys
	}
	return c.Public(configurationWire{Issuer: caller.As, Keys: keys})
}

// appOf is what pages ask before they show a login. What the box has nothing
// like is empty, but there: generated clients refuse an app without it.
func appOf(caller otp.Caller) appWire {
	app := caller.App
	ttl := int(app.CodeTTL / time.Second)
	allowed, required := "phone", "phone"
	if app.Email {
		allowed, required = "both", "either"
	}
	return appWire{
		ID: caller.As, Name: app.Name, AuthOrigin: originOf(app), RedirectURL: app.Redirect(""),
		AuthMethods:               methodsWire{OTP: passcodeWire{TTL: ttl, Unit: unitOf(app.CodeTTL)}},
		AllowedIdentifier:         allowed,
		RequiredIdentifier:        required,
		RequireIdentifierVerified: true,
		PublicSignup:              true,
		SessionTimeout:            int(otp.AccessLife / time.Second),
		RefreshEnabled:            true,
		RefreshLife:               int(otp.RefreshLife / time.Second),
		FallbackMethod:            "otp",
		FallbackTTL:               ttl,
		DefaultLanguage:           "en",
		MetadataSchema:            []struct{}{},
		Layouts:                   layoutsWire{[]struct{}{}, []struct{}{}},
	}
}

// unitOf returns the vendor's letter for the unit that a page should show a
// life in; the life itself is in seconds.
func unitOf(life time.Duration) string {
	if life%time.Minute == 0 {
		return "m"
	}
	return "s"
}
