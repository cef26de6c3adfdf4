package modem

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"unicode/utf16"

	"github.com/warthog618/sms"
	"github.com/warthog618/sms/encoding/gsm7"
	"github.com/warthog618/sms/encoding/tpdu"

	"github.com/pinferry/pinferry/otp"
)

// maxSegments bounds a message: longer ones hold the radio for too long.
const maxSegments = 16

// dialable is the only form in which a number reaches a PDU.
var dialable = regexp.MustCompile(`^[1-9][0-9]{6,14}$`)

// Why a message cannot become PDUs.
var (
	errNumber = errors.New("the number is not 7 to 15 digits of an international number")
	errEmpty  = errors.New("the text is empty")
	errLong   = fmt.Errorf("the text takes more than %d segments", maxSegments)
)

// The library builds its tables of the default alphabet at their first use and
// without a lock. Two gateways must not be the first at once, so the tables are
// built before anything runs.
var _, _ = gsm7.NewEncoder(), gsm7.NewDecoder()

// Segments returns how many SMS a text takes: of 160 characters of the GSM
// default alphabet and its extension table (153 each if more than one), else
// of 70 UTF-16 units (67). The empty text takes none.
func Segments(text string) int {
	parts, err := sms.Encode([]byte(text))
	if err != nil {
		return 0 // an alphabet is always found; kept total all the same
	}
	return len(parts)
}

// Units returns how much room a text takes, in characters of the GSM default
// alphabet (those of its extension table count twice), or in UTF-16 units if wide.
func Units(text string) (n int, wide bool) {
	septets, err := gsm7.Encode([]byte(text))
	if err != nil {
		return len(utf16.Encode([]rune(text))), true
	}
	return len(septets), false
}

// counter numbers what the encoder makes.
type counter int

// Count returns the next number.
func (c *counter) Count() int { *c++; return int(*c) }

// submitter makes SMS-SUBMIT PDUs. A gateway has one for its whole life, or
// two long messages to one handset would share a concatenation reference. Only
// the gateway's owner may use it.
type submitter struct{ encoder *sms.Encoder }

func newSubmitter() *submitter {
	e := sms.NewEncoder(sms.AsSubmit)
	start := counter(rand.IntN(256)) // a restart must not repeat the last references
	e.ConcatRef = &start
	return &submitter{e}
}

// part is one SMS, ready for the line.
type part struct {
	octets int    // of the TPDU: the n of AT+CMGS=n
	pdu    string // in upper-case hex, with an empty SMSC address in front
	header string // what a log may show of it: no digit of a number, no text
}

// parts encodes a message. With report, its last part asks the network for a
// delivery report.
func (s *submitter) parts(out otp.Outgoing, report bool) ([]part, error) {
	switch {
	case !dialable.MatchString(out.Dial):
		return nil, errNumber
	case out.Text == "":
		return nil, errEmpty
	}
	pdus, err := s.encoder.Encode([]byte(out.Text), sms.To("+"+out.Dial))
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if len(pdus) > maxSegments {
		return nil, errLong
	}
	if report {
		pdus[len(pdus)-1].FirstOctet |= tpdu.FoSRR
	}
	parts := make([]part, len(pdus))
	for i := range pdus {
		octets, err := pdus[i].MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
		parts[i] = part{
			octets: len(octets),
			pdu:    "00" + strings.ToUpper(hex.EncodeToString(octets)),
			header: fmt.Sprintf("%d octets, first %02X, TP-DA %d digits of type %02X, TP-DCS %02X, part %d of %d",
				len(octets), octets[0], len(out.Dial), pdus[i].DA.TOA, byte(pdus[i].DCS), i+1, len(pdus)),
		}
	}
	return parts, nil
}
