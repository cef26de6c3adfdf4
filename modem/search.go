package modem

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// errNotFound is the cause of an [OpenError] when nothing on the way failed.
var errNotFound = errors.New("no modem found")

// Search is what one route wants of a [Finder].
type Search struct {
	finder *Finder
	route  string
	path   string // of the port that the configuration names, or ""
	fixed  bool   // imei is the configuration's
	wake   chan struct{}

	// The finder's mu guards these. Only Open writes them.
	imei string    // of the modem that is wanted, or was had last; "" is any
	last usbDevice // the device that was claimed last
}

// Wake tells that there is a new device, so that it is worth to open now.
func (s *Search) Wake() <-chan struct{} { return s.wake }

// Open looks for the modem anew and opens it, for [New]. Its errors are
// [OpenError] and that of ctx. A port that is found by itself has answered to
// AT; with a stick that does not answer Open takes some seconds. The port has a
// method Name that returns its path.
func (s *Search) Open(ctx context.Context) (Port, error) {
	unlock, err := s.finder.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	devices := scanUSB(s.finder.cfg.Sys)
	if s.path != "" {
		return s.openPath(devices)
	}
	return s.openFound(ctx, devices)
}

// openPath opens the port that the configuration names. Whatever is not a
// modem's port of a known kind is opened as it is.
func (s *Search) openPath(devices []usbDevice) (Port, error) {
	f := s.finder
	release := func() {}
	for i := range devices {
		d := &devices[i]
		port, ok := f.holds(d, s.path)
		if !ok {
			continue
		}
		if known := familyOf(d.vendor, d.product); known != nil && port.is(known.closed) {
			return nil, &OpenError{Reason: "no_answer", Err: errNotFound, Detail: fmt.Sprintf(
				`%s is no port for commands of this modem (%s). Write device = "auto"%s.`, s.path, known.name, f.better(d, known))}
		}
		if owner := f.owner(d, s); owner != "" {
			return nil, &OpenError{Reason: "busy", Err: errNotFound, Detail: fmt.Sprintf(
				"%s belongs to a stick that the modem %q has. Name another device for one of them.", s.path, owner)}
		}
		release = f.claim(d, s, "")
		break
	}
	port, err := openTTY(s.path, f.cfg.Proc)
	if err == nil {
		return &claimed{Port: port, name: s.path, release: release}, nil
	}
	release()
	var opening *OpenError
	if errors.As(err, &opening) && opening.Reason == "absent" {
		for i := range devices {
			if hidden := disguiseOf(devices[i].vendor, devices[i].product); hidden != nil {
				return nil, hidden.obstacle(&devices[i])
			}
		}
	}
	return nil, err
}

// openFound opens the best modem of those that nobody else has.
func (s *Search) openFound(ctx context.Context, devices []usbDevice) (Port, error) {
	f := s.finder
	slices.SortStableFunc(devices, func(a, b usbDevice) int { return careful(&a) - careful(&b) })
	var worst *OpenError
	var unfamiliar *usbDevice
	var spare *find
	strangers := 0
	for i := range devices {
		d := &devices[i]
		if f.owner(d, s) != "" {
			strangers++
			continue
		}
		if hidden := disguiseOf(d.vendor, d.product); hidden != nil {
			worst = graver(worst, hidden.obstacle(d))
			continue
		}
		known := familyOf(d.vendor, d.product)
		if known == nil {
			if len(d.ports) > 0 {
				unfamiliar = d
			}
			continue
		}
		had := f.had(d, s)
		if len(known.ports) == 0 || known.careful && !had && !s.fixed && (spare != nil || worst.isModem()) {
			continue // no modem, or a board that need not be asked
		}
		if had {
			f.refresh(d)
		}
		got, obstacle, err := f.ask(ctx, d, known)
		if err != nil {
			return nil, err
		}
		if obstacle != nil {
			if errors.Is(obstacle, errSilent) && (had || !known.careful && f.left(s)) {
				obstacle = s.mute(d, known, obstacle)
			}
			worst = graver(worst, obstacle)
			continue
		}
		if s.fixed && !sameIMEI(got.imei, s.imei) || !s.fixed && f.wanted(got.imei, s) {
			strangers++
			continue
		}
		if s.imei == "" || sameIMEI(got.imei, s.imei) {
			return s.take(got)
		}
		if spare == nil { // it will do, unless the one we had is there too
			spare = got
		}
	}
	if spare != nil {
		return s.take(spare)
	}
	if worst != nil {
		return nil, worst
	}
	return nil, s.absent(strangers, unfamiliar)
}

