package login

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// The demo is an app with two pages: one that sends people to sign in, and one
// that they come back to. It does what an app's server does.
const (
	demoPath   = "/demo/login"
	demoCookie = "pinferry_demo"
)

// DemoDonePath is where people come back to after they have signed in to a demo.
const DemoDonePath = "/demo/login/done"

// demoApp returns the app of the demo, and the redirect to the host that was
// asked: it is chosen from what is registered, never made from the request.
func (d *Door) demoApp(c *web.Call) (app *otp.App, redirect string) {
	for _, app := range d.apps.All() {
		if !app.Login {
			continue
		}
		for _, place := range app.Redirects {
			if place == "http://"+string(c.HTTP.Host())+DemoDonePath {
				return app, place
			}
		}
		return app, app.Redirect("")
	}
	return nil, "" // the pages are not mounted then
}

// beginDemo answers GET /demo/login: it keeps a fresh verifier in a cookie and
// sends the browser to sign in.
func (d *Door) beginDemo(c *web.Call) error {
	app, redirect := d.demoApp(c)
	verifier := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	state := rand.Text()
	setCookie(c, demoCookie, demoPath, verifier+"."+state)
	r := request{
		App: app.ID, Redirect: redirect, Challenge: base64.RawURLEncoding.EncodeToString(sum[:]), State: state,
		Purpose: otp.PurposeSignUpOrIn, Locale: c.Query("locale"),
	}
	return goTo(c, r.page())
}

// endDemo answers GET /demo/login/done: it redeems the code and tells who has
// signed in.
func (d *Door) endDemo(c *web.Call) error {
	app, redirect := d.demoApp(c)
	caller := callerOf(c, app)
	verifier, state, _ := strings.Cut(string(c.HTTP.Request.Header.Cookie(demoCookie)), ".")
	title, said := "Not signed in", "The demo was left before its end."
	if code := c.Query("code"); code != "" && state != "" && state == c.Query("state") {
		said = "The code is not good, or not any more."
		g, err := d.directory.Exchange(c.Context, caller, code, verifier, redirect)
		switch {
		case err == nil:
			title, said = "Signed in", "This is the page of an app. It has redeemed its code for the session of "+g.User.Address.Masked()+"."
		case web.ErrorOf(err).Code != otp.CodeUnknown:
			return err
		}
	}
	p := newPage(app, "en", title)
	p.Element("p", said)
	p.Raw(`<p class="links">`)
	p.Element("a", "Once more", web.Pair{Name: "href", Value: demoPath}, web.Pair{Name: "class", Value: "button"})
	p.Raw(`</p>`)
	return p.send(c, fasthttp.StatusOK, false)
}
