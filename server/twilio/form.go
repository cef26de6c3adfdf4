package twilio

import (
	"unicode/utf8"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// form is the body of a call: application/x-www-form-urlencoded, of whose
// parameters each stands once.
type form struct{ args *fasthttp.Args }

// readForm reads the body. Two readers of the same body must not see two
// values of one parameter.
func readForm(c *web.Call) (form, error) {
	f := form{c.HTTP.PostArgs()}
	seen := make(map[string]bool, f.args.Len())
	for key, value := range f.args.All() {
		if !utf8.Valid(key) || !utf8.Valid(value) {
			return f, invalidRequest("The parameters must be UTF-8")
		}
		if seen[string(key)] {
			return f, invalidRequest("A parameter stands twice")
		}
		seen[string(key)] = true
	}
	return f, nil
}

// value returns a parameter, "" if there is none.
func (f form) value(name string) string { return string(f.args.Peek(name)) }

// need returns a parameter that must be there.
func (f form) need(name string) (string, error) {
	if v := f.value(name); v != "" {
		return v, nil
	}
	return "", invalidRequest("Missing required parameter " + name)
}

func invalidRequest(message string) error {
	return &otp.Error{Code: otp.InvalidRequest, Detail: message}
}

// invalid refuses a parameter. Its value is not repeated: it may be a phone.
func invalid(name, want string) error {
	return invalidRequest("Invalid parameter `" + name + "`: " + want)
}
