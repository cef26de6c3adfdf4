package login

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/text"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// request is what the app asks for: the parameters of GET /login, in the words
// of OAuth 2 with PKCE (RFC 6749, RFC 7636).
type request struct {
	App       string      `json:"a"`
	Redirect  string      `json:"r"` // one that the app has registered, byte for byte
	Challenge string      `json:"c"` // S256
	State     string      `json:"s,omitempty"`
	Purpose   otp.Purpose `json:"p"`
	Locale    string      `json:"l,omitempty"` // as it was wanted
}

// challengePattern is the SHA-256 of a verifier in base64url.
var challengePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// maxState bounds what an app may have carried along, in bytes: with the rest of
// the request it has to fit into a cookie, where a control takes six.
const maxState = 512

// maxLocale bounds a language tag, in bytes.
const maxLocale = 35

// purposes are those that end in a session.
var purposes = []otp.Purpose{otp.PurposeSignUpOrIn, otp.PurposeSignIn, otp.PurposeSignUp}

// readRequest reads and checks the query. The error of an unknown app and of a
// redirect that is not registered must be shown here and never sent anywhere:
// nobody knows who would receive it.
func (d *Door) readRequest(c *web.Call) (request, *otp.App, error) {
	q := c.HTTP.QueryArgs()
	if err := checkArgs(q); err != nil {
		return request{}, nil, err
	}
	r := request{
		App: c.Query("app"), Redirect: c.Query("redirect_uri"), Challenge: c.Query("code_challenge"), State: c.Query("state"),
		Purpose: otp.Purpose(c.Query("purpose")), Locale: c.Query("locale"),
	}
	if r.Purpose == "" {
		r.Purpose = otp.PurposeSignUpOrIn
	}
	app, ok := d.app(r.App)
	switch {
	case !ok:
		return r, nil, &otp.Error{Code: otp.UnknownApp, Detail: "app: there is no app of this name here, or its sign-in page is closed (login = true opens it)."}
	case !slices.Contains(app.Redirects, r.Redirect):
		return r, nil, web.Invalid("redirect_uri: it is none that this app has registered (redirects), letter by letter.")
	case c.Query("code_challenge_method") != "S256":
		return r, nil, web.Invalid("code_challenge_method: it must be S256.")
	case !challengePattern.MatchString(r.Challenge):
		return r, nil, web.Invalid("code_challenge: it must be the SHA-256 of the verifier in base64url, 43 characters.")
	case len(r.State) > maxState || strings.ContainsFunc(r.State, unicode.IsControl):
		return r, nil, web.Invalid("state: it may have 512 bytes, and no control characters.")
	case !slices.Contains(purposes, r.Purpose):
		return r, nil, web.Invalid("purpose: it must be sign_up_or_in, sign_in or sign_up.")
	case len(r.Locale) > maxLocale || strings.ContainsFunc(r.Locale, unicode.IsControl):
		return r, nil, web.Invalid("locale: it must be a language tag such as de or pt-BR.")
	}
	return r, app, nil
}

// checkArgs refuses a form or query that two readers could take for different
// ones, or that cannot be shown.
func checkArgs(args *fasthttp.Args) error {
	seen := make(map[string]bool, args.Len())
	for key, value := range args.All() {
		if !utf8.Valid(key) || !utf8.Valid(value) {
			return web.Invalid("The parameters must be UTF-8.")
		}
		if seen[string(key)] {
			return web.Invalid("A parameter stands twice.")
		}
		seen[string(key)] = true
	}
	return nil
}

// page returns the path of the first page for this request.
func (r *request) page() string {
	q := url.Values{
		"app": {r.App}, "redirect_uri": {r.Redirect}, "code_challenge": {r.Challenge}, "code_challenge_method": {"S256"},
		"purpose": {string(r.Purpose)},
	}
	if r.State != "" {
		q.Set("state", r.State)
	}
	if r.Locale != "" {
		q.Set("locale", r.Locale)
	}
	return phonePath + "?" + q.Encode()
}

// back returns the redirect with an answer and the app's state.
func (r *request) back(answer url.Values) string {
	if r.State != "" {
		answer.Set("state", r.State)
	}
	separator := "?"
	if strings.Contains(r.Redirect, "?") {
		separator = "&"
	}
	return r.Redirect + separator + answer.Encode()
}

// granted is where an approval leads; code is the one-time code.
func (r *request) granted(code string) string { return r.back(url.Values{"code": {code}}) }

// denied is where a person goes who gives up, or may not enter: reason is a word
// of the closed list of [otp.Code], or "" for who left by himself.
func (r *request) denied(reason otp.Code) string {
	answer := url.Values{"error": {"access_denied"}}
	if reason != "" {
		answer.Set("error_description", string(reason))
	}
	return r.back(answer)
}

// localeOf returns the language of the page: the app's wish, else the browser's.
func localeOf(c *web.Call, wanted string) string {
	if wanted == "" {
		wanted = c.Header("Accept-Language")
	}
	return text.Match(wanted)
}
