package relay

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// template is a text with placeholders, {name}. It is cut up once; the values
// are put in between and never looked at again, so that a value which looks
// like a placeholder stays what it is.
type template struct {
	pieces []piece
	escape escape
}

// piece is a literal, or the name of a value.
type piece struct {
	text string
	open bool
}

// escape writes a value so that it cannot end the place it stands in.
type escape func(string) (string, error)

// newTemplate cuts up a text. A brace that encloses none of the names stands
// for itself, as JSON needs it; one that encloses another word is an error.
func newTemplate(source string, how escape, names ...string) (template, error) {
	t := template{escape: how}
	for source != "" {
		start := strings.IndexByte(source, '{')
		if start < 0 {
			break
		}
		name, rest, closed := strings.Cut(source[start+1:], "}")
		if !closed || !isWord(name) {
			t.pieces = append(t.pieces, piece{text: source[:start+1]})
			source = source[start+1:]
			continue
		}
		if !slices.Contains(names, name) {
			return t, fmt.Errorf("{%s} is no placeholder: there is {%s}", name, strings.Join(names, "}, {"))
		}
		t.pieces = append(t.pieces, piece{text: source[:start]}, piece{name, true})
		source = rest
	}
	t.pieces = append(t.pieces, piece{text: source})
	return t, nil
}

// isWord tells whether what stands in braces is meant as a placeholder: in JSON
// a brace is followed by a quote, a space or another brace.
func isWord(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return s != ""
}

// fill returns the text with the values in their places.
func (t *template) fill(values map[string]string) (string, error) {
	var b strings.Builder
	for _, p := range t.pieces {
		text := p.text
		if p.open {
			var err error
			if text, err = t.escape(values[p.text]); err != nil {
				return "", err
			}
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// The content types that a body can be written in.
const (
	typeJSON  = "application/json"
	typeForm  = "application/x-www-form-urlencoded"
	typePlain = "text/plain"
)

// escapeOf returns how a value is written in a body of a content type. Types
// whose rules are not known here are refused: an unescaped value could add
// fields of its own.
func escapeOf(contentType string) (escape, error) {
	switch {
	case isJSON(contentType):
		return inJSON, nil
	case mediaType(contentType) == typeForm:
		return inForm, nil
	case mediaType(contentType) == typePlain:
		return verbatim, nil
	}
	return nil, fmt.Errorf("Content-Type %q: use %s, %s or %s", contentType, typeJSON, typeForm, typePlain)
}

// mediaType is a content type without its parameters.
func mediaType(contentType string) string {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

func isJSON(contentType string) bool {
	kind := mediaType(contentType)
	return kind == typeJSON || strings.HasSuffix(kind, "+json")
}

// inJSON escapes for the inside of a JSON string.
func inJSON(s string) (string, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("escape a value for JSON: %w", err)
	}
	return string(text[1 : len(text)-1]), nil
}

// inForm escapes for a form's value.
func inForm(s string) (string, error) { return url.QueryEscape(s), nil }

// inURL escapes for a segment of a path and for a query alike.
func inURL(s string) (string, error) {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), nil
}

// inHeader refuses what no header can carry: a line end would begin another.
func inHeader(s string) (string, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			return "", errHeader
		}
	}
	return s, nil
}

var errHeader = errors.New("a value has characters that a header cannot carry")

func verbatim(s string) (string, error) { return s, nil }
