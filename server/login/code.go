package login

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// flow names the verification in a form, so that a page that was left open does
// not act on one that was begun later.
func (s *state) flow() string { return s.Verification[:8] }

// current returns the app and the verification of a state. ok is false if none
// is under way.
func (d *Door) current(c *web.Call, s *state) (app *otp.App, id otp.ID, ok bool) {
	app, ok = d.app(s.Request.App)
	if !ok || !slices.Contains(app.Redirects, s.Request.Redirect) { // the config may have changed
		return nil, id, false
	}
	callerOf(c, app)
	id, ok = s.id()
	return app, id, ok
}

// showCode answers GET /login/code: the page that asks for the code, or for the
// SMS.
func (d *Door) showCode(c *web.Call) error {
	s, _ := d.load(c)
	app, id, ok := d.current(c, &s)
	if !ok {
		return d.over(c, &s, app)
	}
	shown := s
	if s.Notice.Key != "" {
		s.Notice = notice{}
		if err := d.save(c, &s); err != nil {
			return err
		}
	}
	p, err := d.verifications.Get(c.Context, c.Caller, id)
	switch {
	case err != nil && web.ErrorOf(err).Code != otp.CodeUnknown:
		return err
	case err != nil, p.Verification.Status == otp.Approved:
		if shown.Notice.Key == noticeWrong {
			shown.Notice = notice{} // a form that was sent twice had the right code
		}
		return d.over(c, &shown, app)
	}
	locale := localeOf(c, s.Request.Locale)
	w := languages[locale]
	title := w.EnterCode
	if s.TextThis != "" {
		title = w.TextTitle
	}
	pg := newPage(app, locale, title)
	pg.captcha(shown.Notice)
	switch {
	case p.Verification.Status != otp.Pending:
		if shown.Notice.Key == "" || shown.Notice.Key == noticeWrong {
			shown.Notice.Key = noticeDead
		}
		pg.say(shown.Notice)
		pg.renew(&shown)
	case s.TextThis != "":
		pg.say(shown.Notice)
		pg.textUs(&shown, &p)
	default:
		pg.askCode(&shown, &p)
	}
	pg.Raw(`<p class="links">`)
	pg.back(&s.Request, "")
	pg.Raw(`</p>`)
	return pg.send(c, fasthttp.StatusOK, true)
}

// askCode writes the form that takes a code, and what else can be done.
func (p *page) askCode(s *state, v *otp.Progress) {
	w, length := p.words, int(v.Verification.Length)
	mailed := v.Verification.Address.Kind == otp.Email
	hint := w.CodeHint
	if mailed {
		hint = w.MailHint
	}
	p.Raw(`<p>`).Text(fill(w.SentTo, "{to}", v.Verification.Address.Masked())).Raw(`</p>`)
	p.say(s.Notice)
	p.Raw(`<form id="code-form" method="post"`).Attr("action", codePath).Raw(`>`)
	p.hidden(s)
	p.Raw(`<input type="hidden" name="do" value="check"><label for="code">`).Text(w.Code).Raw(`</label>`)
	// One field: split ones break pasting and what phones fill in. People paste
	// "123 456", so a browser without scripts has to let that through.
	p.Raw(`<input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" required aria-describedby="code-hint"`)
	p.Attr("pattern", `[0-9 \-]{`+strconv.Itoa(length)+`,}`).Attr("maxlength", strconv.Itoa(2*length)).Attr("data-length", strconv.Itoa(length))
	p.focus(s.Notice)
	p.Raw(`><p id="code-hint" class="hint">`).Text(fill(hint, "{n}", strconv.Itoa(length))).Raw(`</p>`)
	p.Raw(`<button class="main">`).Text(w.Confirm).Raw(`</button></form>`)
	p.Raw(`<p id="delivery" class="status" role="status">`).Text(w.delivery(&v.Message)).Raw(`</p><div class="more">`)
	if s.Notice.Spent {
		p.button(s, "again", w.NewCode, web.Pair{Name: "id", Value: "again"})
	} else {
		p.button(s, "resend", w.Resend,
			web.Pair{Name: "id", Value: "resend"}, web.Pair{Name: "data-wait", Value: strconv.Itoa(web.Seconds(v.ResendAfter))},
			web.Pair{Name: "data-words", Value: w.ResendIn}, web.Pair{Name: "data-second", Value: w.Second})
	}
	if p.app.InboundSignIn && !mailed {
		p.button(s, "text", w.TextUs, web.Pair{Name: "id", Value: "text-instead"})
	}
	p.button(s, "change", p.of(w.Change, w.ChangeEither), web.Pair{Name: "id", Value: "change"})
	p.Raw(`</div><p id="countdown" class="unseen" role="status"></p>`)
}

