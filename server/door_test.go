package server_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/web"
)

// vendor is a wire format that no real vendor has, under the name of one that
// apps can open. Its refusals are in words of its own, and 418 unless HTTP knows
// better.
func vendor(name string) web.Door {
	echo := func(words string) web.Handler {
		return func(c *web.Call) error {
			c.HTTP.SetBodyString(words + " " + c.App + " " + c.Param)
			return nil
		}
	}
	// as finds that the caller is an app whose one origin bears its name.
	as := func(secret bool) web.Handler {
		return func(c *web.Call) error {
			c.Caller = otp.Caller{App: &otp.App{ID: c.App, Origins: []string{"https://" + c.App + ".example"}}, Secret: secret}
			return nil
		}
	}
	return web.Door{
		Name: name,
		Routes: []web.Route{
			{Method: "GET", Pattern: "/v9/apps/{app}", Handle: echo("app")},
			{Method: "GET", Pattern: "/v9/apps/{app}/", Handle: echo("slash")},
			{Method: "GET", Pattern: "/v9/apps/{app}/things/{id}", Handle: echo("thing")},
			{Method: "GET", Pattern: "/v9/apps/{app}/things/all", Handle: echo("all")},
			{Method: "GET", Pattern: "/v9/apps/fixed/things/{id}", Handle: echo("fixed")},
			{Method: "POST", Pattern: "/v9/fail/{id}", Handle: func(c *web.Call) error { return failures[c.Param](c) }},
			{Method: "GET", Pattern: "/v9/as/{app}", Handle: as(false)},
			{Method: "GET", Pattern: "/v9/as/{app}/secretly", Handle: as(true)},
		},
		Below: []string{"/v9/apps", "/v9/apps/deep"},
		Refuse: func(c *web.Call, e *otp.Error, status int) {
			if c.Param == "twice" {
				panic(sensitive)
			}
			c.HTTP.SetStatusCode(cmp.Or(status, 418))
			fmt.Fprintf(c.HTTP, "%s|%s|%s", e.Code, e.Detail, e.RetryAfter)
		},
		Headers: []string{"x-vendor-*", "X-Single"},
		Expose:  []string{"X-Vendor-Left"},
	}
}

const sensitive = "disk is on fire"

// failures are ways in which a handler can fail.
var failures = map[string]func(*web.Call) error{
	"refusal": func(*web.Call) error {
		return &otp.Error{Code: otp.LimitPhone, Detail: "Which limit.", RetryAfter: 3 * time.Second}
	},
	"problem":  func(*web.Call) error { return web.Invalid("What is wrong.") },
	"rejected": func(*web.Call) error { return &web.Problem{Status: 422, Code: web.CodeRejected, Detail: "Rejected."} },
	"loose":    func(c *web.Call) error { return c.Loose(&struct{}{}) },
	"fault":    func(*web.Call) error { return errors.New(sensitive) },
	"strange":  func(*web.Call) error { return &otp.Error{Code: "new", Detail: sensitive} },
	"late":     func(*web.Call) error { return fmt.Errorf("update: %w", context.DeadlineExceeded) },
	"stopped":  func(*web.Call) error { return fmt.Errorf("update: %w", context.Canceled) },
	"panic": func(c *web.Call) error {
		c.HTTP.SetBodyString("half an answer")
		panic(sensitive)
	},
	"twice": func(*web.Call) error { return &otp.Error{Code: otp.Busy} }, // and the refusal panics
}

// newVendor starts a box with the vendor behind a door that one app has opened.
func newVendor(t *testing.T) *box {
	t.Helper()
	return newBox(t, func(c *server.Config, list *[]otp.App) {
		shop := &(*list)[0]
		shop.Doors = []string{"native", "descope"}
		*list = append(*list, otp.App{
			ID: "other", Keys: [][32]byte{digest("pk_other_1111")}, Countries: []string{"*"}, Origins: []string{"https://other.example"},
		})
		c.Doors = []web.Door{vendor("descope")}
	})
}

func TestPathsOfADoor(t *testing.T) {
	b := newVendor(t)
	for target, want := range map[string]string{
		"/v9/apps/a":                 "app a ",
		"/v9/apps/a/":                "slash a ",
		"/v9/apps/a/things/t":        "thing a t",
		"/v9/apps/a/things/all":      "all a ",
		"/v9/apps/fixed/things/t":    "fixed  t",
		"/v9/apps/fixed/things/all":  "fixed  all",
		"/v9/apps/a/things/%2B4179":  "thing a %2B4179",
		"/v9/apps/a/things/+41 x?y":  "",
		"/v9/apps/a/things/+4179?y=": "thing a +4179",
		"/v9/apps//":                 "",
		"//v9/apps/a":                "",
		"/v9/apps//things/t":         "",
		"/v9/apps/a/things/":         "",
		"/v9/apps/a/things":          "",
		"/v9/apps":                   "",
	} {
		a := b.do("GET", target, "")
		if want == "" && a.status != 404 && a.status != 400 || want != "" && (a.status != 200 || a.body != want) {
			t.Errorf("%s: got %d %q, want %q", target, a.status, a.body, want)
		}
	}
	if log := b.log.String(); strings.Contains(log, "4179") || !strings.Contains(log, `"path":"/v9/apps/{app}/things/{id}"`) {
		t.Errorf("the log tells a segment: %s", log)
	}
}

