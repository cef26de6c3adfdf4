package modem

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/otp"
)

const (
	maxPushed  = 32               // SMS that came by themselves and wait for the owner
	takeAgain  = 10 * time.Second // after the sink could not take an SMS
	keepLimit  = 5 * time.Second  // for the sink to take one
	reportsOwn = "SR"             // the memory of delivery reports
)

// memories are those that received SMS and reports stand in (3GPP 27.005,
// 3.2.2). No other word of an indication goes back to the modem.
var memories = []string{"SM", "ME", "MT", reportsOwn}

// pushed is an SMS that came as +CMT.
type pushed struct {
	length int
	pdu    string
}

// mailbox takes over what a modem has received. An SMS is acknowledged or
// deleted only after the sink has it; the parts of a long one, too, unless the
// network hands over the next part only after the last was acknowledged. Only
// the gateway's owner may use it.
type mailbox struct {
	take    func(context.Context, otp.Incoming) error
	dropped func(why string) // hears of each SMS that was given up
	log     zerolog.Logger

	sets   sets
	ready  []*letter // whole, for the sink
	pushed []pushed
	wanted []string         // memories to be read; "" is the one that the modem stores to
	paused <-chan time.Time // until then the sink is left alone; nil: it is not
}

// want has a memory read soon. A name that is none of a memory is ignored.
func (m *mailbox) want(memory string) {
	if (memory == "" || slices.Contains(memories, memory)) && !slices.Contains(m.wanted, memory) {
		m.wanted = append(m.wanted, memory)
	}
}

// indicated takes "+CMTI" and "+CDSI": a message was stored.
func (m *mailbox) indicated(rest string) {
	memory, _, _ := strings.Cut(rest, ",")
	m.want(strings.Trim(memory, ` "`))
}

// push takes the PDU of a "+CMT". One too many is not acknowledged: a network
// that waits for that sends it again.
func (m *mailbox) push(length int, pdu string) {
	if len(m.pushed) == maxPushed {
		m.dropped("overflow")
		return
	}
	m.pushed = append(m.pushed, pushed{length, pdu})
}

// enter begins a session, behind which another SIM may stand.
func (m *mailbox) enter() {
	m.sets.unplace()
	m.ready = slices.DeleteFunc(m.ready, func(l *letter) bool { return len(l.places) == l.in.Parts }) // it is stored still
	for _, l := range m.ready {
		l.places, l.confirm = nil, false
	}
	m.wanted = nil
	m.want("")
}

// work returns a channel that can be read when collect has something to do.
func (m *mailbox) work() <-chan time.Time {
	if m.paused != nil {
		return m.paused
	}
	if len(m.ready) == 0 && len(m.pushed) == 0 && len(m.wanted) == 0 {
		return nil
	}
	now := make(chan time.Time)
	close(now)
	return now
}

// collect does one thing that is to be done: it hands over an SMS, takes one
// that came, or reads a memory. Its error ends the session.
func (s *session) collect(ctx context.Context) error {
	m := s.mail
	m.paused = nil
	defer m.account()
	switch {
	case len(m.ready) > 0:
		return s.handOver(ctx)
	case len(m.pushed) > 0:
		p := m.pushed[0]
		m.pushed = m.pushed[1:]
		d, err := parseDelivery(p.length, p.pdu)
		if err != nil {
			m.spoilt(err)
			return s.receipt(ctx) // or it comes again and again
		}
		if err := s.discard(ctx, m.sets.expire()); err != nil {
			return err
		}
		l, freed := m.sets.add(&d, place{})
		if l == nil {
			if err := s.receipt(ctx); err != nil {
				return err
			}
		} else {
			l.confirm = s.confirm
			m.ready = append(m.ready, l)
		}
		return s.discard(ctx, freed)
	case len(m.wanted) > 0 && s.network.sim == simReady:
		memory := m.wanted[0]
		m.wanted = m.wanted[1:]
		return s.empty(ctx, memory)
	}
	m.wanted = nil // a SIM that gets ready has its memory read then
	return nil
}

// sweep reads the memory that the modem stores to and hands over all of it, as
// far as the sink takes it.
func (s *session) sweep(ctx context.Context) error {
	s.mail.want("")
	for s.mail.work() != nil && s.mail.paused == nil {
		if err := s.collect(ctx); err != nil {
			return err
		}
	}
	return nil
}

// handOver gives the sink the SMS whose turn it is. One that it cannot take
// stays where it is.
func (s *session) handOver(ctx context.Context) error {
	m := s.mail
	l := m.ready[0]
	limited, cancel := context.WithTimeout(ctx, keepLimit) // a store that hangs must not hold up the modem
	err := m.take(limited, l.in)
	cancel()
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.log.Warn().Err(err).Msg("a received SMS could not be kept; it stays with the modem")
		m.paused = time.After(takeAgain)
		return nil
	}
	m.ready = m.ready[1:]
	if l.confirm {
		if err := s.receipt(ctx); err != nil {
			return err
		}
	}
	return s.discard(ctx, l.places)
}

// receipt acknowledges an SMS that was pushed, where that is asked for. A modem
// that waited in vain has switched its indications off.
func (s *session) receipt(ctx context.Context) error {
	if !s.confirm {
		return nil
	}
	accepted, err := s.try(ctx, "AT+CNMA")
	if err == nil && !accepted {
		err = s.subscribe(ctx)
	}
	return err
}

