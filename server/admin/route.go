package admin

import (
	"fmt"
	"strings"

	"github.com/pinferry/pinferry/otp"
)

// obstacle is what keeps a route from sending, as the doctor shows it. The
// route's own detail has the particulars: a sentence that tells what is wrong,
// and what to do after it.
type obstacle struct {
	part string // what of the route is concerned
	// text and fix stand in for what the detail leaves out; a bold fix stands in
	// its place.
	text, fix string
	bold      bool
	// quoted: behind its first sentence the detail holds what the provider said.
	quoted bool
	level  Level // "" is [Red]
}

// obstacles are the reasons of [otp.RouteStatus] and those that the outbox
// finds. A reason that is not listed is shown with what the route says of it.
var obstacles = map[string]obstacle{
	"absent":       {part: "port", text: "The stick is not plugged in.", fix: "Plug it in, or into another socket."},
	"busy":         {part: "port", text: "Another process has the port.", fix: "Stop that process."},
	"permission":   {part: "port", text: "The port may not be opened.", fix: "Install the udev rules that come with pinferry, and plug the stick in again."},
	"storage_mode": {part: "port", text: "The stick shows itself as a disk, not as a modem.", fix: "Install usb-modeswitch, and plug the stick in again."},

	"starting":  {part: "modem", text: "The modem is being opened.", fix: "Ask again in a few seconds."},
	"no_answer": {part: "modem", text: "The port is open, and no modem answers.", fix: "Unplug the stick for ten seconds."},
	"hung":      {part: "modem", text: "The modem hangs.", fix: "Unplug the stick for ten seconds."},
	"stopped":   {part: "modem", text: "The gateway of this modem has stopped.", fix: "Restart the box; its log tells why."},

	"no_sim":      {part: "sim", text: "The modem has no working SIM.", fix: "Insert one, or clean its contacts."},
	"sim_pin":     {part: "sim", text: "The SIM wants its PIN.", fix: "Write it into a file and name that as pin_file."},
	"sim_puk":     {part: "sim", text: "The SIM is blocked and wants its PUK.", fix: "Put it into a phone and enter the PUK from its letter."},
	"no_network":  {part: "network", text: "The modem is registered in no network.", fix: "Check the antenna and the SIM."},
	"sim_refused": {part: "sending", text: "The network takes no message from this SIM.", fix: "Check its credit and contract with its operator."},

	"credit": {part: "credit", text: "The credit of the SIM is probably used up: one number after the other was refused.", bold: true,
		fix: "Top up the SIM, or see what its subscription allows; it is tried again every 10 minutes."},
	"failing":   {part: "sending", fix: "Look at the log for why each attempt failed: `journalctl -u pinferry -n 50`.", bold: true},
	"daily_cap": {part: "sending", fix: "Raise daily_cap, or wait.", level: Amber},

	"unauthorized": {part: "relay", text: "The provider refuses the relay's credentials, rights or credit", quoted: true, bold: true,
		fix: "Compare the credentials in the relay's files with the provider's console, then restart; look at the credit there."},
	"no_name":     {part: "relay", text: "The name of its server does not resolve.", fix: "Compare it with url in the relay's section, and see that the box has a name server."},
	"not_allowed": {part: "relay", text: "Its server has no public address.", fix: "List it in the relay's allow if it is meant."},
	"unreachable": {part: "relay", text: "Its server cannot be reached.", fix: "See that the box has a network, and that no firewall is in between."},
	"certificate": {part: "relay", text: "The certificate of its server is not good.", fix: "Ask whoever runs that server; if it is your own, name its authority in ca_file."},
	"wrong_clock": {part: "relay", text: "The certificate of its server is not good by the clock of this machine.", fix: "Run `sudo timedatectl set-ntp true`."},
	"no_tls":      {part: "relay", text: "What answers speaks no TLS.", fix: "Compare the port with url in the relay's section."},
	"no_mail":     {part: "relay", text: "What answers takes no mail.", fix: "Compare the port with url in the relay's section."},

	"throttled": {part: "relay", text: "The provider asks for a pause.", fix: "Wait; if it comes often, ask the provider for a higher rate.", level: Amber},
}

// check shows what keeps a route from sending. coming: it may pass by itself
// within seconds.
func (o obstacle) check(route, detail string, coming bool) Check {
	said, advice, _ := strings.Cut(detail, ". ")
	if said != "" && !strings.HasSuffix(said, ".") {
		said += "."
	}
	c := Check{Name: route + " " + o.part, Level: Red, Text: said, Fix: advice}
	switch {
	case o.quoted && advice != "":
		c.Text = o.text + " (" + strings.TrimSuffix(advice, ".") + ")."
	case o.text != "" && (said == "" || o.bold):
		c.Text = strings.TrimSuffix(o.text, ".") + "."
	}
	if c.Fix == "" || o.bold {
		c.Fix = o.fix
	}
	switch {
	case o.level != "":
		c.Level = o.level
	case coming:
		c.Level = Amber
	}
	return c
}

// obstructed shows why a route is not ready.
func obstructed(route, reason, detail string, coming bool, m Machine) Check {
	o, ok := obstacles[reason]
	if !ok {
		o = obstacle{part: "route", text: "It is not ready: " + reason + ".", fix: "Look at the log: `journalctl -u pinferry -n 50`."}
	}
	c := o.check(route, detail, coming)
	if reason == "busy" && m.Manager && strings.Contains(c.Text, "ModemManager") {
		c.Fix = "Run `sudo pinferry doctor --fix`, which keeps ModemManager off, and plug the stick in again."
		if m.Rules {
			c.Fix = "Plug the stick in again; if ModemManager takes it all the same, add its vendor to 70-pinferry.rules."
		}
	}
	return c
}

// portCheck shows what opening a port brought while no box runs.
func portCheck(p Port, m Machine) Check {
	if p.Reason == "" {
		return Check{Name: p.Route + " port", Level: Green, Text: "The port opens."}
	}
	return obstructed(p.Route, p.Reason, p.Detail, false, m)
}

// route looks at one route of a box that runs.
func (f *Facts) route(r *otp.RouteReport) (all []Check) {
	switch r.Kind {
	case "modem", "simulator":
		return modemChecks(r, f.Machine)
	}
	server, sought := f.Servers[r.Name]
	if server.Reason != "" {
		all = append(all, obstructed(r.Name, server.Reason, server.Detail, false, f.Machine))
	}
	switch {
	case r.State != otp.RouteReady:
		all = append(all, obstructed(r.Name, r.Reason, r.Detail, r.State == otp.RouteComing, f.Machine))
	case r.Kind == "null":
		all = append(all, Check{Name: r.Name + " route", Level: Green, Text: "It takes the messages of test apps and sends nothing."})
	case sought && server.Reason == "":
		all = append(all, Check{Name: r.Name + " relay", Level: Green, Text: "It is ready, and its server can be reached; " + carried(r)})
	case !sought:
		all = append(all, Check{Name: r.Name + " relay", Level: Green, Text: "It is ready; " + carried(r)})
	}
	return all
}

// carried tells how much goes over a route.
func carried(r *otp.RouteReport) string {
	words := count(r.Queue, "message waits", "messages wait")
	if r.DailyCap > 0 {
		words += fmt.Sprintf(", and %d of %d a day were sent", r.Used, r.DailyCap)
	}
	return words + "."
}
