package server_test

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
)

// TestLoginRefuses asks for the page in every way that is not right; what is
// refused leads nowhere.
func TestLoginRefuses(t *testing.T) {
	b := loginBox(t, nil)
	refused := map[string]string{
		"no app": loginQuery("app", "-"), "unknown app": loginQuery("app", "nobody"), "closed app": loginQuery("app", "closed"),
		"no challenge": loginQuery("code_challenge", "-"), "short challenge": loginQuery("code_challenge", "x"),
		"odd challenge": loginQuery("code_challenge", strings.Repeat("=", 43)), "controls in state": loginQuery("state", "a\x01"), "controls in locale": loginQuery("locale", "d\x01"),
		"no method": loginQuery("code_challenge_method", "-"), "plain": loginQuery("code_challenge_method", "plain"),
		"purpose": loginQuery("purpose", "verify"), "step up": loginQuery("purpose", "step_up"),
		"long state": loginQuery("state", strings.Repeat("a", 513)), "long locale": loginQuery("locale", strings.Repeat("a", 36)),
		"twice": loginQuery() + "&app=demo", "not UTF-8": loginQuery() + "&x=%ff", "nothing": "/login",
	}
	for _, place := range []string{
		"-", "https://shop.example", "https://shop.example.evil.tld", "https://shop.example@evil.tld", `https://evil.tld\@shop.example`, "//evil.tld",
		"https:evil.tld", `/\evil.tld`, "javascript:alert(1)", "data:text/html,x", "https://shop.example/welcomes", "https://shop.example:444/",
		"http://shop.example/", "https://shop.example/%0d%0aSet-Cookie:a=b", "https://shop.example/\r\nSet-Cookie: a=b", "https://shop.example/\t",
		"https://ｓhop.example/", "https://shop.example/" + strings.Repeat("a", 4000), "HTTPS://shop.example/",
	} {
		refused["to "+place] = loginQuery("redirect_uri", place)
	}
	for name, target := range refused {
		for _, method := range []string{"GET", "POST"} {
			w := b.browser().send(method, target, url.Values{"phone": {phone}})
			if w.status != 400 && w.status != 404 || w.header.Get("Location") != "" || len(w.header["Set-Cookie"]) != 0 || !strings.Contains(w.body, "<h1>This does not work</h1>") {
				t.Errorf("%s %s: got %d %v", method, name, w.status, w.header)
			}
			if strings.Contains(w.body, "evil") || w.header.Get("Content-Security-Policy") == "" {
				t.Errorf("%s %s: the page is %s", method, name, w.body)
			}
		}
	}
	if w := b.browser().send("PUT", "/login", nil); w.status != 405 || !strings.Contains(w.body, "<h1>") {
		t.Errorf("PUT: got %d %s", w.status, w.body)
	}
	closed := newBox(t, nil)
	for _, target := range []string{loginQuery(), "/login/code", "/login/login.js", "/login/config?app=demo", "/demo/login"} {
		if w := closed.browser().get(target); w.status != 404 {
			t.Errorf("a box without the page answers %s: %d", target, w.status)
		}
	}
	if len(b.route.Given()) != 0 {
		t.Error("something was sent")
	}
}

// TestLoginOfOtherSites sends the forms as pages of other sites, and as programs
// without the page, would.
func TestLoginOfOtherSites(t *testing.T) {
	b := loginBox(t, nil)
	w := b.browser().get(loginQuery())
	target, form := w.form("phone-form")
	form.Set("phone", phone)
	for name, headers := range map[string][]string{
		"origin":       {"Origin", "https://evil.example", "Sec-Fetch-Site", "-"},
		"null origin":  {"Origin", "null", "Sec-Fetch-Site", "-"},
		"other port":   {"Origin", "http://127.0.0.1:1", "Sec-Fetch-Site", "-"},
		"cross-site":   {"Sec-Fetch-Site", "cross-site"},
		"same-site":    {"Sec-Fetch-Site", "same-site"},
		"none":         {"Sec-Fetch-Site", "none"},
		"plain text":   {"Content-Type", "text/plain"},
		"JSON":         {"Content-Type", "application/json"},
		"multipart":    {"Content-Type", "multipart/form-data; boundary=x"},
		"without type": {"Content-Type", "-"},
	} {
		for _, place := range []string{target, "/login/code"} {
			if w.send("POST", place, form, headers...); w.status != 403 || w.header.Get("Location") != "" {
				t.Errorf("%s at %.12s: got %d", name, place, w.status)
			}
		}
	}
	// An old browser tells neither, but it shows the token.
	for name, token := range map[string]string{"no token": "", "another's": b.browser().get(loginQuery()).token(), "shortened": w.get(target).token()[:40], "long": strings.Repeat("A", 5000)} {
		form.Set("token", token)
		if w.send("POST", target, form, "Origin", "-", "Sec-Fetch-Site", "-").get(w.header.Get("Location")); !strings.HasPrefix(w.said(), "This page was too old.") {
			t.Errorf("%s: got %d %q", name, w.status, w.said())
		}
	}
	if len(b.route.Given()) != 0 {
		t.Fatal("something was sent")
	}
	form.Set("token", w.get(target).token())
	if w.send("POST", target, form, "Origin", "-", "Sec-Fetch-Site", "-"); w.header.Get("Location") != "/login/code" {
		t.Errorf("an old browser: got %d %v", w.status, w.header)
	}
	// A proxy that asks the box by another name does not make the page another's.
	form.Set("token", w.get(target).token())
	if w.send("POST", target, form, "Origin", "https://login.example"); w.header.Get("Location") != "/login/code" {
		t.Errorf("behind such a proxy: got %d %v", w.status, w.header)
	}
	// Without the cookie the token is worth nothing, and the page says why.
	stranger := b.browser()
	if stranger.send("POST", target, form); stranger.status != 200 || !strings.HasPrefix(stranger.said(), "Your browser did not send our cookie back.") {
		t.Errorf("without a cookie: got %d %q", stranger.status, stranger.said())
	}
}

