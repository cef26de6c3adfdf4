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
// frees nothing, the oldest received message goes too: the box would rather
// lose one than be mute (F15).
func (s *session) clear(ctx context.Context) error {
	if err := s.sweep(ctx); err != nil {
		return err
	}
	if err := s.weigh(ctx); err != nil || !s.network.full() {
		return err
	}
	listed, err := s.command(ctx, "AT+CMGL=4", slowLimit)
	if err != nil {
		return tolerate(err)
	}
	index, received, found := expendable(listed)
	if !found {
		return nil
	}
	if received {
		s.log.Warn().Msg("a received SMS was deleted: the memory was full")
	}
	_, err = s.command(ctx, "AT+CMGD="+strconv.FormatUint(index, 10), slowLimit)
	return tolerate(err)
}

// expendable returns the first message of a list that was not received, else
// the first of all, by its place in the memory. A line is <index>,<stat>,...
func expendable(listed []string) (index uint64, received, found bool) {
	for _, line := range listed {
		fields := strings.SplitN(line, ",", 3)
		place, err := strconv.ParseUint(strings.TrimSpace(fields[0]), 10, 16)
		if err != nil || len(fields) < 2 {
			continue // not a line of the list
		}
		own := fields[1] == "2" || fields[1] == "3"
		if own || !found {
			index, received, found = place, !own, true
		}
		if own {
			break
		}
	}
	return index, received, found
}