// take claims a modem and opens its port.
func (s *Search) take(got *find) (Port, error) {
	release := s.finder.claim(got.device, s, got.imei)
	port, err := openTTY(got.path, s.finder.cfg.Proc)
	if err != nil {
		release()
		return nil, err
	}
	return &claimed{Port: port, name: got.path, release: release}, nil
}

// mute returns obstacle with a way to the port of d, which does not answer. d
// must be there for no other search. What opens that way has no IMEI that
// anybody has checked: it may be restarted, and must carry no message.
func (s *Search) mute(d *usbDevice, known *family, obstacle *OpenError) *OpenError {
	f, own := s.finder, *obstacle
	own.silent = func(ctx context.Context) (Port, error) {
		unlock, err := f.lock(ctx)
		if err != nil {
			return nil, err
		}
		defer unlock()
		if f.owner(d, s) != "" {
			return nil, errNotFound // it has woken up for somebody else
		}
		return s.take(&find{device: d, path: f.ttyPath(d.candidates(known)[0].tty), imei: s.imei})
	}
	return &own
}

// absent says that no modem is there for this search, and what is instead.
func (s *Search) absent(strangers int, unfamiliar *usbDevice) *OpenError {
	e := &OpenError{Reason: "absent", Err: errNotFound, Detail: "No modem is plugged in."}
	switch {
	case s.fixed && strangers > 0:
		e.Detail = fmt.Sprintf("The modem with the IMEI %s is not plugged in; another one is.", s.imei)
	case s.fixed:
		e.Detail = fmt.Sprintf("The modem with the IMEI %s is not plugged in.", s.imei)
	case strangers > 0:
		e.Detail = "Every modem that is plugged in belongs to another [[modem]]. Plug in one more."
	case unfamiliar != nil:
		e.Detail = unfamiliarDetail(unfamiliar)
	}
	return e
}

// unfamiliarDetail says what to do about a device that may be a modem.
func unfamiliarDetail(d *usbDevice) string {
	return fmt.Sprintf("The USB device %s has serial ports and is no modem that is known here. If it is one, name its port for commands as device.", d.id())
}

// Reset makes the kernel reset the USB device that was opened last, as if it
// had been plugged in anew. It needs the right to write to the device's node
// below /dev/bus/usb.
func (s *Search) Reset(context.Context) error {
	s.finder.mu.Lock()
	d := s.last
	s.finder.mu.Unlock()
	if d.number == 0 {
		return errors.New("reset modem: it is no USB device that was opened here")
	}
	path := filepath.Join(s.finder.cfg.Dev, "bus", "usb", fmt.Sprintf("%03d", d.bus), fmt.Sprintf("%03d", d.number))
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("reset modem: open %s: %w", path, err)
	}
	defer unix.Close(fd)
	const usbdevfsReset = 'U'<<8 | 20 // _IO('U', 20) of linux/usbdevice_fs.h
	if err := unix.IoctlSetInt(fd, usbdevfsReset, 0); err != nil {
		return fmt.Errorf("reset modem: %w", err)
	}
	return nil
}

// claimed is a port whose device belongs to a search until it is closed.
type claimed struct {
	Port
	name    string
	release func()
}

// Name is the path of the port.
func (c *claimed) Name() string { return c.name }

// Close closes the port and gives its device back.
func (c *claimed) Close() error {
	defer c.release()
	return c.Port.Close()
}
