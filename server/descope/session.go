package descope

import (
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
)

// stepUpLife is how long a step-up marks the tokens of its session.
const stepUpLife = 10 * time.Minute

// formOf is how this vendor's SDKs want their tokens: each says by drn which of
// the two it is, and the refresh token is a JWT too, for they read it before
// they send it. What the client said of itself stands under nsec, where this
// vendor too puts what is not to be relied on. at is the moment that
// the session was proven or refreshed.
func formOf(g *otp.Grant, at otp.Time) token.Form {
	claims := map[string]any{"drn": "DS", "rexp": g.Session.Expires.Std().Format(time.RFC3339)}
	if s := g.Session.StepUp; s != 0 && at.Sub(s) < stepUpLife {
		claims["su"] = true
	}
	return token.Form{Claims: claims, ClaimsName: "nsec", Refresh: map[string]any{"amr": []string{"sms"}, "drn": "DSR"}}
}

// refresh answers POST /v1/auth/refresh. It looks at no body: what SDKs put
// there concerns tokens of others.
func (d *Door) refresh(c *web.Call) error {
	caller, refresh, err := d.admit(c)
	if err != nil {
		return err
	}
	return d.rotate(c, caller, refresh)
}

// tryRefresh answers POST /v1/auth/try-refresh, with which a page asks whether
// it has a session at all. That it has none is no error, and an answer without
// tokens says so.
func (d *Door) tryRefresh(c *web.Call) error {
	caller, refresh, err := d.admit(c)
	if err != nil {
		return err
	}
	err = d.rotate(c, caller, refresh)
	if e := otp.AsError(err); e != nil && (e.Code == otp.Unauthorized || e.Code == otp.UserDisabled) {
		return c.JSON(200, struct{}{})
	}
	return err
}

// rotate answers with the successor of a refresh token.
func (d *Door) rotate(c *web.Call, caller otp.Caller, refresh string) error {
	if refresh == "" {
		return noRefresh()
	}
	set, g, err := d.mint.Refresh(c.Context, caller, refresh, func(g *otp.Grant) token.Form {
		return formOf(g, g.Session.Rotated)
	})
	if err != nil {
		return err
	}
	return c.JSON(200, authOf(&g, &set))
}

// logOut answers POST /v1/auth/logout. A session that has ended is no error.
func (d *Door) logOut(c *web.Call) error {
	caller, refresh, err := d.admit(c)
	if err != nil {
		return err
	}
	if refresh == "" {
		return noRefresh()
	}
	if err := d.mint.Revoke(c.Context, caller, refresh); err != nil {
		return err
	}
	return c.JSON(200, struct{}{}) // SDKs read every answer as JSON, this one too
}

// logOutAll answers POST /v1/auth/logoutall.
func (d *Door) logOutAll(c *web.Call) error {
	caller, g, err := d.show(c)
	if err != nil {
		return err
	}
	if err := d.directory.RevokeAll(c.Context, caller, g.User.ID, otp.ID{}); err != nil {
		return err
	}
	return c.JSON(200, struct{}{})
}
