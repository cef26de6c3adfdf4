package phone

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers/v2"
)

// Regions returns the ISO 3166 regions that numbers are given out in, sorted.
func Regions() []string {
	var all []string
	for region := range phonenumbers.GetSupportedRegions() {
		all = append(all, region)
	}
	slices.Sort(all)
	return all
}

// Calling returns the calling code of a region, 41 for "CH", and 0 if there is
// no such region.
func Calling(region string) uint16 { return uint16(phonenumbers.GetCountryCodeForRegion(region)) }

// Example returns a mobile number of a region as people there write it,
// "078 123 45 67", and "" if there is none to show. It is nobody's.
func Example(region string) string {
	number := phonenumbers.GetExampleNumberForTypeInRegion(region, phonenumbers.MOBILE)
	if number == nil {
		return ""
	}
	return phonenumbers.Format(number, phonenumbers.NATIONAL)
}

// International returns a number as [Parse] wants it, with its plus sign, out
// of what people write who are in region: 079..., 0041 79... or +41 79...
// What cannot be read, and what has a plus sign, comes back as it is: Parse is
// the judge of both.
func International(input, region string) (number string) {
	// As in Parse: the library has panicked on hostile input before.
	defer func() {
		if recover() != nil {
			number = input
		}
	}()
	trimmed := strings.Trim(input, " ")
	if len(input) > maxInput || !Country(region) {
		return input
	}
	digits, ok := digitsOf(trimmed)
	if !ok {
		return input
	}
	parsed, err := phonenumbers.Parse(digits, region)
	if err != nil {
		return input
	}
	return phonenumbers.Format(parsed, phonenumbers.E164)
}
