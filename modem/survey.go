package modem

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Sighting is a USB device that is a modem, or may be one.
type Sighting struct {
	// Name is the family, and USB the ids ("2c7c:0125") at the socket ("1-1.2").
	Name   string `json:"name"`
	USB    string `json:"usb"`
	Socket string `json:"socket"`
	// State is "found" for a modem that answers, "unfamiliar" for a device that is
	// not in the table and was not asked, and else the Reason of an [OpenError].
	State string `json:"state"`
	// Detail says what to do, unless the modem was found.
	Detail string `json:"detail,omitempty"`
	// Port is the path of the port that answers, and IMEI what it says of itself;
	// both may be "".
	Port string `json:"port,omitempty"`
	IMEI string `json:"imei,omitempty"`
	// Device is the value of device for the configuration; "" if there is none
	// yet.
	Device string `json:"device,omitempty"`
	// Ports are all its serial ports.
	Ports []SeenPort `json:"ports"`
}

// String tells of the device for people, in lines of which all but the first are
// indented; the last is the line of the config file for it.
func (s Sighting) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s (USB %s): %s", s.USB, s.Name, s.Socket, s.State)
	if s.Port != "" {
		b.WriteString(" at " + s.Port)
	}
	if s.Detail != "" {
		b.WriteString("\n    " + s.Detail)
	}
	if s.Device != "" {
		fmt.Fprintf(&b, "\n    device = %q", s.Device)
	}
	return b.String()
}

// SeenPort is a serial port of a [Sighting].
type SeenPort struct {
	Path string `json:"path"`
	// Interface is its number on the device, "if02".
	Interface string `json:"interface"`
	// Use is "commands", "closed" for what is never written to, or "unknown".
	Use string `json:"use"`
}

// Survey lists what may be a modem, in the order of the sockets. It asks every
// modem that nobody has, which takes some seconds for one that does not answer.
// The error is that of ctx.
func (f *Finder) Survey(ctx context.Context) ([]Sighting, error) {
	unlock, err := f.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	all := []Sighting{}
	devices := scanUSB(f.cfg.Sys)
	for i := range devices {
		d := &devices[i]
		known, hidden := familyOf(d.vendor, d.product), disguiseOf(d.vendor, d.product)
		if hidden == nil && len(d.ports) == 0 && (known == nil || known.careful) || known != nil && len(known.ports) == 0 {
			continue // a hub, a keyboard, a receiver of positions
		}
		seen := Sighting{Name: "unknown", USB: d.id(), Socket: d.socket(), State: "unfamiliar", Ports: []SeenPort{}}
		if known != nil {
			seen.Name = known.name
		}
		for _, p := range d.ports {
			seen.Ports = append(seen.Ports, SeenPort{Path: f.ttyPath(p.tty), Interface: p.number, Use: use(p, known)})
		}
		switch {
		case hidden != nil:
			seen.fail(hidden.obstacle(d))
		case known == nil:
			seen.Detail = unfamiliarDetail(d)
		default:
			got, obstacle, err := f.ask(ctx, d, known)
			if err != nil {
				return nil, err
			}
			if obstacle != nil {
				seen.fail(obstacle)
				break
			}
			seen.State, seen.Port, seen.IMEI, seen.Device = "found", got.path, got.imei, got.path
			if got.imei != "" {
				seen.Device = "imei:" + got.imei
			}
		}
		all = append(all, seen)
	}
	return all, nil
}

// Trial is what opening the port of a route's modem has brought.
type Trial struct {
	Route string
	// Reason and Detail are those of the [OpenError]; empty if the port opens.
	Reason, Detail string
}

// Try opens the port of every search once, all of them at a time, for two that
// want the same stick must not both find it free; and closes them again. It
// sends no more than [Search.Open] does. The error is that of ctx.
func (f *Finder) Try(ctx context.Context, searches []*Search) (all []Trial, err error) {
	for _, search := range searches {
		trial := Trial{Route: search.route}
		port, err := search.Open(ctx)
		var refused *OpenError
		switch {
		case err == nil:
			defer port.Close()
		case errors.As(err, &refused):
			trial.Reason, trial.Detail = refused.Reason, refused.Detail
		default:
			return nil, err
		}
		all = append(all, trial)
	}
	return all, nil
}

// fail shows why a modem cannot be used.
func (s *Sighting) fail(obstacle *OpenError) { s.State, s.Detail = obstacle.Reason, obstacle.Detail }

// use says what a port is for.
func use(p usbPort, known *family) string {
	switch {
	case known == nil:
	case p.is(known.closed):
		return "closed"
	case p.is(known.ports):
		return "commands"
	}
	return "unknown"
}
