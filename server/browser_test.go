package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
)

const (
	loginPlace = "https://shop.example/welcome?from=login"
	verifier   = "a-verifier-of-at-least-43-characters-for-PKCE"
)

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// loginQuery is a whole request of an app; changes are pairs of a name and a
// value, "-" takes the parameter away.
func loginQuery(changes ...string) string {
	q := url.Values{
		"app": {"demo"}, "redirect_uri": {loginPlace}, "code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"},
		"state": {"the state & more"}, "locale": {"en-CH"},
	}
	for pair := range slices.Chunk(changes, 2) {
		q.Set(pair[0], pair[1])
		if pair[1] == "-" {
			q.Del(pair[0])
		}
	}
	return "/login?" + q.Encode()
}

// loginBox is a box whose app has the sign-in page.
func loginBox(t *testing.T, change func(*otp.App)) *box {
	t.Helper()
	return newBox(t, func(_ *server.Config, list *[]otp.App) {
		app := &(*list)[0]
		app.Login, app.Name, app.Redirects = true, "Demo & Sons", []string{"https://shop.example/", loginPlace}
		if change != nil {
			change(app)
		}
		*list = append(*list, otp.App{ID: "closed", Countries: []string{"CH"}, Redirects: []string{loginPlace}})
	})
}

// browser is one without scripts: it keeps cookies and follows nothing by
// itself.
type browser struct {
	b      *box
	client *http.Client
	status int
	body   string
	header http.Header
}

func (b *box) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	return &browser{b: b, client: &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

func (w *browser) send(method, target string, form url.Values, headers ...string) *browser {
	w.b.t.Helper()
	request, err := http.NewRequestWithContext(w.b.t.Context(), method, "http://"+w.b.addr+target, strings.NewReader(form.Encode()))
	if err != nil {
		w.b.t.Fatal(err)
	}
	if method == "POST" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", "http://"+w.b.addr)
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for pair := range slices.Chunk(headers, 2) {
		request.Header.Set(pair[0], pair[1])
		if pair[1] == "-" {
			request.Header.Del(pair[0])
		}
	}
	response, err := w.client.Do(request)
	if err != nil {
		w.b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.b.t.Fatal(err)
	}
	w.status, w.body, w.header = response.StatusCode, string(body), response.Header
	return w
}

// get loads a page.
func (w *browser) get(target string, headers ...string) *browser {
	w.b.t.Helper()
	return w.send("GET", target, nil, headers...)
}

// submit fills in the form of the page that has an element of this id, and goes
// on to where the answer leads, if that is the box.
func (w *browser) submit(id string, fields ...string) *browser {
	w.b.t.Helper()
	target, form := w.form(id)
	for pair := range slices.Chunk(fields, 2) {
		form.Set(pair[0], pair[1])
	}
	w.send("POST", target, form)
	if place := w.header.Get("Location"); w.status == http.StatusSeeOther && strings.HasPrefix(place, "/") {
		w.get(place)
	}
	return w
}

var (
	formPattern   = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"[^>]*>.*?</form>`)
	hiddenPattern = regexp.MustCompile(`<(?:input type="hidden"|button) name="(\w+)" value="([^"]*)"([^>]*)`)
)

// form returns where the form with an element of this id goes, and what its
// hidden fields and that button say.
func (w *browser) form(id string) (target string, form url.Values) {
	w.b.t.Helper()
	for _, found := range formPattern.FindAllStringSubmatch(w.body, -1) {
		if !strings.Contains(found[0], `id="`+id+`"`) {
			continue
		}
		form = url.Values{}
		for _, field := range hiddenPattern.FindAllStringSubmatch(found[0], -1) {
			if field[1] != "do" || strings.Contains(found[0], `type="hidden" name="do"`) || strings.Contains(field[3], `id="`+id+`"`) {
				form.Set(field[1], html.UnescapeString(field[2]))
			}
		}
		return html.UnescapeString(found[1]), form
	}
	w.b.t.Fatalf("no form with %s in %d %s", id, w.status, w.body)
	return "", nil
}

// said returns what the page says went wrong.
func (w *browser) said() string {
	_, rest, _ := strings.Cut(w.body, `role="alert">`)
	said, _, _ := strings.Cut(rest, "</p>")
	return html.UnescapeString(said)
}

// token returns the token of the first form of the page.
func (w *browser) token() string {
	w.b.t.Helper()
	_, rest, found := strings.Cut(w.body, `name="token" value="`)
	token, _, _ := strings.Cut(rest, `"`)
	if !found {
		w.b.t.Fatalf("no token in %s", w.body)
	}
	return token
}
