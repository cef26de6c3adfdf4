package server_test

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/api"
)

// TestLogin goes all the way without scripts: a number as people at home write
// it, a wrong code, the right one, and the session for what comes back.
func TestLogin(t *testing.T) {
	b := loginBox(t, nil)
	w := b.browser().get(loginQuery())
	if w.status != 200 || w.header.Get("Content-Type") != "text/html; charset=utf-8" || w.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("got %d %v", w.status, w.header)
	}
	policy := w.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%q is not in the policy %q", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "shop") || strings.Contains(policy, "*") {
		t.Errorf("the policy is %q", policy)
	}
	cookie := w.header.Get("Set-Cookie")
	if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") || !strings.Contains(cookie, "path=/login") {
		t.Errorf("the cookie is %q", cookie)
	}
	w.submit("phone-form", "phone", "079 123 45 67", "region", "CH", "do", "code")
	if w.status != 200 || !strings.Contains(w.body, "+41*******67") || strings.Contains(w.body, "1234567") || w.said() != "" {
		t.Fatalf("got %d %s", w.status, w.body)
	}
	// A browser would hold what the app redirects to after its own page against it.
	if policy := w.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "form-action") {
		t.Errorf("the policy of the page that leads to the app is %q", policy)
	}
	code := b.code()
	w.submit("code-form", "code", wrongFor(code))
	if w.said() != "That code is not right. Check the digits." || !strings.Contains(w.body, `aria-invalid="true"`) {
		t.Fatalf("after a wrong code: %s", w.body)
	}
	if w.get("/login/code"); w.said() != "" {
		t.Error("it is said again on the next page")
	}
	w.submit("code-form", "code", code[:3]+" "+code[3:])
	place, err := url.Parse(w.header.Get("Location"))
	if err != nil || w.status != 303 || !strings.HasPrefix(place.String(), loginPlace+"&") || place.Query().Get("state") != "the state & more" {
		t.Fatalf("got %d to %q", w.status, w.header.Get("Location"))
	}
	if strings.Contains(w.header.Get("Set-Cookie")+w.body, code) {
		t.Error("the code comes back")
	}
	if w.get("/login/code"); w.status != 410 || !strings.Contains(w.body, "This sign-in is over") || strings.Contains(w.body, "Demo") {
		t.Errorf("the page afterwards: %d %s", w.status, w.body)
	}
	redeem := func(verifier, redirect, key string) answer {
		return b.do("POST", "/v1/token/exchange", fmt.Sprintf(`{"code":%q,"code_verifier":%q,"redirect_uri":%q}`, place.Query().Get("code"), verifier, redirect), "Authorization: Bearer "+key)
	}
	if a := redeem(verifier+"x", loginPlace, publishable); a.status != 400 {
		t.Errorf("another verifier: %+v", a)
	}
	if a := redeem(verifier, "https://shop.example/", publishable); a.status != 400 {
		t.Errorf("another redirect: %+v", a)
	}
	session := redeem(verifier, loginPlace, publishable)
	if session.status != 200 {
		t.Fatalf("the exchange: %+v", session)
	}
	me := b.do("GET", "/v1/me", "", key(member(t, session.body, "access_token")))
	if me.status != 200 || member(t, me.body, "phone") != phone {
		t.Errorf("the session is that of %+v", me)
	}
	if a := redeem(verifier, loginPlace, publishable); a.status != 400 {
		t.Errorf("the exchange once more: %+v", a)
	}
}

// TestLoginSaysWhatIsWrong types numbers that get no code.
func TestLoginSaysWhatIsWrong(t *testing.T) {
	b := loginBox(t, func(app *otp.App) { app.Countries = []string{"CH", "DE"} })
	for typed, want := range map[string]string{
		"":                "Please fill in this field.",
		"12":              "That is not a mobile number we can read.",
		"ann@example.com": "That is not a mobile number we can read.",
		"+43 664 1234567": "We do not send codes to this country.",
		"0900 123 456":    "We cannot send codes to this number.",
	} {
		w := b.browser().get(loginQuery()).submit("phone-form", "phone", typed, "region", "CH", "do", "code")
		if w.status != 200 || !strings.HasPrefix(w.said(), want) || !strings.Contains(w.body, `name="phone"`) || !strings.Contains(w.body, html.EscapeString(typed)) {
			t.Errorf("%q: %d %q", typed, w.status, w.said())
		}
	}
	if len(b.route.Given()) != 0 {
		t.Error("something was sent")
	}
	everywhere := loginBox(t, func(app *otp.App) { app.Countries = []string{"*"} })
	if w := everywhere.browser().get(loginQuery("locale", "en")).submit("phone-form", "phone", "079 12", "region", "", "do", "code"); !strings.Contains(w.body, `value="079 12"`) {
		t.Errorf("what was typed before a country was chosen is lost: %s", w.said())
	}
}

