package otp

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/pinferry/pinferry/otp/email"
	"github.com/pinferry/pinferry/otp/phone"
)

// ID is what names a verification, message or user: 16 random bytes.
type ID [16]byte

// NewID returns a fresh random id.
func NewID() (id ID) {
	rand.Read(id[:])
	return id
}

// ParseID reads an id as String writes it: exactly 32 lower-case hex digits.
// A shortened, lengthened or upper-case id is no id.
func ParseID(s string) (id ID, ok bool) {
	if len(s) != 2*len(id) || strings.ToLower(s) != s {
		return ID{}, false
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, false
	}
	return id, true
}

// String returns the id as 32 lower-case hex digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// IsZero tells whether id is the zero id, which names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// key returns the id as the Part of a row's key.
func (id ID) key() string { return string(id[:]) }

// AddressKind says what sort of address an [Address] is.
type AddressKind uint8

// The kinds of address.
const (
	Phone AddressKind = 1
	Email AddressKind = 2
)

// Address is where a code goes.
type Address struct {
	_ struct{} `cbor:",toarray"`

	Kind AddressKind
	// Key is the identity: all spellings of one handset have the same key. For a
	// phone it is E.164 with its plus sign, for an email address that in lower
	// case. See bucket for what limits count by.
	Key string
	// Dial is what the route is given: for a phone, ^[1-9][0-9]{6,14}$.
	Dial string
	// Country is the ISO 3166 region of the number, "CH", or "001" for none; ""
	// for what is no phone.
	Country string
	// Calling is the country calling code, 41; 0 for what is no phone.
	Calling uint16
}

// E164 returns a phone as it is shown to who may see it, "+41791234567", and ""
// for what is no phone.
func (a Address) E164() string {
	if a.Kind != Phone {
		return ""
	}
	return "+" + a.Dial
}

// Email returns an email address as it is shown to who may see it, and "" for
// what is none.
func (a Address) Email() string {
	if a.Kind != Email {
		return ""
	}
	return a.Dial
}

// bucket is what the limits of an address are counted by. Tags and dots would
// give one mailbox as many of them as there are spellings.
func (a Address) bucket() string {
	if a.Kind == Email {
		return email.Mailbox(a.Key)
	}
	return a.Key
}

// block is the bucket that new addresses share with their neighbours when there
// are very many rows.
func (a Address) block() string {
	if a.Kind == Email {
		return email.Block(a.Key)
	}
	return phone.Block(a.Key, 3)
}

// Masked returns the address as it may stand in an answer or a log: a phone
// keeps its calling code and its last two digits, an email address its first
// letter and its domain.
func (a Address) Masked() string {
	if a.Kind == Email {
		return email.Mask(a.Key)
	}
	const last = 2
	head := len(strconv.Itoa(int(a.Calling)))
	if a.Kind != Phone || len(a.Dial) < head+last {
		return "***"
	}
	return "+" + a.Dial[:head] + strings.Repeat("*", len(a.Dial)-head-last) + a.Dial[len(a.Dial)-last:]
}
