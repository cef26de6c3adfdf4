// Package phone reads phone numbers: it turns every accepted spelling of a
// number into one canonical form, and refuses numbers that must never be sent
// a code.
//
// [Parse] judges by length and numbering plan, not by lists of ranges in use:
// such lists grow old on a box that is never updated. Ranges known to cost the
// sender money are refused all the same.
package phone

import (
	"errors"
	"strconv"

	"github.com/nyaruka/phonenumbers/v2"
)

// Why a number is not accepted. Neither text repeats the input.
var (
	// ErrInvalid says that the input is no possible phone number, or is not
	// written with a leading + and the country calling code. Short codes,
	// emergency numbers and service codes such as *#06# are among them.
	ErrInvalid = errors.New("not a phone number in international form, such as +41791234567")
	// ErrRefused says that the number is of a class that gets no message:
	// premium rate, shared cost, toll-free, pager, voicemail or universal access.
	ErrRefused = errors.New("numbers of this class get no messages")
)

// Number is a phone number in canonical form.
type Number struct {
	// Dial is what the radio is given: E.164 without its plus sign,
	// ^[1-9][0-9]{6,14}$.
	Dial string
	// Key is E.164 with its plus sign, and the same for all numbers that reach
	// one handset. It is an identity: two handsets never share one.
	Key string
	// Country is the ISO 3166 region, "CH". A calling code of no country has
	// "001". A possible number that no region of a shared calling code claims
	// counts to the main region of that code.
	Country string
	// Calling is the country calling code, 41.
	Calling uint16
}

// The canonical length of a number, calling code included: E.164 allows 15
// digits, and nothing below 7 is a subscriber that can be reached from abroad.
const (
	minDigits = 7
	maxDigits = 15
)

// Parse reads a phone number of at most 32 bytes. A leading + (after spaces
// and an optional "tel:") is required: national and 00 forms depend on where
// one stands. Accepted are ASCII, full-width and Arabic digits, spaces,
// hyphens, dots, slashes and brackets between them; a trunk prefix that the
// numbering plan tells apart, as in +44 (0)7911 123456, is dropped. Everything
// else is refused: extensions, letters, controls, invisible characters.
//
// The error is [ErrInvalid] or [ErrRefused].
func Parse(input string) (n Number, err error) {
	// The numbering-plan library has panicked on hostile input before. What it
	// cannot read is no number.
	defer func() {
		if recover() != nil {
			n, err = Number{}, ErrInvalid
		}
	}()
	digits, ok := spelled(input)
	if !ok {
		return Number{}, ErrInvalid
	}
	n, err = read(digits)
	if err == nil && n.Dial != digits {
		// A prefix was dropped. The result counts only if it is stable: one
		// number must not have a second canonical form.
		if again, _ := read(n.Dial); again != n {
			return Number{}, ErrInvalid
		}
	}
	return n, err
}

// read reads the digits of a number that begins with its calling code.
func read(digits string) (Number, error) {
	parsed, err := phonenumbers.Parse("+"+current(digits), "ZZ")
	if err != nil || phonenumbers.IsPossibleNumberWithReason(parsed) != phonenumbers.IS_POSSIBLE {
		return Number{}, ErrInvalid
	}
	calling := int(parsed.GetCountryCode())
	national := phonenumbers.GetNationalSignificantNumber(parsed)
	dial := strconv.Itoa(calling) + national
	if len(dial) < minDigits || len(dial) > maxDigits {
		return Number{}, ErrInvalid
	}
	if refused(calling, phonenumbers.GetNumberType(parsed)) {
		return Number{}, ErrRefused
	}
	country := phonenumbers.GetRegionCodeForNumber(parsed)
	if country == "" {
		country = phonenumbers.GetRegionCodeForCountryCode(calling)
	}
	return Number{Dial: dial, Key: key(calling, national), Country: country, Calling: uint16(calling)}, nil
}

// refused tells whether a number is of a class that costs the sender or that
// nobody reads a code on.
func refused(calling int, class phonenumbers.PhoneNumberType) bool {
	switch calling {
	// International toll-free, shared-cost, universal access and premium-rate
	// service: the whole calling code is the class, known range or not.
	case 800, 808, 888, 979:
		return true
	}
	switch class {
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.TOLL_FREE,
		phonenumbers.PAGER, phonenumbers.VOICEMAIL, phonenumbers.UAN:
		return true
	}
	return false
}

// Block returns the E.164 number key less its last drop digits: the name of
// the block of 10^drop numbers that it stands in. Of a key with no more digits
// than drop the plus sign is left.
func Block(key string, drop int) string {
	if key == "" {
		return ""
	}
	return key[:min(len(key), max(len(key)-drop, 1))]
}

// Country tells whether code is an ISO 3166 region that numbers are given out
// in.
func Country(code string) bool { return phonenumbers.GetCountryCodeForRegion(code) != 0 }
