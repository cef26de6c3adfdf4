package modem_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
)

// usb is a machine's USB as the kernel shows it, below a folder of the test.
// Its ttys are links to pseudo terminals.
type usb struct {
	root    string
	plugged int // devices so far: the kernel numbers them
}

func newUSB(t *testing.T) *usb {
	t.Helper()
	u := &usb{root: t.TempDir()}
	for _, folder := range []string{"sys/bus/usb/devices", "sys/devices", "dev", "proc"} {
		if err := os.MkdirAll(filepath.Join(u.root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return u
}

// finder returns a finder that knows no other machine.
func (u *usb) finder() *modem.Finder {
	return modem.NewFinder(modem.FinderConfig{
		Sys: filepath.Join(u.root, "sys"), Dev: filepath.Join(u.root, "dev"), Proc: "/proc",
	})
}

func (u *usb) tty(name string) string { return filepath.Join(u.root, "dev", name) }

// socketed is an interface of a device: its number, class and serial port.
type socketed struct {
	number int
	class  string // "ff/00/00"
	tty    string // "" has no port
	path   string // of the pseudo terminal; "" is a node that is not there
}

// write makes a file of sysfs.
func (u *usb) write(t *testing.T, path, text string) {
	t.Helper()
	path = filepath.Join(u.root, "sys", path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// plug shows a device at a socket, with the words and places of the kernel.
func (u *usb) plug(t *testing.T, socket, id string, interfaces ...socketed) {
	t.Helper()
	vendor, product, _ := strings.Cut(id, ":")
	device := filepath.Join("devices", "usb1", socket)
	u.write(t, filepath.Join(device, "idVendor"), vendor)
	u.write(t, filepath.Join(device, "idProduct"), product)
	u.write(t, filepath.Join(device, "busnum"), "1")
	u.plugged++
	u.write(t, filepath.Join(device, "devnum"), fmt.Sprint(u.plugged))
	for _, i := range interfaces {
		at := filepath.Join(device, fmt.Sprintf("%s:1.%d", socket, i.number))
		parts := strings.Split(i.class, "/")
		u.write(t, filepath.Join(at, "bInterfaceNumber"), fmt.Sprintf("%02x", i.number))
		u.write(t, filepath.Join(at, "bInterfaceClass"), parts[0])
		u.write(t, filepath.Join(at, "bInterfaceSubClass"), parts[1])
		u.write(t, filepath.Join(at, "bInterfaceProtocol"), parts[2])
		if i.path != "" {
			if err := os.Symlink(i.path, u.tty(i.tty)); err != nil {
				t.Fatal(err)
			}
		}
		switch {
		case strings.HasPrefix(i.tty, "ttyUSB"):
			u.write(t, filepath.Join(at, i.tty, "uevent"), "")
		case i.tty != "":
			u.write(t, filepath.Join(at, "tty", i.tty, "uevent"), "")
		}
	}
	if err := os.Symlink(filepath.Join(u.root, "sys", device), filepath.Join(u.root, "sys/bus/usb/devices", socket)); err != nil {
		t.Fatal(err)
	}
}

// unplug takes a device away, with its nodes.
func (u *usb) unplug(t *testing.T, socket string) {
	t.Helper()
	device := filepath.Join(u.root, "sys/devices/usb1", socket)
	for _, pattern := range []string{"*/ttyUSB*", "*/tty/tty*"} {
		names, _ := filepath.Glob(filepath.Join(device, pattern))
		for _, name := range names {
			if err := os.Remove(u.tty(filepath.Base(name))); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(os.Remove(filepath.Join(u.root, "sys/bus/usb/devices", socket)), os.RemoveAll(device)); err != nil {
		t.Fatal(err)
	}
}

// serial is a pseudo terminal with a simulated modem behind it.
type serial struct {
	*simulator.Modem
	pty   *simulator.PTY
	trace *tracer
}

func newSerial(t *testing.T, cfg simulator.Config) *serial {
	t.Helper()
	s := &serial{trace: &tracer{}}
	pty, err := simulator.OpenPTY()
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	cfg.Trace, cfg.Replug = s.trace, -1
	s.pty, s.Modem = pty, simulator.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- simulator.Run(ctx, s.Modem, pty) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("simulator: %v", err)
		}
		pty.Close()
	})
	return s
}

// quectel is a stick of four ports, of which two may not be written to, though
// they would answer.
type quectel struct{ diagnosis, positions, commands, data *serial }

func newQuectel(t *testing.T, imei string) *quectel {
	cfg := simulator.Config{IMEI: imei}
	return &quectel{newSerial(t, cfg), newSerial(t, cfg), newSerial(t, cfg), newSerial(t, cfg)}
}

// all are the ports in the order of their interfaces.
func (q *quectel) all() []*serial {
	return []*serial{q.diagnosis, q.positions, q.commands, q.data}
}

// plug puts the stick into a socket; its ports get the names from ttyUSB<first>.
func (q *quectel) plug(t *testing.T, u *usb, socket string, first int) {
	t.Helper()
	var interfaces []socketed
	for i, s := range q.all() {
		if err := s.pty.Replug(); err != nil {
			t.Fatal(err)
		}
		interfaces = append(interfaces, socketed{i, "ff/00/00", fmt.Sprintf("ttyUSB%d", first+i), s.pty.Path()})
	}
	u.plug(t, socket, "2c7c:0125", interfaces...)
}

// pull takes the stick out of its socket.
func (q *quectel) pull(t *testing.T, u *usb, socket string) {
	t.Helper()
	u.unplug(t, socket)
	for _, s := range q.all() {
		if err := s.pty.HangUp(); err != nil {
			t.Fatal(err)
		}
	}
}

// untouched fails if a port that is closed to us was written to.
func (q *quectel) untouched(t *testing.T) {
	t.Helper()
	if text := q.diagnosis.trace.String() + q.positions.trace.String(); text != "" {
		t.Errorf("a port for diagnosis or positions was written to: %q", text)
	}
}

// open opens what a search finds.
func open(t *testing.T, s *modem.Search) (port modem.Port, path string, failed *modem.OpenError) {
	t.Helper()
	port, err := s.Open(t.Context())
	if err != nil {
		if !errors.As(err, &failed) {
			t.Fatalf("error %v is no OpenError", err)
		}
		return nil, "", failed
	}
	return port, port.(interface{ Name() string }).Name(), nil
}

// must opens what a search has to find.
func must(t *testing.T, s *modem.Search) (modem.Port, string) {
	t.Helper()
	port, path, failed := open(t, s)
	if failed != nil {
		t.Fatal(failed)
	}
	return port, path
}

const imeiA, imeiB = "860000000000011", "860000000000029"
