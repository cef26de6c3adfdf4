package passage

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// formOf is how the tokens of an app look here. The SDKs demand RS256, and look
// for the app's id in aud; beside it stands the place where the app's pages are,
// if the config tells one.
func formOf(app *otp.App) func(*otp.Grant) token.Form {
	return func(g *otp.Grant) token.Form {
		f := token.Form{Algorithm: token.RS256, Type: "JWT", Issuer: g.Session.As, Subject: g.User.ID.String()}
		if origin := originOf(app); origin != "" {
			f.Audiences = append(f.Audiences, origin)
		}
		f.Audiences = append(f.Audiences, g.Session.As)
		return f
	}
}

// originOf returns the first of the app's origins, "" if it has none.
func originOf(app *otp.App) string {
	if len(app.Origins) == 0 {
		return ""
	}
	return app.Origins[0]
}

// refresh answers POST tokens. The refresh token is used up by it, and the
// answer has its successor.
func (d *Door) refresh(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	var body refreshBody
	if err := c.Loose(&body); err != nil {
		return err
	}
	if body.Refresh == "" {
		return missing("refresh_token")
	}
	set, _, err := d.mint.Refresh(c.Context, caller, body.Refresh, formOf(caller.App))
	if err != nil {
		return unauthorizedAs(c, err, failure{fasthttp.StatusUnauthorized, invalidRefreshToken, "The refresh token is not valid, or not any more. A new login gives a good one."})
	}
	return c.JSON(fasthttp.StatusCreated, resultOf(caller.App, &set))
}

// revoke answers DELETE tokens. SDKs take nothing but 200 for a sign-out that
// worked, and expect no body.
func (d *Door) revoke(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	refresh := c.Query("refresh_token")
	if refresh == "" {
		return missing("refresh_token")
	}
	if err := d.mint.Revoke(c.Context, caller, refresh); err != nil {
		// The vendor declares no 401 for this call.
		return unauthorizedAs(c, err, failure{fasthttp.StatusBadRequest, invalidRequest, "The refresh token is not one of this app."})
	}
	return done(c)
}

// done answers 200 without a body.
func done(c *web.Call) error {
	c.HTTP.SetStatusCode(fasthttp.StatusOK)
	c.HTTP.Response.Header.Set("Cache-Control", "no-store")
	return nil
}
