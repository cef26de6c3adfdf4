package server

import (
	"slices"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// cors lets pages of the origins that an app lists read the answers of the
// doors that the app has opened. A secret key has no business in a page, so
// what is answered to one stays closed.
type cors struct {
	origins map[string][]string // of all apps, by door
}

func newCORS(apps []*otp.App) *cors {
	o := &cors{origins: map[string][]string{}}
	for _, app := range apps {
		for _, door := range app.Doors {
			o.origins[door] = append(o.origins[door], app.Origins...)
		}
		o.origins[captchaDoor] = append(o.origins[captchaDoor], app.Origins...)
		if slices.ContainsFunc(rootKeyDoors, app.Open) {
			o.origins[keySetDoor] = append(o.origins[keySetDoor], app.Origins...)
		}
	}
	return o
}

// requestHeaders are what every door lets a page send.
const requestHeaders = "Authorization, Content-Type, Idempotency-Key"

// ownDoors are those whose clients know that the box has no cookies.
var ownDoors = []string{nativeDoor, keySetDoor, captchaDoor}

// mark sets the headers of an answer. A preflight, and a refusal before the
// caller was looked at, cannot know the app: the origin of any app with this
// door will do there.
func (o *cors) mark(c *web.Call, p *path) {
	origins := o.origins[p.door.Name]
	if len(origins) == 0 {
		return
	}
	h := &c.HTTP.Response.Header
	h.Add("Vary", "Origin")
	origin := c.Header("Origin")
	if app := c.Caller.App; app != nil {
		origins = app.Origins
	}
	if c.Caller.Secret || !slices.Contains(origins, origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if !slices.Contains(ownDoors, p.door.Name) {
		// Some vendors' clients ask for cookies with each call. There are none,
		// but without this a browser would not let them read the answer.
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if c.HTTP.IsOptions() {
		h.Add("Vary", "Access-Control-Request-Headers")
		h.Set("Access-Control-Allow-Methods", p.allow)
		h.Set("Access-Control-Allow-Headers", allowedHeaders(&p.door, c.Header("Access-Control-Request-Headers")))
		h.Set("Access-Control-Max-Age", "600")
		return
	}
	h.Set("Access-Control-Expose-Headers", strings.Join(append([]string{"Retry-After", "X-Request-Id"}, p.door.Expose...), ", "))
}

// allowedHeaders returns what every door allows, and what the page asks for as
// far as this door allows it.
func allowedHeaders(door *web.Door, asked string) string {
	allowed := requestHeaders
	for name := range strings.SplitSeq(asked, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if isToken([]byte(name)) && slices.ContainsFunc(door.Headers, func(pattern string) bool { return covers(strings.ToLower(pattern), name) }) {
			allowed += ", " + name
		}
	}
	return allowed
}

// covers compares a header's name with a pattern of [web.Door.Headers].
func covers(pattern, name string) bool {
	if prefix, open := strings.CutSuffix(pattern, "*"); open {
		return strings.HasPrefix(name, prefix)
	}
	return name == pattern
}
