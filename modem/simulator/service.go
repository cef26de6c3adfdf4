package simulator

import (
	"fmt"
	"strings"

	"github.com/warthog618/sms/encoding/tpdu"
)

// service runs the commands of the message service, 3GPP TS 27.005.
func (m *Modem) service(c command) (result, bool) {
	switch c.name {
	case "+CMGS":
		if c.op != set {
			return cms(cmsBadPDU), true
		}
		return m.begin(c), true
	case "+CMGF":
		return m.mode(c), true
	case "+CSMS":
		return m.phase2(c), true
	case "+CNMI":
		return m.indications(c), true
	case "+CNMA":
		return m.acknowledge(), true
	case "+CSCA":
		return m.center(c), true
	case "+CSMP":
		return m.parameters(c), true
	case "+CSCS", "+CSDH", "+CGSMS", "+CMMS":
	default:
		return failed, false
	}
	return done, true
}

// mode runs AT+CMGF: 0 is PDU mode, 1 is text mode.
func (m *Modem) mode(c command) result {
	n := 0
	if m.settings.textMode {
		n = 1
	}
	if r := m.number(c, &n, 1); r != done {
		return r
	}
	if !m.stands(faultCMGFIgnored) {
		m.settings.textMode = n == 1
	}
	return done
}

// phase2 runs AT+CSMS: with service 1 the host may acknowledge reports.
func (m *Modem) phase2(c command) result {
	if c.op == read {
		m.info("+CSMS: %d,1,1,1", m.settings.phase2)
		return done
	}
	r := m.number(c, &m.settings.phase2, 1)
	if r == done {
		m.info("+CSMS: 1,1,1")
	}
	return r
}

// indicationRanges are the largest mode, mt, bm, ds and bfr of AT+CNMI. Reports
// can be shown but not stored: ds is at most 1.
var indicationRanges = [5]int{3, 3, 2, 1, 1}

// indications runs AT+CNMI; what is left out stays as it is.
func (m *Modem) indications(c command) result {
	now := m.settings.cnmi
	if c.op == read {
		m.info("+CNMI: %d,%d,%d,%d,%d", now[0], now[1], now[2], now[3], now[4])
		return done
	}
	if len(c.texts()) > len(now) {
		return cms(cmsNotAllowed)
	}
	for i, most := range indicationRanges {
		n, valid := c.number(i, now[i], most)
		if !valid {
			return cms(cmsNotAllowed)
		}
		now[i] = n
	}
	m.settings.cnmi = now
	m.after(grace, func() {
		m.showReports()
		m.showIncoming()
	})
	return done
}

// center runs AT+CSCA. The SIM keeps the service centre through power cycles.
func (m *Modem) center(c command) result {
	if code := m.simRefusal(); code != 0 {
		return cms(code)
	}
	if c.op == read {
		kind := 129
		if strings.HasPrefix(m.smsc, "+") {
			kind = 145
		}
		m.info(`+CSCA: "%s",%d`, m.smsc, kind)
		return done
	}
	number := c.text(0)
	if !dialable(number) {
		return cms(cmsBadText)
	}
	if c.text(1) == "145" && number[0] != '+' {
		number = "+" + number
	}
	m.smsc = number
	return done
}

// parameters runs AT+CSMP, of which only the first octet matters: in text mode
// it asks for delivery reports.
func (m *Modem) parameters(c command) result {
	if c.op == read {
		m.info("+CSMP: %d,167,0,0", m.settings.firstOctet)
		return done
	}
	n, valid := c.number(0, m.settings.firstOctet, 255)
	if !valid {
		return cms(cmsBadText)
	}
	m.settings.firstOctet = n
	return done
}

// plainSubmission is a message of text mode as the network takes it.
func plainSubmission(to, text string) (submission, error) {
	if text == "" {
		return submission{}, fmt.Errorf("no text")
	}
	return submission{
		to:       to,
		address:  encodeAddress(to),
		sequence: 1,
		data:     userData{alphabet: tpdu.Alpha8Bit, body: []byte(text)},
	}, nil
}

// encodeAddress is a number as TP-DA or TP-RA: length, type, semi-octets.
func encodeAddress(number string) []byte {
	digits, kind := number, byte(0x81)
	if strings.HasPrefix(number, "+") {
		digits, kind = number[1:], 0x91
	}
	b := []byte{byte(len(digits)), kind}
	for i := 0; i < len(digits); i += 2 {
		high := byte(filler)
		if i+1 < len(digits) {
			high = digits[i+1] - '0'
		}
		b = append(b, high<<4|(digits[i]-'0'))
	}
	return b
}
