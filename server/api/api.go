// Package api is the native door: verifications, sessions, users, messages and
// routes as JSON under /v1. The answers are private by construction: every
// refusal of a check is one answer, whatever the reason, and whether a number is
// registered is told only to who has proven it.
package api

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
	Cancel(context.Context, otp.Caller, otp.ID) error
}

// Outbox is what the door asks of [otp.Outbox].
type Outbox interface {
	Send(context.Context, otp.Caller, otp.MessageRequest) (otp.Message, error)
	Get(context.Context, otp.Caller, otp.ID) (otp.Message, error)
	List(ctx context.Context, c otp.Caller, limit int, cursor string) (page []otp.Message, next string, err error)
	Inbound(ctx context.Context, c otp.Caller, limit int, cursor string) (page []otp.Inbound, next string, err error)
	Routes() []otp.RouteReport
}

// Directory is what the door asks of [otp.Directory].
type Directory interface {
	User(context.Context, otp.Caller, otp.ID) (otp.User, error)
	Find(ctx context.Context, c otp.Caller, login string) (otp.User, error)
	Users(ctx context.Context, c otp.Caller, limit int, cursor string) (page []otp.User, next string, err error)
	Change(context.Context, otp.Caller, otp.ID, otp.UserChange) (otp.User, error)
	Remove(context.Context, otp.Caller, otp.ID) error
	Exchange(ctx context.Context, c otp.Caller, code, verifier, redirect string) (otp.Grant, error)
}

// Mint is what the door asks of [token.Mint].
type Mint interface {
	Issue(*otp.Grant, token.Form) (token.Set, error)
	Bearer(ctx context.Context, c otp.Caller, access string) (otp.Grant, error)
	Refresh(ctx context.Context, c otp.Caller, refresh string, form func(*otp.Grant) token.Form) (token.Set, otp.Grant, error)
	Revoke(ctx context.Context, c otp.Caller, refresh string) error
	KeySet(app *otp.App, algorithms ...token.Algorithm) token.KeySet
}

// Core is what the door stands on. All of it is required.
type Core struct {
	Verifications Verifications
	Outbox        Outbox
	Directory     Directory
	Mint          Mint
}

// Authenticate tells who makes a call, or refuses it. The caller's address is
// where the call came from, if that is the end user's.
type Authenticate func(*web.Call) (otp.Caller, error)

// Door answers the native calls.
type Door struct {
	verifications Verifications
	outbox        Outbox
	directory     Directory
	mint          Mint
	apps          web.Apps
	authenticate  Authenticate
}

// New returns the door over the core. What authenticate lets in differs
// between the network ([Keys]) and the admin socket; all else is the same.
func New(core Core, apps web.Apps, authenticate Authenticate) *Door {
	return &Door{
		verifications: core.Verifications, outbox: core.Outbox, directory: core.Directory, mint: core.Mint,
		apps: apps, authenticate: authenticate,
	}
}

// admit authenticates a call and notes the caller in it.
func (d *Door) admit(c *web.Call) (err error) {
	c.Caller, err = d.authenticate(c)
	return err
}

// admitSecret is admit for calls that a publishable key may not make.
func (d *Door) admitSecret(c *web.Call) error {
	if err := d.admit(c); err != nil {
		return err
	}
	if !c.Caller.Secret {
		return &otp.Error{Code: otp.Forbidden, Detail: "Only a secret key (sk_) may make this call."}
	}
	return nil
}
