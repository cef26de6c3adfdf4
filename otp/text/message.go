package text

import (
	"errors"
	"fmt"
	"strings"
)

// maxAndroid is how many bytes Android's SMS Retriever reads of a message.
const maxAndroid = 140

// Message returns the whole text of an SMS: the rendered template and the
// lines by which programs on the handset recognise their code. A webDomain and
// an androidHash that are empty add nothing; v.Domain and v.Hash are taken
// from them.
//
// The origin-bound line, "@host #code", is the last line and ends the text.
// The Android hash is the last word in front of it; a template with {hash}
// has placed it itself.
func Message(t Template, v Values, webDomain, androidHash string) string {
	v.Domain, v.Hash = webDomain, androidHash
	body := t.body()
	if androidHash != "" && !endsInHash(body) {
		body += "\n{hash}"
	}
	if webDomain != "" {
		body += originLine
	}
	return render(body, v)
}

// Widest is the longest message that a template can become.
type Widest struct {
	App         string // the app's name
	CodeLength  int    // digits of a code
	Minutes     int    // the longest validity of a code
	WebDomain   string // empty: no origin-bound line
	AndroidHash string // empty: no Android line
	// Options are the names of the app's own placeholders, each of which may
	// take 32 characters of any script.
	Options []string
}

// CheckSegments tells whether every message of a template is a single SMS. A
// text is checked when it is configured, not when a code is on its way: one
// character outside the GSM alphabet more than halves the room. segments
// returns how many SMS a text takes.
//
// A message for an Android app must also be short enough for the system to
// read it, and what the template mentions must be configured.
func CheckSegments(t Template, w Widest, segments func(string) int) error {
	if strings.Contains(t.source, "{domain}") && w.WebDomain == "" {
		return errors.New("the text has {domain}, but the app has no web domain")
	}
	if strings.Contains(t.source, "{hash}") && w.AndroidHash == "" {
		return errors.New("the text has {hash}, but the app has no Android hash")
	}
	v := Values{Code: strings.Repeat("0", w.CodeLength), App: w.App, Minutes: w.Minutes, Options: map[string]string{}}
	for _, name := range w.Options {
		v.Options[name] = widestOption
	}
	message := Message(t, v, w.WebDomain, w.AndroidHash)
	if n := segments(message); n != 1 {
		return fmt.Errorf("the text takes %d SMS; one has room for 160 characters of the GSM alphabet, or for 70 if there is any other", n)
	}
	if w.AndroidHash != "" && len(message) > maxAndroid {
		return fmt.Errorf("the text has %d bytes with its Android hash; Android reads %d", len(message), maxAndroid)
	}
	return nil
}

// CheckDomain tells whether host can stand in an origin-bound line: a domain
// name in lower case, international ones in punycode, without scheme, port,
// path or trailing dot. An IP address cannot.
func CheckDomain(host string) error {
	if host == "" || len(host) > 253 {
		return errors.New("a domain name has 1 to 253 characters")
	}
	for _, r := range host {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.':
		case r >= 'A' && r <= 'Z':
			return errors.New("write the domain name in lower case")
		case r >= 0x80:
			return errors.New("write an international domain name in punycode, which begins in xn--")
		case r == '/' || r == ':':
			return errors.New("give the domain name alone, without scheme, port or path")
		default:
			return fmt.Errorf("a domain name cannot contain %q", r)
		}
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return errors.New("each part of a domain name has 1 to 63 characters and neither begins nor ends in a hyphen")
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return errors.New("give a domain name, not an IP address")
	}
	return nil
}

// CheckHash tells whether hash is the hash of an Android app as its SMS
// Retriever wants it: 11 characters of the base64 alphabet.
func CheckHash(hash string) error {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	if len(hash) != 11 || strings.Trim(hash, alphabet) != "" {
		return errors.New("the hash of an Android app has 11 characters, letters, digits, + and /")
	}
	return nil
}
