// Package login is the sign-in page of the box and the widget that apps put
// into pages of their own. The page takes a phone number and a code, and sends
// the person back to the app with a one-time code, which the app redeems with
// its PKCE verifier at POST /v1/token/exchange.
//
// The page is plain HTML: forms that are answered by a redirect, and scripts
// that only make it nicer. Between its steps the box remembers nothing; what
// must be known stands sealed in a cookie ([state]). It acts through the native
// door and with its limits, for the address of whoever looks at the page.
package login

import (
	"context"
	"crypto/cipher"
	"sync"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// Verifications is what the page asks of [otp.Verifications].
type Verifications interface {
	Start(context.Context, otp.Caller, otp.StartRequest) (otp.Progress, error)
	Get(context.Context, otp.Caller, otp.ID) (otp.Progress, error)
	Check(ctx context.Context, c otp.Caller, id otp.ID, digits string) (otp.Progress, error)
	Resend(ctx context.Context, c otp.Caller, id otp.ID, channel string) (otp.Progress, error)
	Cancel(context.Context, otp.Caller, otp.ID) error
}

// Directory is what the page of a demo asks of [otp.Directory].
type Directory interface {
	Exchange(ctx context.Context, c otp.Caller, code, verifier, redirect string) (otp.Grant, error)
}

// Apps is what the page asks of [otp.Apps].
type Apps interface {
	ByID(id string) (*otp.App, bool)
	All() []*otp.App
}

// Config is what the page is made of. All of it is required but Demo.
type Config struct {
	Apps          Apps
	Verifications Verifications
	Directory     Directory
	// Seal is [otp.Keys.Seal]; the cookies are sealed under a key of its making.
	Seal func(label string, parts ...[]byte) [32]byte
	// Demo mounts a pretended app that one can sign in to.
	Demo bool
}

// Door answers the pages.
type Door struct {
	apps          Apps
	verifications Verifications
	directory     Directory
	cookies       cipher.AEAD
	// countries are those of each app with the page, worked out when they are
	// asked for first: on a small box all of them take half a second.
	countries map[*otp.App]func() []country
}

// Paths of the pages.
const (
	phonePath = "/login"
	codePath  = "/login/code"
	statePath = "/login/state"
)

// Doors returns what answers under /login, and in a demo under /demo/login; nil
// if no app has login = true. native is the name of the native door: what the
// widget asks for is let through to the pages that may call that.
func Doors(config Config, native string) []web.Door {
	d := &Door{
		apps: config.Apps, verifications: config.Verifications, directory: config.Directory, cookies: newCookies(config.Seal),
		countries: map[*otp.App]func() []country{},
	}
	for _, app := range config.Apps.All() {
		if app.Login {
			d.countries[app] = sync.OnceValue(func() []country { return countriesOf(app) })
		}
	}
	if len(d.countries) == 0 {
		return nil
	}
	pages := web.Door{Refuse: d.refuse, Routes: []web.Route{
		{Method: "GET", Pattern: phonePath, Handle: d.showPhone},
		{Method: "POST", Pattern: phonePath, Handle: d.takePhone},
		{Method: "GET", Pattern: codePath, Handle: d.showCode},
		{Method: "POST", Pattern: codePath, Handle: d.takeCode},
	}}
	if config.Demo {
		pages.Routes = append(pages.Routes,
			web.Route{Method: "GET", Pattern: demoPath, Handle: d.beginDemo},
			web.Route{Method: "GET", Pattern: DemoDonePath, Handle: d.endDemo},
		)
	}
	return []web.Door{
		pages,
		{Routes: append(assetRoutes(), web.Route{Method: "GET", Pattern: statePath, Handle: d.progress})},
		{Name: native, Routes: []web.Route{{Method: "GET", Pattern: "/login/config", Handle: d.describe}}},
	}
}

// app returns the app of this id or alias, if the page is open to it.
func (d *Door) app(id string) (*otp.App, bool) {
	app, ok := d.apps.ByID(id)
	return app, ok && app.Login
}

// callerOf is who acts on the page: the person who looks at it, never the app's
// server, and so by the address that the request came from.
func callerOf(c *web.Call, app *otp.App) otp.Caller {
	c.Caller = otp.Caller{App: app, Address: c.Client}
	return c.Caller
}