// TestDoorRefuses lets a handler fail in every way: the answer is the door's
// own, and what a fault says of itself is in the log only, once.
func TestDoorRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		want   string
		faults int
	}{
		"refusal":  {"limit_phone|Which limit.|3s", 0},
		"problem":  {"invalid_request|What is wrong.|0s", 0},
		"rejected": {"code_wrong|Rejected.|0s", 0},
		"loose":    {"invalid_request|The body must be a JSON object.|0s", 0},
		"fault":    {"internal|The box could not do this. Its log has the reason under the request id.|0s", 1},
		"strange":  {"internal|The box could not do this. Its log has the reason under the request id.|0s", 1},
		"late":     {"busy|The box is too busy to answer in time. Try again.|0s", 0},
		"stopped":  {"shutting_down|The box is stopping. Try again in a moment.|0s", 0},
		"panic":    {"internal|The box could not do this. Its log has the reason under the request id.|0s", 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newVendor(t)
			a := b.do("POST", "/v9/fail/"+name, `[]`)
			if a.status != 418 || a.body != test.want {
				t.Errorf("got %d %q", a.status, a.body)
			}
			if got := strings.Count(b.log.String(), `"level":"error"`); got != test.faults {
				t.Errorf("%d faults in %s", got, b.log.String())
			}
		})
	}
	t.Run("twice", func(t *testing.T) {
		b := newVendor(t)
		a := b.do("POST", "/v9/fail/twice", "")
		if a.status != 500 || member(t, a.body, "code") != "internal" || strings.Contains(a.body+b.log.String(), sensitive) {
			t.Errorf("got %d %s", a.status, a.body)
		}
		if a := b.do("POST", "/v9/fail/twice", "", "Content-Length: 20000"); a.status != 500 || strings.Contains(a.body, sensitive) {
			t.Errorf("before a handler was asked: %+v", a)
		}
		if a := b.do("GET", "/healthz", ""); a.status != 200 {
			t.Errorf("the box is gone: %+v", a)
		}
	})
	b := newVendor(t)
	for _, target := range []string{"/v9/nothing", "/v9", "/v9/appstore", "/v9/fail/x/y"} {
		if a := b.do("GET", target, ""); a.status != 404 || a.headers["Content-Type"] != "application/problem+json" {
			t.Errorf("%s is no path of the door: %+v", target, a)
		}
	}
}

// TestStatusOfHTTP asks a door for what no handler can answer: the status is
// HTTP's own, the words are the door's, and a page of the app's may read them.
func TestStatusOfHTTP(t *testing.T) {
	b := newVendor(t)
	const origin = "Origin: https://shop.example"
	for name, test := range map[string]struct {
		answer answer
		status int
	}{
		"Below":    {b.do("GET", "/v9/apps", "", origin), 404},
		"FarBelow": {b.do("POST", "/v9/apps/deep/er/still", `{}`, origin), 404},
		"Method":   {b.do("DELETE", "/v9/apps/a", "", origin), 405},
		"Encoding": {b.do("POST", "/v9/fail/refusal", "x", origin, "Content-Encoding: gzip"), 415},
		"TooLarge": {b.do("POST", "/v9/fail/refusal", "", origin, "Content-Length: 20000"), 413},
	} {
		if a := test.answer; a.status != test.status || !strings.HasPrefix(a.body, "invalid_request|") || a.headers["Access-Control-Allow-Origin"] != "https://shop.example" {
			t.Errorf("%s: got %+v", name, a)
		}
	}
	if a := b.do("DELETE", "/v9/apps/a", ""); a.headers["Allow"] != "GET, HEAD, OPTIONS" {
		t.Errorf("another method: %+v", a)
	}
	if a := b.raw("GET /v9/apps/a HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(a, "HTTP/1.1 421") || !strings.Contains(a, "invalid_request|") {
		t.Errorf("another host: %q", a)
	}
}

func TestClosedDoorHasNoPaths(t *testing.T) {
	b := newBox(t, func(c *server.Config, _ *[]otp.App) { c.Doors = []web.Door{vendor("descope")} })
	if a := b.do("GET", "/v9/apps/a", ""); a.status != 404 {
		t.Errorf("got %+v", a)
	}
}

