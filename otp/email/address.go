// Package email reads addresses of mail: it accepts the plain ones that people
// have, turns each into one canonical form, and refuses whatever a mail server
// might take for something else than one mailbox.
package email

import (
	"errors"
	"strings"

	"github.com/pinferry/pinferry/otp/text"
)

// ErrInvalid says that the input is no address of one mailbox in plain letters.
// Its text does not repeat the input.
var ErrInvalid = errors.New("not an email address such as ann@example.com")

// Address is an address of mail in canonical form.
type Address struct {
	// Dial is what a mail server is given: the local part as it was typed, and
	// the domain in lower case.
	Dial string
	// Key is Dial in lower case. It is an identity: a mail server may tell Ann
	// from ann, but none is known to give them to two people.
	Key string
}

// The bounds of an address, in bytes (RFC 5321).
const (
	maxAddress = 254
	maxLocal   = 64
)

// atoms are the marks that may stand in a local part beside letters and digits.
// RFC 5322 has % and ! too, but with those an address can ask a mail server to
// pass the mail on to another one.
const atoms = ".+-_=~'&#$*/?^`{|}"

// Parse reads one address, with or without spaces around it. It has letters and
// digits of ASCII, and the marks that need no quotes; international domains are
// written in punycode. Everything else is refused: names beside the address,
// lists, comments, quoted local parts, controls, IP addresses, domains of one
// label.
//
// The error is [ErrInvalid].
func Parse(input string) (Address, error) {
	input = strings.Trim(input, " ")
	local, domain, _ := strings.Cut(input, "@")
	if len(input) > maxAddress || len(local) > maxLocal || !isLocal(local) {
		return Address{}, ErrInvalid
	}
	domain = lower(domain)
	if !strings.Contains(domain, ".") || text.CheckDomain(domain) != nil {
		return Address{}, ErrInvalid
	}
	dial := local + "@" + domain
	return Address{Dial: dial, Key: lower(dial)}, nil
}

// isLocal tells whether s can stand before the @ without quotes.
func isLocal(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(atoms, r):
		default:
			return false
		}
	}
	return true
}

// lower writes the letters of ASCII in lower case and leaves all others: there
// are letters outside of it whose lower case lies inside, and they must not
// become somebody else's.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}

// Mailbox returns the name under which a key is counted: less the tag behind a
// plus sign, and less the marks in the local part that large services pass over,
// Google the dots, Proton hyphens and underscores too. There ann+shop@ and a.n.n@
// are ann@, and each spelling would bear as many mails as the person. It names who
// is counted, never who somebody is: most servers tell a.nn from an.n.
func Mailbox(key string) string {
	local, domain, _ := strings.Cut(key, "@")
	if plus := strings.IndexByte(local, '+'); plus > 0 {
		local = local[:plus]
	}
	if plain := unmarked.Replace(local); plain != "" {
		local = plain
	}
	return local + "@" + domain
}

var unmarked = strings.NewReplacer(".", "", "-", "", "_", "")

// Block returns what a key shares with its neighbours: the domain, and the
// first letters of the local part.
func Block(key string) string {
	const letters = 3
	local, domain, _ := strings.Cut(key, "@")
	return local[:min(letters, len(local))] + "@" + domain
}

// Mask returns an address as it may stand in an answer or a log: the first
// letter of the local part and the domain.
func Mask(key string) string {
	local, domain, _ := strings.Cut(key, "@")
	return local[:min(1, len(local))] + "***@" + domain
}
