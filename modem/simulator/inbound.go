package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/warthog618/sms"
	"github.com/warthog618/sms/encoding/tpdu"
)

// maxIncoming is how many messages the service centre keeps for a modem that
// does not take them, and maxSender the longest name of a sender.
const (
	maxIncoming = 1000
	maxSender   = 11
)

// ackWait is how long the network waits for the acknowledgement of a message
// that was shown to the host; then it keeps it, and the modem shows no more.
const ackWait = 15 * time.Second

// Deliver has a handset send a text to the SIM of the modem. from is a number,
// international with a +, or a name of at most 11 characters of the GSM
// alphabet. A long text arrives in parts. A modem without a network gets it
// later.
func (m *Modem) Deliver(from, text string) error {
	list, err := sms.Encode([]byte(text), sms.AsDeliver)
	if err != nil || len(list) == 0 {
		return errors.New("deliver: there is no text")
	}
	sender, err := senderOf(from)
	if err != nil {
		return fmt.Errorf("deliver: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(list) > 1 {
		m.concatenation++ // or two long texts of one sender would be mixed up
	}
	for _, part := range list {
		part.OA, part.SCTS = sender, tpdu.Timestamp{Time: dated(m.now())}
		for i, e := range part.UDH {
			if e.ID == 0 && len(e.Data) == 3 {
				part.UDH[i].Data = append([]byte{m.concatenation}, e.Data[1:]...)
			}
		}
		b, err := part.MarshalBinary()
		if err != nil {
			return fmt.Errorf("deliver: %w", err)
		}
		m.expect(b)
	}
	return nil
}

// DeliverPDU has the network hand over the octets of a TPDU as they are.
func (m *Modem) DeliverPDU(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expect(slices.Clone(b))
}

// Stored returns how many messages the SIM holds.
func (m *Modem) Stored() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.storage.used()
}

// senderOf is from as a TP-OA.
func senderOf(from string) (tpdu.Address, error) {
	digits := strings.TrimPrefix(from, "+")
	number := digits != "" && strings.Trim(digits, "0123456789") == ""
	switch {
	case number && digits != from:
		return tpdu.NewAddress(tpdu.FromNumber(digits)), nil
	case number:
		return tpdu.Address{TOA: 0x81, Addr: digits}, nil
	case from == "" || len(from) > maxSender:
		return tpdu.Address{}, errors.New("the sender is neither a number nor a name of 1 to 11 characters")
	}
	a := tpdu.Address{TOA: 0x80, Addr: from}
	a.SetTypeOfNumber(tpdu.TonAlphanumeric)
	_, err := a.MarshalBinary()
	return a, err
}

// expect has the service centre send a TPDU as soon as the modem takes it.
func (m *Modem) expect(b []byte) {
	m.incoming = append(m.incoming, b)
	if len(m.incoming) > maxIncoming {
		m.incoming = slices.Delete(m.incoming, 0, 1)
	}
	m.showIncoming()
}

// showIncoming hands over what the service centre has: to the host, if AT+CNMI
// wants that, else into the SIM. A message that nobody can take stays.
func (m *Modem) showIncoming() {
	for len(m.incoming) > 0 && m.registered() && !m.deaf() && !m.unacknowledged {
		b := m.incoming[0]
		mode, mt := m.settings.cnmi[0], m.settings.cnmi[1]
		if mt == 2 && mode != 0 {
			if m.line == nil {
				return
			}
			m.info("+CMT: ,%d\r\n%s", len(b), m.frame(b))
			if m.settings.phase2 == 1 {
				m.awaitReceipt()
				return
			}
		} else {
			index := slices.Index(m.storage[:], nil)
			if index < 0 {
				return
			}
			m.storage[index] = &stored{at: m.now(), tpdu: b}
			if mt == 1 && mode != 0 {
				m.info(`+CMTI: "SM",%d`, index+1)
			}
		}
		m.incoming = m.incoming[1:]
	}
}

// awaitReceipt waits for AT+CNMA. Without it the message stays with the service
// centre, and the modem shows none until AT+CNMI asks for them anew.
func (m *Modem) awaitReceipt() {
	m.unacknowledged = true
	m.receipts++
	this := m.receipts
	m.after(ackWait, func() {
		if m.unacknowledged && m.receipts == this {
			m.unacknowledged = false
			m.settings.cnmi[1] = 0
		}
	})
}

// acknowledge runs AT+CNMA.
func (m *Modem) acknowledge() result {
	if m.settings.phase2 == 0 {
		return cms(cmsNoAck)
	}
	if m.unacknowledged {
		m.unacknowledged = false
		m.incoming = m.incoming[1:]
		m.later(time.Millisecond, m.showIncoming) // after the OK
	}
	return done
}
