package server

import (
	"slices"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// cors lets pages of the origins that an app lists read the answers to calls
// with that app's publishable key. A secret key has no business in a page.
type cors struct{ origins map[string]bool }

func newCORS(apps []*otp.App) *cors {
	o := &cors{origins: map[string]bool{}}
	for _, app := range apps {
		for _, origin := range app.Origins {
			o.origins[origin] = true
		}
	}
	return o
}

// mark sets the headers of an answer. A preflight, and a refusal before the
// key was looked at, cannot know the app: any app's origin will do there.
func (o *cors) mark(c *web.Call, p *path) {
	if len(o.origins) == 0 || p == nil || !strings.HasPrefix(p.pattern, "/v1/") {
		return
	}
	h := &c.HTTP.Response.Header
	h.Set("Vary", "Origin")
	origin := c.Header("Origin")
	if !o.origins[origin] {
		return
	}
	if app := c.Caller.App; app != nil && (c.Caller.Secret || !slices.Contains(app.Origins, origin)) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if c.HTTP.IsOptions() {
		h.Set("Access-Control-Allow-Methods", p.allow)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key")
		h.Set("Access-Control-Max-Age", "600")
		return
	}
	h.Set("Access-Control-Expose-Headers", "Retry-After, X-Request-Id")
}
