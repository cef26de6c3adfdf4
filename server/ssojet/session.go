package ssojet

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// formOf is how tokens look here: access tokens as RFC 9068 types them, issued
// by the client and for it.
func formOf(g *otp.Grant) token.Form {
	return token.Form{
		Algorithm: token.RS256, Type: "at+jwt", Issuer: g.Session.As, Subject: g.User.ID.String(), Audience: g.Session.As,
	}
}

// refresh answers GET accesstoken/refresh. The refresh token is used up by it,
// and the answer has its successor.
func (d *Door) refresh(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	refresh := c.Query("refresh_token")
	if refresh == "" {
		return web.Invalid("refresh_token is missing in the query.")
	}
	set, g, err := d.mint.Refresh(c.Context, caller, refresh, formOf)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, refreshOf(&g, &set))
}

// keySet answers GET .well-known/jwks.json. The vendor gives each project a host
// of its own for it, so without a client id the host tells whose keys these are.
func (d *Door) keySet(c *web.Call) error {
	var caller otp.Caller
	var err error
	if id := clientID(c); id != "" {
		caller, err = d.callers.ByID(c, id, "")
	} else {
		caller, err = d.callers.ByKey(c, "")
	}
	if err != nil {
		return err
	}
	return c.Public(d.mint.KeySet(caller.App, token.RS256), clientHeader, "X-Pinferry-Key")
}
