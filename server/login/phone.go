package login

import (
	"cmp"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/email"
	"github.com/pinferry/pinferry/otp/phone"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// maxTyped bounds what is carried along of a number that was not understood, in
// bytes.
const maxTyped = 64

// showPhone answers GET /login: the page that asks for a number.
func (d *Door) showPhone(c *web.Call) error {
	r, app, err := d.readRequest(c)
	if err != nil {
		return err
	}
	callerOf(c, app)
	s, _ := d.load(c)
	n := s.Notice
	s.Notice = notice{}
	return d.askPhone(c, app, &s, &r, n)
}

// askPhone answers with the page that asks for a number, and says what was wrong
// with the last one.
func (d *Door) askPhone(c *web.Call, app *otp.App, s *state, r *request, n notice) error {
	if err := d.save(c, s); err != nil {
		return err
	}
	locale := localeOf(c, r.Locale)
	w := languages[locale]
	p := newPage(app, locale, fill(w.SignIn, "{app}", app.Name))
	p.Element("p", p.of(w.Lead, w.LeadEither))
	p.say(n)
	p.captcha(n)
	p.Raw(`<form id="phone-form" method="post"`).Attr("action", r.page())
	p.solve()
	p.Raw(`<input type="hidden" name="token"`).Attr("value", s.token()).Raw(`>`)
	p.number(d.countries[app](), cmp.Or(n.Region, regionOf(c, app, r.Locale)), n)
	p.Raw(`<button class="main" name="do" value="code">`).Text(w.Send).Raw(`</button>`)
	if app.InboundSignIn {
		p.Raw(`<button id="text-instead" name="do" value="text">`).Text(w.TextUs).Raw(`</button>`)
	}
	p.Raw(`</form><p class="links">`)
	p.back(r, "")
	p.Raw(`</p>`)
	return p.send(c, fasthttp.StatusOK, false)
}

// takePhone answers POST /login: it begins a verification.
func (d *Door) takePhone(c *web.Call) error {
	f, err := readForm(c)
	if err != nil {
		return err
	}
	r, app, err := d.readRequest(c)
	if err != nil {
		return err
	}
	s, found := d.load(c)
	caller := callerOf(c, app)
	typed, region := strings.TrimSpace(f.value("phone")), f.value("region")
	fail := func(n notice) error {
		n.Typed, n.Region = typed, region
		if len(typed) > maxTyped {
			n.Typed = ""
		}
		if !phone.Country(region) {
			n.Region = ""
		}
		s.Notice = n
		if err := d.save(c, &s); err != nil {
			return err
		}
		return goTo(c, r.page())
	}
	switch {
	case !found:
		// A browser that keeps no cookie would not see a notice in one.
		return d.askPhone(c, app, &s, &r, notice{Key: noticeCookies})
	case !s.owns(f.value("token")):
		return fail(notice{Key: noticeStale})
	case typed == "":
		return fail(notice{Key: noticeEmpty})
	}
	channel := ""
	if f.value("do") == "text" {
		channel = otp.ChannelInbound
	}
	if strings.Contains(typed, "@") {
		_, err := email.Parse(typed)
		switch {
		case !app.Email, channel != "": // nothing is texted from an address of mail
			return fail(notice{Key: string(otp.InvalidPhone)})
		case err != nil:
			return fail(notice{Key: noticeEmail})
		}
	}
	begun := state{Nonce: s.Nonce, Request: r, To: phone.International(typed, region)}
	n, err := d.begin(c, caller, &begun, channel, f)
	switch {
	case err != nil:
		return err
	case n.Key != "":
		return fail(n)
	}
	return d.step(c, &begun)
}

// begin starts the verification of a state by a channel, "" for an SMS to the
// person. A form that is sent twice starts one verification: its token is in no
// other. A refusal that the person can do something about is a notice.
func (d *Door) begin(c *web.Call, caller otp.Caller, s *state, channel string, f form) (notice, error) {
	r := &s.Request
	wanted := otp.StartRequest{
		To: s.To, Email: true, Channel: channel, Purpose: r.Purpose, Locale: localeOf(c, r.Locale), Captcha: f.value("captcha"),
		Wish: otp.Wish{Challenge: r.Challenge, Redirect: r.Redirect},
	}
	wanted.IdempotencyKey = strings.Join([]string{"login page", f.value("token"), channel, s.To}, "\n")
	p, err := d.verifications.Start(c.Context, caller, wanted)
	if err != nil {
		return noticeOf(err)
	}
	s.Verification, s.TextThis, s.TextTo = p.Verification.ID.String(), p.TextThis, p.TextTo
	return notice{}, nil
}

// step goes on to the page of a begun verification.
func (d *Door) step(c *web.Call, s *state) error {
	if err := d.save(c, s); err != nil {
		return err
	}
	return goTo(c, codePath)
}
