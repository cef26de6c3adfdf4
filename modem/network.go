package modem

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/pinferry/pinferry/otp"
)

// The states of a SIM, in the words of CPIN and two of our own. What else CPIN
// may say asks for a PIN of some kind.
const (
	simReady    = "READY"
	simUnready  = "NOT READY"
	simAbsent   = "NOT INSERTED"
	simDefect   = "SIM FAILURE"
	simWantsPIN = "SIM PIN"
	simWantsPUK = "SIM PUK"
)

// network is what a modem knows of its SIM and its network.
type network struct {
	sim      string // its state; "" is unknown
	circuit  int    // CREG
	packet   int    // CGREG
	evolved  int    // CEREG
	operator string
	dBm      int // 0 is unknown
}

// register takes what stands behind "+CREG:" or one of its kin, be it an
// answer ("2,1,...") or an indication ("1,...").
func (n *network) register(name, rest string) {
	fields := strings.Split(rest, ",")
	state, err := strconv.Atoi(strings.TrimSpace(fields[0]))
	if err != nil {
		return
	}
	if len(fields) > 1 {
		if answered, err := strconv.Atoi(strings.TrimSpace(fields[1])); err == nil {
			state = answered // in an indication the second field is a quoted cell, or none
		}
	}
	switch name {
	case "+CREG":
		n.circuit = state
	case "+CGREG":
		n.packet = state
	case "+CEREG":
		n.evolved = state
	}
}

// The states of registration of 3GPP 27.007 in which SMS can be sent, in the
// order in which they are preferred.
var registrations = []struct {
	state   int
	name    string
	roaming bool
}{
	{1, "home", false}, {9, "home", false}, {6, "sms_only", false},
	{5, "roaming", true}, {10, "roaming", true}, {7, "sms_only_roaming", true},
}

// registered returns the best registration of the three and whether it may be
// used.
func (n *network) registered(roaming bool) (name string, usable bool) {
	has := func(state int) bool { return n.circuit == state || n.packet == state || n.evolved == state }
	for _, r := range registrations {
		if has(r.state) {
			return r.name, roaming || !r.roaming
		}
	}
	switch {
	case has(2):
		return "searching", false
	case has(3):
		return "denied", false
	}
	return "none", false
}

// obstacle returns why this modem cannot send, or no reason if it can. soon:
// it may pass by itself.
func (n *network) obstacle(roaming bool) (reason, detail string, soon bool) {
	switch n.sim {
	case simReady:
	case "", simUnready, simAbsent, simDefect:
		soon := n.sim == "" || n.sim == simUnready // a modem that just came up is still reading it
		return "no_sim", "The modem has no working SIM. Insert one, or clean its contacts.", soon
	default:
		return "sim_pin", "The SIM wants " + n.sim + ". Unlock it in a phone and switch its PIN off.", false
	}
	switch name, usable := n.registered(roaming); {
	case usable:
		return "", "", false
	case name == "searching":
		return "no_network", "The modem looks for a network. Check its antenna and place.", true
	case name == "denied":
		return "no_network", "The network refuses this SIM. Ask its operator.", false
	case name == "none":
		return "no_network", "The modem is registered in no network. Check the antenna and the SIM.", false
	default:
		return "no_network", "The modem is abroad, and roaming is not allowed. Set roaming = true to send all the same.", false
	}
}

// show copies what an operator may see.
func (n *network) show(status *otp.RouteStatus, roaming bool) {
	status.Registration, _ = n.registered(roaming)
	status.Operator, status.SignalDBm = n.operator, n.dBm
}

// polls are the questions of one look at the modem, in order. Between two of
// them a message may go first.
var polls = []func(*session, context.Context) error{
	(*session).pollAlive, (*session).pollSIM, (*session).pollCircuit, (*session).pollPacket,
	(*session).pollEvolved, (*session).pollSignal, (*session).pollOperator,
}

// pollAlive is the watchdog.
func (s *session) pollAlive(ctx context.Context) error {
	_, err := s.command(ctx, "AT", aliveLimit)
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
	if s.network.sim != simReady || before == simReady && !s.stale {
		return nil
	}
	return s.prepare(ctx)
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

// pollSignal reads the field strength.
func (s *session) pollSignal(ctx context.Context) error {
	answer, err := s.ask(ctx, "AT+CSQ")
	level, _, _ := strings.Cut(answer, ",")
	s.network.dBm = 0
	if n, bad := strconv.Atoi(level); bad == nil && n >= 0 && n <= 31 {
		s.network.dBm = 2*n - 113
	}
	return err
}

// maxOperator bounds an operator's name.
const maxOperator = 32

// pollOperator reads the operator's name.
func (s *session) pollOperator(ctx context.Context) error {
	info, err := s.command(ctx, "AT+COPS?", slowLimit)
	s.network.operator = ""
	if len(info) > 0 {
		if fields := strings.Split(info[len(info)-1], ","); len(fields) > 2 {
			name := strings.Trim(fields[2], `"`)
			s.network.operator = name[:min(len(name), maxOperator)]
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
