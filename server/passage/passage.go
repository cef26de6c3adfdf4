// Package passage is the door of Passage by 1Password: one-time passcodes, the
// sessions that they open, and the users of an app, under /v1/apps. The vendor
// has two hosts, one for pages and one for servers, and the box is both.
package passage

import (
	"context"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
)

// Verifications is what the door asks of [otp.Verifications].
type Verifications interface {
	Start(context.Context, otp.Caller, otp.StartRequest) (otp.Progress, error)
	Check(ctx context.Context, c otp.Caller, id otp.ID, digits string) (otp.Progress, error)
}

// Directory is what it asks of [otp.Directory].
type Directory interface {
	User(context.Context, otp.Caller, otp.ID) (otp.User, error)
	Find(ctx context.Context, c otp.Caller, login string) (otp.User, error)
	Create(context.Context, otp.Caller, otp.UserRequest) (otp.User, error)
	Change(context.Context, otp.Caller, otp.ID, otp.UserChange) (otp.User, error)
	Remove(context.Context, otp.Caller, otp.ID) error
	RevokeAll(ctx context.Context, c otp.Caller, user, except otp.ID) error
}

// Mint is what it asks of [token.Mint].
type Mint interface {
	Issue(*otp.Grant, token.Form) (token.Set, error)
	Bearer(ctx context.Context, c otp.Caller, access string) (otp.Grant, error)
	Refresh(ctx context.Context, c otp.Caller, refresh string, form func(*otp.Grant) token.Form) (token.Set, otp.Grant, error)
	Revoke(ctx context.Context, c otp.Caller, refresh string) error
	KeySet(app *otp.App, algorithms ...token.Algorithm) token.KeySet
}

// Door answers the vendor's calls.
type Door struct {
	verifications Verifications
	directory     Directory
	mint          Mint
	callers       web.Callers
}

// Name is what an app lists in doors to open this one.
const Name = "passage"

// base is the path of an app; every other path lies below it.
const (
	allApps = "/v1/apps"
	base    = allApps + "/{app}"
)

// New returns the door.
func New(verifications Verifications, directory Directory, mint Mint, apps web.Apps) web.Door {
	d := &Door{verifications, directory, mint, web.NewCallers(apps, Name)}
	return web.Door{
		Name: Name, Below: []string{allApps}, Refuse: refuse, Headers: []string{"passage-*"},
		// Some versions of the SDKs end a path with a slash, and a redirect would
		// lose them the body.
		Routes: []web.Route{
			{Method: "POST", Pattern: base + "/login/otp", Handle: d.start(otp.PurposeSignIn)},
			{Method: "POST", Pattern: base + "/register/otp", Handle: d.start(otp.PurposeSignUp)},
			{Method: "POST", Pattern: base + "/otp/activate", Handle: d.activate},

			{Method: "POST", Pattern: base + "/tokens", Handle: d.refresh},
			{Method: "POST", Pattern: base + "/tokens/", Handle: d.refresh},
			{Method: "DELETE", Pattern: base + "/tokens", Handle: d.revoke},
			{Method: "DELETE", Pattern: base + "/tokens/", Handle: d.revoke},

			{Method: "GET", Pattern: base + "/currentuser", Handle: d.currentUser},
			{Method: "PATCH", Pattern: base + "/currentuser/phone", Handle: d.changePhone},

			{Method: "GET", Pattern: base + "/users", Handle: d.find},
			{Method: "POST", Pattern: base + "/users", Handle: d.create},
			{Method: "GET", Pattern: base + "/users/{id}", Handle: d.show},
			{Method: "PATCH", Pattern: base + "/users/{id}", Handle: d.update},
			{Method: "DELETE", Pattern: base + "/users/{id}", Handle: d.remove},
			{Method: "PATCH", Pattern: base + "/users/{id}/activate", Handle: d.enable(true)},
			{Method: "PATCH", Pattern: base + "/users/{id}/deactivate", Handle: d.enable(false)},
			{Method: "DELETE", Pattern: base + "/users/{id}/tokens", Handle: d.signOut},

			{Method: "GET", Pattern: base, Handle: d.app},
			{Method: "GET", Pattern: base + "/", Handle: d.app},
			{Method: "GET", Pattern: base + "/.well-known/jwks.json", Handle: d.keySet},
			{Method: "GET", Pattern: base + "/.well-known/openid-configuration", Handle: d.configuration},
		},
	}
}

// caller tells whose call it is: the app's in the path. A server's key stands
// where the vendor's API key does, as the bearer; what else stands there is a
// person's token, and calls of pages that need none may come with one.
func (d *Door) caller(c *web.Call) (otp.Caller, error) {
	key := c.Bearer()
	if !web.IsSecret(key) {
		key = ""
	}
	return d.callers.ByID(c, c.App, key)
}

// server is caller for calls that only the app's own server may make.
func (d *Door) server(c *web.Call) (otp.Caller, error) {
	caller, err := d.caller(c)
	if err == nil && !caller.Secret {
		err = &otp.Error{Code: otp.Forbidden, Detail: "Only the app's own server may make this call: send a secret key (sk_) as the bearer."}
	}
	return caller, err
}

// signedIn is caller for calls in the name of a user, whose access token is the
// bearer.
func (d *Door) signedIn(c *web.Call) (otp.Grant, error) {
	caller, err := d.caller(c)
	if err != nil {
		return otp.Grant{}, err
	}
	return d.mint.Bearer(c.Context, caller, c.Bearer())
}
