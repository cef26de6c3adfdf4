package email_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp/email"
)

func TestParse(t *testing.T) {
	for input, want := range map[string]email.Address{
		"ann@example.com":            {Dial: "ann@example.com", Key: "ann@example.com"},
		"  ann@example.com ":         {Dial: "ann@example.com", Key: "ann@example.com"},
		"Ann.Lee@Example.COM":        {Dial: "Ann.Lee@example.com", Key: "ann.lee@example.com"},
		"ann+shop@example.com":       {Dial: "ann+shop@example.com", Key: "ann+shop@example.com"},
		"o'hara@mail.example.co.uk":  {Dial: "o'hara@mail.example.co.uk", Key: "o'hara@mail.example.co.uk"},
		"+41791234567@example.com":   {Dial: "+41791234567@example.com", Key: "+41791234567@example.com"},
		"ann@xn--bcher-kva.example":  {Dial: "ann@xn--bcher-kva.example", Key: "ann@xn--bcher-kva.example"},
		longLocal(64) + "@a.example": {Dial: longLocal(64) + "@a.example", Key: longLocal(64) + "@a.example"},
	} {
		if got, err := email.Parse(input); err != nil || got != want {
			t.Errorf("%q: %+v, %v", input, got, err)
		}
	}
	for name, input := range map[string]string{
		"nothing":            "",
		"no at":              "ann.example.com",
		"no local part":      "@example.com",
		"no domain":          "ann@",
		"two":                "ann@example.com,bob@example.com",
		"two ats":            "ann@bob@example.com",
		"display name":       "Ann <ann@example.com>",
		"brackets":           "<ann@example.com>",
		"comment":            "ann(home)@example.com",
		"quotes":             `"ann lee"@example.com`,
		"space":              "ann lee@example.com",
		"line feed":          "ann@example.com\nBcc: bob@example.com",
		"carriage return":    "ann@example.com\r\nBcc: bob@example.com",
		"line break at end":  "ann@example.com\n",
		"line break first":   "\r\nann@example.com",
		"zero":               "ann\x00@example.com",
		"tab":                "ann\t@example.com",
		"source route":       "ann%example.com@relay.example",
		"bang path":          "relay!ann@example.com",
		"dot first":          ".ann@example.com",
		"dot last":           "ann.@example.com",
		"two dots":           "ann..lee@example.com",
		"domain of one":      "ann@localhost",
		"IP address":         "ann@192.0.2.1",
		"IP literal":         "ann@[192.0.2.1]",
		"dot at end":         "ann@example.com.",
		"hyphen":             "ann@-example.com",
		"port":               "ann@example.com:25",
		"letters beyond":     "änn@example.com",
		"international":      "ann@bücher.example",
		"Kelvin sign":        "ann@example.\u212aom",
		"right-to-left":      "ann\u202e@example.com",
		"local part of 65":   longLocal(65) + "@a.example",
		"address of 255":     "a@" + strings.Repeat("a.", 122) + "example.c",
		"mailto":             "mailto:ann@example.com",
		"phone":              "+41791234567",
		"invalid UTF-8":      "ann\xff@example.com",
		"invalid UTF-8 last": "ann@example.com\xff",
	} {
		if got, err := email.Parse(input); err != email.ErrInvalid || got != (email.Address{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func longLocal(n int) string { return strings.Repeat("a", n) }

// Neither a tag behind a plus sign nor marks that a service passes over make a
// further mailbox to be counted; there are always letters left to count by.
func TestMailbox(t *testing.T) {
	for key, want := range map[string]string{
		"ann@example.com":          "ann@example.com",
		"ann+a@example.com":        "ann@example.com",
		"ann+a+b@example.com":      "ann@example.com",
		"ann+@example.com":         "ann@example.com",
		"+ann@example.com":         "+ann@example.com",
		"a.nn@example.com":         "ann@example.com",
		"a.n-n_+a.b@example.com":   "ann@example.com",
		"ann-a@example.com":        "anna@example.com",
		"ann@a-b.example.com":      "ann@a-b.example.com",
		"-_@example.com":           "-_@example.com",
		"+41791234567@example.com": "+41791234567@example.com",
	} {
		if got := email.Mailbox(key); got != want {
			t.Errorf("%s: %s", key, got)
		}
	}
}

func TestBlock(t *testing.T) {
	for key, want := range map[string]string{"annabel@example.com": "ann@example.com", "an@example.com": "an@example.com"} {
		if got := email.Block(key); got != want {
			t.Errorf("%s: %s", key, got)
		}
	}
}

func TestMask(t *testing.T) {
	for key, want := range map[string]string{"ann@example.com": "a***@example.com", "b@example.com": "b***@example.com", "": "***@"} {
		if got := email.Mask(key); got != want {
			t.Errorf("%q: %s", key, got)
		}
	}
}

var plain = regexp.MustCompile("^[a-zA-Z0-9.+\\-_=~'&#$*/?^`{|}]{1,64}@[a-z0-9.-]{3,253}$")

// Whatever comes, what is accepted stands in one line, is read the same again,
// and shows no more of itself than it may.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"ann@example.com", " Ann+x@Example.com", "ann@example.com\r\nBcc: b@example.com", "Ann <ann@example.com>", `"a b"@example.com`,
		"a@b@c.example", "ann@xn--bcher-kva.example", "ann%x@example.com", "@", "+41791234567",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		a, err := email.Parse(input)
		if err != nil {
			if a != (email.Address{}) || err != email.ErrInvalid {
				t.Fatalf("%q: %+v with %v", input, a, err)
			}
			return
		}
		if !plain.MatchString(a.Dial) || len(a.Dial) > 254 || a.Key != strings.ToLower(a.Dial) {
			t.Fatalf("%q: %+v", input, a)
		}
		for _, spelling := range []string{a.Dial, strings.ToUpper(a.Dial)} {
			if again, err := email.Parse(spelling); err != nil || again.Key != a.Key {
				t.Fatalf("%q: %q is read as %+v, %v", input, spelling, again, err)
			}
		}
		box := email.Mailbox(a.Key)
		if tagged := strings.Replace(box, "@", "+tag@", 1); box[0] != '+' && email.Mailbox(tagged) != box || email.Mailbox(box) != box {
			t.Fatalf("%q: the mailbox %q changes", input, box)
		}
		if dotted := box[:1] + "." + box[1:]; box[1] != '@' && strings.Trim(box[:1], "-_") != "" && email.Mailbox(dotted) != box {
			t.Fatalf("%q: dots make more of the mailbox %q", input, box)
		}
		local, _, _ := strings.Cut(a.Key, "@")
		// A local part may look like a mask itself: "0***".
		if len(local) > 1 && !strings.HasSuffix(local, "***") && strings.Trim(local, "*") != "" && strings.Contains(email.Mask(a.Key), local+"@") {
			t.Fatalf("%q: the mask shows it", input)
		}
	})
}
