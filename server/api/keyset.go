package api

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
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
	return c.Public(d.mint.KeySet(app, token.ES256, token.RS256), "Authorization", "Apikey", "X-Pinferry-Key")
}

// publicKey returns the key of an app that came with the call, if it stands
// where it does at a door at the root of the host.
func publicKey(c *web.Call) string {
	if key := c.Bearer(); web.IsKey(key) {
		return key
	}
	return c.Header("apikey")
}
