// Package ssojet is the door of SSOJet's phone authentication: a code by SMS,
// the session that it opens, and the refreshing of its tokens, under /api/v1.
package ssojet

import (
	"context"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
)

// Verifications is what the door asks of [otp.Verifications].
type Verifications interface {
	Start(context.Context, otp.Caller, otp.StartRequest) (otp.Progress, error)
	Get(context.Context, otp.Caller, otp.ID) (otp.Progress, error)
	Check(ctx context.Context, c otp.Caller, id otp.ID, digits string) (otp.Progress, error)
	Resend(ctx context.Context, c otp.Caller, id otp.ID, channel string) (otp.Progress, error)
}

// Directory is what it asks of [otp.Directory].
type Directory interface {
	Find(ctx context.Context, c otp.Caller, login string) (otp.User, error)
}

// Mint is what it asks of [token.Mint].
type Mint interface {
	Issue(*otp.Grant, token.Form) (token.Set, error)
	Refresh(ctx context.Context, c otp.Caller, refresh string, form func(*otp.Grant) token.Form) (token.Set, otp.Grant, error)
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
const Name = "ssojet"

// clientHeader names the app where the query does not.
const clientHeader = "x-client-id"

const (
	base     = "/api/v1"
	phoneOTP = base + "/auth/passwordless/phone-otp"
)

// New returns the door.
func New(verifications Verifications, directory Directory, mint Mint, apps web.Apps) web.Door {
	d := &Door{verifications, directory, mint, web.NewCallers(apps, Name)}
	return web.Door{
		Name: Name, Below: []string{base}, Refuse: refuse, Headers: []string{clientHeader},
		Routes: []web.Route{
			{Method: "POST", Pattern: phoneOTP + "/send", Handle: d.send},
			{Method: "POST", Pattern: phoneOTP + "/resend", Handle: d.resend},
			{Method: "POST", Pattern: phoneOTP + "/verify", Handle: d.verify},
			{Method: "GET", Pattern: phoneOTP + "/status", Handle: d.status},
			// The vendor has one page for the status of all ways to log in, and it
			// shows the path of another way.
			{Method: "GET", Pattern: base + "/auth/passwordless/magic-link/status", Handle: d.status},
			{Method: "GET", Pattern: base + "/accesstoken/refresh", Handle: d.refresh},
			{Method: "GET", Pattern: base + "/.well-known/jwks.json", Handle: d.keySet},
		},
	}
}

// caller tells whose call it is: the app's that the client id names.
func (d *Door) caller(c *web.Call) (otp.Caller, error) {
	id := clientID(c)
	if id == "" {
		return otp.Caller{}, web.Invalid("client_id is missing: the id of the app, in the query.")
	}
	return d.callers.ByID(c, id, "")
}

// clientID returns the first client_id that is not empty, for the vendor's own
// samples send it twice; else the one in the header.
func clientID(c *web.Call) string {
	for _, id := range c.HTTP.QueryArgs().PeekMulti("client_id") {
		if len(id) > 0 {
			return string(id)
		}
	}
	return c.Header(clientHeader)
}
