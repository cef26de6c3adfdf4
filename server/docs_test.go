package server_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/captcha"
	"github.com/pinferry/pinferry/server/docs"
	"github.com/pinferry/pinferry/server/docs/docstest"
)

// TestEveryRouteIsDescribed ranges over the table of paths and over the
// description, and finds each in the other.
func TestEveryRouteIsDescribed(t *testing.T) {
	b := newBox(t, func(c *server.Config, _ *[]otp.App) { c.Captcha = captcha.NewDoor(nil, nil, nil, nil) })
	contract, err := docstest.New(docs.Document())
	if err != nil {
		t.Fatal(err)
	}
	described := contract.Paths()
	routes, err := b.http.NetworkRoutes()
	if err != nil {
		t.Fatal(err)
	}
	var mounted []string
	for _, r := range routes {
		page := r.Pattern == docs.Path || strings.HasPrefix(r.Pattern, docs.Path+"/") || strings.HasSuffix(r.Pattern, ".js")
		if !page {
			mounted = append(mounted, r.Method+" "+r.Pattern)
		}
	}
	slices.Sort(mounted)
	for _, route := range mounted {
		if !slices.Contains(described, route) {
			t.Errorf("%s is not described in openapi.json", route)
		}
	}
	for _, route := range described {
		if !slices.Contains(mounted, route) {
			t.Errorf("%s is described in openapi.json, and there is no such route", route)
		}
	}
}

func TestDocsAreServed(t *testing.T) {
	b := newBox(t, nil)
	for target, want := range map[string]string{
		"/docs": "text/html; charset=utf-8", "/docs/errors": "text/html; charset=utf-8", "/docs/guides/install": "text/html; charset=utf-8",
		"/docs/docs.css": "text/css; charset=utf-8", "/docs/docs.js": "text/javascript; charset=utf-8", "/openapi.json": "application/json",
	} {
		a := b.do("GET", target, "")
		if a.status != 200 || a.headers["Content-Type"] != want || a.headers["X-Content-Type-Options"] != "nosniff" {
			t.Errorf("%s: got %d %v", target, a.status, a.headers)
		}
	}
	// Whoever is refused can look up why.
	refused := b.do("GET", "/v1/me", "")
	at := strings.Index(string(refused.body), "/docs/errors#")
	if page := b.do("GET", "/docs/errors", ""); at < 0 || !strings.Contains(string(page.body), `id="unauthorized"`) {
		t.Errorf("the type of %s leads nowhere", refused.body)
	}
}
