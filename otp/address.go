package otp

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
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

// The kinds of address. Email comes with the relays.
const (
	Phone AddressKind = 1
)

// Address is where a code goes.
type Address struct {
	_ struct{} `cbor:",toarray"`

	Kind AddressKind
	// Key is the identity and the bucket of every limit: all spellings of one
	// handset have the same key. For a phone it is E.164 with its plus sign.
	Key string
	// Dial is what the radio is given: for a phone, ^[1-9][0-9]{6,14}$.
	Dial string
	// Country is the ISO 3166 region of the number, "CH", or "001" for none.
	Country string
	// Calling is the country calling code, 41.
	Calling uint16
}

// E164 returns a phone address as it is shown to who may see it: "+41791234567".
func (a Address) E164() string { return "+" + a.Dial }

// Masked returns the address as it may stand in an answer or a log: a phone
// keeps its calling code and its last two digits.
func (a Address) Masked() string {
	const last = 2
	head := len(strconv.Itoa(int(a.Calling)))
	if a.Kind != Phone || len(a.Dial) < head+last {
		return "***"
	}
	return "+" + a.Dial[:head] + strings.Repeat("*", len(a.Dial)-head-last) + a.Dial[len(a.Dial)-last:]
}
