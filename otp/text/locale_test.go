package text_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp/text"
)

// A built-in text fits with the longest code, both lines and an app's name of
// usual length, and keeps to the GSM alphabet.
func TestBuiltin(t *testing.T) {
	if got, want := text.Locales(), []string{"de", "en", "es", "fr", "it", "pt"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, locale := range text.Locales() {
		t.Run(locale, func(t *testing.T) {
			template := parse(t, text.Builtin(locale).Source())
			for _, placeholder := range []string{"{code}", "{app}", "{minutes}"} {
				if !strings.Contains(template.Source(), placeholder) {
					t.Errorf("%s is missing", placeholder)
				}
			}
			if _, ok := septets(template.Source()); !ok {
				t.Errorf("%q leaves the GSM alphabet", template.Source())
			}
			for name, w := range map[string]text.Widest{
				"longest code and name": {App: strings.Repeat("x", 40), CodeLength: 10, Minutes: 10, WebDomain: "login.example.com"},
				"both lines":            {App: "Example Bank", CodeLength: 6, Minutes: 5, WebDomain: "example.com", AndroidHash: "FA+9qCX9VSu"},
			} {
				if err := text.CheckSegments(template, w, segments); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	if got, want := text.Builtin("tlh"), text.Builtin("en"); got != want {
		t.Errorf("an unknown locale has the text %q", got.Source())
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct{ wanted, want string }{
		{"", "en"},
		{"de", "de"},
		{"de-CH", "de"},
		{"de_AT", "de"},
		{"DE-ch", "de"},
		{"de-Latn-CH-1996", "de"},
		{"pt-BR,pt;q=0.9", "pt"},
		{"fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"},
		{"en;q=0.5, it", "it"},
		{"it;q=0.5, es;q=0.7", "es"},
		{"it, es", "it"},
		{"tlh, fr;q=0.1", "fr"},
		{"tlh", "en"},
		{"*", "en"},
		{"de;q=0", "en"},
		{"de;q=9, fr;q=0.1", "fr"},
		{"de;q=NaN, fr;q=0.1", "fr"},
		{"de;level=1, fr;q=0.1", "fr"},
		{"den", "en"}, // no language begins inside another's tag
		{"-", "en"},
		{",;,=,", "en"},
		{"../../etc/passwd", "en"},
		{"d\x00e", "en"},
		{"de," + strings.Repeat("x", 300), "en"},
		{"nl", "en"},
	} {
		if got := text.Match(c.wanted); got != c.want {
			t.Errorf("Match(%q) = %q, want %q", c.wanted, got, c.want)
		}
	}
}

// Whatever is wanted, there is a text for what is returned.
func FuzzMatch(f *testing.F) {
	f.Add("pt-BR,pt;q=0.9")
	f.Fuzz(func(t *testing.T, wanted string) {
		if got := text.Match(wanted); !slices.Contains(text.Locales(), got) {
			t.Errorf("Match(%q) = %q", wanted, got)
		}
	})
}
