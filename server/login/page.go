package login

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// page is one page while it is written.
type page struct {
	web.HTML
	words  *words
	locale string
	app    *otp.App // nil on a page that knows none
}

// newPage begins a page with a title in a language.
func newPage(app *otp.App, locale, title string) *page {
	p := &page{words: languages[locale], locale: locale, app: app}
	p.Raw("<!doctype html>\n<html").Attr("lang", locale).Raw(`><head><meta charset="utf-8">`)
	p.Raw(`<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">`)
	p.Raw(`<meta name="robots" content="noindex">`).Element("title", title)
	p.Raw(`<link rel="icon" href="data:,"><link rel="stylesheet" href="/login/login.css">`)
	p.Raw(`<script type="module" src="/login/login.js"></script></head><body><main class="card">`)
	if app != nil {
		p.Raw(`<p class="app">`).Element("bdi", app.Name).Raw(`</p>`)
		if app.Mode == otp.Test {
			p.Element("p", p.words.TestMode, web.Pair{Name: "class", Value: "banner"})
		}
	}
	p.Element("h1", title)
	return p
}

// of returns the first of two sentences, the second for an app that takes email
// addresses too.
func (p *page) of(phone, either string) string {
	if p.app.Email {
		return either
	}
	return phone
}

// say writes what went wrong, if anything did. It is said aloud at once.
func (p *page) say(n notice) {
	if s := p.words.sentence(n); s != "" {
		p.Raw(`<p id="error" class="error" role="alert">`).Text(s).Raw(`</p>`)
	}
}

// captcha writes what a page needs whose forms start verifications, if the app
// asks for captchas: the script that solves one, and words for where no script
// runs.
func (p *page) captcha(n notice) {
	if p.app.Captcha == otp.CaptchaOff {
		return
	}
	p.Raw(`<script src="/captcha.js" defer></script>`)
	if p.app.Captcha == otp.CaptchaAlways || n.Key == string(otp.CaptchaRequired) {
		p.Raw(`<noscript><p class="error">`).Text(p.words.NoScript).Raw(`</p></noscript>`)
	}
}

// solve ends the tag of a form that starts a verification. Its script puts the
// solution into the field captcha.
func (p *page) solve() {
	if p.app.Captcha == otp.CaptchaOff {
		p.Raw(`>`)
		return
	}
	p.Attr("data-captcha", p.app.ID).Raw(`><input type="hidden" name="captcha">`)
}

// button writes a form that consists of a button.
func (p *page) button(s *state, action, words string, attributes ...web.Pair) {
	p.Raw(`<form method="post"`).Attr("action", codePath)
	if action == "again" || action == "text" {
		p.solve()
	} else {
		p.Raw(`>`)
	}
	p.hidden(s)
	p.Raw(`<button name="do"`).Attr("value", action)
	for _, a := range attributes {
		p.Attr(a.Name, a.Value)
	}
	p.Raw(`>`).Text(words).Raw(`</button></form>`)
}

// hidden writes the fields that each form of a begun sign-in carries.
func (p *page) hidden(s *state) {
	p.Raw(`<input type="hidden" name="token"`).Attr("value", s.token()).Raw(`>`)
	if s.Verification != "" {
		p.Raw(`<input type="hidden" name="flow"`).Attr("value", s.flow()).Raw(`>`)
	}
}

// send answers with the page. leaves tells whether a form of it may end at the
// app: browsers hold every redirect after a form against the form-action of its
// page, the app's own ones too, and where those lead nobody knows here.
func (p *page) send(c *web.Call, status int, leaves bool) error {
	p.Raw("</main></body></html>\n")
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; worker-src 'self'; " +
		"base-uri 'none'; frame-ancestors 'none'"
	if !leaves {
		policy += "; form-action 'self'"
	}
	if err := c.HTML(status, &p.HTML, policy); err != nil {
		return err
	}
	// With no-referrer a browser would keep the origin of a form to itself, by
	// which we know our own. Other sites learn nothing by this either.
	c.HTTP.Response.Header.Set("Referrer-Policy", "same-origin")
	compress(c)
	return nil
}

// refuse answers an error that ends a page.
func (d *Door) refuse(c *web.Call, e *otp.Error, status int) {
	locale := localeOf(c, c.Query("locale"))
	p := newPage(nil, locale, languages[locale].CannotRun)
	if status == 0 {
		status = web.ProblemOf(e).Status
	}
	// What is refused here came with no page of ours to go back to; the detail is
	// for who has built the link.
	p.Element("p", p.words.OverHint)
	p.Element("p", e.Detail, web.Pair{Name: "lang", Value: "en"}, web.Pair{Name: "class", Value: "quiet"})
	_ = p.send(c, status, false) // it fails for no page
}

// over answers a call for a step of a sign-in that has ended, or never began.
func (d *Door) over(c *web.Call, s *state, app *otp.App) error {
	locale := localeOf(c, s.Request.Locale)
	p := newPage(app, locale, languages[locale].Over)
	p.say(s.Notice)
	p.Element("p", p.words.OverHint)
	status := fasthttp.StatusGone
	if app == nil {
		return p.send(c, status, false)
	}
	p.Raw(`<p class="links">`)
	p.Element("a", p.of(p.words.Change, p.words.ChangeEither), web.Pair{Name: "href", Value: s.Request.page()}, web.Pair{Name: "class", Value: "button"})
	p.Raw(" ")
	p.back(&s.Request, otp.Code(s.Notice.Key))
	p.Raw(`</p>`)
	return p.send(c, status, false)
}

// back writes the link by which a person leaves.
func (p *page) back(r *request, reason otp.Code) {
	p.Element("a", fill(p.words.Return, "{app}", p.app.Name), web.Pair{Name: "href", Value: r.denied(reason)}, web.Pair{Name: "id", Value: "back"})
}

// goTo answers a form: the browser goes on with GET, so that nothing is sent
// twice when a page is loaded again.
func goTo(c *web.Call, place string) error {
	c.HTTP.SetStatusCode(fasthttp.StatusSeeOther)
	h := &c.HTTP.Response.Header
	h.Set("Location", place)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	return nil
}