// TestLoginFits carries the longest request along that is let in.
func TestLoginFits(t *testing.T) {
	b := loginBox(t, func(app *otp.App) { app.Inbound, app.InboundSignIn = true, true })
	for _, state := range []string{strings.Repeat(`"`, 512), strings.Repeat("\u202e", 170), strings.Repeat("\u2028", 170)} {
		w := b.browser().get(loginQuery("state", state, "locale", "en-"+strings.Repeat(`"`, 32)))
		w.submit("phone-form", "phone", strings.Repeat("\x01", 64), "do", "code")
		if n := len(w.header.Get("Set-Cookie")); w.said() == "" || n > 4000 {
			t.Errorf("a cookie of %d bytes: %d %q", n, w.status, w.said())
		}
	}
}

// TestLoginGuesses types wrong codes until none is evaluated any more; there is
// a way on from there.
func TestLoginGuesses(t *testing.T) {
	b := loginBox(t, nil)
	w := b.browser().get(loginQuery()).submit("phone-form", "phone", phone, "region", "", "do", "code")
	code := b.code()
	for range 4 { // N5: the address has four of the five
		if w.submit("code-form", "code", wrongFor(code)); w.said() != "That code is not right. Check the digits." {
			t.Fatalf("got %q", w.said())
		}
	}
	if w.submit("code-form", "code", code); !strings.HasPrefix(w.said(), "That was too often. Please try again in ") {
		t.Errorf("got %q", w.said())
	}
	// No cookie of an sk_ caller's making lifts the limits: the address is that of
	// the connection.
	if w.send("POST", "/login/code", url.Values{}, "X-Pinferry-Key", secret, "Pinferry-Client-IP", "198.51.100.1"); w.status == 200 {
		t.Errorf("got %d", w.status)
	}
	w.get("/login/code").submit("code-form", "code", code).submit("again")
	if w.status != 200 || w.said() != "" || !strings.Contains(w.body, `id="resend"`) {
		t.Fatalf("a new code: %d %s", w.status, w.body)
	}
	b.await(2)
	if w.submit("code-form", "code", code); w.said() != "That code is not right. Check the digits." {
		t.Errorf("the old code afterwards: %q", w.said())
	}
}

// await waits until the route was given so many messages.
func (b *box) await(n int) {
	b.t.Helper()
	for range 500 {
		if len(b.route.Given()) >= n {
			return
		}
		b.do("GET", "/healthz", "") // lets the dispatcher go on
	}
	b.t.Fatalf("%d messages, not %d", len(b.route.Given()), n)
}

// TestLoginAgain asks for the code again, for another number, and goes on after
// the verification has ended.
func TestLoginAgain(t *testing.T) {
	b := loginBox(t, nil)
	w := b.browser().get(loginQuery())
	target, form := w.form("phone-form")
	form.Set("phone", phone)
	form.Set("do", "code")
	w.send("POST", target, form).send("POST", target, form).get("/login/code") // a double click
	b.code()
	if n := len(b.route.Given()); n != 1 {
		t.Fatalf("a form that was sent twice has sent %d messages", n)
	}
	if w.submit("resend"); w.status != 200 || w.said() != "" {
		t.Errorf("again: %d %q", w.status, w.said())
	}
	old := *w
	id := w.body[strings.Index(w.body, `name="flow" value="`)+19:][:8]
	w.submit("change")
	if !strings.Contains(w.body, `id="phone"`) {
		t.Fatalf("another number: %d %s", w.status, w.body)
	}
	// What was left open does nothing any more.
	if old.submit("resend"); old.status != 410 {
		t.Errorf("a page that was left: %d", old.status)
	}
	w.submit("phone-form", "phone", phone, "region", "", "do", "code")
	if strings.Contains(w.body, id) {
		t.Error("the old verification goes on")
	}
	target, form = w.form("resend")
	form.Set("flow", id)
	if w.send("POST", target, form).get(w.header.Get("Location")); !strings.HasPrefix(w.said(), "This page was too old.") {
		t.Errorf("the form of another sign-in: %q", w.said())
	}
	if w.get("/login/state"); !strings.Contains(w.body, `"pending":true`) || !strings.Contains(w.body, `"delivery":"The SMS `) || w.header.Get("Cache-Control") != "no-store" {
		t.Errorf("how it goes: %s", w.body)
	}
	if a := b.browser().get("/login/state"); !strings.Contains(a.body, `"pending":false`) {
		t.Errorf("how it goes for a stranger: %s", a.body)
	}
}

