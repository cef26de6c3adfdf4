package modem

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// reportsOwn is the memory of delivery reports.
const reportsOwn = "SR"

// memories are those that received SMS and reports stand in (3GPP 27.005,
// 3.2.2, and the two of the SIM800 that prefer SIM or modem). No other word of
// an indication goes back to the modem.
var memories = []string{"SM", "ME", "MT", "SM_P", "ME_P", reportsOwn}

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
