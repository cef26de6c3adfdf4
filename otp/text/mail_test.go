package text_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp/text"
)

func TestMail(t *testing.T) {
	v := text.Values{Code: "012345", App: "Demo", Minutes: 5, Domain: "example.com"}
	for name, c := range map[string]struct{ src, want string }{
		"sentence":             {"{code} for {app}, {minutes} min", "012345 for Demo, 5 min"},
		"line for browsers":    {"Code: {code}\n@{domain} #{code}", "Code: 012345"},
		"blank line in front":  {"Code: {code}\n\n@{domain} #{code}", "Code: 012345"},
		"hash":                 {"Code: {code} {hash}", "Code: 012345"},
		"hash on its line":     {"Code: {code}\n{hash}\n@{domain} #{code}", "Code: 012345"},
		"domain in a sentence": {"{code} for {domain}", "012345 for example.com"},
	} {
		if _, body := text.Mail("en", parse(t, c.src), v); body != "012345\n\n"+c.want+"\n" {
			t.Errorf("%s: %q", name, body)
		}
	}
}

// A subject ends up in logs, so no code is in it; and it is one line, whoever
// chose the app's name.
func TestMailSubject(t *testing.T) {
	seen := map[string]bool{}
	for _, locale := range text.Locales() {
		subject, body := text.Mail(locale, text.Builtin(locale), text.Values{Code: "012345", App: "De{code}mo\r\nBcc: x@example.com", Minutes: 5})
		if strings.Contains(subject, "012345") || strings.ContainsAny(subject, "\r\n") || !strings.Contains(subject, "De{code}mo  Bcc: x@example.com") {
			t.Errorf("%s: %q", locale, subject)
		}
		if !strings.HasPrefix(body, "012345\n\n") || strings.Count(body, "\n") != 3 {
			t.Errorf("%s: %q", locale, body)
		}
		seen[subject] = true
	}
	if len(seen) != len(text.Locales()) {
		t.Errorf("%d subjects for %d languages", len(seen), len(text.Locales()))
	}
	if got, _ := text.Mail("tlh", text.Brief(), text.Values{App: "Demo"}); got != "Your code for Demo" {
		t.Errorf("in a language that there is not: %q", got)
	}
}
