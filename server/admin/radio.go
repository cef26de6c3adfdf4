package admin

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// The figures of a modem's checks.
const (
	deafSignal  = -113 // dBm at which the scale of AT+CSQ begins: nothing is heard
	faintSignal = -107 // dBm below which messages begin to fail
	fewTries    = 3    // a SIM starts with as many for its PIN
	nearlyFull  = 80   // percent of a memory
)

// parts are the parts of a modem in the order in which one needs the other.
var parts = []string{"port", "modem", "sim", "network", "sending", "credit"}

// modemChecks looks at a modem from its port to its credit, as far as the
// obstacle there is lets it see.
func modemChecks(r *otp.RouteReport, m Machine) (all []Check) {
	reached := len(parts)
	var found Check
	if r.State != otp.RouteReady {
		found = obstructed(r.Name, r.Reason, r.Detail, r.State == otp.RouteComing, m)
		if reached = slices.Index(parts, obstacles[r.Reason].part); reached < 0 {
			return []Check{found}
		}
	}
	add := func(part string, level Level, text, fix string) {
		all = append(all, Check{r.Name + " " + part, level, text, fix})
	}
	if r.Kind == "simulator" {
		add("simulated", Amber, "This modem is pretended, and nobody gets its messages.", "Configure a real modem before people need their codes.")
	}
	passed := func(part string) bool { return slices.Index(parts, part) < reached }
	if passed("port") {
		add("port", Green, cmp.Or(r.Device, "The port")+" is open.", "")
	}
	if passed("modem") {
		add("modem", Green, "It answers"+ending(" (IMEI ", r.IMEI)+".", "")
	}
	if passed("sim") {
		add("sim", Green, "The SIM is ready"+ending(" (ICCID ", r.ICCID)+".", "")
	}
	if passed("sim") || r.Reason == "sim_pin" {
		all = append(all, pinChecks(r)...)
	}
	if passed("sim") {
		all = append(all, airChecks(r)...)
		all = append(all, memoryChecks(r)...)
	}
	if passed("credit") {
		add("sending", Green, "It is ready; "+carried(r), "")
		return all
	}
	if r.Reason == "no_network" && lost(r) && hears(r) {
		found.Fix = "It hears a network, so ask the operator whether the SIM is active and paid for."
	}
	return append(all, found)
}

// lost tells whether the modem has found no network, in contrast to one that
// it may not use.
func lost(r *otp.RouteReport) bool { return r.Registration == "none" || r.Registration == "searching" }

// hears tells whether the modem receives anything. Most do not tell a signal
// that they do not have.
func hears(r *otp.RouteReport) bool { return r.SignalDBm != 0 && r.SignalDBm > deafSignal }

// pinChecks counts the tries of the PIN, where the modem tells them.
func pinChecks(r *otp.RouteReport) []Check {
	name := r.Name + " pin"
	switch n := r.PINTries; {
	case n == 0:
		return nil
	case n < fewTries:
		return []Check{{name, Amber, "The PIN of the SIM has " + count(n, "try", "tries") + " left.",
			"Put the SIM into a phone and enter the right PIN, or switch the PIN off there."}}
	}
	return []Check{{Name: name, Level: Green, Text: "The PIN of the SIM has all its tries left."}}
}

// airChecks looks at what is between the SIM and its operator.
func airChecks(r *otp.RouteReport) (all []Check) {
	signal, registered := r.Name+" signal", r.Reason != "no_network"
	switch dBm := r.SignalDBm; {
	case !registered && lost(r) && !hears(r):
		all = append(all, Check{signal, Red, "The modem hears no network: there is no signal.",
			"Screw the antenna tight, move the box towards a window, and ask the operator whether it covers this place."})
	case dBm == 0:
		all = append(all, Check{Name: signal, Level: Green, Text: "The modem does not tell its signal."})
	case dBm < faintSignal:
		all = append(all, Check{signal, Amber, fmt.Sprintf("The signal is faint: %d dBm.", dBm), "Use a better antenna, or move the box towards a window."})
	default:
		all = append(all, Check{Name: signal, Level: Green, Text: fmt.Sprintf("The signal is %d dBm.", dBm)})
	}
	if registered {
		text := "It is registered (" + cmp.Or(r.Registration, "somehow") + ")"
		if r.Operator != "" {
			text += fmt.Sprintf(" with %q", r.Operator) // the modem's words: they may hold anything
		}
		if r.Technology != "" {
			text += " over " + r.Technology
		}
		all = append(all, Check{Name: r.Name + " network", Level: Green, Text: text + "."})
	}
	if r.SMSC == "" {
		return append(all, Check{r.Name + " smsc", Amber, "The SIM knows no service centre.", `Ask its operator for the number, and write smsc = "+..." into the modem's section.`})
	}
	return append(all, Check{Name: r.Name + " smsc", Level: Green, Text: "The SIM knows its service centre."})
}

// memoryChecks looks at the memory for messages and at the credit.
func memoryChecks(r *otp.RouteReport) (all []Check) {
	if name := r.Name + " storage"; r.StoreSize > 0 {
		c := Check{Name: name, Level: Green, Text: fmt.Sprintf("%d of %d messages are stored.", r.Stored, r.StoreSize)}
		if r.Stored*100 >= r.StoreSize*nearlyFull {
			c.Level, c.Fix = Amber, "The box empties it by itself; if it stays so, put the SIM into a phone and delete its messages."
		}
		all = append(all, c)
	}
	if name := r.Name + " balance"; r.Balance != "" {
		c := Check{Name: name, Level: Green, Text: fmt.Sprintf("The credit is %s.", r.Balance)}
		if r.BalanceAt != 0 {
			c.Text = fmt.Sprintf("The credit was %s at %s.", r.Balance, r.BalanceAt.Std().Format(time.RFC3339))
		}
		if r.BalanceLow {
			c.Level, c.Fix = Amber, "Top up the SIM before it is used up."
		}
		all = append(all, c)
	}
	return all
}

// ending writes the last digits of a number behind what it is, nothing if it
// is unknown: what the doctor prints is shown to others.
func ending(before, number string) string {
	if len(number) <= 4 {
		return ""
	}
	return before + "..." + number[len(number)-4:] + ")"
}
