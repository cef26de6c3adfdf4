package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// Removed stands where a key, a token or another credential stood.
const Removed = "[removed]"

// What is looked for in a text that leaves the house. The first that matches at
// a place decides; what none of them knows is left.
var private = regexp.MustCompile(strings.Join([]string{
	// Times, addresses of machines and our own ids look like numbers and tell
	// nobody's.
	`(?P<keep>\b20\d\d-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])(?:[T ][0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?\b` +
		`|\b(?:\d{1,3}\.){3}\d{1,3}:\d{1,5}\b|\blocalhost:\d{1,5}\b` +
		`|\b(?:vrf|msg|usr|evt|inb|opt|lim)_[0-9a-f]{32}\b)`,
	// What stands behind a word for a secret, in the query of an address, or before
	// its host: by its look nobody could tell.
	`(?P<named>(?i:(?:passw(?:or)?d|passphrase|secret|token|api[-_]?key|authorization|signature|cookie)["']?[ \t]*[:=][ \t]*["']?(?:basic |bearer )?)` +
		`|[?&][A-Za-z0-9._~-]+=)[^\s"'&,;]+`,
	`(?P<login>://)[^\s/?#"'<>]+@`,
	// Keys, tokens, digests, and whatever is as long as one.
	`(?P<secret>\b(?:pk|sk|whsec)_[A-Za-z0-9+/=_-]+|(?i:\bbearer\s+|\bbasic\s+)[A-Za-z0-9+/=._~-]{8,}|\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*` +
		`|\bsha256:[0-9A-Za-z+/=]+|\b[A-Za-z0-9_+=-]{32,})`,
	`(?P<email>[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)`,
	// A number as people write it, abroad or at home, and any digits that could be
	// one or a code.
	`(?P<number>(?:\+|\b0)\p{Nd}[\p{Nd} \x{a0}\x{202f}()/.-]{4,}\p{Nd}|\p{Nd}{4,})`,
}, "|"))

// Scrub returns a text without what must not leave the house: of phone numbers,
// codes and any other four digits or more in a row stars are left, of an email
// address the first letter and the domain, of keys and tokens nothing.
func Scrub(text string) string {
	names := private.SubexpNames()
	var b strings.Builder
	rest := 0
	for _, at := range private.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(text[rest:at[0]])
		rest = at[1]
		for i, name := range names {
			if name != "" && at[2*i] >= 0 {
				b.WriteString(scrubbed(name, text[at[0]:at[1]], text[at[2*i]:at[2*i+1]]))
			}
		}
	}
	return b.String() + text[rest:]
}

// scrubbed is what is left of a match. part is what its kind has caught of it.
func scrubbed(kind, found, part string) string {
	switch kind {
	case "keep":
		return found
	case "named":
		return part + Removed
	case "login":
		return part + Removed + "@"
	case "secret":
		return Removed
	case "email":
		return masked(found)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return '*'
		}
		return r
	}, found)
}

// scrubJSON scrubs every string of a JSON value and leaves its numbers, which
// count and measure. Member names are the box's own.
func scrubJSON(text []byte) ([]byte, error) {
	var value any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, fmt.Errorf("read the daemon's answer: %w", err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(scrubValue(value))
	return b.Bytes(), err
}

func scrubValue(value any) any {
	switch v := value.(type) {
	case string:
		return Scrub(v)
	case []any:
		for i := range v {
			v[i] = scrubValue(v[i])
		}
	case map[string]any:
		for name := range v {
			if name != "version" { // a build has digits, and which it is matters most
				v[name] = scrubValue(v[name])
			}
		}
	}
	return value
}

// Origin returns what of a URL is nobody's secret: its scheme and its server.
func Origin(address string) string {
	at, err := url.Parse(address)
	switch {
	case address == "":
		return ""
	case err != nil || at.Host == "":
		return Removed
	}
	return at.Scheme + "://" + at.Host + "/..."
}

// labels are the values of labels in the text form of metrics.
var labels = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// scrubMetrics scrubs the labels of metrics and leaves their values.
func scrubMetrics(text []byte) []byte {
	return labels.ReplaceAllFunc(text, func(label []byte) []byte { return []byte(Scrub(string(label))) })
}
