package captcha

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// The paths of the captcha.
const (
	offerPath  = "/v1/captcha"
	scriptPath = "/captcha.js"
)

// Own is the kind of the box's own captchas; every other is the name of a service
// on the internet that makes them and judges them.
const Own = "altcha"

// Offer is what an app's pages are told of its captcha. The zero value is the
// box's own with the usual work.
type Offer struct {
	Kind    string // "" is Own
	SiteKey string // public, of a service's captcha
	Work    int    // of the box's own; 0 is DefaultWork
}

// Verifications is what the door asks of [otp.Verifications].
type Verifications interface {
	Heat(ctx context.Context, c otp.Caller) (hot bool, err error)
}

// Door hands out captchas.
type Door struct {
	altcha        *Altcha
	verifications Verifications
	apps          web.Apps
	offers        map[string]Offer
}

// NewDoor returns the door. offers are by app id; an app without one has the
// zero Offer.
func NewDoor(a *Altcha, v Verifications, apps web.Apps, offers map[string]Offer) *Door {
	return &Door{altcha: a, verifications: v, apps: apps, offers: offers}
}

// Routes returns the door's lines of the table of paths.
func (d *Door) Routes() []web.Route {
	return []web.Route{
		{Method: "GET", Pattern: offerPath, Handle: d.offer},
		{Method: "GET", Pattern: scriptPath, Handle: script},
	}
}

// offerWire is a captcha to be solved. Members that the protocol has no name
// for are passed over by other solvers of it.
type offerWire struct {
	Policy  otp.CaptchaPolicy `json:"policy"`
	Kind    string            `json:"kind"`
	SiteKey string            `json:"site_key,omitzero"`

	Algorithm string   `json:"algorithm,omitzero"`
	Challenge string   `json:"challenge,omitzero"`
	MaxNumber int64    `json:"maxnumber,omitzero"`
	Salt      string   `json:"salt,omitzero"`
	Signature string   `json:"signature,omitzero"`
	ExpiresAt web.Time `json:"expires_at,omitzero"`
}

// offer answers GET /v1/captcha with a captcha of the app whose key the call
// has, or that ?app= names: a page of the box itself has no key.
func (d *Door) offer(c *web.Call) error {
	if err := d.admit(c); err != nil {
		return err
	}
	app := c.Caller.App
	offer := d.offers[app.ID]
	answer := offerWire{Policy: app.Captcha, Kind: cmp.Or(offer.Kind, Own), SiteKey: offer.SiteKey}
	if answer.Kind != Own {
		return c.JSON(200, answer)
	}
	work := cmp.Or(offer.Work, DefaultWork)
	hot, err := d.verifications.Heat(c.Context, c.Caller)
	if err != nil {
		return err
	}
	if hot {
		work = min(harder*work, MaxWork)
	}
	challenge, expires, err := d.altcha.Challenge(app, work)
	if err != nil {
		return err
	}
	answer.Algorithm, answer.Challenge, answer.MaxNumber = challenge.Algorithm, challenge.Challenge, challenge.MaxNumber
	answer.Salt, answer.Signature = challenge.Salt, challenge.Signature
	answer.ExpiresAt = web.Time(expires)
	return c.JSON(200, answer)
}

// admit finds the app. Its doors do not matter: whichever is open, its pages
// need captchas.
func (d *Door) admit(c *web.Call) error {
	if key := c.Bearer(); key != "" {
		app, secret, ok := d.apps.ByKey(key)
		if !ok {
			return &otp.Error{Code: otp.Unauthorized, Detail: "The key that came with the request is none of this box."}
		}
		c.Caller = otp.Caller{App: app, Secret: secret}
	} else {
		app, ok := d.apps.ByID(c.Query("app"))
		if !ok {
			return &otp.Error{Code: otp.UnknownApp, Detail: "Say whose captcha it shall be: send Authorization: Bearer with a pk_ key, or name the app by ?app=."}
		}
		c.Caller = otp.Caller{App: app}
	}
	if !c.Caller.Secret && !web.Within(c.Caller.App.Backends, c.Client) {
		c.Caller.Address = c.Client
	}
	return nil
}

//go:embed captcha.js
var source string

// version names the bytes of the script, so that browsers ask for it whole only
// after an upgrade of the box.
var version = func() string {
	sum := sha256.Sum256([]byte(source))
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}()

// script answers GET /captcha.js.
func script(c *web.Call) error {
	h := &c.HTTP.Response.Header
	h.Set("ETag", version)
	h.Set("Cache-Control", "public, no-cache")
	if c.Header("If-None-Match") == version {
		c.HTTP.SetStatusCode(304)
		return nil
	}
	c.HTTP.SetContentType("text/javascript; charset=utf-8")
	c.HTTP.SetBodyString(source)
	return nil
}
