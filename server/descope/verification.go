package descope

import (
	"errors"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// verify answers POST /v1/auth/otp/verify/{channel}, for every purpose: what a
// right code does was settled at the start.
func (d *Door) verify(c *web.Call) error {
	caller, _, err := d.admitChannel(c)
	if err != nil {
		return err
	}
	var body verifyBody
	if err := c.Loose(&body); err != nil {
		return err
	}
	if err := checkLoginID(body.LoginID); err != nil {
		return err
	}
	if body.Code == "" {
		return missing(`"code" is missing: the digits from the message, as a string.`)
	}
	p, err := d.verifications.CheckSlot(c.Context, caller, slotOf(body.LoginID), body.Code)
	if err != nil {
		return err
	}
	switch g := p.Grant; {
	case g == nil:
		return errors.New("approve: no grant")
	case g.Exchange != "":
		return c.JSON(200, exchangeOf(g))
	default:
		return d.issue(c, g, p.Verification.Approved)
	}
}

// exchange answers POST /v1/auth/exchange: the code that a login with a PKCE
// challenge gave, and the verifier, for the tokens. It is no try at a one-time
// password, and so no refusal of one.
func (d *Door) exchange(c *web.Call) error {
	caller, _, err := d.admit(c)
	if err != nil {
		return err
	}
	var body exchangeBody
	if err := c.Loose(&body); err != nil {
		return err
	}
	if body.Code == "" || body.CodeVerifier == "" {
		return missing(`"code" and "codeVerifier" are both needed.`)
	}
	g, err := d.directory.Exchange(c.Context, caller, body.Code, body.CodeVerifier, "")
	if err != nil {
		if e := otp.AsError(err); e.Code == otp.CodeUnknown {
			return &otp.Error{Code: otp.InvalidRequest, Detail: "The code or its verifier is wrong, expired or used. Sign in again.", Err: err}
		}
		return err
	}
	return d.issue(c, &g, g.User.LastLogin)
}

// issue answers with the tokens of a session, proven at this moment. That there
// is none is a fault: every app with this door has sessions.
func (d *Door) issue(c *web.Call, g *otp.Grant, proven otp.Time) error {
	if g.Session == nil {
		return errors.New("issue tokens: the grant has no session")
	}
	set, err := d.mint.Issue(g, formOf(g, proven))
	if err != nil {
		return err
	}
	return c.JSON(200, authOf(g, &set))
}
