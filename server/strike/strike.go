// Package strike is two doors of one family: Strike's, at the root of the host,
// and the one that it is modelled on, Supabase's GoTrue, under /auth/v1. One
// [Door] answers for both, and a dialect says where they differ.
package strike

import (
	"context"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
)

// Verifications is what the doors ask of [otp.Verifications].
type Verifications interface {
	Start(context.Context, otp.Caller, otp.StartRequest) (otp.Progress, error)
	CheckSlot(ctx context.Context, c otp.Caller, slot otp.Slot, digits string) (otp.Progress, error)
	ResendSlot(ctx context.Context, c otp.Caller, slot otp.Slot, channel string) (otp.Progress, error)
	Allowance(ctx context.Context, c otp.Caller, to string) (otp.Allowance, error)
}

// Directory is what they ask of [otp.Directory].
type Directory interface {
	Change(context.Context, otp.Caller, otp.ID, otp.UserChange) (otp.User, error)
	Revoke(ctx context.Context, c otp.Caller, family otp.ID) error
	RevokeAll(ctx context.Context, c otp.Caller, user, except otp.ID) error
}

// Mint is what they ask of [token.Mint].
type Mint interface {
	Issue(*otp.Grant, token.Form) (token.Set, error)
	Bearer(ctx context.Context, c otp.Caller, access string) (otp.Grant, error)
	Refresh(ctx context.Context, c otp.Caller, refresh string, form func(*otp.Grant) token.Form) (token.Set, otp.Grant, error)
	KeySet(app *otp.App, algorithms ...token.Algorithm) token.KeySet
}

// Door answers the calls of one dialect.
type Door struct {
	dialect
	name          string // as apps list it, and the door of its slots
	verifications Verifications
	directory     Directory
	mint          Mint
	callers       web.Callers
}

// What an app lists in doors to open one of these.
const (
	Name       = "strike"
	GoTrueName = "gotrue"
)

// ClientHeaders are what the clients of GoTrue send with every call, at the
// root of a host too.
var ClientHeaders = []string{"apikey", "x-client-info", versionHeader}

// New returns Strike's door.
func New(verifications Verifications, directory Directory, mint Mint, apps web.Apps) web.Door {
	d := &Door{&strikeDialect{verifications}, Name, verifications, directory, mint, web.NewCallers(apps, Name)}
	return web.Door{
		Name: d.name, Routes: d.routes(""), Refuse: d.refuse,
		Headers: ClientHeaders,
		Expose:  []string{limitHeader, remainingHeader, resetHeader},
	}
}

// NewGoTrue returns GoTrue's door.
func NewGoTrue(verifications Verifications, directory Directory, mint Mint, apps web.Apps) web.Door {
	d := &Door{gotrueDialect{}, GoTrueName, verifications, directory, mint, web.NewCallers(apps, GoTrueName)}
	const prefix = "/auth/v1"
	return web.Door{
		Name: d.name, Below: []string{prefix}, Refuse: d.refuse,
		Routes: append(d.routes(prefix),
			web.Route{Method: "PUT", Pattern: prefix + "/user", Handle: d.answer(d.changeUser)},
			web.Route{Method: "GET", Pattern: prefix + "/settings", Handle: d.answer(d.settings)},
			web.Route{Method: "GET", Pattern: prefix + "/health", Handle: d.answer(d.health)},
			web.Route{Method: "GET", Pattern: prefix + "/.well-known/jwks.json", Handle: d.answer(d.keySet)},
		),
		Headers: ClientHeaders,
		Expose:  []string{versionHeader, errorHeader},
	}
}

// routes are the calls that both dialects have.
func (d *Door) routes(prefix string) []web.Route {
	return []web.Route{
		{Method: "POST", Pattern: prefix + "/otp", Handle: d.answer(d.send)},
		{Method: "POST", Pattern: prefix + "/resend", Handle: d.answer(d.resend)},
		{Method: "POST", Pattern: prefix + "/verify", Handle: d.answer(d.verify)},
		{Method: "POST", Pattern: prefix + "/token", Handle: d.answer(d.refresh)},
		{Method: "GET", Pattern: prefix + "/user", Handle: d.answer(d.user)},
		{Method: "POST", Pattern: prefix + "/logout", Handle: d.answer(d.logout)},
	}
}

// caller tells whose call it is: by the key in apikey, by one that stands in
// for a token, or by the host.
func (d *Door) caller(c *web.Call) (otp.Caller, error) {
	key := c.Header("apikey")
	if !web.IsKey(key) {
		key = c.Bearer()
	}
	return d.callers.ByKey(c, key)
}

// signedIn is caller for calls in the name of a user, whose access token is the
// bearer.
func (d *Door) signedIn(c *web.Call) (otp.Caller, otp.Grant, error) {
	caller, err := d.caller(c)
	if err != nil {
		return caller, otp.Grant{}, err
	}
	access := c.Bearer()
	if access == "" || web.IsKey(access) {
		return caller, otp.Grant{}, d.on(noToken, nil)
	}
	grant, err := d.mint.Bearer(c.Context, caller, access)
	return caller, grant, d.ended(err)
}

// ended turns the refusal of a session that is not there, or not any more, into
// the one of a bad token.
func (d *Door) ended(err error) error {
	if err != nil && otp.AsError(err).Code == otp.Unauthorized {
		return d.on(badToken, nil)
	}
	return err
}

// decode reads the body into v, a pointer to a struct.
func (d *Door) decode(c *web.Call, v any) error {
	if err := c.Loose(v); err != nil {
		return d.on(badBody, web.ErrorOf(err))
	}
	return nil
}
