package modem

import (
	"context"
	"strconv"
	"strings"
)

// pollStorage reads how full the memory for messages is, and takes over what it
// holds: a full memory takes no message, and on some modems sends none either.
func (s *session) pollStorage(ctx context.Context) error {
	if s.network.sim != simReady {
		return nil
	}
	// An indication may have had another memory read, which is the one that
	// commands speak of since.
	if _, err := s.choose(ctx, ""); err != nil {
		return err
	}
	if err := s.weigh(ctx); err != nil || s.network.stored == 0 {
		return err
	}
	if err := s.sweep(ctx); err != nil {
		return err
	}
	return s.weigh(ctx)
}

// weigh reads how many messages the first memory holds, and of how many. What
// the modem does not tell is unknown.
func (s *session) weigh(ctx context.Context) error {
	answer, err := s.ask(ctx, "AT+CPMS?")
	s.network.stored, s.network.room = 0, 0
	if fields := strings.Split(answer, ","); len(fields) > 2 {
		stored, bad := strconv.ParseUint(strings.TrimSpace(fields[1]), 10, 16)
		room, bad2 := strconv.ParseUint(strings.TrimSpace(fields[2]), 10, 16)
		if bad == nil && bad2 == nil {
			s.network.stored, s.network.room = int(stored), int(room)
		}
	}
	return err
}

// full tells whether the memory has no place left, as far as is known.
func (n *network) full() bool { return n.room > 0 && n.stored >= n.room }

// clear makes room in a full memory, in which a modem refuses to send. What
// the box has taken over goes first, then what was sent or drafted. If that
// frees nothing, the sink is at fault, and an SMS that was read and waits for it
// is from then on held by the box alone: if the hold is at fault too, a crash
// would lose it, but a mute box loses more (F15).
func (s *session) clear(ctx context.Context) error {
	if err := s.sweep(ctx); err != nil {
		return err
	}
	if err := s.weigh(ctx); err != nil || !s.network.full() {
		return err
	}
	here, err := s.choose(ctx, "")
	if err != nil {
		return err
	}
	listed, err := s.command(ctx, "AT+CMGL=4", slowLimit)
	if err != nil {
		return tolerate(err)
	}
	index, received, found := expendable(listed)
	freed := []place{{here, index}}
	switch {
	case !found:
		return nil
	case received:
		if spared := s.mail.spare(); len(spared) > 0 {
			held := s.secured(ctx)
			s.log.Warn().Int("waiting", len(s.mail.ready)).Bool("held", held).Msg("the memory is full: a received SMS was deleted there that the box could not keep yet; unless it is held, it is lost if the box stops")
			freed = spared
			break
		}
		s.log.Error().Msg("the memory is full: a received SMS was deleted unread, or nothing could be sent")
		s.mail.dropped("full")
	}
	return s.discard(ctx, freed)
}

// expendable returns the first message of a list that was not received, else
// the first of all, by its place in the memory. A line is <index>,<stat>,...
func expendable(listed []string) (index int, received, found bool) {
	for _, line := range listed {
		fields := strings.Split(line, ",")
		if len(fields) < 2 {
			continue // not a line of the list
		}
		place, bad := strconv.ParseUint(strings.TrimSpace(fields[0]), 10, 16)
		stat, bad2 := strconv.ParseUint(strings.TrimSpace(fields[1]), 10, 8)
		if bad != nil || bad2 != nil {
			continue
		}
		own := stat == 2 || stat == 3
		if own || !found {
			index, received, found = int(place), !own, true
		}
		if own {
			break
		}
	}
	return index, received, found
}
