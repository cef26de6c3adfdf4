package modem

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// poll is one question to the modem.
type poll func(*session, context.Context) error

// polls are the questions of one look at the modem, in order; chores are those
// that may wait for minutes. Between two of them a message may go first.
var (
	polls = []poll{
		(*session).pollAlive, (*session).pollSIM, (*session).pollCircuit, (*session).pollPacket,
		(*session).pollEvolved, (*session).pollSignal, (*session).pollOperator,
	}
	chores = []poll{(*session).pollCentre, (*session).pollStorage, (*session).pollTime}
)

// pollAlive is the watchdog.
func (s *session) pollAlive(ctx context.Context) error {
	_, err := s.command(ctx, "AT", aliveLimit)
	if errors.Is(err, errSilent) {
		return s.rouse(ctx)
	}
	return tolerate(err)
}

// pollSIM reads the state of the SIM, and makes the settings that a SIM just
// ready, or a modem that came up anew, has lost.
func (s *session) pollSIM(ctx context.Context) error {
	before := s.network.sim
	info, err := s.command(ctx, "AT+CPIN?", commandLimit)
	var r *refusal
	switch {
	case err == nil && len(info) > 0:
		s.network.sim = simState(info[len(info)-1])
	case err == nil:
		s.network.sim = ""
	case !errors.As(err, &r):
		return err
	case r.domain == plain || r.code == 10:
		s.network.sim = simAbsent
	case r.code == 11:
		s.network.sim = simWantsPIN
	case r.code == 12:
		s.network.sim = simWantsPUK
	case r.code == 13, r.code == 15:
		s.network.sim = simDefect
	default:
		// Busy: it stays what it was.
	}
	if s.network.sim == simReady && before == simReady && !s.stale {
		return nil
	}
	if before == simReady && s.network.sim != simReady {
		s.mail.enter() // another SIM may come, and what is known to be stored is not in that one
	}
	if s.network.sim != before || s.network.sim == simReady {
		if err := s.introduce(ctx); err != nil {
			return err
		}
	}
	switch s.network.sim {
	case simWantsPIN:
		if before == simWantsPIN && s.unlocking.lasts() {
			return nil // as it was a moment ago
		}
		s.unlocking.begin(unlockEvery)
		return s.unlock(ctx)
	case simReady:
		s.entered, s.network.lock = false, ""
		return s.prepare(ctx)
	}
	return nil
}

// simState returns a word of CPIN that may be shown. The line is the modem's,
// and so is not shown as it came.
func simState(answer string) string {
	words := []string{simReady, simWantsPIN, simWantsPUK, "SIM PIN2", "SIM PUK2", "PH-SIM PIN", simAbsent}
	if slices.Contains(words, answer) {
		return answer
	}
	return simUnready
}

func (s *session) pollCircuit(ctx context.Context) error { return s.pollRegistration(ctx, "+CREG") }
func (s *session) pollPacket(ctx context.Context) error  { return s.pollRegistration(ctx, "+CGREG") }
func (s *session) pollEvolved(ctx context.Context) error { return s.pollRegistration(ctx, "+CEREG") }

func (s *session) pollRegistration(ctx context.Context, name string) error {
	answer, err := s.ask(ctx, "AT"+name+"?")
	if answer == "" {
		answer = "0" // a modem that does not know this network is not in it
	}
	s.network.register(name, answer)
	return err
}

// pollSignal reads the field strength, by AT+CSQ or, where that does not know
// the network's kind, by AT+CESQ.
func (s *session) pollSignal(ctx context.Context) error {
	answer, err := s.ask(ctx, "AT+CSQ")
	if err != nil {
		return err
	}
	level, _, _ := strings.Cut(answer, ",")
	s.network.dBm = 0
	if n, bad := strconv.Atoi(level); bad == nil && n >= 0 && n <= 31 {
		s.network.dBm = 2*n - 113
		return nil
	}
	if answer, err = s.ask(ctx, "AT+CESQ"); err != nil {
		return err
	}
	s.network.dBm = extended(answer)
	return nil
}

// extended reads an answer to AT+CESQ (3GPP 27.007, 8.69): rxlev, ber, rscp,
// ecno, rsrq, rsrp. The newest kind of network that is heard counts.
func extended(answer string) int {
	fields := strings.Split(answer, ",")
	for _, f := range []struct{ at, most, base int }{{5, 97, -141}, {2, 96, -121}, {0, 63, -111}} {
		if f.at >= len(fields) {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSpace(fields[f.at])); err == nil && n >= 0 && n <= f.most {
			return n + f.base
		}
	}
	return 0
}

// maxOperator bounds an operator's name.
const maxOperator = 32

// technologies are the access technologies of AT+COPS? (3GPP 27.007, 7.3).
var technologies = map[string]string{
	"0": "2g", "1": "2g", "3": "2g", "8": "2g", "2": "3g", "4": "3g", "5": "3g", "6": "3g",
	"7": "4g", "9": "4g", "10": "4g", "12": "4g", "11": "5g", "13": "5g",
}

// pollOperator reads the operator's name and the technology.
func (s *session) pollOperator(ctx context.Context) error {
	info, err := s.command(ctx, "AT+COPS?", slowLimit)
	s.network.operator, s.network.access = "", ""
	if len(info) > 0 {
		fields := strings.Split(info[len(info)-1], ",")
		if len(fields) > 2 {
			name := strings.Trim(fields[2], `"`)
			s.network.operator = name[:min(len(name), maxOperator)]
		}
		if len(fields) > 3 {
			s.network.access = technologies[strings.TrimSpace(fields[3])]
		}
	}
	return tolerate(err)
}

// cycle switches the radio off and on: some modems look for a SIM only then.
func (s *session) cycle(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // a stop in between must not leave the radio off
	for _, text := range []string{"AT+CFUN=0", "AT+CFUN=1"} {
		if _, err := s.command(ctx, text, slowLimit); tolerate(err) != nil {
			return err
		}
	}
	s.stale = true
	return nil
}
