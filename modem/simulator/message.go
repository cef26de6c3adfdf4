package simulator

import (
	"strings"
	"time"
)

// message is the AT+CMGS dialogue under way.
type message struct {
	text     bool   // begun in text mode
	octets   int    // PDU mode: the announced length of the TPDU
	to       string // text mode: the number as it was given
	data     []byte // what came since the prompt
	overlong bool   // data lost bytes
	struck   struck
}

// maxData is the longest PDU or text that a prompt takes, in bytes.
const maxData = 1024

// The range of AT+CMGS=n: the shortest and the longest SMS-SUBMIT, in octets.
const (
	minOctets = 8
	maxTPDU   = 164
)

// grace is the time the host gets to read an answer before the modem goes on by
// itself.
const grace = 100 * time.Millisecond

const prompt = "\r\n> "

// begin runs AT+CMGS: in PDU mode with the length of the TPDU, in text mode
// with a number. It counts as a message even if it is refused here.
func (m *Modem) begin(c command) result {
	msg := &message{text: m.settings.textMode, struck: m.strike()}
	if f, is := msg.struck[faultEarly]; is {
		return cms(f.number)
	}
	if code := m.simRefusal(); code != 0 {
		return cms(code)
	}
	var valid bool
	if msg.text {
		msg.to = strings.TrimSpace(c.text(0))
		if valid = dialable(msg.to); !valid {
			return cms(cmsBadText)
		}
	} else if msg.octets, valid = c.number(0, -1, maxTPDU); !valid || msg.octets < minOctets {
		return cms(cmsBadPDU)
	}
	if msg.struck.by(faultFull) {
		m.storage.fill()
	}
	if m.pulled(msg, beforePrompt) {
		return nothing
	}
	m.disturb(msg, true)
	if msg.struck.by(faultNoPrompt) {
		return nothing
	}
	m.phase, m.message = prompting, msg
	m.emit(prompt)
	if msg.struck.by(faultStuckPrompt) {
		m.emit(prompt)
	}
	m.pulledSoon(msg, afterPrompt)
	return nothing
}

// dialable reports whether s is a number that text mode takes.
func dialable(s string) bool {
	digits := strings.TrimPrefix(s, "+")
	return digits != "" && len(digits) <= maxDigits && strings.Trim(digits, "0123456789") == ""
}

// takeMessage takes one byte after the prompt.
func (m *Modem) takeMessage(c byte) {
	msg := m.message
	if m.settings.echo {
		m.emit(string([]byte{c}))
	}
	switch {
	case c == ctrlZ:
		m.submit(msg)
	case c == esc && !m.stands(faultESCIgnored):
		m.phase, m.message = commanding, nil
		m.finalize(done)
	case len(msg.data) == maxData:
		msg.overlong = true
	case msg.text && c == '\r':
		msg.data = append(msg.data, '\n')
		m.emit(prompt)
	default:
		msg.data = append(msg.data, c)
	}
}

// submit takes the message at Ctrl-Z. What is not well formed is refused at
// once; the rest goes to the network.
func (m *Modem) submit(msg *message) {
	m.phase, m.message = commanding, nil
	s, err := msg.submission()
	if err != nil || msg.overlong {
		m.cfg.Log.Debug().Err(err).Bool("overlong", msg.overlong).Msg("message refused")
		if msg.text {
			m.finalize(cms(cmsBadText))
		} else {
			m.finalize(cms(cmsBadPDU))
		}
		return
	}
	if m.pulled(msg, afterSubmit) {
		return
	}
	if msg.struck.by(faultSilence) {
		return
	}
	if msg.text {
		s.report = m.settings.firstOctet&wantReport != 0
	}
	m.phase = submitting
	m.after(m.cfg.Latency, func() {
		m.phase = commanding
		m.send(msg, s)
		rest := m.typeahead
		m.typeahead = nil
		m.receive(rest)
	})
}

// submission is the message as the network takes it.
func (msg *message) submission() (submission, error) {
	if !msg.text {
		return parseSubmit(msg.data, msg.octets)
	}
	return plainSubmission(msg.to, string(msg.data))
}

// send hands s to the network, unless a fault refuses it, and answers.
func (m *Modem) send(msg *message, s submission) {
	r := m.verdict(msg)
	reference := m.reference
	if r == done {
		m.reference++
		at := m.now()
		m.handset.receive(s, at)
		m.cfg.Log.Debug().Uint8("reference", reference).Msg("message sent")
		if s.report && !msg.struck.by(faultNoReport) {
			// A report that comes early comes before the answer.
			m.expectReport(report{reference: reference, to: s.to, address: s.address, sent: at}, msg.struck)
		}
	}
	if m.pulled(msg, beforeReply) || msg.struck.by(faultLostReply) {
		return
	}
	m.after(msg.struck[faultLateReply].wait, func() { m.reply(msg, r, reference) })
}

// verdict is what the network says to a well-formed message.
func (m *Modem) verdict(msg *message) result {
	if f, is := msg.struck[faultCMS]; is {
		return cms(f.number)
	}
	if f, is := msg.struck[faultCME]; is {
		return cme(f.number)
	}
	switch {
	case msg.struck.by(faultError):
		return failed
	case m.storage.full():
		return cms(cmsFull)
	case m.smsc == "":
		return cms(cmsNoCentre)
	case !m.registered():
		return cms(cmsNoNetwork)
	}
	return done
}

// reply answers a message and then does what faults do after an answer.
func (m *Modem) reply(msg *message, r result, reference byte) {
	m.disturb(msg, false)
	if r == done && !msg.struck.by(faultOKOnly) {
		m.info("+CMGS: %d", reference)
		if msg.struck.by(faultTwice) {
			m.info("+CMGS: %d", reference)
		}
	}
	if f, is := msg.struck[faultURC]; is {
		m.unsolicited(f.argument)
	}
	if r != done || !msg.struck.by(faultNoOK) {
		m.finalize(r)
	}
	m.pulledSoon(msg, afterReply)
	if msg.struck.by(faultCMGFReset) {
		m.settings.textMode = true
	}
	if msg.struck.by(faultSMSCLost) {
		m.smsc = ""
	}
	if msg.struck.by(faultReboot) {
		m.reboot()
	}
}

// pulled hangs up if a fault wants it at this point.
func (m *Modem) pulled(msg *message, point string) bool {
	if msg.struck[faultHangUp].argument != point {
		return false
	}
	m.hangUp()
	return true
}

// pulledSoon hangs up if a fault wants it at this point, once the host has
// read what came before.
func (m *Modem) pulledSoon(msg *message, point string) {
	if msg.struck[faultHangUp].argument == point {
		m.after(grace, m.hangUp)
	}
}
