package otp_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// A mistake in the config is refused with a sentence that names the key.
func TestAppMistakes(t *testing.T) {
	for _, test := range []struct {
		names string
		edit  func(*otp.App)
	}{
		{"id", func(a *otp.App) { a.ID = "my app" }},
		{"alias", func(a *otp.App) { a.Aliases = []string{"other"} }},
		{"keys", func(a *otp.App) { a.Keys = [][32]byte{sha256.Sum256([]byte("sk_other"))} }},
		{"countries", func(a *otp.App) { a.Countries = nil }},
		{"countries", func(a *otp.App) { a.Countries = []string{"ch"} }},
		{"countries", func(a *otp.App) { a.Countries = []string{"CH", "UK"} }},
		{"mode", func(a *otp.App) { a.Mode = "prod" }},
		{"code_length", func(a *otp.App) { a.CodeLength = 5 }},
		{"code_length", func(a *otp.App) { a.CodeLength = 11 }},
		{"code_ttl", func(a *otp.App) { a.CodeTTL = 601 * time.Second }},
		{"code_ttl", func(a *otp.App) { a.CodeTTL = time.Second }},
		{"resend", func(a *otp.App) { a.Resend = "fresh" }},
		{"test_numbers", func(a *otp.App) { a.TestNumbers = map[string]string{alice: "123456"} }},
		{"test_numbers", func(a *otp.App) { a.Mode, a.TestNumbers = otp.Test, map[string]string{alice: "1234"} }},
		{"test_numbers", func(a *otp.App) { a.Mode, a.TestNumbers = otp.Test, map[string]string{"079": "123456"} }},
		{"safe_prefixes", func(a *otp.App) { a.SafePrefixes = []string{"4179"} }},
		{"web_domain", func(a *otp.App) { a.WebDomain = "https://example.com/" }},
		{"android_hash", func(a *otp.App) { a.AndroidHash = "short" }},
		{"template_options", func(a *otp.App) { a.Options = []string{"Order"} }},
		{"template_options", func(a *otp.App) { a.Options = []string{"code"} }},
		{"template_options", func(a *otp.App) { a.Options = []string{"order", "order"} }},
		{"texts.en", func(a *otp.App) { a.Texts = map[string]string{"en": "{code} {order}"} }},
		{"texts.en", func(a *otp.App) { a.Texts = map[string]string{"en": "no placeholder"} }},
		{"texts.en", func(a *otp.App) { a.Texts = map[string]string{"en": "{code}" + strings.Repeat(" too long", 20)} }},
		{"login", func(a *otp.App) { a.Login, a.Sessions, a.Redirects = true, false, []string{"https://a.example/"} }},
		{"login", func(a *otp.App) { a.Login, a.Sessions = true, true }},
		{"login", func(a *otp.App) {
			a.Login, a.Sessions, a.Redirects, a.Doors = true, true, []string{"https://a.example/"}, []string{"descope"}
		}},
		{"texts", func(a *otp.App) { a.Texts = map[string]string{"xx": "{code}"} }},
	} {
		app := demoApp("demo")
		test.edit(&app)
		_, err := otp.NewApps([]otp.App{demoApp("other"), app}, segments)
		if err == nil || !strings.Contains(err.Error(), test.names) {
			t.Errorf("error is %v, want one that names %s", err, test.names)
		}
		if err != nil && strings.Contains(strings.ReplaceAll(err.Error(), alice, ""), "123456") {
			t.Errorf("the error holds a code: %v", err)
		}
	}
	one, two := demoApp("one"), demoApp("two")
	one.Default, two.Default = true, true
	if _, err := otp.NewApps([]otp.App{one, two}, segments); err == nil {
		t.Error("two default apps are accepted")
	}
}

// The text that leaves ends in the origin-bound line, with the Android hash
// before it, and in no line break.
func TestTextsOfAnApp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := demoApp("demo")
		app.WebDomain, app.AndroidHash = "example.com", "FA+9qCX9VSu"
		app.Texts = map[string]string{"de": "{code} ist der Code von {app}."}
		r := newRig(t, setup{apps: []otp.App{app}})
		p, err := r.v.Start(t.Context(), r.server(), otp.StartRequest{To: alice, Purpose: otp.PurposeVerify, Locale: "de-CH"})
		must(t, err)
		digits := r.sent()
		want := digits + " ist der Code von Demo.\nFA+9qCX9VSu\n@example.com #" + digits
		if got := r.routes[0].Given()[0].Text; got != want {
			t.Errorf("the text does not have the wanted form: %d bytes, want %d", len(got), len(want))
		}
		must(t, r.check(r.server(), p.Verification.ID, digits))
	})
}

// A name that leaves no room for a sentence still makes a text.
func TestLongNamesGetABriefText(t *testing.T) {
	app := demoApp("demo")
	app.Name = strings.Repeat("Wasserwerk ", 10)
	if _, err := otp.NewApps([]otp.App{app}, segments); err != nil {
		t.Error(err)
	}
	app.Name = strings.Repeat("Wasserwerk ", 20)
	if _, err := otp.NewApps([]otp.App{app}, segments); err == nil {
		t.Error("a name that fills two messages is accepted")
	}
}

func TestKeysAreKnownByDigest(t *testing.T) {
	apps, err := otp.NewApps([]otp.App{demoApp("demo")}, segments)
	must(t, err)
	for key, want := range map[string][2]bool{
		"pk_demo": {true, false}, "sk_demo": {true, true}, "sk_demo2": {}, "demo": {}, "": {},
		fmt.Sprintf("%x", sha256.Sum256([]byte("sk_demo"))): {},
	} {
		_, secret, ok := apps.ByKey(key)
		if got := [2]bool{ok, secret}; got != want {
			t.Errorf("%s: accepted, secret = %v, want %v", key, got, want)
		}
	}
}