// TestLoginCookies shows cookies that are not of this box's making.
func TestLoginCookies(t *testing.T) {
	b := loginBox(t, nil)
	w := b.browser().get(loginQuery()).submit("phone-form", "phone", phone, "do", "code")
	if strings.Contains(w.body, phone[3:]) {
		t.Error("the page holds the number")
	}
	u, err := url.Parse("http://" + b.addr + "/login")
	if err != nil {
		t.Fatal(err)
	}
	good := w.client.Jar.Cookies(u)[0].Value
	if raw, err := base64.RawURLEncoding.DecodeString(good); err != nil || strings.Contains(string(raw), phone[3:]) {
		t.Errorf("the cookie holds the number (%v)", err)
	}
	for name, value := range map[string]string{
		"empty": "", "changed": "AAAA" + good[4:], "shortened": good[:len(good)-4], "lengthened": good + "AAAA", "JSON": `{"n":"AAAA"}`,
		"long": strings.Repeat("A", 6000), "another box": "c2VhbGVk",
	} {
		stranger := b.browser().get("/login/code", "Cookie", "pinferry_login="+value)
		if stranger.status != 410 {
			t.Errorf("%s: got %d", name, stranger.status)
		}
	}
	if again := b.browser().get("/login/code", "Cookie", "pinferry_login="+good); again.status != 200 {
		t.Errorf("the good one: got %d", again.status)
	}
	// Behind TLS the cookie is bound to the host.
	proxied := newBox(t, func(c *server.Config, list *[]otp.App) {
		(*list)[0].Login, (*list)[0].Redirects = true, []string{loginPlace}
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	secure := proxied.browser().get(loginQuery(), "X-Forwarded-Proto", "https").header.Get("Set-Cookie")
	if !strings.HasPrefix(secure, "__Host-pinferry_login=") || !strings.Contains(secure, "secure") || !strings.Contains(secure, "path=/;") {
		t.Errorf("behind TLS: %q", secure)
	}
}

// payloads are what must be shown as text, or not at all.
var payloads = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg/onload=alert(1)>`, `javascript:alert(1)`, `{{7*7}}`, `</textarea><b>x`,
	"\u202e\u200fevil", "a\r\nSet-Cookie: evil=1", "\x00<b>", `" autofocus onfocus=alert(1) x="`, "`onmouseover=alert(1)`", `&quot;&gt;&lt;script&gt;`,
}

// TestLoginInjection puts payloads into every parameter, field and header that a
// page could show.
func TestLoginInjection(t *testing.T) {
	b := loginBox(t, nil)
	begun := b.browser().get(loginQuery()).submit("phone-form", "phone", phone, "do", "code")
	_, check := begun.form("code-form")
	for i, payload := range payloads {
		clean := func(where string, w *browser) {
			t.Helper()
			for _, bad := range []string{"<script>", "<img", "<svg", "<b>", `" autofocus onfocus`, "onerror=alert(1)>", "\x00", "</textarea>"} {
				if strings.Contains(w.body, bad) {
					t.Errorf("%s, payload %d: %q is in the page", where, i, bad)
				}
			}
			if headers := fmt.Sprint(w.header["Set-Cookie"], w.header["Evil"]); strings.Contains(headers, "evil") || strings.ContainsAny(w.header.Get("Location"), "\r\n<>\"") {
				t.Errorf("%s, payload %d: the headers are %v", where, i, w.header)
			}
		}
		for _, name := range []string{"app", "redirect_uri", "code_challenge", "code_challenge_method", "state", "purpose", "locale", "other"} {
			clean("query "+name, b.browser().get(loginQuery(name, payload)))
		}
		plain := strings.Map(func(r rune) rune {
			if r < ' ' {
				return -1 // as a state it is refused, and as a header it could not be sent
			}
			return r
		}, payload)
		w := b.browser().get(loginQuery("state", plain))
		clean("phone", w.submit("phone-form", "phone", payload, "region", "CH", "do", "code"))
		clean("region", w.submit("phone-form", "phone", "079", "region", payload, "do", "code"))
		clean("do", w.submit("phone-form", "phone", "079", "do", payload))
		clean("language", w.get(loginQuery("locale", "-"), "Accept-Language", plain))
		for _, name := range []string{"code", "do", "flow", "token"} {
			form := url.Values{}
			for field, values := range check {
				form[field] = values
			}
			form.Set(name, payload)
			clean("field "+name, begun.send("POST", "/login/code", form))
			clean("after field "+name, begun.get("/login/code"))
		}
	}
	named := loginBox(t, func(app *otp.App) { app.Name = `<b>"&'` })
	if w := named.browser().get(loginQuery()); strings.Contains(w.body, "<b>") || !strings.Contains(w.body, "&lt;b&gt;&#34;&amp;&#39;") {
		t.Errorf("the app's name: %s", w.body)
	}
}
