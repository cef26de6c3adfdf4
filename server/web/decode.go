package web

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/text"
	"github.com/valyala/fasthttp"
)

// maxDepth bounds the nesting of a body. No request of ours needs more than
// three; a parser that recurses must not be led further.
const maxDepth = 16

// Decode reads the body into v, a pointer to a struct, as the native door
// does: application/json, one object, every member known, none twice, valid
// UTF-8, nothing behind it. v holds nothing of the request's memory afterwards.
func (c *Call) Decode(v any) error {
	if err := checkJSON(c.HTTP.Request.Header.ContentType()); err != nil {
		return err
	}
	return Decode(c.HTTP.PostBody(), v)
}

// DecodeOptional is Decode for calls that may have no body.
func (c *Call) DecodeOptional(v any) error {
	if len(c.HTTP.PostBody()) == 0 {
		return nil
	}
	return c.Decode(v)
}

// Loose reads the body into v, a pointer to a struct, as vendors' clients send
// it: under any content type, with members that mean nothing here, or not at
// all, which is {}. All else is as strict as [Call.Decode].
func (c *Call) Loose(v any) error {
	body := c.HTTP.PostBody()
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	return decode(body, v)
}

// checkJSON refuses a content type other than JSON in UTF-8. A browser sends
// text/plain across origins without asking first, so the type is a fence and
// not a formality.
func checkJSON(contentType []byte) error {
	kind, parameters, _ := strings.Cut(string(contentType), ";")
	wrong := !strings.EqualFold(strings.TrimSpace(kind), "application/json")
	if parameters = strings.TrimSpace(parameters); parameters != "" {
		name, value, _ := strings.Cut(parameters, "=")
		wrong = wrong || !strings.EqualFold(strings.TrimSpace(name), "charset") ||
			!strings.EqualFold(strings.Trim(strings.TrimSpace(value), `"`), "utf-8")
	}
	if wrong {
		return &Problem{
			Status: fasthttp.StatusUnsupportedMediaType, Code: string(otp.InvalidRequest), Title: "Unsupported media type",
			Detail: "The body must be JSON in UTF-8: send Content-Type: application/json.",
		}
	}
	return nil
}

// Decode reads one JSON object into v, strictly. The error is a [*Problem]
// that names the member at fault and never a value.
func Decode(body []byte, v any) error {
	if len(body) == 0 {
		return Invalid("The body is empty; a JSON object is needed.")
	}
	return decode(body, v, json.RejectUnknownMembers(true))
}

// decode reads one JSON object. Duplicate members and invalid UTF-8 are refused
// by the parser itself.
func decode(body []byte, v any, options ...json.Options) error {
	if tooDeep(body) {
		return Invalid(fmt.Sprintf("The body is nested deeper than %d levels.", maxDepth))
	}
	err := json.Unmarshal(body, v, options...)
	if err == nil {
		// null is a JSON text, and decodes into nothing.
		if trimmed := bytes.TrimLeft(body, " \t\r\n"); trimmed[0] != '{' {
			return Invalid("The body must be a JSON object.")
		}
		return nil
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return Invalid(explainSemantic(semantic, v))
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return Invalid(explainSyntactic(syntactic))
	}
	return Invalid("The body is not valid JSON.")
}

// tooDeep counts open brackets outside strings. It runs before the parser, and
// needs no valid JSON.
func tooDeep(body []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch b := body[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return false
}

func explainSemantic(e *json.SemanticError, v any) string {
	name := e.JSONPointer.LastToken()
	if errors.Is(e, json.ErrUnknownName) {
		known := members(v)
		if near, ok := text.Nearest(name, known); ok {
			return fmt.Sprintf("The member %s is not known here; is %q meant?", shown(name), near)
		}
		if len(known) == 0 {
			return fmt.Sprintf("The member %s is not known here; no member is.", shown(name))
		}
		return fmt.Sprintf("The member %s is not known here; known are %s.", shown(name), strings.Join(known, ", "))
	}
	if e.JSONPointer == "" {
		return "The body must be a JSON object."
	}
	if want := typeName(e.GoType); want != "" {
		return fmt.Sprintf("The member %s must be %s.", shown(name), want)
	}
	return fmt.Sprintf("The member %s has a value of the wrong type.", shown(name))
}

func explainSyntactic(e *jsontext.SyntacticError) string {
	if errors.Is(e, jsontext.ErrDuplicateName) {
		return fmt.Sprintf("The member %s stands twice.", shown(e.JSONPointer.LastToken()))
	}
	return fmt.Sprintf("The body is not valid JSON in UTF-8: there is a mistake at byte %d.", e.ByteOffset)
}

// shown returns a member's name for an answer. What does not look like a name
// may be a misplaced value, so it is not repeated; names of ours have no
// digits.
func shown(name string) string {
	const longest = 32
	strange := func(r rune) bool { return (r|0x20 < 'a' || r|0x20 > 'z') && r != '_' }
	if name == "" || len(name) > longest || strings.ContainsFunc(name, strange) {
		return "in question"
	}
	return `"` + name + `"`
}

// members returns the names of v's members in their order.
func members(v any) []string {
	t := reflect.TypeOf(v).Elem()
	if t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

func typeName(t reflect.Type) string {
	if t == nil {
		return ""
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return ""
}
