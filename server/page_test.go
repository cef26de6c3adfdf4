package server_test

import (
	"context"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/admin"
)

const password = "correct horse battery"

// page is a box with an operator's page.
type page struct {
	*box
	actions admin.Actions
	cookie  string // of the sign-in, as the browser sends it
}

func newPage(t testing.TB, change func(*server.Config, *[]otp.App)) *page {
	t.Helper()
	p := &page{}
	p.box = newBox(t, change, func(core *otp.Box, outbox *otp.Outbox, v *otp.Verifications, d *otp.Directory) admin.Actions {
		core.Events = otp.NewEvents(core)
		p.actions = admin.Actions{
			Status: func(context.Context) (admin.Status, error) { return admin.Status{Version: "1.2.3"}, nil },
			Clock:  func(context.Context) (admin.Clock, error) { return admin.Clock{}, nil }, AcceptClock: func(context.Context) error { return nil },
			Backup:  func(_ context.Context, w io.Writer) error { _, err := io.WriteString(w, "the database"); return err },
			OptOuts: outbox, Events: core.Events, Facts: func(context.Context) (admin.Facts, error) { return admin.Facts{Running: true}, nil },
			Modem: func(string) (admin.Modem, bool) { return pretended{}, true },
			Desk:  otp.NewDesk(core, outbox), Trail: otp.NewTrail(core), Chart: core.Chart, Feed: core.Feed, Outbox: outbox, Directory: d,
			Apps: core.Apps, Now: core.Clock.Now, Segments: func(string) int { return 1 }, Units: func(s string) (int, bool) { return len(s), false },
			Operators: otp.NewOperators(core, v, admin.NewPasswords(), ""), Version: "1.2.3",
		}
		if err := p.actions.Operators.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		return p.actions
	})
	return p
}

var cookiePattern = regexp.MustCompile(`^[^;]+`)

// signIn sets the first password, and keeps the cookie.
func (p *page) signIn() *page {
	p.t.Helper()
	a := p.do("POST", "/admin/setup", `{"secret":"`+p.actions.Operators.SetupSecret()+`","password":"`+password+`"}`, fence)
	if a.status != 200 {
		p.t.Fatalf("set up: %+v", a)
	}
	p.cookie = "Cookie: " + cookiePattern.FindString(a.headers["Set-Cookie"])
	return p
}

const fence = "Pinferry-Admin: 1"

// get and post call as the page does.
func (p *page) get(path string) answer { p.t.Helper(); return p.do("GET", path, "", p.cookie) }

func (p *page) post(path, body string) answer {
	p.t.Helper()
	return p.do("POST", path, body, p.cookie, fence, "Origin: http://"+p.addr, "Sec-Fetch-Site: same-origin")
}

// routes are the lines of the page's table, with something in place of what a
// pattern leaves open.
func (p *page) routes() (all []struct{ method, path string }) {
	p.t.Helper()
	door, err := admin.NewConsole(p.actions).Page()
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range door.Routes {
		all = append(all, struct{ method, path string }{r.Method, strings.ReplaceAll(r.Pattern, "{id}", "msg_"+otp.NewID().String())})
	}
	return all
}

// public tells what answers without a sign-in.
func public(path string) bool {
	return path == "/admin" || path == "/admin/" || strings.HasPrefix(path, "/admin/static/") || path == "/admin/session"
}

