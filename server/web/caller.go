package web

import (
	"net/netip"
	"strings"

	"github.com/pinferry/pinferry/otp"
)

// Apps is what [Callers] asks of [otp.Apps].
type Apps interface {
	ByKey(key string) (app *otp.App, secret, ok bool)
	ByID(id string) (*otp.App, bool)
	At(door, host string) (*otp.App, bool)
}

var _ Apps = (*otp.Apps)(nil)

// Callers tells who makes a call at a vendor's door, and notes it in the call.
// A key that is not the app's is refused, whatever it was sent for.
type Callers struct {
	apps Apps
	door string
}

// NewCallers returns the callers of one door.
func NewCallers(apps Apps, door string) Callers { return Callers{apps: apps, door: door} }

// IsKey tells a key of an app from whatever else may stand where one can: a
// user's token, or a key of another system.
func IsKey(s string) bool { return IsSecret(s) || strings.HasPrefix(s, "pk_") }

// IsSecret tells a secret key of an app.
func IsSecret(s string) bool { return strings.HasPrefix(s, "sk_") }

// maxKey bounds what is hashed; a key of ours has some forty letters.
const maxKey = 256

// ByID is the caller at the app that id names. key is what stood in the
// vendor's place for a secret; "" looks at X-Pinferry-Key. An unknown app and
// one whose door is closed look the same: [otp.UnknownApp].
func (k Callers) ByID(c *Call, id, key string) (otp.Caller, error) {
	app, ok := k.apps.ByID(id)
	if !ok || !app.Open(k.door) {
		return otp.Caller{}, unknownApp()
	}
	return k.at(c, app, id, key)
}

// ByKey is the caller at the app whose key it is, if key is one of ours; else
// at the app of the Host, the default app, or the only one with this door.
func (k Callers) ByKey(c *Call, key string) (otp.Caller, error) {
	if !IsKey(key) {
		key = ""
	}
	if key == "" {
		key = c.Header("X-Pinferry-Key")
	}
	if key != "" {
		app, _, ok := k.apps.ByKey(clip(key))
		if !ok || !app.Open(k.door) {
			return otp.Caller{}, wrongKey()
		}
		return k.at(c, app, app.ID, key)
	}
	app, ok := k.apps.At(k.door, string(c.HTTP.Host()))
	if !ok {
		return otp.Caller{}, unknownApp()
	}
	return k.at(c, app, app.ID, "")
}

func (k Callers) at(c *Call, app *otp.App, as, key string) (otp.Caller, error) {
	caller := otp.Caller{App: app, Door: k.door, As: as}
	if key == "" {
		key = c.Header("X-Pinferry-Key")
	}
	if key != "" {
		owner, secret, ok := k.apps.ByKey(clip(key))
		if !ok || owner != app {
			return otp.Caller{}, wrongKey()
		}
		caller.Secret = secret
	}
	if !caller.Secret && !Within(app.Backends, c.Client) {
		caller.Address = c.Client
	}
	if ip := c.Header("Pinferry-Client-IP"); ip != "" {
		// Anybody else could name a fresh one with each call and slip through
		// every limit.
		if !caller.Secret {
			return otp.Caller{}, &otp.Error{Code: otp.InvalidRequest, Detail: "Pinferry-Client-IP needs a secret key (sk_) in X-Pinferry-Key."}
		}
		address, err := netip.ParseAddr(ip)
		if err != nil || address.Zone() != "" {
			return otp.Caller{}, &otp.Error{Code: otp.InvalidRequest, Detail: "Pinferry-Client-IP must be one IPv4 or IPv6 address."}
		}
		caller.Address = address.Unmap()
	}
	c.Caller = caller
	return caller, nil
}

// clip returns key, or "" if it cannot be one.
func clip(key string) string {
	if len(key) > maxKey {
		return ""
	}
	return key
}

func unknownApp() error {
	return &otp.Error{Code: otp.UnknownApp, Detail: "There is no such app on this box, or this door of it is closed."}
}

func wrongKey() error {
	return &otp.Error{Code: otp.Unauthorized, Detail: "The key that came with the request is not one of this app."}
}
