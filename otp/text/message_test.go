package text_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/pinferry/pinferry/otp/text"
)

// The GSM 03.38 alphabet: what takes one septet, and what takes two.
const (
	gsm         = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "^{}\\[~]|€\f"
)

// septets returns the length of a text in the GSM alphabet, or false.
func septets(s string) (int, bool) {
	n := 0
	for _, r := range s {
		switch {
		case strings.ContainsRune(gsm, r):
			n++
		case strings.ContainsRune(gsmExtended, r):
			n += 2
		default:
			return 0, false
		}
	}
	return n, true
}

// segments counts SMS as a handset does.
func segments(s string) int {
	n, ok := septets(s)
	single, part := 160, 153
	if !ok {
		n, single, part = len(utf16.Encode([]rune(s))), 70, 67
	}
	if n <= single {
		return 1
	}
	return (n + part - 1) / part
}

func TestMessage(t *testing.T) {
	const domain, hash = "example.com", "FA+9qCX9VSu"
	for name, c := range map[string]struct{ src, domain, hash, want string }{
		"nothing to add": {"{app}: {code}", "", "", "Demo: 012345"},
		"browser":        {"{app}: {code}", domain, "", "Demo: 012345\n@example.com #012345"},
		"Android":        {"{app}: {code}", "", hash, "Demo: 012345\nFA+9qCX9VSu"},
		"both":           {"{app}: {code}", domain, hash, "Demo: 012345\nFA+9qCX9VSu\n@example.com #012345"},

		"domain in a sentence": {"{code} for {domain}", domain, "", "012345 for example.com\n@example.com #012345"},
		"own line":             {"{code}\n@{domain} #{code}", domain, "", "012345\n@example.com #012345"},
		"own line, blank":      {"{code}\n\n@{domain} #{code}", domain, "", "012345\n@example.com #012345"},
		"own line and Android": {"{code}\n@{domain} #{code}", domain, hash, "012345\nFA+9qCX9VSu\n@example.com #012345"},
		"own hash":             {"{code} {hash}", "", hash, "012345 FA+9qCX9VSu"},
		"own hash and browser": {"{code} {hash}", domain, hash, "012345 FA+9qCX9VSu\n@example.com #012345"},
		"both its own":         {"{code}\n{hash}\n@{domain} #{code}", domain, hash, "012345\nFA+9qCX9VSu\n@example.com #012345"},
	} {
		v := text.Values{Code: "012345", App: "Demo", Minutes: 5, Domain: "other.example", Hash: "another"}
		if got := text.Message(parse(t, c.src), v, c.domain, c.hash); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// A browser takes the last line, splits it at its one space, and finds the
// host and the code.
func TestOriginBoundLine(t *testing.T) {
	form := regexp.MustCompile(`(?s)^.*\n@example\.com #[0-9]{6}$`)
	for _, locale := range text.Locales() {
		got := text.Message(text.Builtin(locale), text.Values{Code: "012345", App: "@evil.example #1\n", Minutes: 5}, "example.com", "")
		if !form.MatchString(got) {
			t.Errorf("%s: %q", locale, got)
		}
	}
}

func TestCheckSegments(t *testing.T) {
	const hash = "FA+9qCX9VSu"
	letters := func(n int) string { return strings.Repeat("x", n) }
	plain := parse(t, "{code}{app}")
	for name, c := range map[string]struct {
		template text.Template
		widest   text.Widest
		says     string // empty: no error
	}{
		"160 septets":        {plain, text.Widest{App: letters(154), CodeLength: 6}, ""},
		"161 septets":        {plain, text.Widest{App: letters(155), CodeLength: 6}, "takes 2 SMS"},
		"longer code":        {plain, text.Widest{App: letters(154), CodeLength: 7}, "takes 2 SMS"},
		"extended character": {plain, text.Widest{App: letters(153) + "€", CodeLength: 6}, "takes 2 SMS"},
		"70 units":           {plain, text.Widest{App: letters(63) + "ó", CodeLength: 6}, ""},
		"71 units":           {plain, text.Widest{App: letters(64) + "ó", CodeLength: 6}, "takes 2 SMS"},
		"surrogates":         {plain, text.Widest{App: letters(63) + "🔑", CodeLength: 6}, "takes 2 SMS"},
		"longer minutes":     {parse(t, "{code}{app}{minutes}"), text.Widest{App: letters(153), CodeLength: 6, Minutes: 10}, "takes 2 SMS"},
		"the browser's line": {plain, text.Widest{App: letters(154 - 21), CodeLength: 6, WebDomain: "example.com"}, ""},
		"one more":           {plain, text.Widest{App: letters(155 - 21), CodeLength: 6, WebDomain: "example.com"}, "takes 2 SMS"},
		"140 bytes":          {plain, text.Widest{App: letters(122), CodeLength: 6, AndroidHash: hash}, ""},
		"141 bytes":          {plain, text.Widest{App: letters(123), CodeLength: 6, AndroidHash: hash}, "Android reads 140"},
		"bytes, not letters": {plain, text.Widest{App: letters(121) + "é", CodeLength: 6, AndroidHash: hash}, "Android reads 140"},
		"domain missing":     {parse(t, "{code} {domain}"), text.Widest{CodeLength: 6}, "no web domain"},
		"line without":       {parse(t, "{code}\n@{domain} #{code}"), text.Widest{CodeLength: 6}, "no web domain"},
		"hash missing":       {parse(t, "{code} {hash}"), text.Widest{CodeLength: 6}, "no Android hash"},
	} {
		t.Run(name, func(t *testing.T) {
			err := text.CheckSegments(c.template, c.widest, segments)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func TestCheckDomain(t *testing.T) {
	for _, host := range []string{"example.com", "login.example.com", "xn--bcher-kva.example", "a.b", "intranet", "4you.example", strings.Repeat("a", 63) + ".example"} {
		if err := text.CheckDomain(host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, host := range []string{
		"", "https://example.com", "https://example.com/", "example.com/", "example.com:443", "Example.com", "bücher.example", "example.com.", ".example.com",
		"a..b", "-a.example", "a-.example", "exa mple.com", "example.com\n", "*.example.com", "a_b.example", "user@example.com", "#example.com", "192.0.2.1", "[2001:db8::1]",
		strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 126) + "example",
	} {
		if err := text.CheckDomain(host); err == nil {
			t.Errorf("%q is taken for a domain", host)
		}
	}
}

func TestCheckHash(t *testing.T) {
	for _, hash := range []string{"FA+9qCX9VSu", "abcdefghij/", "01234567890"} {
		if err := text.CheckHash(hash); err != nil {
			t.Errorf("%s: %v", hash, err)
		}
	}
	for _, hash := range []string{"", "FA+9qCX9VS", "FA+9qCX9VSuu", "FA+9qCX9VS=", "FA+9qCX-VSu", "FA+9q X9VSu", "FA+9qCX9VS\n", "FA+9qCX9Vé"} {
		if err := text.CheckHash(hash); err == nil {
			t.Errorf("%q is taken for a hash", hash)
		}
	}
}
