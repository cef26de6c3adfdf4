package strike

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// form is how both doors' tokens look. What a user says of itself stands in no
// claim: whoever may register could write there what others then trust.
func form(g *otp.Grant) token.Form {
	return token.Form{
		Subject: uuid(g.User.ID), Audience: audience,
		Claims: map[string]any{
			"email": "", "phone": g.User.Address.Dial,
			"app_metadata": phoneOnly, "user_metadata": struct{}{},
			"role": audience, "aal": "aal1",
			"session_id": uuid(g.Session.ID), "is_anonymous": false,
			"amr": []methodWire{{Method: "otp", Timestamp: g.Session.Created.Std().Unix()}},
		},
	}
}

// refresh answers POST /token, of whose grants the box has the one that turns
// a refresh token into its successor.
func (d *Door) refresh(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	if c.Query("grant_type") != "refresh_token" {
		return web.Invalid("This box has the grant_type refresh_token only.")
	}
	var body struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := d.decode(c, &body); err != nil {
		return err
	}
	if body.RefreshToken == "" {
		return web.Invalid(`"refresh_token" is missing.`)
	}
	set, grant, err := d.mint.Refresh(c.Context, caller, body.RefreshToken, form)
	if err != nil {
		if e := otp.AsError(err); e.Code == otp.Unauthorized {
			return d.on(badRefresh, e)
		}
		return err
	}
	return c.JSON(fasthttp.StatusOK, sessionOf(&set, &grant.User))
}

// keySet answers GET /.well-known/jwks.json, which any cache may keep for a
// while.
func (d *Door) keySet(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	return c.Public(d.mint.KeySet(caller.App, token.ES256), "Authorization", "Apikey", "X-Pinferry-Key")
}
