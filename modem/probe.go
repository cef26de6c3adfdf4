package modem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Times of a probe. A modem that is ready answers within milliseconds.
const (
	probeLimit = 700 * time.Millisecond // for each of three ATs: 2 s and a little for a port that is silent
	imeiLimit  = 2 * time.Second
)

// find is a modem that answers.
type find struct {
	device *usbDevice
	path   string // of the port
	imei   string // "" if it does not tell
}

// ask looks for the port of a stick that takes commands. obstacle says why
// there is none; err is that of ctx.
func (f *Finder) ask(ctx context.Context, d *usbDevice, known *family) (got *find, obstacle *OpenError, err error) {
	if why := f.resting(d); why != nil {
		return nil, why, nil
	}
	ports := d.candidates(known)
	if len(ports) == 0 {
		obstacle = &OpenError{Reason: "absent", Err: errNotFound, Detail: fmt.Sprintf(
			"The modem %s (%s) has no serial port yet. If that stays so, load its driver: sudo modprobe -a option cdc_acm", d.id(), known.name)}
	}
	for _, p := range ports {
		path := f.ttyPath(p.tty)
		imei, failed := f.askPort(ctx, path)
		if failed == nil {
			return &find{device: d, path: path, imei: imei}, nil, nil
		}
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		failed.Detail = fmt.Sprintf("The modem %s (%s): ", d.id(), known.name) + failed.Detail
		obstacle = graver(obstacle, failed)
		if failed.Reason == "busy" {
			break // another program has the stick: not even another port of it is ours
		}
	}
	if known.careful && obstacle.Reason == "no_answer" {
		f.tire(d, obstacle)
	}
	return nil, obstacle, nil
}

// askPort asks the modem at one port for its IMEI.
func (f *Finder) askPort(ctx context.Context, path string) (imei string, failed *OpenError) {
	port, err := openTTY(path, f.cfg.Proc)
	if err == nil {
		if imei, err = probe(ctx, port); err == nil {
			return imei, nil
		}
		return "", &OpenError{Reason: "no_answer", Err: err, Detail: path + " gives no answer. If that lasts for a minute, unplug the modem and plug it in again."}
	}
	if !errors.As(err, &failed) || failed.Reason == "absent" {
		return "", &OpenError{Reason: "absent", Err: err, Detail: path + " is not there. Wait a moment; a container must be given the device."}
	}
	return "", failed
}

// gravity orders the reasons for which no modem was found: what the operator
// can mend on the spot comes first.
var gravity = []string{"permission", "busy", "no_answer", "storage_mode", "absent"}

// graver returns the one of two obstacles that the operator should hear of. a
// may be nil.
func graver(a, b *OpenError) *OpenError {
	if a == nil || slices.Index(gravity, b.Reason) < slices.Index(gravity, a.Reason) {
		return b
	}
	return a
}

// isModem tells whether what an obstacle, or nil, is about is there and a modem.
func (e *OpenError) isModem() bool {
	return e != nil && e.Reason != "storage_mode" && e.Reason != "absent"
}

// obstacle says that d is a modem in disguise, and how to unmask it.
func (h *disguise) obstacle(d *usbDevice) *OpenError {
	advice := h.advice
	if advice == "" {
		advice = fmt.Sprintf("Run: sudo usb_modeswitch -v %04x -p %04x %s", d.vendor, d.product, h.flags)
	}
	return &OpenError{Reason: "storage_mode", Err: errNotFound, Detail: fmt.Sprintf(
		"The modem %s is plugged in as %s and has no port for commands. %s", d.id(), h.name, advice)}
}

// careful orders devices: 1 for those that are asked last.
func careful(d *usbDevice) int {
	if known := familyOf(d.vendor, d.product); known != nil && known.careful {
		return 1
	}
	return 0
}

// better names the first port of d that takes commands, for the end of a piece
// of advice; "" if there is none.
func (f *Finder) better(d *usbDevice, known *family) string {
	ports := d.candidates(known)
	if len(ports) == 0 {
		return ""
	}
	return " or " + f.ttyPath(ports[0].tty)
}

// probe asks what is behind a port whether it is a modem, and for its IMEI,
// which is "" if it does not tell. It takes the port over and closes it. Its
// errors are errSilent, the loss of the port and the end of ctx.
func probe(ctx context.Context, port Port) (imei string, err error) {
	l := newLine(port)
	defer l.close()
	if _, err := l.write("\x1b\r"); err != nil { // out of a prompt that a killed process left
		return "", err
	}
	for try := range 3 {
		if try == 2 { // a modem that ignores ESC reads on until Ctrl-Z
			if _, err := l.write("\x1a"); err != nil {
				return "", err
			}
		}
		var ok bool
		if ok, _, err = inquire(ctx, l, "AT", probeLimit); ok || err != nil && !errors.Is(err, errSilent) {
			break
		}
	}
	if err != nil {
		return "", err
	}
	if err := quieten(ctx, l); err != nil {
		return "", err
	}
	_, lines, err := inquire(ctx, l, "AT+CGSN", imeiLimit)
	if errors.Is(err, errSilent) {
		return "", nil // it has answered to AT
	}
	for _, text := range lines {
		if imei = imeiIn(text); imei != "" {
			break
		}
	}
	return imei, err
}

// inquire sends a command and returns the lines up to its final one. ok: that
// was OK.
func inquire(ctx context.Context, l *line, command string, limit time.Duration) (ok bool, lines []string, err error) {
	if _, err := l.write(command + "\r"); err != nil {
		return false, nil, err
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case token, open := <-l.tokens:
			if !open {
				return false, nil, l.lost()
			}
			if token == "OK" {
				return true, lines, nil
			}
			if _, refused := parseRefusal(token); refused {
				return false, lines, nil
			}
			if len(lines) < maxInfo {
				lines = append(lines, token)
			}
		case <-timer.C:
			return false, nil, errSilent
		case <-ctx.Done():
			return false, nil, ctx.Err()
		}
	}
}

// quieten drops what a modem still says to earlier commands.
func quieten(ctx context.Context, l *line) error {
	end := time.NewTimer(settleLimit)
	defer end.Stop()
	for {
		select {
		case _, open := <-l.tokens:
			if !open {
				return l.lost()
			}
		case <-time.After(settleFor):
			return nil
		case <-end.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// imeiIn returns the IMEI in a line of the answer to AT+CGSN, in digits, or "".
func imeiIn(text string) string {
	text = strings.Trim(strings.TrimPrefix(text, "+CGSN:"), ` "`)
	if len(text) < imeiDigits || len(text) > 17 || strings.Trim(text, "0123456789") != "" {
		return ""
	}
	return text
}

// imeiDigits tell one modem from another; what follows them is a check digit or
// the version of its software.
const imeiDigits = 14

// sameIMEI tells whether two IMEIs name the same modem. An unknown one names
// none.
func sameIMEI(a, b string) bool {
	return len(a) >= imeiDigits && len(b) >= imeiDigits && a[:imeiDigits] == b[:imeiDigits]
}
