package text

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxOption is how many characters a value of an option may have, those beyond
// the Basic Multilingual Plane counted twice as an SMS does.
const maxOption = 32

// widestOption is a value that no other takes more room than.
var widestOption = strings.Repeat("漢", maxOption)

var optionPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// CheckOption tells whether an app may name a placeholder of its own so: a
// small letter and up to 31 of a-z, 0-9 and _, and none of the built-in names.
func CheckOption(name string) error {
	if !optionPattern.MatchString(name) {
		return fmt.Errorf("%q is not a name such as \"order\": a small letter, then up to 31 of a-z, 0-9 and _", name)
	}
	if slices.Contains(placeholders[:], name) {
		return fmt.Errorf("{%s} is a placeholder of the box", name)
	}
	return nil
}

// CheckValue tells whether a caller's value may stand in a message, which
// whoever gets it takes for the app's own words: 1 to 32 visible characters
// that lead nowhere, by a link, an address, or a line that a browser would
// read. The error does not repeat the value.
func CheckValue(value string) error {
	switch {
	case !utf8.ValidString(value):
		return errors.New("is not valid UTF-8")
	case value == "" || len(utf16.Encode([]rune(value))) > maxOption:
		return fmt.Errorf("has not 1 to %d characters", maxOption)
	case strings.ContainsFunc(value, hidden):
		return errors.New("has an invisible character")
	case strings.ContainsAny(value, "{}@#"):
		return errors.New("has one of { } @ #")
	case link(value):
		return errors.New("looks like a link")
	}
	return nil
}

// link tells whether a handset might make a link of a value.
func link(value string) bool {
	if strings.Contains(value, "://") || strings.Contains(strings.ToLower(value), "www.") {
		return true
	}
	dot := false
	for _, r := range value {
		if dot && unicode.IsLetter(r) {
			return true
		}
		dot = strings.ContainsRune(".。．｡", r)
	}
	return false
}
