package modem

import (
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
	access   string // the technology of the radio; "" is unknown
	dBm      int    // 0 is unknown

	lock  string // why a locked SIM stays locked
	tries int    // that its PIN has left; 0 is unknown
	smsc  string // its service centre; "" is unknown

	stored, room int // messages in the memory, and how many it holds; a room of 0 is unknown
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

// simless tells whether there is no SIM that could be read. One that is locked
// is there, and nothing but its PIN opens it.
func (n *network) simless() bool {
	return n.sim == "" || n.sim == simUnready || n.sim == simAbsent || n.sim == simDefect
}

// obstacle returns why this modem cannot send, or no reason if it can. soon:
// it may pass by itself.
func (n *network) obstacle(roaming bool) (reason, detail string, soon bool) {
	switch n.sim {
	case simReady:
	case "", simUnready, simAbsent, simDefect:
		soon := n.sim == "" || n.sim == simUnready // a modem that just came up is still reading it
		return "no_sim", "The modem has no working SIM. Insert one, or clean its contacts.", soon
	case simWantsPIN:
		lock := n.lock
		if lock == "" {
			lock = lockNoPIN
		}
		return "sim_pin", lock, n.lock == lockPersists // it takes a moment to become ready
	case simWantsPUK:
		return "sim_puk", lockPUK, false
	default:
		return "sim_pin", lockOther, false
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
	status.Operator, status.Technology, status.SignalDBm = n.operator, n.access, n.dBm
	status.SMSC, status.PINTries = n.smsc, n.tries
	status.Stored, status.StoreSize = n.stored, n.room
}
