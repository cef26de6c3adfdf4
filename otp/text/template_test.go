package text_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/pinferry/pinferry/otp/text"
)

func parse(tb testing.TB, src string) text.Template {
	tb.Helper()
	t, err := text.Parse(src)
	if err != nil {
		tb.Fatalf("Parse(%q): %v", src, err)
	}
	return t
}

func TestParse(t *testing.T) {
	for name, src := range map[string]string{
		"code alone":               "{code}",
		"all placeholders":         "{app} ({domain}): {code}, {minutes} min {hash}",
		"one of them twice":        "{app}: {code} is for {app}",
		"lines":                    "{app}\n\nCode: {code}",
		"own origin-bound line":    "Code: {code}\n@{domain} #{code}",
		"blank line in front":      "Code: {code}\n\n@{domain} #{code}",
		"hash in front of it":      "Code: {code}\n{hash}\n@{domain} #{code}",
		"hash on the text's line":  "Code: {code} {hash}",
		"script with joiners":      "کد \u200cشما {code}",
		"code inside the sentence": "Your code is {code}.",
	} {
		t.Run(name, func(t *testing.T) { parse(t, src) })
	}
	for name, c := range map[string]struct{ src, says string }{
		"empty":                {"", "{code}"},
		"no code":              {"Hello {app}", "{code} 0 times"},
		"two codes":            {"{code} {code}", "{code} 2 times"},
		"code for browsers":    {"@{domain} #{code}", "{code} 0 times"},
		"code only in the end": {"Hello\n@{domain} #{code}", "{code} 0 times"},
		"misspelt":             {"{cod}", "nearest is {code}"},
		"upper case":           {"{CODE}", "nearest is {code}"},
		"another system's":     {"{{.Code}}", "nearest is {code}"},
		"ttl":                  {"{code} {minute}", "nearest is {minutes}"},
		"metadata":             {"{code} {user_name}", "unknown placeholder {user_name}"},
		"no name":              {"{code} {}", "unknown placeholder {}"},
		"open brace":           {"{code} {app", "brace"},
		"closing brace":        {"{code} app}", "brace"},
		"trailing line break":  {"{code}\n", "line break"},
		"after the line":       {"{code}\n@{domain} #{code}\n", "line break"},
		"carriage return":      {"{code}\r\nHello", "U+000D"},
		"tab":                  {"{code}\t{app}", "U+0009"},
		"escape":               {"{code}\x1b", "U+001B"},
		"substitute":           {"{code}\x1a", "U+001A"},
		"right-to-left over":   {"{code}\u202e", "U+202E"},
		"line separator":       {"{code}\u2028{app}", "U+2028"},
		"zero-width space":     {"{code}\u200b", "U+200B"},
		"invalid UTF-8":        {"{code}\xff", "UTF-8"},
		"hash in the middle":   {"{hash} {code}", "{hash} must be the last"},
		"hash twice":           {"{code} {hash} {hash}", "{hash} must be the last"},
		"hash glued":           {"{code}{hash}", "{hash} must be the last"},
		"hash after the line":  {"{code}\n@{domain} #{code} {hash}", "{code} 2 times"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := text.Parse(c.src); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
		})
	}
}

// A value is text, whatever it looks like.
func TestRenderOnce(t *testing.T) {
	template := parse(t, "{app} ({domain}): {code}, {minutes} min {hash}")
	for name, c := range map[string]struct {
		values text.Values
		want   string
	}{
		"plain": {
			text.Values{Code: "012345", App: "Demo", Minutes: 5, Domain: "example.com", Hash: "FA+9qCX9VSu"},
			"Demo (example.com): 012345, 5 min FA+9qCX9VSu",
		},
		"name of braces": {
			text.Values{Code: "012345", App: "{{.Code}}{code}{app}", Minutes: 5},
			"{{.Code}}{code}{app} (): 012345, 5 min ",
		},
		"names that meet": {
			text.Values{Code: "012345", App: "{co", Domain: "de}", Minutes: 5},
			"{co (de}): 012345, 5 min ",
		},
		"name of lines": {
			text.Values{Code: "012345", App: "A\r\nB\n@evil.example #99\u2028C\u202eD\x1a\x1b\x00E\tF", Minutes: 5},
			"A  B @evil.example #99 C D   E F (): 012345, 5 min ",
		},
		"names of braces all over": {
			text.Values{Code: "{minutes}", App: "{hash}", Domain: "{app}", Hash: "{code}", Minutes: 5},
			"{hash} ({app}): {minutes}, 5 min {code}",
		},
	} {
		if got := template.Render(c.values); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestVersion(t *testing.T) {
	a, b := parse(t, "{code} for {app}"), parse(t, "{code} for {app}.")
	if a.Version() == b.Version() {
		t.Error("two texts have one version")
	}
	if again := parse(t, a.Source()); again.Version() != a.Version() {
		t.Error("the version of a text changes")
	}
}

// What parses renders: the code is there, nothing is read twice, and no value
// adds a line or a control.
func FuzzTemplate(f *testing.F) {
	f.Add("{code} is your code for {app}, valid for {minutes} min.", "Demo")
	f.Add("{app}: {code}\n{hash}\n@{domain} #{code}", "{code}")
	f.Fuzz(func(t *testing.T, src, app string) {
		template, err := text.Parse(src)
		if err != nil {
			if template != (text.Template{}) || err.Error() == "" {
				t.Fatalf("%q: a template with %v", src, err)
			}
			return
		}
		if template.Source() != src {
			t.Fatalf("%q became %q", src, template.Source())
		}
		// Values that cannot be mistaken for anything in the source.
		const code, domain, hash = "\ue000", "\ue001", "\ue002"
		if strings.ContainsAny(src+app, code+domain+hash) {
			return
		}
		v := text.Values{Code: code, App: app, Minutes: 5, Domain: domain, Hash: hash}
		got := template.Render(v)
		for placeholder, value := range map[string]string{"{code}": code, "{domain}": domain, "{hash}": hash} {
			if want := strings.Count(src, placeholder); strings.Count(got, value) != want {
				t.Fatalf("%q with app %q: %s stands %d times in %q, want %d", src, app, placeholder, strings.Count(got, value), got, want)
			}
		}
		if strings.Count(got, "\n") != strings.Count(src, "\n") {
			t.Fatalf("%q with app %q has other lines: %q", src, app, got)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
			t.Fatalf("%q with app %q holds a control: %q", src, app, got)
		}
		message := text.Message(template, v, domain, hash)
		if last := message[strings.LastIndexByte(message, '\n')+1:]; last != "@"+domain+" #"+code {
			t.Fatalf("%q with app %q ends in the line %q", src, app, last)
		}
		if strings.Count(message, hash) != 1 || strings.Count(message, "@"+domain+" #"+code) < 1 {
			t.Fatalf("%q with app %q: %q", src, app, message)
		}
	})
}
