package api

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// maxToken bounds what is taken apart to see whose token it says it is.
const maxToken = 4 << 10

// Me answers GET /v1/me with the user of the access token that stands where
// other calls have a key. What the token says of itself only names the app
// whose keys then prove it.
func (d *Door) Me(c *web.Call) error {
	access := c.Bearer()
	app, ok := d.apps.ByID(issuerOf(access))
	if !ok || !app.Open(DoorName) {
		return &otp.Error{Code: otp.Unauthorized, Detail: "No access token of this box came with the request: send Authorization: Bearer with one."}
	}
	c.Caller = otp.Caller{App: app, Address: endUser(c, app)}
	grant, err := d.mint.Bearer(c.Context, c.Caller, access)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, userWireOf(&grant.User))
}

// issuerOf returns what a token that nobody has checked gives as its issuer, ""
// if there is nothing to be read.
func issuerOf(access string) string {
	if len(access) > maxToken {
		return ""
	}
	_, rest, _ := strings.Cut(access, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return ""
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(text, &claims) != nil {
		return ""
	}
	return claims.Issuer
}
