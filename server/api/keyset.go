package api

import (
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// KeySet returns what answers GET /.well-known/jwks.json with the keys of one
// app: the one whose key came with the call, or without a key the one that is
// meant by this Host at the first of doors that has one.
func (d *Door) KeySet(doors ...string) web.Handler {
	return func(c *web.Call) error {
		caller, err := d.authenticate(c)
		for _, door := range doors {
			if err == nil {
				break
			}
			caller, err = web.NewCallers(d.apps, door).ByKey(c, publicKey(c))
		}
		if err != nil {
			return err
		}
		return d.keySet(c, caller.App)
	}
}

func (d *Door) keySet(c *web.Call, app *otp.App) error {
	if err := c.JSON(fasthttp.StatusOK, d.mint.KeySet(app, token.ES256, token.RS256)); err != nil {
		return err
	}
	h := &c.HTTP.Response.Header
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Vary", "Authorization, Apikey")
	return nil
}

// publicKey returns the key of an app that came with the call, if it stands
// where it does at a door at the root of the host.
func publicKey(c *web.Call) string {
	if key, _ := bearer(c); strings.HasPrefix(key, "pk_") || strings.HasPrefix(key, "sk_") {
		return key
	}
	return c.Header("apikey")
}
