package api

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// ExchangeBody is the body of POST /v1/token/exchange: what the hosted login
// page handed to the redirect, the PKCE verifier (RFC 7636, S256) whose challenge
// the page was given, and that redirect.
type ExchangeBody struct {
	Code         string `json:"code"`
	CodeVerifier string `json:"code_verifier"`
	RedirectURI  string `json:"redirect_uri"`
}

// Exchange answers POST /v1/token/exchange: the code that a hosted login gave,
// for its session, once and within a minute.
func (d *Door) Exchange(c *web.Call) error {
	if err := d.admit(c); err != nil {
		return err
	}
	var body ExchangeBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	if body.Code == "" || body.CodeVerifier == "" || body.RedirectURI == "" {
		return web.Invalid(`"code", "code_verifier" and "redirect_uri" are all needed: the code that came to the redirect, the secret behind the code_challenge, and the redirect itself.`)
	}
	grant, err := d.directory.Exchange(c.Context, c.Caller, body.Code, body.CodeVerifier, body.RedirectURI)
	if err != nil {
		if e := otp.AsError(err); e.Code == otp.CodeUnknown {
			// No try at a one-time password, and so no refusal of one.
			return web.Invalid("The code, its verifier or its redirect is wrong, expired or used. Sign in again.")
		}
		return err
	}
	set, err := d.mint.Issue(&grant, form)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, sessionWireOf(&set, &grant.User))
}