// TestLoginTwice sends the right code twice before the first answer is there, as
// a double click does where no script holds it back.
func TestLoginTwice(t *testing.T) {
	b := loginBox(t, nil)
	w := b.browser().get(loginQuery()).submit("phone-form", "phone", phone, "do", "code")
	target, form := w.form("code-form")
	form.Set("code", b.code())
	u := &url.URL{Scheme: "http", Host: b.addr, Path: "/login"}
	before := w.client.Jar.Cookies(u)
	if w.send("POST", target, form); !strings.HasPrefix(w.header.Get("Location"), loginPlace) {
		t.Fatalf("got %d %q", w.status, w.said())
	}
	before[0].Path = "/login"
	w.client.Jar.SetCookies(u, before)
	if w.send("POST", target, form).get(w.header.Get("Location")); w.status != 410 || w.said() != "" {
		t.Errorf("the second time: %d %q", w.status, w.said())
	}
}

// TestLoginTruthAfterTheCode proves a number that may not enter.
func TestLoginTruthAfterTheCode(t *testing.T) {
	b := loginBox(t, nil)
	w := b.browser().get(loginQuery("purpose", "sign_in")).submit("phone-form", "phone", phone, "do", "code")
	if w.said() != "" {
		t.Fatalf("it is told before: %q", w.said())
	}
	w.submit("code-form", "code", b.code())
	if w.status != 410 || w.said() != "You have no account here yet." ||
		!strings.Contains(w.body, html.EscapeString("https://shop.example/welcome?from=login&error=access_denied&error_description=not_registered&state=")) {
		t.Errorf("got %d %s", w.status, w.body)
	}
}

// spy notes the captcha of a start, and asks for another.
type spy struct {
	api.Verifications
	captcha *string
}

func (s spy) Start(_ context.Context, _ otp.Caller, r otp.StartRequest) (otp.Progress, error) {
	*s.captcha = r.Captcha
	return otp.Progress{}, &otp.Error{Code: otp.CaptchaRequired}
}

// TestLoginCaptcha has an app that asks for captchas: the page has the script,
// says what is missing where none runs, and hands the solution on.
func TestLoginCaptcha(t *testing.T) {
	for policy, told := range map[otp.CaptchaPolicy]bool{otp.CaptchaAlways: true, otp.CaptchaHot: false} {
		var got string
		b := newBox(t, func(c *server.Config, list *[]otp.App) {
			app := &(*list)[0]
			app.Login, app.Redirects, app.Captcha = true, []string{loginPlace}, policy
			c.Verifications = spy{nil, &got}
		})
		w := b.browser().get(loginQuery())
		if !strings.Contains(w.body, `<script src="/captcha.js" defer>`) || !strings.Contains(w.body, `data-captcha="demo"`) || strings.Contains(w.body, "<noscript>") != told {
			t.Errorf("%s: got %s", policy, w.body)
		}
		w.submit("phone-form", "phone", phone, "do", "code", "captcha", "the-solution")
		if got != "the-solution" || !strings.HasPrefix(w.said(), "Your browser has to show first") || !strings.Contains(w.body, "<noscript>") {
			t.Errorf("%s: %q is handed on, and then %s", policy, got, w.said())
		}
	}
}

