package server_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/captcha"
)

const anyID = "vrf_000102030405060708090a0b0c0d0e0f"

func TestPaths(t *testing.T) {
	b := newBox(t, nil)
	for target, want := range map[string]int{
		"/healthz": 200, "/healthz?x=y": 200, "/v1/messages?limit=5": 200, "/v1/messages": 200, "/v1/verifications/" + anyID: 404,
		"/": 404, "/healthz/": 404, "//healthz": 404, "/./healthz": 404, "/x/../healthz": 404, "/%68ealthz": 404, "/HEALTHZ": 404, "/healthz%00": 404,
		"/healthz;x": 404, "/healthz#x": 404, "/v1": 404, "/v1/": 404, "/v1/verifications/": 404, "/v1/verifications//check": 404,
		"/v1/verifications/" + anyID + "/": 404, "/v1/verifications/" + anyID + "/check/x": 404, "/v1/messages/": 404,
		"/demo/handset": 404, "/admin/status": 404, "/admin/clock": 404, "/admin/backup": 404, "/debug/pprof/": 404, "/.git/config": 404,
		"/v1/verifications": 405, "/v1/verifications/" + anyID + "/check": 405,
	} {
		a := b.do("GET", target, "", key(secret))
		if a.status != want {
			t.Errorf("%s: got %d %s, want %d", target, a.status, a.body, want)
		}
		if want >= 400 && a.headers["Content-Type"] != "application/problem+json" {
			t.Errorf("%s: is no problem: %v", target, a.headers)
		}
	}
}

func TestMethods(t *testing.T) {
	b := newBox(t, nil)
	for _, test := range []struct {
		method, target string
		status         int
		allow          string
	}{
		{"PUT", "/v1/verifications", 405, "POST, OPTIONS"},
		{"PATCH", "/v1/verifications/" + anyID, 405, "GET, DELETE, HEAD, OPTIONS"},
		{"get", "/healthz", 405, "GET, HEAD, OPTIONS"},
		{"BREW", "/healthz", 405, "GET, HEAD, OPTIONS"},
		{"TRACE", "/healthz", 405, "GET, HEAD, OPTIONS"},
		{"OPTIONS", "/v1/messages", 204, "POST, GET, HEAD, OPTIONS"},
		{"OPTIONS", "/nothing", 404, ""},
		{"HEAD", "/v1/verifications", 405, "POST, OPTIONS"},
	} {
		a := b.do(test.method, test.target, "", key(secret))
		if a.status != test.status || a.headers["Allow"] != test.allow {
			t.Errorf("%s %s: got %d, Allow %q", test.method, test.target, a.status, a.headers["Allow"])
		}
	}
	get, head := b.do("GET", "/healthz", ""), b.raw("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/1.1 200") || !strings.HasSuffix(head, "\r\n\r\n") || !strings.Contains(head, "Content-Length: "+get.headers["Content-Length"]) {
		t.Errorf("HEAD: %q", head)
	}
}

