package login

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// textUs writes what to text, and where to.
func (p *page) textUs(s *state, v *otp.Progress) {
	w := p.words
	p.Raw(`<p>`).Text(fill(w.TextFrom, "{to}", v.Verification.Address.Masked())).Raw(`</p><dl><dt>`).Text(w.TextTo).Raw(`</dt><dd id="text-to">`)
	if s.TextTo == "" {
		p.Text(w.TextBox)
	} else {
		p.Text(s.TextTo)
	}
	p.Raw(`</dd><dt>`).Text(w.TextThis).Raw(`</dt><dd id="text-this" class="code">`).Text(s.TextThis).Raw(`</dd></dl>`)
	if s.TextTo != "" {
		p.Raw(`<p><a class="button" href="sms:`).Text(s.TextTo).Raw(`?body=`).Text(s.TextThis).Raw(`">`).Text(w.OpenApp).Raw(`</a></p>`)
	}
	// What was refused just now is not sent again by itself, again and again.
	held := s.Notice.Key != "" && s.Notice.Key != noticeNoText
	p.Raw(`<p id="delivery" class="status" role="status"`).Flag("data-held", held).Raw(`>`).Text(w.Waiting).Raw(`</p>`)
	p.button(s, "texted", w.Texted, web.Pair{Name: "id", Value: "texted"}, web.Pair{Name: "class", Value: "main"})
	p.Raw(`<div class="more">`)
	p.button(s, "again", w.CodeAfter, web.Pair{Name: "id", Value: "code-instead"})
	p.button(s, "change", p.of(w.Change, w.ChangeEither), web.Pair{Name: "id", Value: "change"})
	p.Raw(`</div>`)
}

// checkText is check for the channel inbound. A check before the SMS has come
// would count as a wrong try.
func (d *Door) checkText(c *web.Call, s *state, id otp.ID) error {
	p, err := d.verifications.Get(c.Context, c.Caller, id)
	switch {
	case err != nil:
		return d.fail(c, s, err)
	case !p.Texted:
		s.Notice = notice{Key: noticeNoText}
		return d.step(c, s)
	}
	return d.check(c, s, id, s.TextThis)
}
