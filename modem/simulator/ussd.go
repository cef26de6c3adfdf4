package simulator

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"

	"github.com/warthog618/sms/encoding/gsm7"
)

// The forms in which the modem gives the network's answer to a USSD code, and
// the ways in which there is none.
const (
	ussdText    = "text"
	ussdLines   = "lines"   // text, on two lines
	ussdUCS2    = "ucs2"    // in hexadecimal
	ussdPacked  = "packed"  // septets in hexadecimal
	ussdEarly   = "early"   // text, before the OK
	ussdOpen    = "open"    // text, and the network waits for a reply
	ussdUnknown = "unknown" // the network does not know the code
	ussdRefused = "refused" // the modem does not take it
	ussdSilent  = "silent"  // the network never answers
)

// dialled is the form of a code.
var dialled = regexp.MustCompile(`^[*#][0-9*#]*#$`)

// ussd runs AT+CUSD. Every code gets the credit for an answer, after the OK.
func (m *Modem) ussd(c command) result {
	if c.op != set || c.text(1) == "" {
		if c.op == read {
			m.info("+CUSD: 1")
		}
		return done
	}
	code, form := c.text(1), ussdText
	if m.maker().packed {
		octets, err := hex.DecodeString(code)
		if err != nil {
			return failed
		}
		text, _ := gsm7.Decode(gsm7.Unpack7Bit(octets, 0)) // what fails to decode is no code
		code, form = strings.TrimSuffix(string(text), "\r"), ussdPacked
	}
	if f, is := m.condition(faultUSSD); is {
		form = f.argument
	}
	switch {
	case form == ussdRefused:
		return failed
	case !dialled.MatchString(code):
		form = ussdUnknown
	}
	if form == ussdEarly {
		m.info(`+CUSD: 0,"%s",15`, m.cfg.Credit)
		return done
	}
	m.finalize(done)
	if form != ussdSilent {
		m.after(m.cfg.Latency, func() { m.info("+CUSD: %s", m.credit(form)) })
	}
	return nothing
}

// credit is the network's answer in one of the forms.
func (m *Modem) credit(form string) string {
	text := m.cfg.Credit
	switch form {
	case ussdUnknown:
		return "4"
	case ussdUCS2:
		var s strings.Builder
		for _, unit := range utf16.Encode([]rune(text)) {
			fmt.Fprintf(&s, "%04X", unit)
		}
		return fmt.Sprintf(`0,"%s",72`, s.String())
	case ussdPacked:
		septets, err := gsm7.Encode([]byte(text))
		if err != nil {
			return "4"
		}
		if len(septets)%8 == 7 {
			septets = append(septets, '\r') // seven bits to spare would be a character
		}
		return fmt.Sprintf(`0,"%X",15`, gsm7.Pack7Bit(septets, 0))
	case ussdLines:
		return fmt.Sprintf("0,\"Hello\r\n%s\",15", text)
	case ussdOpen:
		return fmt.Sprintf(`1,"%s",15`, text)
	}
	return fmt.Sprintf(`0,"%s",15`, text)
}
