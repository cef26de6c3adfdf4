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
	maxPushed = 32               // SMS that came by themselves and wait for the owner
	takeAgain = 10 * time.Second // after the sink could not take an SMS
	keepLimit = 5 * time.Second  // for the sink to take one
)

// pushed is an SMS that came as +CMT.
type pushed struct {
	length int
	pdu    string
}

// mailbox takes over what a modem has received. An SMS is acknowledged or
// deleted only after the sink has it; the parts of a long one, too, unless the
// network hands over the next part only after the last was acknowledged: then
// they are in the hold before that. Only the gateway's owner may use it.
type mailbox struct {
	take    func(context.Context, otp.Incoming) error
	dropped func(why string) // hears of each SMS that was given up
	log     zerolog.Logger

	hold   *hold
	sets   sets
	ready  []*letter // whole, for the sink
	pushed []pushed
	wanted []string         // memories to be read; "" is the one that the modem stores to
	paused <-chan time.Time // closed when the sink is asked again; nil: it is not left alone
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

// spare gives up the places of one SMS, or part of one, that was read and is
// stored still, and returns them. From then on nobody has it but the box.
func (m *mailbox) spare() []place {
	for _, l := range m.ready {
		if freed := l.places; len(freed) > 0 {
			l.places, l.apart = nil, l.parts
			return freed
		}
	}
	for _, one := range m.sets.all {
		for n, at := range one.places {
			if at != (place{}) {
				one.places[n] = place{}
				return []place{at}
			}
		}
	}
	return nil
}

// work returns a channel that can be read when collect has something to do.
func (m *mailbox) work() <-chan time.Time {
	if m.paused != nil && len(m.pushed) == 0 {
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
	select {
	case <-m.paused:
		m.paused = nil
	default:
	}
	defer m.account()
	switch {
	case len(m.ready) > 0 && m.paused == nil:
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
		if l != nil {
			l.confirm = s.confirm
			m.ready = append(m.ready, l)
		}
		if l != nil && m.paused == nil {
			return s.discard(ctx, freed) // it is handed over next
		}
		if s.secured(ctx) && l == nil {
			if err := s.receipt(ctx); err != nil {
				return err
			}
		}
		return s.discard(ctx, freed)
	case m.paused != nil:
		return nil
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
		s.secured(ctx) // or in the hold, if it was pushed
		again := make(chan time.Time)
		time.AfterFunc(takeAgain, func() { close(again) })
		m.paused = again
		return nil
	}
	m.ready = m.ready[1:]
	s.secured(ctx)
	if l.confirm {
		if err := s.receipt(ctx); err != nil {
			return err
		}
	}
	return s.discard(ctx, l.places)
}

// secured brings the hold up to date, and tells whether it is.
func (s *session) secured(ctx context.Context) bool {
	err := s.mail.secure(ctx)
	if err != nil && ctx.Err() == nil {
		s.log.Warn().Err(err).Msg("what was received in parts is lost if the box stops now, or handed over again")
	}
	return err == nil
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