// TestLoginByText signs in by an SMS to the box.
func TestLoginByText(t *testing.T) {
	b := loginBox(t, func(app *otp.App) { app.Inbound, app.InboundSignIn = true, true })
	status := b.route.Status()
	status.Kind = "modem"
	b.route.SetStatus(status)
	w := b.browser().get(loginQuery()).submit("text-instead", "phone", phone, "do", "text")
	_, rest, found := strings.Cut(w.body, `id="text-this" class="code">`)
	if !found {
		t.Fatalf("got %d %s", w.status, w.body)
	}
	for range 6 { // no try is counted
		if w.submit("texted"); w.said() != "Your SMS has not come yet. It can take a minute." || strings.Contains(w.body, "data-held") {
			t.Fatalf("got %q", w.said())
		}
	}
	if err := b.route.Sink().Received(t.Context(), otp.Incoming{Route: "gsm0", From: phone[1:], Text: strings.ToLower(rest[:8]), Parts: 1}); err != nil {
		t.Fatal(err)
	}
	if w.get("/login/state"); !strings.Contains(w.body, `"texted":true`) {
		t.Errorf("got %s", w.body)
	}
	w.get("/login/code").submit("texted")
	if w.status != 303 || !strings.HasPrefix(w.header.Get("Location"), loginPlace+"&code=") {
		t.Errorf("got %d %q", w.status, w.header.Get("Location"))
	}
	if len(b.route.Given()) != 0 {
		t.Error("something was sent")
	}
	// A check that is refused is not repeated by the page itself.
	w = b.browser().get(loginQuery()).submit("text-instead", "phone", "+41791234568", "do", "text")
	for range 5 {
		target, form := w.form("texted")
		form.Set("do", "check")
		form.Set("code", "AAAAAAAA")
		w.send("POST", target, form).get("/login/code")
	}
	if !strings.HasPrefix(w.said(), "That was too often.") || !strings.Contains(w.body, "data-held") {
		t.Errorf("after too many tries: %q in %s", w.said(), w.body)
	}
}

// TestLoginByEmail signs in with an address of mail, where the app takes one.
func TestLoginByEmail(t *testing.T) {
	b := loginBox(t, func(app *otp.App) { app.Email, app.Inbound, app.InboundSignIn = true, true, true })
	status := b.route.Status()
	status.Channels = []string{otp.ChannelSMS, otp.ChannelEmail}
	b.route.SetStatus(status)
	w := b.browser().get(loginQuery())
	if !strings.Contains(w.body, "Mobile number or email address") || strings.Contains(w.body, `type="tel"`) {
		t.Fatalf("got %s", w.body)
	}
	if w.submit("phone-form", "phone", "ann@", "do", "code"); w.said() != "That is not an email address we can read. Write it like ann@example.com." || !strings.Contains(w.body, `value="ann@"`) || !strings.Contains(w.body, "aria-invalid") {
		t.Errorf("half an address: %q", w.said())
	}
	if w.submit("text-instead", "phone", "ann@example.com", "do", "text"); !strings.HasPrefix(w.said(), "That is not a mobile number") {
		t.Errorf("an SMS from a mailbox: %q", w.said())
	}
	w.submit("phone-form", "phone", " Ann@Example.com ", "region", "CH", "do", "code")
	if w.status != 200 || w.said() != "" || strings.Contains(w.body, "SMS") || strings.Contains(w.body, "Ann@") || !strings.Contains(w.body, "6 digits, from the email") || !strings.Contains(w.body, "The email ") {
		t.Fatalf("got %d %s", w.status, w.body)
	}
	w.submit("code-form", "code", b.code())
	place, err := url.Parse(w.header.Get("Location"))
	if err != nil || w.status != 303 || !strings.HasPrefix(place.String(), loginPlace) {
		t.Fatalf("got %d to %q, %q", w.status, w.header.Get("Location"), w.said())
	}
	session := b.do("POST", "/v1/token/exchange", fmt.Sprintf(`{"code":%q,"code_verifier":%q,"redirect_uri":%q}`, place.Query().Get("code"), verifier, loginPlace), key(publishable))
	if session.status != 200 || !strings.Contains(session.body, "ann@example.com") && !strings.Contains(session.body, "Ann@example.com") {
		t.Errorf("the session is %+v", session)
	}
	// A number is as good, and another app knows no addresses of mail.
	if w := b.browser().get(loginQuery()).submit("phone-form", "phone", "079 123 45 67", "region", "CH", "do", "code"); !strings.Contains(w.body, "from the SMS") {
		t.Errorf("a number: %d %q", w.status, w.said())
	}
}

// wrongFor is a code that is not this one.
func wrongFor(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}
