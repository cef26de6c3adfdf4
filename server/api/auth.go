package api

import (
	"net/netip"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// DoorName is what an app lists in doors to open this one.
const DoorName = "native"

// maxKey bounds what is hashed; a key of ours has some forty letters.
const maxKey = 256

// Keys authenticates by the key in "Authorization: Bearer pk_..." or "sk_...".
// A missing key, an unknown one and one of an app whose native door is closed
// look the same.
func Keys(apps web.Apps) Authenticate {
	refusal := &otp.Error{
		Code:   otp.Unauthorized,
		Detail: "No key that this box accepts here came with the request: send Authorization: Bearer with a pk_ or sk_ key.",
	}
	return func(c *web.Call) (otp.Caller, error) {
		key := c.Bearer()
		if len(key) > maxKey {
			return otp.Caller{}, refusal
		}
		app, secret, ok := apps.ByKey(key)
		if !ok || !app.Open(DoorName) {
			return otp.Caller{}, refusal
		}
		caller := otp.Caller{App: app, Secret: secret}
		if !secret {
			caller.Address = endUser(c, app)
		}
		return caller, nil
	}
}

// endUser returns where a call without a secret key came from: the end user's
// address, but for the app's own servers.
func endUser(c *web.Call, app *otp.App) netip.Addr {
	if web.Within(app.Backends, c.Client) {
		return netip.Addr{}
	}
	return c.Client
}

// withUser takes the end user's address that a trusted server names. Anybody
// else could name a fresh one with each call and slip through every limit.
func withUser(caller otp.Caller, clientIP string) (otp.Caller, error) {
	if clientIP == "" {
		return caller, nil
	}
	if !caller.Secret {
		return caller, web.Invalid(`"client_ip" needs a secret key (sk_). With a publishable key the address is the caller's own.`)
	}
	address, err := netip.ParseAddr(clientIP)
	if err != nil || address.Zone() != "" {
		return caller, web.Invalid(`"client_ip" must be one IPv4 or IPv6 address.`)
	}
	caller.Address = address.Unmap()
	return caller, nil
}
