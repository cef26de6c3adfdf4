package server_test

import (
	"compress/gzip"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/web/webtest"
)

// TestLoginWeight counts what a browser loads for the first page with every
// country of the world in it, and for the second: 15 KB at most, packed.
func TestLoginWeight(t *testing.T) {
	b := loginBox(t, func(app *otp.App) { app.Inbound, app.InboundSignIn = true, true })
	w := b.browser()
	load := func(target string) int {
		t.Helper()
		w.get(target, "Accept-Encoding", "gzip")
		if w.status != 200 || w.header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s: got %d %v", target, w.status, w.header)
		}
		packed := len(w.body)
		unpacked, err := gzip.NewReader(strings.NewReader(w.body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(unpacked)
		if err != nil {
			t.Fatal(err)
		}
		w.body = string(text)
		if outside := regexp.MustCompile(`(?:src|href|url\()="?(?:https?:)?//[^"]*`).FindAllString(w.body, -1); len(outside) > 0 && !strings.Contains(outside[0], "shop.example") {
			t.Errorf("%s loads %s", target, outside)
		}
		return packed
	}
	total := load(loginQuery("locale", "de"))
	files := regexp.MustCompile(`(?:src|href)="(/login/[^"?]+)"`).FindAllStringSubmatch(w.body, -1)
	if len(files) != 2 {
		t.Fatalf("the page loads %v", files)
	}
	w.submit("phone-form", "phone", phone, "do", "code")
	total += load("/login/code")
	for _, file := range append(files, []string{"", "/login/field.js"}) {
		total += load(file[1])
	}
	if t.Logf("%d bytes", total); total > 15<<10 {
		t.Errorf("%d bytes", total)
	}
	widget := load("/login/widget.js") + load("/login/field.js") + load("/login/login.css") + load("/login/config?app=demo")
	if t.Logf("%d bytes of the widget", widget); widget > 15<<10 {
		t.Errorf("%d bytes of the widget", widget)
	}
	tag := w.get("/login/login.js").header.Get("ETag")
	if w.get("/login/login.js", "If-None-Match", tag); tag == "" || w.status != 304 || w.body != "" {
		t.Errorf("the same script again: %d, %d bytes", w.status, len(w.body))
	}
}

// TestLoginPages holds the pages against those that were looked at.
func TestLoginPages(t *testing.T) {
	b := loginBox(t, func(app *otp.App) { app.Countries = []string{"CH", "DE"} })
	w := b.browser()
	golden := func(name string) {
		t.Helper()
		got := regexp.MustCompile(`name="(token|flow)" value="[^"]*"`).ReplaceAllString(w.body, `name="$1" value="..."`)
		got = regexp.MustCompile(`data-wait="\d+"`).ReplaceAllString(got, `data-wait="30"`)
		got = regexp.MustCompile(`role="status">The SMS [^<]*`).ReplaceAllString(got, `role="status">The SMS ...`)
		webtest.Golden(t, "login/"+name+".html", got)
	}
	w.get(loginQuery())
	golden("phone")
	w.submit("phone-form", "phone", "12", "region", "DE", "do", "code")
	golden("phoneerror")
	w.submit("phone-form", "phone", "079 123 45 67", "region", "CH", "do", "code")
	golden("code")
	w.submit("code-form", "code", "x")
	golden("codeerror")
	w.get("/login?app=nobody")
	golden("refused")
}

// TestLoginLanguages looks at the page in every language of the box.
func TestLoginLanguages(t *testing.T) {
	b := loginBox(t, nil)
	seen := map[string]bool{}
	for wanted, locale := range map[string]string{
		"de-CH": "de", "en-GB": "en", "es-MX": "es", "fr": "fr", "it-CH": "it", "pt-BR": "pt", "ja": "en",
	} {
		for _, w := range []*browser{
			b.browser().get(loginQuery("locale", wanted)),
			b.browser().get(loginQuery("locale", "-"), "Accept-Language", wanted+";q=0.9, xx"),
		} {
			if !strings.Contains(w.body, `<html lang="`+locale+`">`) || strings.Contains(w.body, "{app}") || strings.Contains(w.body, "{example}.<") {
				t.Errorf("%s: got %s", wanted, w.body[:300])
			}
		}
		w := b.browser().get("/login/config?app=demo&locale="+wanted, "Origin", "https://shop.example")
		if w.status != 200 || w.header.Get("Access-Control-Allow-Origin") != "https://shop.example" || member(t, w.body, "locale") != locale {
			t.Errorf("%s: the widget gets %d %v", wanted, w.status, w.header)
		}
		if strings.Contains(w.body, `:""`) && strings.Contains(w.body[strings.Index(w.body, `"words"`):], `:""`) {
			t.Errorf("%s: a sentence is missing in %s", wanted, w.body)
		}
		if n := strings.Count(w.body[strings.Index(w.body, `"errors"`):], `":"`); n != 17+4 {
			t.Errorf("%s: %d sentences from the errors on", wanted, n)
		}
		seen[member(t, w.body, "enter_code")] = true
		over := b.browser().get("/login/code", "Accept-Language", wanted)
		if strings.Contains(over.body, "<h1></h1>") || strings.Contains(over.body, "<p></p>") {
			t.Errorf("%s: got %s", wanted, over.body)
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d languages", len(seen))
	}
	for _, target := range []string{"/login/config", "/login/config?app=closed", "/login/config?app=nobody"} {
		if w := b.browser().get(target); w.status != 404 || w.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d %s", target, w.status, w.body)
		}
	}
	if w := b.browser().get("/login/config?app=demo", "Origin", "https://evil.example"); w.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("the widget may stand anywhere")
	}
}

// TestDemoLogin signs in to the app that a demo pretends to have.
func TestDemoLogin(t *testing.T) {
	b := newBox(t, func(c *server.Config, list *[]otp.App) {
		app := &(*list)[0]
		app.Login, app.Redirects = true, append(server.DemoRedirects("1"), server.DemoRedirects("2")...)
		c.Handset = func() []server.Arrival { return nil }
	})
	w := b.browser().get("/demo/login")
	page, err := url.Parse(w.header.Get("Location"))
	if err != nil || w.status != 303 || page.Path != "/login" {
		t.Fatalf("got %d %v", w.status, w.header)
	}
	w.get(page.String()).submit("phone-form", "phone", phone, "do", "code")
	w.submit("code-form", "code", b.code())
	back, err := url.Parse(w.header.Get("Location"))
	if err != nil || back.Host != "127.0.0.1:1" || back.Path != "/demo/login/done" {
		t.Fatalf("got %d %v", w.status, w.header)
	}
	for name, test := range map[string]struct {
		query url.Values
		want  string
	}{
		"another state": {url.Values{"code": back.Query()["code"], "state": {"x"}}, "<h1>Not signed in</h1>"},
		"another code":  {url.Values{"code": {"x"}, "state": back.Query()["state"]}, "<h1>Not signed in</h1>"},
		"denied":        {url.Values{"error": {"access_denied"}, "state": back.Query()["state"]}, "<h1>Not signed in</h1>"},
	} {
		if w.get(back.Path + "?" + test.query.Encode()); !strings.Contains(w.body, test.want) {
			t.Errorf("%s: got %s", name, w.body)
		}
	}
	if w.get(back.RequestURI()); !strings.Contains(w.body, "<h1>Signed in</h1>") || !strings.Contains(w.body, "+41*******67") {
		t.Errorf("got %s", w.body)
	}
	if w.get(back.RequestURI()); !strings.Contains(w.body, "<h1>Not signed in</h1>") {
		t.Errorf("the code again: %s", w.body)
	}
}
