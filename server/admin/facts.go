package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// Facts are what a diagnosis is made from. main collects them, from the rooms
// of a box that runs or, when none does, from the machine alone.
type Facts struct {
	// Running tells whether the facts are those of a box that runs, and Version
	// which build it is.
	Running bool
	Version string
	// Config is why the config file cannot be used; nil if it can. Then Apps are
	// the apps in it.
	Config error
	Apps   []*otp.App
	// NoFile is the config file that would be read and is not there; "" if it is.
	NoFile string
	// Captchas are those of the apps that ask for some.
	Captchas []Captcha
	// Ways is how many routes are configured, and Mails tells whether one of them
	// carries email. Routes are those of a box that runs; Ports what opening the
	// ports of the modems brought, when none does.
	Ways   int
	Mails  bool
	Routes []otp.RouteReport
	Ports  []Port
	// Servers are what looking for the server of each relay has brought, by the
	// relay's name; one that was not looked for is left out.
	Servers map[string]Server
	// Backlogs are how the events of the apps stand that take any.
	Backlogs []otp.Backlog
	Clock    Clock
	Disk     Disk
	// Certificate is what the box shows by TLS; nil: it speaks plain HTTP. Open
	// tells that it does so to a whole network.
	Certificate *Certificate
	Open        bool
	// Machine is what the box stands on.
	Machine Machine
}

// Port is the port of a modem that no box has opened.
type Port struct {
	Route string // the modem's name
	// Reason is why it does not open, in a word of [otp.RouteStatus], and Detail
	// what to do; empty if it does.
	Reason, Detail string
}

// Server is that of a relay's provider.
type Server struct {
	// Reason is why it cannot be reached: "no_name", "not_allowed", "unreachable",
	// "certificate", "wrong_clock", "no_tls" or "no_mail"; empty if it can. Detail
	// is a sentence that says so, and one that says what to do.
	Reason, Detail string
}

// Disk is how the data directory stands.
type Disk struct {
	// Unread is why it cannot be looked at; nil if it can.
	Unread error
	Dir    string
	Free   uint64 // bytes
	Low    bool   // nothing new is begun
	Full   bool   // nothing is written
	// Loose lists the paths of keys that others may read.
	Loose []string
}

// Machine is how the machine stands that the box runs on.
type Machine struct {
	// Manager tells whether ModemManager runs, and Rules whether the udev rules
	// are installed that keep it from the modems.
	Manager, Rules bool
	// Power is "good"; "low" when the voltage is too low now; "dipped" when it has
	// been since the machine was switched on; "" when the machine does not tell.
	Power string
	// Unit tells whether the service is installed, User and Group whether the
	// system knows the user it runs as and the group that ports belong to.
	Unit, User, Group bool
}

// Diagnose makes the diagnosis. It looks at nothing but the facts.
func (f *Facts) Diagnose() Diagnosis {
	checks := []Check{f.box(), f.config()}
	if f.Config == nil {
		checks = append(checks, f.apps()...)
	}
	for i := range f.Captchas {
		checks = append(checks, f.Captchas[i].checks()...)
	}
	checks = append(checks, f.disk(), f.keys())
	if f.Config == nil { // which says what the box shows of itself
		checks = append(checks, f.certificate())
	}
	checks = append(checks, f.clock(), f.power(), f.manager())
	if f.Machine.Unit {
		checks = append(checks, f.service())
	}
	if f.Config == nil && f.Ways == 0 {
		checks = append(checks, Check{"routes", Red, "There is no way out: no route is configured.",
			`Add a [[modem]] with name = "gsm0" and device = "auto" to the config file and restart.`})
	}
	for i := range f.Routes {
		checks = append(checks, f.route(&f.Routes[i])...)
	}
	for i := range f.Backlogs {
		checks = append(checks, backlogCheck(&f.Backlogs[i]))
	}
	for _, p := range f.Ports {
		checks = append(checks, portCheck(p, f.Machine))
	}
	return newDiagnosis(f.Running, checks)
}

func (f *Facts) box() Check {
	if f.Running {
		return Check{Name: "box", Level: Green, Text: fmt.Sprintf("pinferry %s runs.", f.Version)}
	}
	fix := "Run `pinferry serve`."
	if f.Machine.Unit {
		fix = "Run `sudo systemctl enable --now pinferry`; `journalctl -u pinferry -n 20` tells why it stopped."
	}
	return Check{"box", Red, "No box runs, so nothing is sent; what is behind the ports is not known.", fix}
}

func (f *Facts) config() Check {
	switch {
	case errors.Is(f.Config, fs.ErrPermission):
		return Check{"config", Amber, "The config file is closed to this user.", "Run `sudo pinferry doctor`."}
	case f.Config != nil:
		return Check{"config", Red, "The config file cannot be used: " + sentence(f.Config), "Correct it; `pinferry config check` tells whether it is right."}
	}
	if f.NoFile != "" {
		return Check{"config", Amber, "There is no " + f.NoFile + ", and without it a box has one modem and no app.",
			"Make it from the sample that comes with pinferry, or name another by `--config`."}
	}
	return Check{Name: "config", Level: Green, Text: "The config file is in order."}
}

func (f *Facts) apps() []Check {
	if len(f.Apps) == 0 {
		return []Check{{"apps", Red, "No app is configured, so nobody is served.",
			"Run `pinferry key new shop`, and add an [[app]] with that line and `countries` to the config file."}}
	}
	all := []Check{{Name: "apps", Level: Green, Text: count(len(f.Apps), "app", "apps") + " may call."}}
	for _, app := range f.Apps {
		if app.InboundSignIn {
			all = append(all, Check{"apps", Amber, fmt.Sprintf("App %q signs people in by an SMS that they send, and the sender of an SMS can be forged.", app.ID),
				"Take inbound_sign_in away unless you know who could."})
		}
		if app.Email && !f.Mails {
			all = append(all, Check{"apps", Amber, fmt.Sprintf("App %q wants codes sent to email addresses, and no relay carries email: they are refused.", app.ID),
				`Add a [[relay]] of kind = "smtp" to the config file and restart, or take email = true away.`})
		}
	}
	return all
}

