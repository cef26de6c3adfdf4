// Package descope is the door for clients of Descope's one-time passwords by
// SMS: sign-in, sign-up and step-up, sessions of two JWTs, and what a session
// may ask about its user. README.md says which subset, and where it deviates.
//
// A call names its app as a project, in "Authorization: Bearer <project>", with
// the refresh token and a key of the app behind it where there is one. A project
// id is public, so nothing that comes with it alone is believed.
package descope

import (
	"context"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
)

// Name is what an app lists in doors to open this one.
const Name = "descope"

// Verifications is what the door asks of [otp.Verifications].
type Verifications interface {
	Start(context.Context, otp.Caller, otp.StartRequest) (otp.Progress, error)
	CheckSlot(ctx context.Context, c otp.Caller, slot otp.Slot, digits string) (otp.Progress, error)
}

// Directory is what the door asks of [otp.Directory].
type Directory interface {
	Exchange(ctx context.Context, c otp.Caller, code, verifier, redirect string) (otp.Grant, error)
	RevokeAll(ctx context.Context, c otp.Caller, user, except otp.ID) error
}

// Mint is what the door asks of [token.Mint].
type Mint interface {
	Issue(*otp.Grant, token.Form) (token.Set, error)
	Show(ctx context.Context, c otp.Caller, refresh string) (otp.Grant, error)
	Refresh(ctx context.Context, c otp.Caller, refresh string, form func(*otp.Grant) token.Form) (token.Set, otp.Grant, error)
	Revoke(ctx context.Context, c otp.Caller, refresh string) error
	KeySet(app *otp.App, algorithms ...token.Algorithm) token.KeySet
}

var (
	_ Verifications = (*otp.Verifications)(nil)
	_ Directory     = (*otp.Directory)(nil)
	_ Mint          = (*token.Mint)(nil)
)

// Door answers Descope's calls.
type Door struct {
	verifications Verifications
	directory     Directory
	mint          Mint
	callers       web.Callers
}

// New returns the door over the core: its table of paths, and how it refuses.
// In a pattern {id} is the channel, {app} the project.
func New(verifications Verifications, directory Directory, mint Mint, apps web.Apps) web.Door {
	d := &Door{verifications: verifications, directory: directory, mint: mint, callers: web.NewCallers(apps, Name)}
	return web.Door{
		Name: Name,
		Routes: []web.Route{
			{Method: "POST", Pattern: "/v1/auth/otp/signin/{id}", Handle: d.signIn},
			{Method: "POST", Pattern: "/v1/auth/otp/signup/{id}", Handle: d.signUp},
			{Method: "POST", Pattern: "/v1/auth/otp/signup-in/{id}", Handle: d.signUpOrIn},
			{Method: "POST", Pattern: "/v1/auth/otp/verify/{id}", Handle: d.verify},
			{Method: "POST", Pattern: "/v1/auth/otp/update/phone/{id}", Handle: d.changePhone},
			{Method: "POST", Pattern: "/v1/auth/exchange", Handle: d.exchange},
			{Method: "POST", Pattern: "/v1/auth/refresh", Handle: d.refresh},
			{Method: "POST", Pattern: "/v1/auth/try-refresh", Handle: d.tryRefresh},
			{Method: "POST", Pattern: "/v1/auth/logout", Handle: d.logOut},
			{Method: "POST", Pattern: "/v1/auth/logoutall", Handle: d.logOutAll},
			{Method: "GET", Pattern: "/v1/auth/me", Handle: d.me},
			{Method: "GET", Pattern: "/v1/auth/me/history", Handle: d.history},
			{Method: "POST", Pattern: "/v1/auth/me/tenants", Handle: d.tenants},
			{Method: "GET", Pattern: "/v2/keys/{app}", Handle: d.keys},
		},
		Below:  []string{"/v1/auth", "/v1/mgmt", "/v2/keys"},
		Refuse: refuse,
		// Each SDK tells of itself in headers of its own, and a browser asks leave
		// for every one of them.
		Headers: []string{"x-descope-*"},
	}
}

// keys answers GET /v2/keys/{app}. A key set is public and named by its path,
// so the bearer that SDKs send along says nothing more.
func (d *Door) keys(c *web.Call) error {
	caller, err := d.callers.ByID(c, c.App, "")
	if err != nil {
		return err
	}
	return c.Public(d.mint.KeySet(caller.App, token.ES256))
}
