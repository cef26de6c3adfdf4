package modem

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/warthog618/sms/encoding/gsm7"
)

// ussdCode is the form of a code that may be asked: what a person would dial.
var ussdCode = regexp.MustCompile(`^[*#][0-9*#]{0,62}#$`)

// What becomes of a USSD code (3GPP 27.007, 7.15).
const (
	ussdDone      = 0 // the network has answered
	ussdGoesOn    = 1 // and waits for a reply of ours
	ussdEnded     = 2 // the network has ended it
	ussdElsewhere = 3 // another part of the modem has answered
)

var (
	errUSSD = errors.New("the network answered nothing that can be read")
	// errUSSDRefused stands for the states in which the network does not know
	// the code, or did not answer.
	errUSSDRefused = errors.New("the network did not take the code")
)

// ussd is what "+CUSD" tells.
type ussd struct {
	state int
	text  string
}

// maxUSSD bounds the characters of an answer: 160 is what one may hold, and a
// little more than that is forgiven.
const maxUSSD = 256

// parseUSSD reads what stands behind "+CUSD:", <m>[,"<text>"[,<dcs>]]. packed:
// this modem gives septets in hexadecimal. The text comes as characters, as
// UCS-2 in hexadecimal or as packed septets in hexadecimal, and the coding
// scheme does not tell which; so what is no hexadecimal is taken for text.
func parseUSSD(rest string, packed bool) (ussd, error) {
	head, tail, quoted := strings.Cut(rest, `"`)
	head, _, _ = strings.Cut(head, ",")
	state, err := strconv.Atoi(strings.TrimSpace(head))
	if err != nil || state < 0 || state > 5 {
		return ussd{}, errUSSD
	}
	if !quoted {
		return ussd{state: state}, nil
	}
	end := strings.LastIndexByte(tail, '"')
	if end < 0 {
		return ussd{}, errUSSD
	}
	text, scheme := tail[:end], 15
	if n, err := strconv.Atoi(strings.Trim(tail[end+1:], ", ")); err == nil {
		scheme = n
	}
	return ussd{state, shown(decodeUSSD(text, scheme, packed))}, nil
}

// minHex is how many hexadecimal digits are taken for a coded text where
// nothing says that it is one: fewer are a number.
const minHex = 12

// decodeUSSD returns the text that a modem gave.
func decodeUSSD(text string, scheme int, packed bool) string {
	octets, err := hex.DecodeString(text)
	if err != nil || len(octets) == 0 {
		return text
	}
	wide := len(octets)%2 == 0
	switch {
	case wide && isUCS2(scheme):
		return decodeUCS2(octets)
	case packed:
		return decodeSeptets(octets)
	case len(text) < minHex:
		return text
	case wide && octets[0] == 0 && octets[2] == 0: // AT+CSCS="UCS2", whatever the scheme
		return decodeUCS2(octets)
	}
	if plain := decodeSeptets(octets); !strings.ContainsFunc(plain, unicode.IsControl) {
		return plain
	}
	return text
}

// isUCS2 tells whether a coding scheme of cell broadcast is UCS-2 (3GPP 23.038,
// 5).
func isUCS2(scheme int) bool {
	switch {
	case scheme == 0x11:
		return true
	case scheme>>6 == 1, scheme>>4 == 9: // the general groups
		return scheme&0x0c == 0x08
	}
	return false
}

func decodeUCS2(octets []byte) string {
	units := make([]uint16, len(octets)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(octets[2*i:])
	}
	return string(utf16.Decode(units))
}

// Septets are packed eight to seven octets. A last octet with seven bits to
// spare is filled up with a carriage return, or it would hold a character
// (3GPP 23.038, 6.1.2.3). The library fills in other cases too.
const (
	septetGroup = 8
	octetGroup  = 7
	filler      = '\r'
)

// decodeSeptets decodes packed septets of the default alphabet.
func decodeSeptets(octets []byte) string {
	septets := gsm7.Unpack7Bit(octets, 0)
	if last := len(septets) - 1; last >= 0 && len(octets)%octetGroup == 0 && septets[last] == filler {
		septets = septets[:last]
	}
	text, err := gsm7.Decode(septets)
	if err != nil {
		return ""
	}
	return string(text)
}

// encodeUSSD returns a code as the modem wants it.
func encodeUSSD(code string, packed bool) (string, error) {
	if !packed {
		return code, nil
	}
	septets, err := gsm7.Encode([]byte(code))
	if err != nil {
		return "", fmt.Errorf("encode the code: %w", err)
	}
	if len(septets)%septetGroup == septetGroup-1 {
		septets = append(septets, filler)
	}
	return strings.ToUpper(hex.EncodeToString(gsm7.Pack7Bit(septets, 0))), nil
}

// shown makes an answer fit for a terminal: no control characters, no more than
// maxUSSD characters.
func shown(text string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r):
			return -1
		}
		return r
	}, text)
	if runes := []rune(clean); len(runes) > maxUSSD {
		clean = string(runes[:maxUSSD])
	}
	return strings.TrimSpace(clean)
}
