package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pinferry/pinferry/server/admin"
)

// modemRoute is what `modem status` reads of a route.
type modemRoute struct {
	Name, Kind, State, Reason, Detail, Device, Operator, Registration, Technology, IMEI, ICCID, SMSC, Balance string

	Signal     *int `json:"signal_dbm"`
	PINTries   int  `json:"pin_tries"`
	Stored     int
	StoreSize  int  `json:"store_size"`
	BalanceLow bool `json:"balance_low"`
}

// words are what a person wants to know of a modem, a line each.
func (r *modemRoute) words() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", r.Name, strings.TrimSpace(r.State+" "+r.Reason))
	say := func(about, what string) {
		if what != "" {
			fmt.Fprintf(&b, "  %-9s %s\n", about, what)
		}
	}
	number := func(format string, n int) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprintf(format, n)
	}
	join := func(parts ...string) string {
		return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
	}
	say("", r.Detail)
	say("device", join(r.Device, r.IMEI))
	say("SIM", join(r.ICCID, number("PIN tries left: %d", r.PINTries)))
	say("network", join(r.Operator, r.Registration, r.Technology))
	if r.Signal != nil {
		say("signal", fmt.Sprintf("%d dBm", *r.Signal))
	}
	say("SMSC", r.SMSC)
	if r.StoreSize > 0 {
		say("memory", fmt.Sprintf("%d of %d", r.Stored, r.StoreSize))
	}
	low := ""
	if r.BalanceLow {
		low = "low: top it up"
	}
	say("balance", join(r.Balance, low))
	return strings.TrimSuffix(b.String(), "\n")
}

// ModemList shows the modems of the box that runs, or else what survey finds
// plugged in, as JSON or in the words of each. A box that runs is not surveyed:
// two who ask a modem find each other busy.
func ModemList[Sighting fmt.Stringer](in *Invocation, survey func(context.Context) ([]Sighting, error)) error {
	if err := ModemStatus(in); !errors.Is(err, admin.ErrNotRunning) {
		return err
	}
	all, err := survey(context.Background())
	if err != nil {
		return err
	}
	var words []string
	for _, one := range all {
		words = append(words, one.String())
	}
	if len(words) == 0 {
		words = []string{"No modem is plugged in by USB. One on the pins of a board is named by its path, such as device = \"/dev/ttyAMA0\"."}
	}
	return in.Show(all, strings.Join(words, "\n"))
}

// ModemStatus shows every modem of the running box, its SIM and its network.
func ModemStatus(in *Invocation) error {
	in.WithJSON()
	in.WithSocket()
	if err := in.Parse(); err != nil {
		return err
	}
	var answer struct{ Routes []json.RawMessage }
	if err := in.Call("GET", "/v1/routes", nil, &answer); err != nil {
		return err
	}
	modems := []json.RawMessage{}
	var words []string
	for _, one := range answer.Routes {
		var r modemRoute
		if err := json.Unmarshal(one, &r); err != nil {
			return fmt.Errorf("read the daemon's answer: %w", err)
		}
		if r.Kind == "modem" || r.Kind == "simulator" {
			modems, words = append(modems, one), append(words, r.words())
		}
	}
	if len(words) == 0 {
		words = []string{"this box has no modem"}
	}
	return in.Show(modems, strings.Join(words, "\n"))
}

// ModemAt asks a modem a question that changes nothing.
func ModemAt(in *Invocation) error { return orderModem(in, "at") }

// ModemUSSD dials a code and shows what the network answers.
func ModemUSSD(in *Invocation) error { return orderModem(in, "ussd") }

// ModemPIN enters the PIN once more that the SIM has refused.
func ModemPIN(in *Invocation) error { return orderModem(in, "pin") }

// ModemReset starts a modem anew.
func ModemReset(in *Invocation) error { return orderModem(in, "reset") }

// orderModem has the daemon do something with one of its modems.
func orderModem(in *Invocation, do string) error {
	in.WithJSON()
	in.WithSocket()
	if err := in.Parse(); err != nil {
		return err
	}
	order := admin.ModemOrder{Route: in.Operands[0], Do: do}
	if len(in.Operands) > 1 {
		order.Argument = in.Operands[1]
	}
	var answer struct {
		Lines []string `json:"lines"`
	}
	if err := in.Call("POST", "/admin/modem", order, &answer); err != nil {
		return err
	}
	words := strings.Join(answer.Lines, "\n")
	if words == "" {
		words = "done; `pinferry modem status` shows how it stands"
	}
	return in.Show(answer, words)
}
