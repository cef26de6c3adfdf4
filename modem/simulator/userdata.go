package simulator

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"github.com/warthog618/sms/encoding/tpdu"
)

// userData is the text of one part, not yet decoded: a character may begin in
// one part and end in the next.
type userData struct {
	alphabet tpdu.Alphabet
	header   tpdu.UserDataHeader
	body     []byte // a septet, an octet or half a UCS-2 unit each
}

// maxOctets is the largest TP-UD; it holds maxSeptets of the GSM alphabet.
const (
	maxOctets  = 140
	maxSeptets = 160
)

// parseUserData reads TP-UDL and TP-UD, which must fill the PDU exactly.
// TP-UDL counts septets in the GSM alphabet and octets in the others.
func parseUserData(r *reader, alphabet tpdu.Alphabet, headed bool) userData {
	length := int(r.octet("TP-UDL"))
	octets, limit := length, maxOctets
	if alphabet == tpdu.Alpha7Bit {
		octets, limit = (length*7+7)/8, maxSeptets
	}
	if length > limit || r.err == nil && len(r.rest) != octets {
		r.fail("TP-UDL")
	}
	b := r.take("TP-UD", octets)
	if r.err != nil {
		return userData{}
	}
	d := userData{alphabet: alphabet}
	used := 0
	if headed {
		d.header, used = parseHeader(r, b)
	}
	switch {
	case r.err != nil:
	case alphabet == tpdu.Alpha7Bit:
		d.body = unpack(r, b[used:], used, length)
	case alphabet == tpdu.AlphaUCS2 && (octets-used)%2 != 0:
		r.fail("TP-UD: half a character")
	default:
		d.body = b[used:]
	}
	return d
}

// parseHeader reads the user data header at the front of b and returns how
// many octets it takes, its length octet included.
func parseHeader(r *reader, b []byte) (tpdu.UserDataHeader, int) {
	if len(b) == 0 || int(b[0]) >= len(b) {
		r.fail("TP-UDHL")
		return nil, 0
	}
	used := 1 + int(b[0])
	var header tpdu.UserDataHeader
	for rest := b[1:used]; len(rest) > 0; {
		if len(rest) < 2 || 2+int(rest[1]) > len(rest) {
			r.fail("TP-UDH")
			return nil, 0
		}
		n := 2 + int(rest[1])
		header = append(header, tpdu.InformationElement{ID: rest[0], Data: rest[2:n]})
		rest = rest[n:]
	}
	return header, used
}

// unpack returns the septets that follow a header of used octets; length
// counts the header's septets too. The text begins at a septet boundary, and
// the bits before and after it are zero.
func unpack(r *reader, b []byte, used, length int) []byte {
	skip := (7 - used*8%7) % 7
	count := length - (used*8+skip)/7
	if count < 0 {
		r.fail("TP-UDL")
		return nil
	}
	septets := make([]byte, count)
	bit := func(i int) byte { return b[i/8] >> (i % 8) & 1 }
	for i := range 8 * len(b) {
		at := i - skip
		switch {
		case at >= 0 && at < 7*count:
			septets[at/7] |= bit(i) << (at % 7)
		case bit(i) != 0:
			r.fail("TP-UD: fill bits")
			return nil
		}
	}
	return septets
}

// join decodes the parts of one message. Parts of one alphabet are decoded as
// one text, so that no character is cut in two.
func join(parts []*userData) string {
	var text strings.Builder
	for len(parts) > 0 {
		n := 1
		whole := *parts[0]
		whole.body = append([]byte(nil), whole.body...)
		for ; n < len(parts) && parts[n].alphabet == whole.alphabet; n++ {
			whole.body = append(whole.body, parts[n].body...)
		}
		text.WriteString(whole.text())
		parts = parts[n:]
	}
	return text.String()
}

// text decodes d; what cannot be decoded shows as U+FFFD or a space.
func (d userData) text() string {
	switch d.alphabet {
	case tpdu.AlphaUCS2:
		units := make([]uint16, len(d.body)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(d.body[2*i:])
		}
		return string(utf16.Decode(units))
	case tpdu.Alpha7Bit:
		// Septets always decode: an unknown one becomes a space.
		b, _ := tpdu.DecodeUserData(d.body, d.header, d.alphabet, tpdu.WithAllCharsets)
		return string(b)
	}
	return strings.ToValidUTF8(string(d.body), "\ufffd")
}
