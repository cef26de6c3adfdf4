package phone

import (
	"strings"
	"unicode/utf8"
)

// maxInput bounds what is looked at, in bytes: the longest number in
// full-width digits fits, a hostile text does not.
const maxInput = 32

// maxSpelled bounds the digits of a spelling: 15 of E.164 and a trunk or
// carrier prefix.
const maxSpelled = 19

// spelled returns the ASCII digits of a number that is spelled with a leading
// plus sign, and whether the spelling is accepted. It drops what people put
// between digits and refuses all that is neither, so that two spellings are
// either the same digits or not both accepted.
func spelled(input string) (digits string, ok bool) {
	if len(input) > maxInput {
		return "", false
	}
	s := strings.Trim(input, " ")
	if len(s) > 4 && strings.EqualFold(s[:4], "tel:") {
		s = s[4:]
	}
	plus, size := utf8.DecodeRuneInString(s)
	if plus != '+' && plus != '＋' {
		return "", false
	}
	digits, ok = digitsOf(s[size:])
	// A calling code never begins with 0.
	if !ok || digits[0] == '0' {
		return "", false
	}
	return digits, true
}

// digitsOf returns the ASCII digits of s, at least one, which stand between
// what people put there.
func digitsOf(s string) (digits string, ok bool) {
	out := make([]byte, 0, maxSpelled)
	var last rune
	bracket := false
	for _, r := range s {
		last = r
		if d, isDigit := digit(r); isDigit {
			if len(out) == maxSpelled {
				return "", false
			}
			out = append(out, d)
			continue
		}
		switch {
		case r == '(' && !bracket, r == ')' && bracket:
			bracket = !bracket
		case !separator(r):
			return "", false
		}
	}
	// A number ends in a digit: what ends otherwise was cut off or goes on in a
	// way we do not read.
	if _, ends := digit(last); !ends || bracket {
		return "", false
	}
	return string(out), true
}

// digit returns the ASCII digit that r stands for. Only the sets that phone
// keyboards and forms produce are read.
func digit(r rune) (byte, bool) {
	for _, zero := range [...]rune{'0', '０', '٠', '۰'} { // ASCII, full-width, Arabic-Indic, Persian
		if r >= zero && r <= zero+9 {
			return byte('0' + r - zero), true
		}
	}
	return 0, false
}

// separator tells whether r may stand between digits: spaces that keep a
// number on one line, hyphens, dot and slash. No control and no character
// without width is among them.
func separator(r rune) bool {
	switch r {
	case ' ', '\u00a0', '\u202f', // no-break spaces
		'-', '\u2010', '\u2011', '\u2013', // hyphens, en dash
		'.', '/':
		return true
	}
	return false
}
