package simulator

import (
	"slices"
	"strings"
	"time"

	"github.com/warthog618/sms"
	"github.com/warthog618/sms/encoding/tpdu"
)

// capacity is how many received messages the SIM holds.
const capacity = 20

// storage is the SIM's memory of received messages, by index less one; nil is
// a free place.
type storage [capacity]*stored

// stored is one received message. Those that a fault fills the memory with have
// no TPDU and all say the same.
type stored struct {
	at   time.Time
	seen bool
	tpdu []byte
}

// Who sent the stored messages, and what.
const (
	storedFrom = "+15550100001"
	storedText = "A stored message"
)

// newest returns the index of the message that an indication speaks of. Only
// the first one is stored: indications alone must not fill the memory.
func (s *storage) newest(at time.Time) int {
	if s.used() == 0 {
		s[0] = &stored{at: at}
	}
	return 1 + slices.IndexFunc(s[:], func(e *stored) bool { return e != nil })
}

// fill leaves no room.
func (s *storage) fill() {
	for i, e := range s {
		if e == nil {
			s[i] = &stored{}
		}
	}
}

// used is how many messages are stored.
func (s *storage) used() int {
	n := 0
	for _, e := range s {
		if e != nil {
			n++
		}
	}
	return n
}

func (s *storage) full() bool { return s.used() == capacity }

// memory runs the commands about stored messages.
func (m *Modem) memory(c command) (result, bool) {
	var run func(command) result
	switch c.name {
	case "+CPMS":
		run = m.memories
	case "+CMGL":
		run = m.list
	case "+CMGR":
		run = m.readStored
	case "+CMGD":
		run = m.remove
	default:
		return failed, false
	}
	if code := m.simRefusal(); code != 0 {
		return cms(code), true
	}
	return run(c), true
}

// memories runs AT+CPMS; there is one memory, the SIM.
func (m *Modem) memories(c command) result {
	used := m.storage.used()
	if c.op == read {
		m.info(`+CPMS: "SM",%d,%d,"SM",%d,%d,"SM",%d,%d`, used, capacity, used, capacity, used, capacity)
		return done
	}
	for _, name := range c.texts() {
		if name != "SM" && name != "" {
			return cms(cmsNotAllowed)
		}
	}
	m.info("+CPMS: %d,%d,%d,%d,%d,%d", used, capacity, used, capacity, used, capacity)
	return done
}

// list runs AT+CMGL for the unseen, the seen or all messages; they are seen
// then.
func (m *Modem) list(c command) result {
	kind := strings.ToUpper(c.text(0))
	for i, e := range m.storage {
		if e == nil {
			continue
		}
		switch kind {
		case "4", "ALL":
		case "", "0", "REC UNREAD":
			if e.seen {
				continue
			}
		case "1", "REC READ":
			if !e.seen {
				continue
			}
		default: // drafts, of which there are none
			continue
		}
		m.show(e, "+CMGL: %d,", i+1)
	}
	return done
}

// readStored runs AT+CMGR.
func (m *Modem) readStored(c command) result {
	n, valid := c.number(0, -1, capacity)
	if !valid || n == 0 || m.storage[n-1] == nil {
		return cms(cmsBadIndex)
	}
	m.show(m.storage[n-1], "+CMGR: ")
	return done
}

// show sends one stored message after its head; it is seen then.
func (m *Modem) show(e *stored, head string, a ...any) {
	if m.settings.textMode {
		status := "REC UNREAD"
		if e.seen {
			status = "REC READ"
		}
		a = append(a, status, storedFrom, clockText(e.at), storedText)
		m.info(head+`"%s","%s",,"%s"`+"\r\n%s", a...)
	} else {
		status := 0
		if e.seen {
			status = 1
		}
		b := e.tpdu
		if b == nil {
			b = deliver(e.at)
		}
		a = append(a, status, len(b), m.frame(b))
		m.info(head+"%d,,%d\r\n%s", a...)
	}
	e.seen = true
}

// deliver is a stored message as an SMS-DELIVER.
func deliver(at time.Time) []byte {
	list, err := sms.Encode([]byte(storedText), sms.AsDeliver, sms.From(storedFrom))
	if err != nil || len(list) != 1 {
		return nil
	}
	list[0].SCTS = tpdu.Timestamp{Time: dated(at)}
	b, err := list[0].MarshalBinary()
	if err != nil {
		return nil
	}
	return b
}

// remove runs AT+CMGD: one message, or by the flag all seen ones or all.
func (m *Modem) remove(c command) result {
	n, valid := c.number(0, -1, capacity)
	flag, valid2 := c.number(1, 0, 4)
	if !valid || !valid2 || flag == 0 && n == 0 {
		return cms(cmsBadIndex)
	}
	for i, e := range m.storage {
		switch {
		case e == nil:
		case flag == 0 && i == n-1, flag == 4, flag > 0 && e.seen:
			m.storage[i] = nil
		}
	}
	m.after(grace, m.showIncoming) // there is room for what waits
	return done
}