// renew writes the way on from a verification that has ended.
func (p *page) renew(s *state) {
	p.button(s, "again", p.words.NewCode, web.Pair{Name: "id", Value: "again"}, web.Pair{Name: "class", Value: "main"})
	p.Raw(`<div class="more">`)
	p.button(s, "change", p.of(p.words.Change, p.words.ChangeEither), web.Pair{Name: "id", Value: "change"})
	p.Raw(`</div>`)
}

// takeCode answers POST /login/code: it does what the button says.
func (d *Door) takeCode(c *web.Call) error {
	f, err := readForm(c)
	if err != nil {
		return err
	}
	s, _ := d.load(c)
	app, id, ok := d.current(c, &s)
	if !ok {
		return d.over(c, &s, app)
	}
	if !s.owns(f.value("token")) || f.value("flow") != s.flow() {
		s.Notice = notice{Key: noticeStale}
		return d.step(c, &s)
	}
	s.Notice = notice{}
	switch f.value("do") {
	case "check":
		return d.check(c, &s, id, f.value("code"))
	case "texted":
		return d.checkText(c, &s, id)
	case "resend":
		if _, err := d.verifications.Resend(c.Context, c.Caller, id, ""); err != nil {
			return d.fail(c, &s, err)
		}
		return d.step(c, &s)
	case "again":
		return d.again(c, &s, id, "", f)
	case "text":
		return d.again(c, &s, id, otp.ChannelInbound, f)
	case "change":
		return d.change(c, &s, id)
	}
	return web.Invalid("do: it must be one of the buttons of the page.")
}

// fail goes back to the page and says there what went wrong.
func (d *Door) fail(c *web.Call, s *state, err error) error {
	if s.Notice, err = noticeOf(err); err != nil {
		return err
	}
	return d.step(c, s)
}

// check compares a code, and lets the person go back to the app with what an
// approval gives.
func (d *Door) check(c *web.Call, s *state, id otp.ID, digits string) error {
	if strings.TrimSpace(digits) == "" {
		s.Notice = notice{Key: noticeEmpty}
		return d.step(c, s)
	}
	p, err := d.verifications.Check(c.Context, c.Caller, id, digits)
	if err != nil {
		if s.Notice, err = noticeOf(err); err != nil {
			return err
		}
		s.Notice.Spent = s.Notice.Key == noticeLimit
		return d.step(c, s)
	}
	place := s.Request.granted(p.Grant.Exchange)
	s.forget()
	if err := d.save(c, s); err != nil {
		return err
	}
	return goTo(c, place)
}

// again begins another verification of the same number in place of this one,
// which lives on if that is refused: its code may be on its way.
func (d *Door) again(c *web.Call, s *state, id otp.ID, channel string, f form) error {
	begun := state{Nonce: s.Nonce, Request: s.Request, To: s.To}
	n, err := d.begin(c, c.Caller, &begun, channel, f)
	switch {
	case err != nil:
		return err
	case n.Key != "":
		s.Notice = n
		return d.step(c, s)
	}
	if err := d.drop(c, id); err != nil {
		return err
	}
	return d.step(c, &begun)
}

// change gives the verification up and asks for another number.
func (d *Door) change(c *web.Call, s *state, id otp.ID) error {
	if err := d.drop(c, id); err != nil {
		return err
	}
	place := s.Request.page()
	s.forget()
	if err := d.save(c, s); err != nil {
		return err
	}
	return goTo(c, place)
}

// drop cancels a verification, so that its code dies and its message is not sent
// any more. That it has ended already is as well.
func (d *Door) drop(c *web.Call, id otp.ID) error {
	err := d.verifications.Cancel(c.Context, c.Caller, id)
	if err == nil {
		return nil
	}
	switch web.ErrorOf(err).Code {
	case otp.CodeUnknown, otp.Conflict:
		return nil
	}
	return err
}