func TestOrigins(t *testing.T) {
	b := newBox(t, func(_ *server.Config, list *[]otp.App) {
		other := otp.App{ID: "other", Keys: [][32]byte{digest("pk_other_1111")}, Countries: []string{"*"}, Origins: []string{"https://other.example"}}
		game := otp.App{ID: "game", Doors: []string{"strike"}, Sessions: true, Countries: []string{"*"}, Origins: []string{"https://game.example"}}
		*list = append(*list, other, game)
	})
	const mine, other, game, evil = "https://shop.example", "https://other.example", "https://game.example", "https://evil.example"
	for name, test := range map[string]struct {
		origin, key string
		want        bool
	}{
		"Listed":         {mine, publishable, true},
		"OfAnotherApp":   {other, publishable, false},
		"Unlisted":       {evil, publishable, false},
		"Null":           {"null", publishable, false},
		"LongerName":     {mine + ".evil.example", publishable, false},
		"OtherScheme":    {"http://shop.example", publishable, false},
		"SecretKey":      {mine, secret, false},
		"RefusedUnknown": {mine, "pk_unknown", true},
	} {
		t.Run(name, func(t *testing.T) {
			a := b.do("GET", "/v1/verifications/"+anyID, "", key(test.key), "Origin: "+test.origin)
			want := ""
			if test.want {
				want = test.origin
			}
			if got := a.headers["Access-Control-Allow-Origin"]; got != want || a.headers["Vary"] != "Origin" {
				t.Errorf("allowed %q, vary %q", got, a.headers["Vary"])
			}
			if a.headers["Access-Control-Allow-Credentials"] != "" {
				t.Error("credentials are allowed")
			}
		})
	}
	preflight := func(origin, target string) answer {
		return b.do("OPTIONS", target, "", "Origin: "+origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization")
	}
	for _, origin := range []string{mine, other} {
		a := preflight(origin, "/v1/verifications")
		if a.status != 204 || a.headers["Access-Control-Allow-Origin"] != origin || a.headers["Access-Control-Allow-Methods"] != "POST, OPTIONS" ||
			!strings.Contains(a.headers["Access-Control-Allow-Headers"], "Authorization") {
			t.Errorf("preflight of %s: %+v", origin, a)
		}
	}
	if a := preflight(mine, "/.well-known/jwks.json"); a.headers["Access-Control-Allow-Origin"] != mine || strings.Contains(a.headers["Access-Control-Allow-Headers"], "apikey") {
		t.Errorf("preflight for the key set: %+v", a)
	}
	// Strike's pages ask for the key set of the root as they ask for all else.
	const client = "apikey, x-client-info, x-supabase-api-version"
	for _, origin := range []string{mine, game} {
		a := b.do("OPTIONS", "/.well-known/jwks.json", "", "Origin: "+origin, "Access-Control-Request-Headers: "+client)
		if a.headers["Access-Control-Allow-Origin"] != origin || !strings.HasSuffix(a.headers["Access-Control-Allow-Headers"], ", "+client) {
			t.Errorf("preflight for the key set, with a key: %+v", a)
		}
	}
	for origin, target := range map[string]string{evil: "/v1/verifications", mine: "/metrics", other: "/healthz"} {
		if a := preflight(origin, target); a.headers["Access-Control-Allow-Origin"] != "" {
			t.Errorf("preflight of %s for %s: %+v", origin, target, a)
		}
	}
}

// TestCaptchaIsForEveryPage has the pages of an app get captchas whichever of
// its doors are open, and those of others read none.
func TestCaptchaIsForEveryPage(t *testing.T) {
	b := newBox(t, func(c *server.Config, list *[]otp.App) {
		game := otp.App{ID: "game", Doors: []string{"strike"}, Sessions: true, Countries: []string{"*"}, Origins: []string{"https://game.example"}}
		*list = append(*list, game)
		apps, err := otp.NewApps(*list, func(string) int { return 1 })
		if err != nil {
			t.Fatal(err)
		}
		c.Captcha = captcha.NewDoor(nil, nil, apps, map[string]captcha.Offer{"game": {Kind: "turnstile"}})
	})
	for origin, want := range map[string]string{"https://game.example": "https://game.example", "https://shop.example": "", "https://evil.example": ""} {
		a := b.do("GET", "/v1/captcha?app=game", "", "Origin: "+origin)
		if a.status != 200 || a.headers["Access-Control-Allow-Origin"] != want || a.headers["Access-Control-Allow-Credentials"] != "" {
			t.Errorf("%s: got %+v", origin, a)
		}
	}
}

// TestUncovered names the doors that a captcha does not guard.
func TestUncovered(t *testing.T) {
	app := otp.App{Captcha: otp.CaptchaHot, Doors: server.DoorNames()}
	if got := server.Uncovered(&app); !slices.Equal(slices.Sorted(slices.Values(got)), []string{"descope", "passage", "ssojet", "twilio"}) {
		t.Errorf("got %v", got)
	}
	app.Captcha = otp.CaptchaOff
	if got := server.Uncovered(&app); len(got) != 0 {
		t.Errorf("without a captcha: got %v", got)
	}
}

// FuzzPath asks for any target with any method. There is no 5xx, and nobody
// gets in who has no key.
func FuzzPath(f *testing.F) {
	b := newBox(f, func(c *server.Config, _ *[]otp.App) {
		c.ReadTimeout, c.IdleTimeout = 100*time.Millisecond, 20*time.Millisecond
	})
	for _, target := range []string{"/", "/v1/verifications/x/check", "/v1/messages?limit=\xff&cursor=%", "/%2e%2e/%00", "//evil.tld/", "/v1/verifications/" + anyID} {
		f.Add("GET", target)
		f.Add("POST", target)
	}
	f.Fuzz(func(t *testing.T, method, target string) {
		b := box{t: t, addr: b.addr}
		got := b.raw(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 ") || strings.HasPrefix(got, "HTTP/1.1 5") {
			t.Errorf("%q %q: got %q", method, target, got)
		}
		if strings.HasPrefix(got, "HTTP/1.1 2") && strings.Contains(got, `"messages"`) {
			t.Errorf("%q %q: got in: %q", method, target, got)
		}
	})
}