func TestDoorsMustNotShareAPath(t *testing.T) {
	for name, doors := range map[string][]web.Door{
		"TwoDoors": {vendor("descope"), vendor("twilio")},
		"Twice":    {vendor("descope"), vendor("descope")},
		"Native":   {{Name: "descope", Routes: []web.Route{{Method: "PUT", Pattern: "/v1/verifications"}}}},
		"Below":    {{Name: "descope", Below: []string{"/v9"}}, {Name: "twilio", Below: []string{"/v9"}}},
	} {
		apps, err := otp.NewApps([]otp.App{{ID: "demo", Countries: []string{"*"}, Sessions: true, Doors: []string{"native", "descope", "twilio"}}}, func(string) int { return 1 })
		if err != nil {
			t.Fatal(err)
		}
		config := hollow("127.0.0.1:0", "")
		config.Apps, config.Doors = apps, doors
		if err := server.New(config).Open(); err == nil || !strings.Contains(err.Error(), "stands twice") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestOriginsOfADoor(t *testing.T) {
	b := newVendor(t)
	const shop, other, mine, evil = "https://shop.example", "https://other.example", "https://mine.example", "https://evil.example"
	for name, test := range map[string]struct {
		target, origin string
		want           bool
	}{
		"AppUnknown":          {"/v9/apps/a", shop, true},
		"OfAppWithoutTheDoor": {"/v9/apps/a", other, false},
		"OfNoApp":             {"/v9/apps/a", evil, false},
		"Null":                {"/v9/apps/a", "null", false},
		"OfTheApp":            {"/v9/as/mine", mine, true},
		"OfAnotherApp":        {"/v9/as/mine", shop, false},
		"SecretKey":           {"/v9/as/mine/secretly", mine, false},
		"Subdomain":           {"/v9/as/mine", "https://a.mine.example", false},
	} {
		t.Run(name, func(t *testing.T) {
			h := b.do("GET", test.target, "", "Origin: "+test.origin).headers
			origin, credentials, expose := "", "", ""
			if test.want {
				origin, credentials, expose = test.origin, "true", "Retry-After, X-Request-Id, X-Vendor-Left"
			}
			if h["Access-Control-Allow-Origin"] != origin || h["Access-Control-Allow-Credentials"] != credentials ||
				h["Access-Control-Expose-Headers"] != expose || h["Vary"] != "Origin" {
				t.Errorf("got %v", h)
			}
		})
	}
	if h := b.do("POST", "/v9/fail/panic", "", "Origin: "+shop).headers; h["Access-Control-Allow-Origin"] != shop {
		t.Errorf("a page cannot read of a fault: %v", h)
	}
}

func TestPreflight(t *testing.T) {
	b := newVendor(t)
	const always = "Authorization, Content-Type, Idempotency-Key"
	for asked, want := range map[string]string{
		"":                                      always,
		"authorization,content-type":            always,
		"x-vendor-sdk-name, X-Vendor-SDK-Uuid":  always + ", x-vendor-sdk-name, x-vendor-sdk-uuid",
		"x-single":                              always + ", x-single",
		"x-single-more,x-vendo,cookie,apikey,*": always,
		"x-vendor-a\"b,x-vendor-\xe9,x-vendor-c d": always,
		"x-pinferry-key,pinferry-client-ip":        always,
	} {
		a := b.do("OPTIONS", "/v9/apps/a", "", "Origin: https://shop.example", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: "+asked)
		h := a.headers
		if a.status != 204 || h["Access-Control-Allow-Headers"] != want || h["Access-Control-Allow-Methods"] != "GET, HEAD, OPTIONS" ||
			h["Access-Control-Allow-Credentials"] != "true" || h["Access-Control-Max-Age"] != "600" {
			t.Errorf("%s: got %+v", asked, a)
		}
	}
	// Without leave to ask, a page would not get to read that there is no such path.
	if a := b.do("OPTIONS", "/v9/apps/a/b/c/d", "", "Origin: https://shop.example", "Access-Control-Request-Headers: x-single"); a.status != 204 ||
		!strings.Contains(a.headers["Access-Control-Allow-Methods"], "PATCH") || !strings.HasSuffix(a.headers["Access-Control-Allow-Headers"], "x-single") {
		t.Errorf("below the door: %+v", a)
	}
	if h := b.do("OPTIONS", "/v9/apps/a", "", "Origin: https://evil.example", "Access-Control-Request-Headers: x-single").headers; h["Access-Control-Allow-Headers"] != "" {
		t.Errorf("a foreign page: %v", h)
	}
}
