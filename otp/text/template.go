// Package text makes the texts of messages that carry a code: templates with
// fixed placeholders, built-in texts in several languages, and the lines by
// which browsers and Android apps recognise their code.
//
// A template knows the placeholders {code}, {app}, {minutes}, {domain} and
// {hash}, and those that an app names as its options. Values are put in once
// and never read again, and no value can add a line: whoever may choose an
// app's name cannot write the message. Nothing a caller sends gets into a
// message but the value of an option, which is short and leads nowhere
// ([CheckValue]).
package text

import (
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// placeholders are the built-in ones.
var placeholders = [...]string{"code", "app", "minutes", "domain", "hash"}

// originLine is the origin-bound line as a template may write it itself.
const originLine = "\n@{domain} #{code}"

// Template is the text of a message before its values are known. The zero
// Template is empty and of no use; see [Parse] and [Builtin].
type Template struct{ source string }

// Values are what the placeholders of a template stand for.
type Values struct {
	Code    string // {code}, digits
	App     string // {app}, the name of the app as people know it
	Minutes int    // {minutes}, how long the code is valid
	Domain  string // {domain}, the app's web domain; [Message] fills it in
	Hash    string // {hash}, the hash of its Android app; [Message] fills it in
	// Options are the values of the app's own placeholders, every one of them:
	// one that is missing stays as it is written.
	Options map[string]string
}

// Parse reads a template. {code} must stand in it exactly once. {domain} is
// the app's web domain, to be named in a sentence. {hash} is the hash of its
// Android app, and if it is there it comes last. options are names of
// placeholders beside the built-in ones.
//
// The last line may be "@{domain} #{code}", with a {code} of its own. It is
// what [Message] adds for an app with a web domain, and is not added twice.
//
// The error says what is wrong, and where a placeholder is unknown, which one
// is nearest.
func Parse(src string, options ...string) (Template, error) {
	if !utf8.ValidString(src) {
		return Template{}, errors.New("the text is not valid UTF-8")
	}
	if strings.HasSuffix(src, "\n") {
		// A browser looks for its code in the last line, which would be empty.
		return Template{}, errors.New("the text ends in a line break; take it away")
	}
	for _, r := range src {
		if r != '\n' && hidden(r) {
			return Template{}, fmt.Errorf("the text has the invisible character %U; of those only a line break is allowed", r)
		}
	}
	t := Template{src}
	names, err := scan(t.body(), options)
	if err != nil {
		return Template{}, err
	}
	count := make(map[string]int, len(placeholders))
	for _, name := range names {
		count[name]++
	}
	if count["code"] != 1 {
		return Template{}, fmt.Errorf("the text has {code} %d times; it must be there exactly once", count["code"])
	}
	if count["hash"] > 1 || count["hash"] == 1 && !endsInHash(t.body()) {
		return Template{}, errors.New("{hash} must be the last word of the text")
	}
	return t, nil
}

// scan returns the names of the placeholders of a source in their order.
func scan(src string, options []string) (names []string, err error) {
	known := append(slices.Clone(placeholders[:]), options...)
	for {
		open := strings.IndexAny(src, "{}")
		if open < 0 {
			return names, nil
		}
		name, rest, closed := strings.Cut(src[open+1:], "}")
		if src[open] == '}' || !closed {
			return nil, errors.New("the text has a brace that belongs to no placeholder; braces cannot be sent")
		}
		if !slices.Contains(known, name) {
			near, _ := Nearest(strings.ToLower(name), known)
			return nil, fmt.Errorf("the text has the unknown placeholder {%s}; the nearest is {%s}", name, near)
		}
		names = append(names, name)
		src = rest
	}
}

// Render puts the values into the template, once: braces in a value stay what
// they are. Characters that cannot be seen become spaces, so that no value can
// add a line or turn the text around.
func (t Template) Render(v Values) string { return render(t.source, v) }

func render(src string, v Values) string {
	pairs := []string{
		"{code}", flat(v.Code),
		"{app}", flat(v.App),
		"{minutes}", strconv.Itoa(v.Minutes),
		"{domain}", flat(v.Domain),
		"{hash}", flat(v.Hash),
	}
	for name, value := range v.Options {
		pairs = append(pairs, "{"+name+"}", flat(value))
	}
	return strings.NewReplacer(pairs...).Replace(src)
}

// flat returns a value in one line.
func flat(value string) string {
	return strings.Map(func(r rune) rune {
		if hidden(r) {
			return ' '
		}
		return r
	}, value)
}

// hidden tells whether r is a control, a line or paragraph separator or a
// character without width. The two joiners are not: some scripts are written
// with them.
func hidden(r rune) bool {
	const zwnj, zwj = '\u200c', '\u200d'
	return r != zwnj && r != zwj && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// body returns the source without an origin-bound line of its own.
func (t Template) body() string {
	if t.source == originLine[1:] {
		return ""
	}
	body, own := strings.CutSuffix(t.source, originLine)
	if own {
		// A blank line in front of it belongs to it.
		body = strings.TrimRight(body, "\n")
	}
	return body
}

// endsInHash tells whether {hash} is the last word of a body.
func endsInHash(body string) bool {
	before, ok := strings.CutSuffix(body, "{hash}")
	return ok && (strings.HasSuffix(before, " ") || strings.HasSuffix(before, "\n"))
}

// Source returns the template as it was written.
func (t Template) Source() string { return t.source }

// Version returns a fingerprint of the template: the CRC-32 (IEEE) of its
// source.
func (t Template) Version() uint32 { return crc32.ChecksumIEEE([]byte(t.source)) }
