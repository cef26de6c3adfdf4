package phone

import (
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers/v2"
)

// ParseNational reads the sender of an SMS, in digits alone, as a network of
// region writes one of its own: "0791234567" in "CH". certain tells that the
// network has called it a national number; otherwise digits that are two
// different numbers, one here and one abroad, are refused.
//
// It fills in what somebody left out, so it is narrow: only what the numbering
// plan has as a mobile counts, and a short code never does. The error is
// [ErrInvalid].
func ParseNational(digits, region string, certain bool) (n Number, err error) {
	defer func() {
		if recover() != nil { // as in Parse
			n, err = Number{}, ErrInvalid
		}
	}()
	if len(digits) > maxDigits+2 || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return Number{}, ErrInvalid
	}
	parsed, err := phonenumbers.Parse(digits, region)
	// By its calling code: regions that share one write to each other like this.
	if err != nil || int(parsed.GetCountryCode()) != phonenumbers.GetCountryCodeForRegion(region) || !phonenumbers.IsValidNumber(parsed) {
		return Number{}, ErrInvalid
	}
	switch phonenumbers.GetNumberType(parsed) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
	default:
		return Number{}, ErrInvalid
	}
	n, err = Parse("+" + strconv.Itoa(int(parsed.GetCountryCode())) + phonenumbers.GetNationalSignificantNumber(parsed))
	if err != nil {
		return Number{}, ErrInvalid
	}
	if abroad, err := Parse("+" + digits); !certain && err == nil && abroad.Key != n.Key {
		return Number{}, ErrInvalid
	}
	return n, nil
}
