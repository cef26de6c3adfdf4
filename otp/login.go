package otp

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pinferry/pinferry/otp/email"
	"github.com/pinferry/pinferry/otp/phone"
)

// A login is what people name a user by: a phone, or a login name. It is an
// Address, and for a login name one without a kind, whose key is "@" and the
// name in lower case: nothing can be sent to it, but quotas and slots take it
// like any other.
const loginName AddressKind = 0

// maxName is how many bytes a login name may have.
const maxName = 128

// parseLogin reads a phone as typed, or else a login name. What is a phone
// number is never a login name, so that no name can stand for somebody's phone.
func parseLogin(s string) (Address, error) {
	a, err := parsePhone(s)
	if err == nil || err.Code != InvalidPhone {
		return a, nilError(err)
	}
	name := strings.TrimSpace(s)
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, invisible) {
		return Address{}, err
	}
	return nameAddress(name), nil
}

func nameAddress(name string) Address {
	return Address{Kind: loginName, Key: "@" + strings.ToLower(strings.TrimSpace(name))}
}

// isLoginName tells whether a user can be given this name.
func isLoginName(s string) bool {
	a, err := parseLogin(s)
	return err == nil && a.Kind == loginName
}

func invisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// parse turns what was typed, a phone or an email address, into an address that
// the app may send to.
func (app *App) parse(to string, email bool) (Address, error) {
	read := parsePhone
	if email {
		read = parseEmail
	}
	a, err := read(to)
	if err == nil {
		err = app.reaches(a)
	}
	return a, nilError(err)
}

// reaches refuses an address in a country, or of a kind, that the app does not
// send to.
func (app *App) reaches(a Address) *Error {
	switch {
	case a.Kind == Email && !app.Email:
		return noEmail()
	case a.Kind != Email && !app.allows(a.Country):
		return refuse(CountryRefused, "This app does not send to that country.")
	}
	return nil
}

func parsePhone(s string) (Address, *Error) {
	n, err := phone.Parse(s)
	switch {
	case errors.Is(err, phone.ErrRefused):
		return Address{}, &Error{Code: NumberRefused, Detail: "Numbers of this kind (premium rate, toll-free, pager and the like) get no SMS from this box.", Err: err}
	case err != nil:
		return Address{}, &Error{Code: InvalidPhone, Detail: "That is not a phone number in international form. Write it with + and the country code, such as +41791234567.", Err: err}
	}
	return Address{Kind: Phone, Key: n.Key, Dial: n.Dial, Country: n.Country, Calling: n.Calling}, nil
}

func parseEmail(s string) (Address, *Error) {
	a, err := email.Parse(s)
	if err != nil {
		return Address{}, &Error{Code: InvalidRequest, Detail: "That is not an email address that this box can send to. Write one address and nothing else, such as ann@example.com: without accents, and an international domain as xn--.", Err: err}
	}
	return Address{Kind: Email, Key: a.Key, Dial: a.Dial}, nil
}

// parseTyped reads a phone or an email address, whichever was typed.
func parseTyped(s string) (Address, *Error) {
	if strings.Contains(s, "@") {
		return parseEmail(s)
	}
	return parsePhone(s)
}

// nilError returns e as an error: a nil *Error in an error would not be nil.
func nilError(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}
