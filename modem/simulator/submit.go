package simulator

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/warthog618/sms/encoding/tpdu"
)

// submission is one message, or one part of one, as the network takes it.
type submission struct {
	to       string // +E.164, or bare digits
	address  []byte // TP-DA as it stood in the PDU: length, type, semi-octets
	report   bool   // TP-SRR: the sender wants a delivery report
	set      concatenation
	sequence int // which part it is, from 1
	data     userData
}

// concatenation tells the parts of one long message from those of another. The
// zero value is a message of one part.
type concatenation struct {
	reference int
	wide      bool // a 16-bit reference
	total     int
}

// The bits of an SMS-SUBMIT's first octet.
const (
	typeMask   = 0x03
	typeSubmit = 0x01
	formatMask = 0x18 // TP-VPF
	wantReport = 0x20 // TP-SRR
	hasHeader  = 0x40 // TP-UDHI
)

// maxDigits is the longest TP-DA, maxE164 the longest international number.
const (
	maxDigits = 20
	maxE164   = 15
)

// parseSubmit reads what stands between the prompt and Ctrl-Z in PDU mode: a
// service centre address and an SMS-SUBMIT (3GPP TS 23.040, 9.2.2.2) of
// exactly octets octets, both in hexadecimal. Nothing is forgiven: what one
// network lets pass, another refuses. The error says which field is wrong and
// never what stands in it.
func parseSubmit(hexed []byte, octets int) (submission, error) {
	raw := make([]byte, hex.DecodedLen(len(hexed)))
	if _, err := hex.Decode(raw, hexed); err != nil {
		return submission{}, errors.New("not hexadecimal octets")
	}
	r := reader{rest: raw}
	parseSMSC(&r)
	if r.err == nil && len(r.rest) != octets {
		return submission{}, fmt.Errorf("%d octets of TPDU, %d announced", len(r.rest), octets)
	}
	s := parseTPDU(&r)
	return s, r.err
}

// parseSMSC reads the service centre address: its length in octets, then the
// type and the semi-octets; length 0 means the SIM's own.
func parseSMSC(r *reader) {
	n := int(r.octet("SMSC length"))
	if n == 0 {
		return
	}
	kind := r.octet("SMSC type")
	b := r.take("SMSC", n-1)
	if r.err != nil {
		return
	}
	count := 2 * len(b)
	if count > 0 && b[len(b)-1]>>4 == filler {
		count--
	}
	if _, ok := digits(b, count); !ok || count == 0 || count > maxDigits || kind&0x80 == 0 {
		r.fail("SMSC")
	}
}

func parseTPDU(r *reader) submission {
	first := r.octet("first octet")
	if first&typeMask != typeSubmit {
		r.fail("TP-MTI")
	}
	r.octet("TP-MR") // the modem puts its own in
	var s submission
	s.report = first&wantReport != 0
	s.to, s.address = parseAddress(r)
	r.octet("TP-PID")
	coding := tpdu.DCS(r.octet("TP-DCS"))
	alphabet, err := coding.Alphabet()
	// In the general group (00xx and 01xx), bit 5 is compression, which no
	// handset of today reads, and alphabet 11 is reserved.
	if err != nil || coding&0x80 == 0 && (coding&0x20 != 0 || coding&0x0c == 0x0c) {
		r.fail("TP-DCS")
	}
	parseValidity(r, first&formatMask)
	s.data = parseUserData(r, alphabet, first&hasHeader != 0)
	s.set, s.sequence = parseConcatenation(r, s.data.header)
	return s
}

// parseAddress reads TP-DA: its length in digits, then the type and the
// semi-octets.
func parseAddress(r *reader) (to string, address []byte) {
	whole := r.rest
	n := int(r.octet("TP-DA length"))
	kind := r.octet("TP-DA type")
	if n == 0 || n > maxDigits {
		r.fail("TP-DA length")
	}
	number, ok := digits(r.take("TP-DA", (n+1)/2), n)
	if r.err != nil {
		return "", nil
	}
	if !ok {
		r.fail("TP-DA")
		return "", nil
	}
	switch kind {
	case 0x91: // international, ISDN plan
		if n > maxE164 || number[0] == '0' {
			r.fail("TP-DA")
		}
		number = "+" + number
	case 0x80, 0x81, 0xa1: // unknown or national, ISDN plan or unknown
	default:
		r.fail("TP-DA type")
	}
	return number, whole[:2+(n+1)/2]
}

// parseValidity reads TP-VP in one of its four formats.
func parseValidity(r *reader, format byte) {
	switch format {
	case 0x10: // relative
		r.octet("TP-VP")
	case 0x08: // enhanced: what its first octet leaves unused is zero
		if b := r.take("TP-VP", 7); r.err == nil && b[0]&0x38 != 0 {
			r.fail("TP-VP")
		}
	case 0x18: // absolute
		b := r.take("TP-VP", 7)
		if r.err != nil {
			return
		}
		var at tpdu.Timestamp
		if err := at.UnmarshalBinary(b); err != nil {
			r.fail("TP-VP")
		}
	}
}

// parseConcatenation finds the information element of a part of a long
// message; a message without one stands alone.
func parseConcatenation(r *reader, header tpdu.UserDataHeader) (concatenation, int) {
	var set concatenation
	sequence := 1
	for _, e := range header {
		switch {
		case e.ID == 0x00 && len(e.Data) == 3:
			set = concatenation{reference: int(e.Data[0]), total: int(e.Data[1])}
			sequence = int(e.Data[2])
		case e.ID == 0x08 && len(e.Data) == 4:
			set = concatenation{reference: int(e.Data[0])<<8 | int(e.Data[1]), wide: true, total: int(e.Data[2])}
			sequence = int(e.Data[3])
		case e.ID == 0x00, e.ID == 0x08:
			r.fail("concatenation")
		default:
			continue
		}
		if sequence == 0 || sequence > set.total {
			r.fail("concatenation")
		}
	}
	return set, sequence
}

// filler stands in the high half of the last octet of an odd number of digits.
const filler = 0x0f

// digits reads n semi-octets, low half first. Only decimal digits are digits
// here: the network sends no SMS to * or #.
func digits(b []byte, n int) (string, bool) {
	var s strings.Builder
	for i := range 2 * len(b) {
		d := b[i/2] >> (4 * (i % 2)) & 0x0f
		if i >= n {
			if d != filler {
				return "", false
			}
			continue
		}
		if d > 9 {
			return "", false
		}
		s.WriteByte('0' + d)
	}
	return s.String(), true
}

// reader takes octets off the front of a PDU and keeps its first error.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(field string) {
	if r.err == nil {
		r.err = errors.New("bad " + field)
	}
}

// take returns the next n octets, nil after an error.
func (r *reader) take(field string, n int) []byte {
	if r.err == nil && (n < 0 || n > len(r.rest)) {
		r.err = errors.New("no room for " + field)
	}
	if r.err != nil {
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// octet returns the next octet, 0 after an error.
func (r *reader) octet(field string) byte {
	if b := r.take(field, 1); r.err == nil {
		return b[0]
	}
	return 0
}