// TestPageNeedsASession ranges over the table: there is no path that tells
// anything, or does anything, without one.
func TestPageNeedsASession(t *testing.T) {
	p := newPage(t, nil).signIn()
	stranger := "Cookie: pinferry_admin=" + strings.Repeat("A", 43)
	n := 0
	for _, r := range p.routes() {
		for _, cookie := range []string{"X-None: 1", stranger, "Cookie: __Host-pinferry=" + p.cookie[len("Cookie: pinferry_admin="):]} {
			a := p.do(r.method, r.path, "", cookie, fence)
			switch {
			case public(r.path):
				if a.status >= 400 || r.path == "/admin/session" && a.body != `{"state":"signed_out","second_factor":false}` {
					t.Errorf("%s %s: %+v", r.method, r.path, a)
				}
			case r.path == "/admin/setup" || r.path == "/admin/login":
				if a.status != 415 { // there is no body
					t.Errorf("%s %s: %+v", r.method, r.path, a)
				}
			case a.status != 401:
				t.Errorf("%s %s: %+v", r.method, r.path, a)
			default:
				n++
			}
			if policy := a.headers["Content-Security-Policy"]; !strings.HasPrefix(policy, "default-src 'none'; script-src 'self';") || strings.Contains(policy, "unsafe") {
				t.Errorf("%s %s: the policy is %q", r.method, r.path, policy)
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d calls were refused", n)
	}
	for _, path := range []string{"/admin/nothing", "/admin/static/nothing.js", "/admin/static/../../secret", "/admin/static"} {
		if a := p.get(path); a.status != 404 || a.headers["Content-Security-Policy"] == "" {
			t.Errorf("%s: %+v", path, a)
		}
	}
}

// TestPageFence has calls that another site could have had a browser make refused,
// with the cookie and all, and nothing changed.
func TestPageFence(t *testing.T) {
	p := newPage(t, nil).signIn()
	own := "Origin: http://" + p.addr
	for name, headers := range map[string][]string{
		"no header":         {p.cookie, own},
		"foreign origin":    {p.cookie, fence, "Origin: https://evil.example"},
		"origin null":       {p.cookie, fence, "Origin: null"},
		"other port":        {p.cookie, fence, "Origin: http://127.0.0.1:1"},
		"other scheme":      {p.cookie, fence, "Origin: https://" + p.addr},
		"cross-site":        {p.cookie, fence, own, "Sec-Fetch-Site: cross-site"},
		"same-site":         {p.cookie, fence, own, "Sec-Fetch-Site: same-site"},
		"address bar":       {p.cookie, fence, "Sec-Fetch-Site: none"},
		"through a proxy":   {p.cookie, fence, own, "X-Forwarded-For: 127.0.0.1"},
		"says it is secure": {p.cookie, fence, own, "X-Forwarded-Proto: https"},
		"via":               {p.cookie, fence, own, "Via: 1.1 proxy"},
		"a proxy's own":     {p.cookie, fence, own, "X-Forwarded-Server: proxy"},
		"a tunnel":          {p.cookie, fence, own, "Cf-Connecting-Ip: 192.0.2.9"},
	} {
		if a := p.do("POST", "/admin/logout-everywhere", "", headers...); a.status != 403 {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if a := p.parse(p.raw("POST /admin/logout-everywhere HTTP/1.1\r\nHost: "+p.addr+"\r\nConnection: close\r\n"+fence+"\r\n"+p.cookie+
		"\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"), "POST"); a.status != 403 {
		t.Errorf("text/plain: %+v", a)
	}
	if a := p.do("GET", "/admin/logout-everywhere", "", p.cookie, fence); a.status != 405 {
		t.Errorf("GET: %+v", a)
	}
	if a := p.do("GET", "/admin/overview", "", p.cookie, "Sec-Fetch-Site: cross-site"); a.status != 403 {
		t.Errorf("reading from another site: %+v", a)
	}
	if a := p.get("/admin/account"); a.status != 200 {
		t.Fatalf("somebody was signed out: %+v", a)
	}
	if a := p.post("/admin/logout-everywhere", ""); a.status != 204 {
		t.Errorf("the page itself: %+v", a)
	}
	if a := p.get("/admin/account"); a.status != 401 {
		t.Errorf("still signed in: %+v", a)
	}
}

// TestPageSignsInWhereNobodyReads has the password asked for over TLS or on the
// machine itself, and nowhere else.
func TestPageSignsInWhereNobodyReads(t *testing.T) {
	p := newPage(t, func(c *server.Config, _ *[]otp.App) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		c.Hosts = []string{"box.example"}
	})
	body := `{"secret":"` + p.actions.Operators.SetupSecret() + `","password":"` + password + `"}`
	for _, headers := range [][]string{
		{"X-Forwarded-For: 192.0.2.9"}, {"X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: http"}, {"X-Forwarded-For: 127.0.0.1"}, {"X-Real-IP: 127.0.0.1"},
	} {
		if a := p.do("POST", "/admin/setup", body, append(headers, fence)...); a.status != 403 || !strings.Contains(a.body, "plain HTTP") {
			t.Errorf("%v: %+v", headers, a)
		}
		if a := p.do("GET", "/admin/session", "", headers...); a.status != 200 || !strings.HasPrefix(a.body, `{"state":"refused"`) {
			t.Errorf("%v: %+v", headers, a)
		}
	}
	// A proxy on the machine that adds nothing, and hands the name on.
	if a := p.parse(p.raw("GET /admin/session HTTP/1.1\r\nHost: box.example\r\nConnection: close\r\n\r\n"), "GET"); !strings.HasPrefix(a.body, `{"state":"refused"`) {
		t.Errorf("by a name for others: %+v", a)
	}
	for _, host := range []string{"localhost:7467", "127.0.0.1", "[::1]:80", "LOCALHOST."} {
		if a := p.parse(p.raw("GET /admin/session HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n"), "GET"); !strings.HasPrefix(a.body, `{"state":"setup"`) {
			t.Errorf("as %s: %+v", host, a)
		}
	}
	a := p.do("POST", "/admin/setup", body, fence, "X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: https", "Origin: https://"+p.addr)
	cookie := a.headers["Set-Cookie"]
	if a.status != 200 || !strings.HasPrefix(cookie, "__Host-pinferry=") {
		t.Fatalf("behind a proxy that speaks TLS: %+v", a)
	}
	for _, part := range []string{"; path=/", "; HttpOnly", "; secure", "; SameSite=Strict"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("the cookie has no %q: %s", part, cookie)
		}
	}
	if strings.Contains(strings.ToLower(cookie), "domain") {
		t.Errorf("the cookie names a domain: %s", cookie)
	}
	// The trail has where a sign-in is used, not where it was made.
	p.do("POST", "/admin/logout-everywhere", "", fence, "X-Forwarded-For: 203.0.113.5", "X-Forwarded-Proto: https", "Cookie: "+cookiePattern.FindString(cookie))
	if _, trail := p.call("GET", "/admin/audit", ""); !strings.Contains(trail, `"from":"203.0.113.5","action":"operator.logout_all"`) {
		t.Errorf("the trail is %s", trail)
	}
}

// TestPageLogin goes through the life of a sign-in.
func TestPageLogin(t *testing.T) {
	p := newPage(t, nil)
	if a := p.do("GET", "/admin/session", ""); !strings.HasPrefix(a.body, `{"state":"setup"`) {
		t.Errorf("a new box: %+v", a)
	}
	p.signIn()
	if strings.Contains(p.cookie, "__Host-") {
		t.Errorf("over plain HTTP a browser would drop %s", p.cookie)
	}
	if a := p.get("/admin/session"); !strings.HasPrefix(a.body, `{"state":"signed_in","version":"1.2.3"`) {
		t.Errorf("got %+v", a)
	}
	if a := p.post("/admin/setup", `{"secret":"","password":"`+password+`"}`); a.status != 409 {
		t.Errorf("set up twice: %+v", a)
	}
	login := func(password string) answer {
		return p.do("POST", "/admin/login", `{"password":"`+password+`"}`, fence)
	}
	if a := login(password); a.status != 200 || a.headers["Set-Cookie"] == "" {
		t.Errorf("got %+v", a)
	}
	if a := p.post("/admin/password", `{"password":"wrong password","new_password":"`+password+`"}`); a.status != 403 {
		t.Errorf("a wrong password within a session: %+v", a)
	}
	for range 4 {
		if a := login("a wrong password"); a.status != 401 || a.headers["Set-Cookie"] != "" {
			t.Errorf("got %+v", a)
		}
	}
	if a := login(password); a.status != 429 || a.headers["Retry-After"] == "" {
		t.Errorf("the sixth try: %+v", a)
	}
	if a := p.post("/admin/logout", ""); a.status != 204 || !strings.Contains(a.headers["Set-Cookie"], "max-age=0") && !strings.Contains(a.headers["Set-Cookie"], "expires=") {
		t.Errorf("got %+v", a)
	}
	if a := p.get("/admin/overview"); a.status != 401 {
		t.Errorf("after signing out: %+v", a)
	}
	status, body := p.call("GET", "/admin/setup", "")
	if status != 200 || body != `{"set_up":true,"secret":null}` {
		t.Errorf("got %d %s", status, body)
	}
	status, body = p.call("POST", "/admin/reset", "")
	if secret := p.actions.Operators.SetupSecret(); status != 200 || secret == "" || body != `{"set_up":false,"secret":"`+secret+`"}` {
		t.Errorf("got %d %s", status, body)
	}
	for _, path := range []string{"/admin/setup", "/admin/reset"} {
		if a := p.do("GET", path, ""); a.status == 200 {
			t.Errorf("%s is on the network: %+v", path, a)
		}
	}
}

// TestPageFiles has every file of the page come as it is, with its type, packed
// where that is understood, and not twice.
func TestPageFiles(t *testing.T) {
	p := newPage(t, nil)
	if a := p.do("GET", "/admin", ""); a.status != 308 || a.headers["Location"] != "/admin/" {
		t.Errorf("got %+v", a)
	}
	all := 0
	for _, r := range p.routes() {
		if !strings.HasPrefix(r.path, "/admin/static/") && r.path != "/admin/" {
			continue
		}
		plain := p.do("GET", r.path, "")
		if plain.status != 200 || plain.headers["Etag"] == "" || plain.headers["Cache-Control"] != "no-cache" || plain.headers["Content-Encoding"] != "" {
			t.Errorf("%s: %d %v", r.path, plain.status, plain.headers)
		}
		const accept = "Accept-Encoding: br, gzip"
		packed := p.do("GET", r.path, "", accept)
		if len(plain.body) > 4096 && (packed.headers["Content-Encoding"] != "gzip" || len(packed.body) >= len(plain.body)) {
			t.Errorf("%s: of %d bytes it has %d packed, %v", r.path, len(plain.body), len(packed.body), packed.headers)
		}
		if a := p.do("GET", r.path, "", accept, "If-None-Match: "+packed.headers["Etag"]); a.status != 304 || a.body != "" {
			t.Errorf("%s again: %d with %d bytes", r.path, a.status, len(a.body))
		}
		all += len(packed.body)
		if strings.HasSuffix(r.path, ".js") && plain.headers["Content-Type"] != "text/javascript; charset=utf-8" {
			t.Errorf("%s: %v", r.path, plain.headers)
		}
	}
	if all > 120<<10 {
		t.Errorf("the page has %d bytes, more than 120 KiB", all)
	}
	if a := p.do("GET", "/admin/", ""); !strings.HasPrefix(a.body, "<!doctype html>") && !strings.HasPrefix(a.body, "<!DOCTYPE html>") {
		t.Errorf("the page begins with %.60s", a.body)
	}
}
