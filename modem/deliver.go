package modem

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"

	"github.com/warthog618/sms"
	"github.com/warthog618/sms/encoding/tpdu"

	"github.com/pinferry/pinferry/otp"
)

// maxPDU bounds the octets of what comes in: 164 of a TPDU and 12 of an SMSC
// address are the most there can be.
const maxPDU = 176

var errDeliver = errors.New("not a received SMS")

// international is a number that means the same in every network.
var international = regexp.MustCompile(`^[1-9][0-9]{6,14}$`)

// delivery is an SMS-DELIVER: a whole SMS, or a part of one.
type delivery struct {
	from   string
	local  bool // from is no international number
	within bool // from is a number of the network's own country, as the network says
	at     otp.Time
	set    setName // total 0: it stands alone
	number int     // of the part, from 1
	body   body
	raw    pushed // as it came
}

// body is what a part holds, not yet decoded: a character may begin in one part
// and end in the next.
type body struct {
	alphabet tpdu.Alphabet
	header   tpdu.UserDataHeader
	units    []byte // septets, octets, or halves of UCS-2 units
}

// unframe reads a PDU in hexadecimal as modems give it, with or without the
// address of a service centre in front, which length tells apart: it is that
// of the TPDU in octets. Whoever has the number of the SIM can write it: a defect
// that it finds in the library must not end the session, or what is stored would
// be read, and end it, again and again.
func unframe(length int, line string) (pdu *tpdu.TPDU, err error) {
	defer func() {
		if p := recover(); p != nil {
			pdu, err = nil, fmt.Errorf("the library failed with a %T", p)
		}
	}()
	octets, err := hex.DecodeString(line)
	if err != nil {
		return nil, errors.New("no hexadecimal octets")
	}
	front := len(octets) - length
	switch {
	case len(octets) == 0 || len(octets) > maxPDU || front < 0:
		return nil, errors.New("length")
	case front > 0 && front != 1+int(octets[0]):
		return nil, errors.New("SMSC address")
	}
	return sms.Unmarshal(octets[front:], sms.AsMT)
}

// parseDelivery reads an SMS-DELIVER.
func parseDelivery(length int, line string) (delivery, error) {
	pdu, err := unframe(length, line)
	if err != nil {
		return delivery{}, fmt.Errorf("%w: %w", errDeliver, err)
	}
	if pdu.SmsType() != tpdu.SmsDeliver {
		return delivery{}, errDeliver
	}
	d := delivery{raw: pushed{length, line}}
	d.from = printable(pdu.OA.Addr)
	d.local = pdu.OA.TypeOfNumber() != tpdu.TonInternational || !international.MatchString(pdu.OA.Addr)
	d.within = pdu.OA.TypeOfNumber() == tpdu.TonNational
	if at := otp.TimeOf(pdu.SCTS.Time); at > 0 {
		d.at = at
	}
	alphabet, err := pdu.Alphabet()
	if err != nil {
		alphabet = tpdu.Alpha8Bit
	}
	d.body = body{alphabet, pdu.UDH, pdu.UD}
	d.set, d.number = partOf(d.from, pdu.UDH)
	return d, nil
}

// printable drops from a sender what no name has.
func printable(from string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, from))
}

// partOf reads which part of which long SMS this is. What makes no sense, such
// as part 0 of 0, stands alone.
func partOf(from string, header tpdu.UserDataHeader) (set setName, number int) {
	total, number, reference, ok := header.ConcatInfo8()
	wide := false
	if !ok {
		total, number, reference, ok = header.ConcatInfo16()
		wide = true
	}
	if !ok || total < 2 || number < 1 || number > total {
		return setName{}, 0
	}
	return setName{from, reference, wide, total}, number
}

// textOf decodes the parts of one SMS. Parts in one alphabet are decoded as one,
// so that no character is cut in two.
func textOf(parts []body) string {
	var text strings.Builder
	for len(parts) > 0 {
		whole := body{parts[0].alphabet, parts[0].header, nil}
		n := 0
		for ; n < len(parts) && parts[n].alphabet == whole.alphabet; n++ {
			whole.units = append(whole.units, parts[n].units...)
		}
		text.WriteString(whole.text())
		parts = parts[n:]
	}
	return text.String()
}

// text decodes b; what cannot be decoded shows as U+FFFD or a space.
func (b body) text() string {
	switch b.alphabet {
	case tpdu.AlphaUCS2:
		units := make([]uint16, len(b.units)/2)
		for i := range units {
			units[i] = uint16(b.units[2*i])<<8 | uint16(b.units[2*i+1])
		}
		return string(utf16.Decode(units))
	case tpdu.Alpha7Bit:
		text, err := tpdu.DecodeUserData(b.units, b.header, b.alphabet, tpdu.WithAllCharsets)
		if err != nil {
			return "\ufffd"
		}
		return string(text)
	}
	return strings.ToValidUTF8(string(b.units), "\ufffd")
}