func (f *Facts) disk() Check {
	c := Check{Name: "disk", Level: Green, Text: fmt.Sprintf("%d MiB are free for %s.", f.Disk.Free>>20, f.Disk.Dir)}
	const room = "Free some space on the disk, or move [storage] dir to another."
	switch {
	case errors.Is(f.Disk.Unread, fs.ErrNotExist):
		c.Level, c.Text, c.Fix = Amber, "There is no "+f.Disk.Dir+".", "Start the box, which makes it, or name another by [storage] dir."
	case f.Disk.Unread != nil:
		c.Level, c.Text, c.Fix = Amber, "The data directory cannot be looked at: "+sentence(f.Disk.Unread), "Run `sudo pinferry doctor`."
	case f.Disk.Full:
		c.Level, c.Text, c.Fix = Red, fmt.Sprintf("The disk of %s is full, so nothing can be written: %d MiB are free.", f.Disk.Dir, f.Disk.Free>>20), room
	case f.Disk.Low:
		c.Level, c.Text, c.Fix = Red, fmt.Sprintf("The disk of %s is nearly full, so nothing new is begun: %d MiB are free.", f.Disk.Dir, f.Disk.Free>>20), room
	}
	return c
}

func (f *Facts) keys() Check {
	switch n := len(f.Disk.Loose); {
	case errors.Is(f.Disk.Unread, fs.ErrNotExist):
		return Check{Name: "keys", Level: Green, Text: "There are no keys yet; the first start makes them."}
	case f.Disk.Unread != nil:
		return Check{"keys", Amber, "The keys cannot be looked at.", "Run `sudo pinferry doctor`."}
	case n > 0:
		return Check{"keys", Red, fmt.Sprintf("Others may read %s, and the box does not start with such keys.", f.Disk.Loose[0]),
			"Run `sudo pinferry doctor --fix`; if others had a chance to read them, make new ones."}
	}
	return Check{Name: "keys", Level: Green, Text: "Nobody else may read the keys."}
}

// farOff is how far box time and the wall clock may lie apart before an
// operator should know.
const farOff = 2 * time.Minute

func (f *Facts) clock() Check {
	apart := otp.Time(f.Clock.Now).Sub(otp.Time(f.Clock.Wall)).Abs()
	switch {
	case f.Clock.Wall < f.Clock.Build:
		return Check{"clock", Red, "The clock of the machine is wrong: it shows a time before this program was built.",
			"Run `sudo timedatectl set-ntp true`, or set it by `sudo timedatectl set-time`; then run `pinferry clock accept`."}
	case !f.Clock.Synchronised && f.Running && apart > farOff:
		return Check{"clock", Amber, fmt.Sprintf("Nothing keeps the clock of the machine right, and box time is %s from it.", apart.Truncate(time.Second)),
			"Run `sudo timedatectl set-ntp true`; once `date` shows the right time, run `pinferry clock accept`."}
	case !f.Clock.Synchronised:
		return Check{"clock", Amber, "Nothing keeps the clock of the machine right.",
			"Run `sudo timedatectl set-ntp true`; without a network compare it by hand with `pinferry clock status`."}
	case f.Running && apart > farOff:
		return Check{"clock", Amber, fmt.Sprintf("Box time and the clock of the machine are %s apart.", apart.Truncate(time.Second)),
			"If `date` shows the right time, run `pinferry clock accept`."}
	}
	return Check{Name: "clock", Level: Green, Text: "The clock is right and kept so."}
}

func (f *Facts) power() Check {
	const fix = "Use a stronger power supply and a short cable, or put the stick on a hub with its own."
	switch f.Machine.Power {
	case "good":
		return Check{Name: "power", Level: Green, Text: "The voltage is right."}
	case "low":
		return Check{"power", Red, "The voltage is too low now: sticks fall off the bus when they send.", fix}
	case "dipped":
		return Check{"power", Amber, "The voltage has been too low since the machine was switched on.", fix}
	}
	return Check{Name: "power", Level: Green, Text: "This machine does not tell its voltage."}
}

func (f *Facts) manager() Check {
	switch {
	case !f.Machine.Manager:
		return Check{Name: "modemmanager", Level: Green, Text: "ModemManager does not run."}
	case f.Machine.Rules:
		return Check{Name: "modemmanager", Level: Green, Text: "ModemManager runs, and udev rules keep it from the modems."}
	}
	return Check{"modemmanager", Amber, "ModemManager runs, and nothing keeps it from taking the modem's ports.",
		"Run `sudo pinferry doctor --fix`, which installs the udev rules, and plug the stick in again."}
}

func (f *Facts) service() Check {
	switch {
	case !f.Machine.User:
		return Check{"service", Red, "The service is installed, and its user pinferry does not exist.", "Run `sudo systemd-sysusers`."}
	case !f.Machine.Group:
		return Check{"service", Red, "There is no group dialout, and the service does not start without it.", "Run `sudo groupadd --system dialout`, and plug the stick in again."}
	}
	return Check{Name: "service", Level: Green, Text: "The service, its user and its group are there."}
}

// sentence is an error at the end of a sentence. One that joins several has a
// line for each; one may end in a question.
func sentence(err error) string {
	words := strings.ReplaceAll(err.Error(), "\n", "; ")
	if strings.HasSuffix(words, "?") {
		return words
	}
	return strings.TrimSuffix(words, ".") + "."
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
