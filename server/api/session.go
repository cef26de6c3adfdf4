package api

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// form is how the tokens of this door look: they name the app and the user, and
// hold nothing else.
var form = token.Form{Algorithm: token.ES256}

// sessionWire is a session in an answer.
type sessionWire struct {
	AccessToken  string   `json:"access_token"`
	TokenType    string   `json:"token_type"`
	ExpiresIn    int      `json:"expires_in"` // seconds
	RefreshToken string   `json:"refresh_token"`
	User         userWire `json:"user"`
}

func sessionWireOf(set *token.Set, user *otp.User) *sessionWire {
	return &sessionWire{
		AccessToken: set.Access, TokenType: "Bearer", ExpiresIn: set.ExpiresIn, RefreshToken: set.Refresh,
		User: userWireOf(user),
	}
}

// TokenBody is the body of POST /v1/token/refresh and /v1/token/revoke.
type TokenBody struct {
	RefreshToken string `json:"refresh_token"`
}

// refreshToken admits a call and reads the token that it is about.
func (d *Door) refreshToken(c *web.Call) (string, error) {
	if err := d.admit(c); err != nil {
		return "", err
	}
	var body TokenBody
	if err := c.Decode(&body); err != nil {
		return "", err
	}
	if body.RefreshToken == "" {
		return "", web.Invalid(`"refresh_token" is missing: the newest one of the session.`)
	}
	return body.RefreshToken, nil
}

// Refresh answers POST /v1/token/refresh. An answer that got lost on its way
// may be asked for once more, within ten seconds.
func (d *Door) Refresh(c *web.Call) error {
	refresh, err := d.refreshToken(c)
	if err != nil {
		return err
	}
	set, grant, err := d.mint.Refresh(c.Context, c.Caller, refresh, func(*otp.Grant) token.Form { return form })
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, sessionWireOf(&set, &grant.User))
}

// Revoke answers POST /v1/token/revoke, also for a session that has ended.
func (d *Door) Revoke(c *web.Call) error {
	refresh, err := d.refreshToken(c)
	if err != nil {
		return err
	}
	if err := d.mint.Revoke(c.Context, c.Caller, refresh); err != nil {
		return err
	}
	return c.Empty()
}
