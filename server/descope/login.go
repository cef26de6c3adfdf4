package descope

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// signIn answers POST /v1/auth/otp/signin/{channel}.
func (d *Door) signIn(c *web.Call) error { return d.login(c, otp.PurposeSignIn) }

// signUpOrIn answers POST /v1/auth/otp/signup-in/{channel}.
func (d *Door) signUpOrIn(c *web.Call) error { return d.login(c, otp.PurposeSignUpOrIn) }

func (d *Door) login(c *web.Call, purpose otp.Purpose) error {
	caller, refresh, err := d.admitChannel(c)
	if err != nil {
		return err
	}
	var body loginBody
	if err := c.Loose(&body); err != nil {
		return err
	}
	if err := checkLoginID(body.LoginID); err != nil {
		return err
	}
	r := otp.StartRequest{Purpose: purpose}
	if isPhone(body.LoginID) {
		r.To = body.LoginID
	}
	if err := d.apply(c, caller, refresh, &body.Options, &r); err != nil {
		return err
	}
	return d.start(c, caller, body.LoginID, r)
}

// signUp answers POST /v1/auth/otp/signup/{channel}. A login id that is no
// phone becomes a login name of the user that the proof creates.
func (d *Door) signUp(c *web.Call) error {
	caller, refresh, err := d.admitChannel(c)
	if err != nil {
		return err
	}
	var body signUpBody
	if err := c.Loose(&body); err != nil {
		return err
	}
	if err := checkLoginID(body.LoginID); err != nil {
		return err
	}
	if body.Options.StepUp || body.Options.MFA {
		return web.Invalid(`"stepup" and "mfa" raise a session of a user, and who signs up has none.`)
	}
	r := otp.StartRequest{Purpose: otp.PurposeSignUp, To: body.Phone}
	if r.To == "" {
		r.To = body.User.Phone
	}
	switch named := !isPhone(body.LoginID); {
	case named && r.To == "":
		return missing(`"phone" is missing: with a login id that is no phone, it says where the code goes.`)
	case named:
		r.Wish.Name = body.LoginID
	case r.To == "":
		r.To = body.LoginID
	case digits(r.To) != digits(body.LoginID):
		// The login id would be a number that nobody has proven.
		return web.Invalid(`"loginId" is a phone number, and "phone" another one. Leave "phone" out.`)
	}
	if r.Metadata, err = body.User.metadata(); err != nil {
		return err
	}
	if err := d.apply(c, caller, refresh, &body.Options, &r); err != nil {
		return err
	}
	return d.start(c, caller, body.LoginID, r)
}

// start sends the code, and answers with where it went as far as the call said
// so itself: the phone behind a login name is the user's secret.
func (d *Door) start(c *web.Call, caller otp.Caller, loginID string, r otp.StartRequest) error {
	r.Slot, r.Reveal = slotOf(loginID), true
	p, err := d.verifications.Start(c.Context, caller, r)
	if err != nil {
		return err
	}
	masked := "***"
	if r.To != "" {
		masked = p.Verification.Address.Masked()
	}
	return c.JSON(200, sentWire{MaskedPhone: masked})
}

// slotOf is where the verification of a login id is found again. The newest one
// wins: a start ends the one before it.
func slotOf(loginID string) otp.Slot { return otp.Slot{Door: Name, Login: loginID, Named: true} }

// isPhone tells whether a login id is meant as a phone. The core reads numbers
// in international form only, so no name begins like one.
func isPhone(loginID string) bool {
	s := strings.TrimLeft(loginID, " ")
	if len(s) >= 4 && strings.EqualFold(s[:4], "tel:") {
		s = s[4:]
	}
	return strings.HasPrefix(s, "+") || strings.HasPrefix(s, "＋")
}

// digits returns the ASCII digits of a phone as typed: enough to compare two
// spellings of one client. What it fails to match is refused, never mixed up.
func digits(phone string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
}

func checkLoginID(loginID string) error {
	if strings.TrimSpace(loginID) == "" {
		return missing(`"loginId" is missing: a phone number in international form, or a login name.`)
	}
	return nil
}

// errMissing marks a refusal for what was left out; the vendor has a code of
// its own for that.
var errMissing = errors.New("missing argument")

func missing(detail string) error {
	return &otp.Error{Code: otp.InvalidRequest, Detail: detail, Err: errMissing}
}

// metadata is what is kept of a profile with the user, nil if it is empty.
func (p profile) metadata() ([]byte, error) {
	p.Phone = "" // it goes where the code goes, and is nobody's until proven
	if p == (profile{}) {
		return nil, nil
	}
	kept, err := json.Marshal(p)
	if err == nil && len(kept) > web.MaxMetadata {
		err = web.Invalid(`"user" is longer than 1024 bytes.`)
	}
	return kept, err
}