// empty reads a memory. Whole SMS get ready for the sink, delivery reports are
// passed on, and what nobody can read is deleted, or the memory would fill up.
func (s *session) empty(ctx context.Context, memory string) error {
	// First, or the parts that are dropped would be read, and begin anew.
	if err := s.discard(ctx, s.mail.sets.expire()); err != nil {
		return err
	}
	here, err := s.choose(ctx, memory)
	if err != nil || here == "" {
		return err
	}
	if memory == reportsOwn {
		defer s.mail.want("") // and with it the usual memory again
	}
	lines, err := s.exchange(ctx, "AT+CMGL=4", slowLimit, func(token string) (string, bool) { return token, true })
	if err != nil {
		return tolerate(err)
	}
	var freed []place
	for i := 0; i+1 < len(lines); i++ {
		index, length, ok := parseListed(lines[i])
		line := lines[i+1]
		if !ok || !hexadecimal(line) {
			continue
		}
		at := place{here, index}
		if here == reportsOwn {
			s.passOn(length, line)
			freed = append(freed, at)
			continue
		}
		d, bad := parseDelivery(length, line)
		if bad != nil {
			if r, none := parseReport(length, line); none == nil {
				s.reported(r) // a modem that keeps its reports among the SMS
			} else if same, err := s.reads(ctx, index, line); err != nil {
				return err
			} else if !same {
				continue // the line was noisy: it is read again the next time
			} else {
				s.mail.spoilt(bad)
			}
			freed = append(freed, at)
			continue
		}
		l, old := s.mail.sets.add(&d, at)
		freed = append(freed, old...)
		if l != nil {
			s.mail.ready = append(s.mail.ready, l)
		}
	}
	if len(lines) == maxInfo && len(freed)+len(s.mail.ready) > 0 {
		s.mail.want(memory) // there was more, and there will be room in the answer
	}
	return s.discard(ctx, freed)
}

// reads tells whether a place of the memory, read once more, says the same.
func (s *session) reads(ctx context.Context, index int, pdu string) (bool, error) {
	lines, err := s.exchange(ctx, "AT+CMGR="+strconv.Itoa(index), slowLimit, func(token string) (string, bool) { return token, true })
	return slices.Contains(lines, pdu), tolerate(err)
}

// passOn passes a stored delivery report on.
func (s *session) passOn(length int, pdu string) {
	r, err := parseReport(length, pdu)
	if err != nil {
		s.log.Warn().Err(err).Msg("delivery report dropped")
		return
	}
	s.reported(r)
}

// choose makes a memory the one that commands speak of, and returns its name;
// "" of one that the modem does not have. The memory "" is the one that it
// stores to.
func (s *session) choose(ctx context.Context, memory string) (string, error) {
	answer, err := s.ask(ctx, "AT+CPMS?")
	if err != nil {
		return "", err
	}
	fields := strings.Split(answer, ",")
	field := func(i int) string {
		if i >= len(fields) {
			return ""
		}
		return strings.Trim(fields[i], ` "`)
	}
	current := field(0)
	if memory == "" {
		memory = field(6)
	}
	if !slices.Contains(memories, memory) {
		memory = current
	}
	if !slices.Contains(memories, memory) {
		return "", nil
	}
	if memory == current {
		return memory, nil
	}
	if accepted, err := s.try(ctx, `AT+CPMS="`+memory+`"`); err != nil || !accepted {
		return "", err
	}
	return memory, nil
}

// discard deletes what stands at these places.
func (s *session) discard(ctx context.Context, places []place) error {
	current := ""
	for _, p := range places {
		if p.memory != current {
			here, err := s.choose(ctx, p.memory)
			if err != nil {
				return err
			}
			if current = here; here != p.memory {
				continue // it has gone, with what stood in it
			}
		}
		if _, err := s.command(ctx, "AT+CMGD="+strconv.Itoa(p.index), slowLimit); tolerate(err) != nil {
			return err
		}
	}
	return nil
}

// parseListed reads "+CMGL: <index>,<stat>,[<alpha>],<length>" of a received
// message; ok is false for one that was written here.
func parseListed(line string) (index, length int, ok bool) {
	rest, found := strings.CutPrefix(line, "+CMGL:")
	fields := strings.Split(rest, ",")
	if !found || len(fields) < 3 {
		return 0, 0, false
	}
	at, bad1 := strconv.ParseUint(strings.TrimSpace(fields[0]), 10, 16)
	stat, bad2 := strconv.ParseUint(strings.TrimSpace(fields[1]), 10, 8)
	octets, bad3 := strconv.ParseUint(strings.TrimSpace(fields[len(fields)-1]), 10, 8)
	return int(at), int(octets), bad1 == nil && bad2 == nil && bad3 == nil && stat < 2
}

// parseLength reads the length that ends "+CMT: [<alpha>],<length>" and "+CDS:
// <length>"; -1 is none.
func parseLength(rest string) int {
	length, err := strconv.Atoi(strings.TrimSpace(rest[strings.LastIndexByte(rest, ',')+1:]))
	if err != nil || length < 1 {
		return -1
	}
	return length
}

// spoilt counts an SMS that cannot be read. Why is told; what it says is not.
func (m *mailbox) spoilt(err error) {
	m.log.Warn().Str("why", fmt.Sprintf("%.80s", err)).Msg("a received SMS cannot be read and was dropped")
	m.dropped("unreadable")
}

// account counts the long SMS that were given up.
func (m *mailbox) account() {
	for ; m.sets.lost > 0; m.sets.lost-- {
		m.log.Warn().Msg("parts of a long SMS were dropped: the others have not come")
		m.dropped("incomplete")
	}
}
