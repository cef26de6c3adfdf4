package modem_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
)

func TestFinderOpensThePortForCommands(t *testing.T) {
	u := newUSB(t)
	u.plug(t, "usb1", "1d6b:0002") // a hub
	stick := newQuectel(t, imeiA)
	stick.plug(t, u, "1-1.2", 4)
	port, path := must(t, u.finder().Seek("gsm0", "auto"))
	defer port.Close()
	if path != u.tty("ttyUSB6") {
		t.Errorf("opened %s", path)
	}
	stick.untouched(t)
}

// A killed process may have left a prompt open, which takes every command for
// text. Some modems do not even heed ESC there.
func TestFinderLeavesAStuckPrompt(t *testing.T) {
	for _, spec := range []string{"", "esc-ignored"} {
		t.Run(spec, func(t *testing.T) {
			t.Parallel()
			u := newUSB(t)
			stick := newQuectel(t, imeiA)
			stick.plug(t, u, "1-1", 0)
			if spec != "" {
				if err := stick.commands.InjectSpec(spec); err != nil {
					t.Fatal(err)
				}
			}
			before, err := modem.OpenTTY(u.tty("ttyUSB2"))(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			said := ""
			for _, text := range []string{"ATE0\r", "AT+CMGF=0\r", "AT+CMGS=20\r"} {
				if _, err := before.Write([]byte(text)); err != nil {
					t.Fatal(err)
				}
				for want := len(said); !strings.ContainsAny(said[want:], "K>"); {
					b := make([]byte, 64)
					n, err := before.Read(b)
					if err != nil {
						t.Fatal(err)
					}
					said += string(b[:n])
				}
			}
			before.Close()
			port, path := must(t, u.finder().Seek("gsm0", "imei:"+imeiA))
			defer port.Close()
			if path != u.tty("ttyUSB2") {
				t.Errorf("opened %s", path)
			}
		})
	}
}

// The first port of the table may be deaf: the next one is as good.
func TestFinderTakesTheNextPort(t *testing.T) {
	u := newUSB(t)
	stick := newQuectel(t, imeiA)
	if err := stick.commands.InjectSpec("dead"); err != nil {
		t.Fatal(err)
	}
	stick.plug(t, u, "1-1", 0)
	port, path := must(t, u.finder().Seek("gsm0", "auto"))
	defer port.Close()
	if path != u.tty("ttyUSB3") {
		t.Errorf("opened %s", path)
	}
	stick.untouched(t)
}

// The layout of a Huawei stick is in its protocols, wherever they are. A port
// for diagnosis stays closed where other sticks of this id take commands.
func TestFinderReadsProtocols(t *testing.T) {
	u := newUSB(t)
	data, commands, diagnosis := newSerial(t, simulator.Config{}), newSerial(t, simulator.Config{}), newSerial(t, simulator.Config{})
	u.plug(t, "1-1", "12d1:1506",
		socketed{0, "ff/02/10", "ttyUSB0", data.pty.Path()},
		socketed{1, "ff/02/12", "ttyUSB1", commands.pty.Path()},
		socketed{2, "ff/02/13", "ttyUSB2", diagnosis.pty.Path()})
	search := u.finder().Seek("gsm0", "auto")
	port, path := must(t, search)
	port.Close()
	if path != u.tty("ttyUSB1") {
		t.Errorf("opened %s", path)
	}
	if err := commands.InjectSpec("dead"); err != nil {
		t.Fatal(err)
	}
	port, path = must(t, search)
	port.Close()
	if path != u.tty("ttyUSB0") || diagnosis.trace.String() != "" {
		t.Errorf("opened %s; to the diagnosis went %q", path, diagnosis.trace)
	}
}

// Modems of the ACM class have their ttys elsewhere in sysfs.
func TestFinderSeesACM(t *testing.T) {
	u := newUSB(t)
	s := newSerial(t, simulator.Config{})
	u.plug(t, "1-1", "1546:1104",
		socketed{0, "02/02/01", "ttyACM0", s.pty.Path()}, socketed{1, "0a/00/00", "", ""})
	port, path := must(t, u.finder().Seek("gsm0", "auto"))
	defer port.Close()
	if path != u.tty("ttyACM0") {
		t.Errorf("opened %s", path)
	}
}

func TestFinderTellsCausesApart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		device, reason string
		detail         []string
		set            func(t *testing.T, u *usb)
	}{
		"nothing plugged in": {"auto", "absent", []string{"No modem is plugged in"}, func(*testing.T, *usb) {}},
		"another modem": {"imei:" + imeiB, "absent", []string{imeiB, "another one is"}, func(t *testing.T, u *usb) {
			newQuectel(t, imeiA).plug(t, u, "1-1", 0)
		}},
		"no driver": {"auto", "absent", []string{"2c7c:0125", "modprobe"}, func(t *testing.T, u *usb) {
			u.plug(t, "1-1", "2c7c:0125", socketed{2, "ff/00/00", "", ""})
		}},
		"no node": {"auto", "absent", []string{"ttyUSB2 is not there", "container"}, func(t *testing.T, u *usb) {
			u.plug(t, "1-1", "2c7c:0125", socketed{2, "ff/00/00", "ttyUSB2", ""})
		}},
		"busy": {"auto", "busy", []string{"ttyUSB2 is in use by process", fmt.Sprint(os.Getpid())}, func(t *testing.T, u *usb) {
			newQuectel(t, imeiA).plug(t, u, "1-1", 0)
			port, err := modem.OpenTTY(u.tty("ttyUSB2"))(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { port.Close() })
		}},
		"no answer": {"auto", "no_answer", []string{"Quectel", "ttyUSB2 gives no answer"}, func(t *testing.T, u *usb) {
			stick := newQuectel(t, imeiA)
			for _, s := range stick.all() {
				if err := s.InjectSpec("dead"); err != nil {
					t.Fatal(err)
				}
			}
			stick.plug(t, u, "1-1", 0)
		}},
		"a disk": {"auto", "storage_mode", []string{"sudo usb_modeswitch -v 12d1 -p 1f01 -X"}, func(t *testing.T, u *usb) {
			u.plug(t, "1-1", "12d1:1f01", socketed{0, "08/06/50", "", ""})
		}},
		"a router": {"auto", "storage_mode", []string{"HiLink", "usb_modeswitch"}, func(t *testing.T, u *usb) {
			u.plug(t, "1-1", "12d1:14dc", socketed{0, "02/06/00", "", ""})
		}},
		"a disk instead of a path": {"/dev/pinferry-is-not-here", "storage_mode", []string{"-p 1f01"}, func(t *testing.T, u *usb) {
			u.plug(t, "1-1", "12d1:1f01", socketed{0, "08/06/50", "", ""})
		}},
		"a path that is not there": {"/dev/pinferry-is-not-here", "absent", []string{"is not there"}, func(*testing.T, *usb) {}},
		"something unknown": {"auto", "absent", []string{"dead:beef", "device"}, func(t *testing.T, u *usb) {
			u.plug(t, "1-1", "dead:beef", socketed{0, "ff/00/00", "ttyUSB0", ""})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUSB(t)
			c.set(t, u)
			_, path, failed := open(t, u.finder().Seek("gsm0", c.device))
			if failed == nil {
				t.Fatalf("opened %s", path)
			}
			for _, words := range c.detail {
				if !strings.Contains(failed.Detail, words) {
					t.Errorf("the detail does not say %q: %s", words, failed.Detail)
				}
			}
			if failed.Reason != c.reason {
				t.Errorf("reason %q, want %q: %s", failed.Reason, c.reason, failed.Detail)
			}
		})
	}
}

// A port that a modem has for another purpose is refused even by its path.
func TestFinderRefusesAClosedPort(t *testing.T) {
	u := newUSB(t)
	stick := newQuectel(t, imeiA)
	stick.plug(t, u, "1-1", 0)
	_, _, failed := open(t, u.finder().Seek("gsm0", u.tty("ttyUSB0")))
	if failed == nil || !strings.Contains(failed.Detail, u.tty("ttyUSB2")) {
		t.Errorf("error %v, want one that names the right port", failed)
	}
	stick.untouched(t)
}

// Behind a serial bridge there may be anything: what does not answer is asked
// less and less, until it is plugged in anew.
func TestFinderAsksBridgesWithCare(t *testing.T) {
	t.Parallel()
	u := newUSB(t)
	s := newSerial(t, simulator.Config{})
	if err := s.InjectSpec("dead"); err != nil {
		t.Fatal(err)
	}
	u.plug(t, "1-1", "10c4:ea60", socketed{0, "ff/00/00", "ttyUSB0", s.pty.Path()})
	f := u.finder()
	search := f.Seek("gsm0", "auto")
	var asked []int
	for look := range 12 {
		before := len(s.trace.String())
		if _, _, failed := open(t, search); failed == nil || failed.Reason != "no_answer" {
			t.Fatalf("look %d: %v", look, failed)
		}
		if len(s.trace.String()) > before {
			asked = append(asked, look)
		}
	}
	if want := []int{0, 2, 5, 10}; !slices.Equal(asked, want) {
		t.Errorf("asked at the looks %v, want %v", asked, want)
	}
	s.ClearFaults()
	u.unplug(t, "1-1")
	u.plug(t, "1-1", "10c4:ea60", socketed{0, "ff/00/00", "ttyUSB0", s.pty.Path()})
	port, _ := must(t, search)
	port.Close()
}

// A board that this route had is asked at every look, however long it is silent,
// and one that is named is asked whatever else is plugged in.
func TestFinderAsksTheBoardItWants(t *testing.T) {
	t.Parallel()
	u := newUSB(t)
	board, stick := newSerial(t, simulator.Config{IMEI: imeiB}), newQuectel(t, imeiA)
	stick.plug(t, u, "1-1", 0)
	u.plug(t, "1-2", "1a86:7523", socketed{0, "ff/01/02", "ttyUSB9", board.pty.Path()})
	taken, err := modem.OpenTTY(u.tty("ttyUSB2"))(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	search := u.finder().Seek("gsm0", "imei:"+imeiB)
	port, path := must(t, search)
	port.Close()
	if path != u.tty("ttyUSB9") {
		t.Errorf("opened %s", path)
	}
	if err := board.InjectSpec("dead"); err != nil {
		t.Fatal(err)
	}
	for look := range 3 {
		before := len(board.trace.String())
		if _, _, failed := open(t, search); failed == nil {
			t.Fatal("a dead board was opened")
		}
		if len(board.trace.String()) == before {
			t.Errorf("look %d left the board out", look)
		}
	}
}

// A stick that gives the box its network, as a router, does not hide the board
// that sends.
func TestFinderAsksABoardBesideARouter(t *testing.T) {
	t.Parallel()
	u := newUSB(t)
	s := newSerial(t, simulator.Config{})
	u.plug(t, "1-1", "12d1:14dc", socketed{0, "02/06/00", "", ""})
	u.plug(t, "1-2", "1a86:7523", socketed{0, "ff/01/02", "ttyUSB0", s.pty.Path()})
	port, path := must(t, u.finder().Seek("gsm0", "auto"))
	port.Close()
	if path != u.tty("ttyUSB0") {
		t.Errorf("opened %s", path)
	}
}

func TestFinderSurvey(t *testing.T) {
	u := newUSB(t)
	u.plug(t, "usb1", "1d6b:0002")                                        // a hub
	u.plug(t, "1-9", "1546:01a7", socketed{0, "02/02/01", "ttyACM9", ""}) // a GNSS receiver
	newQuectel(t, imeiA).plug(t, u, "1-1", 0)
	u.plug(t, "1-2", "12d1:1f01", socketed{0, "08/06/50", "", ""})
	u.plug(t, "1-3", "dead:beef", socketed{0, "ff/00/00", "ttyUSB9", ""})
	got, err := u.finder().Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 {
		t.Fatalf("saw %d devices, want 3: %+v", len(got), got)
	}
	stick := got[0]
	if stick.State != "found" || stick.USB != "2c7c:0125" || stick.Socket != "1-1" || stick.IMEI != imeiA ||
		stick.Device != "imei:"+imeiA || stick.Port != u.tty("ttyUSB2") {
		t.Errorf("the stick is %+v", stick)
	}
	var uses []string
	for _, p := range stick.Ports {
		uses = append(uses, p.Interface+" "+p.Use)
	}
	if want := []string{"if00 closed", "if01 closed", "if02 commands", "if03 commands"}; !slices.Equal(uses, want) {
		t.Errorf("ports %q, want %q", uses, want)
	}
	if got[1].State != "storage_mode" || got[1].Device != "" || got[2].State != "unfamiliar" {
		t.Errorf("the others are %+v", got[1:])
	}
	if want := fmt.Sprintf("2c7c:0125 %s (USB 1-1): found at %s\n    device = \"imei:%s\"", stick.Name, stick.Port, imeiA); stick.String() != want {
		t.Errorf("the stick is told as %q, want %q", stick, want)
	}
	if said := got[1].String(); !strings.Contains(said, "storage_mode\n    ") || strings.Contains(said, "device =") {
		t.Errorf("the disk is told as %q", said)
	}
}

// One stick is found free by one of two routes, and is free again afterwards.
func TestFinderTry(t *testing.T) {
	u := newUSB(t)
	newQuectel(t, imeiA).plug(t, u, "1-1", 0)
	finder := u.finder()
	searches := []*modem.Search{finder.Seek("gsm0", "auto"), finder.Seek("gsm1", "auto")}
	for range 2 {
		got, err := finder.Try(t.Context(), searches)
		if err != nil || len(got) != 2 || got[0] != (modem.Trial{Route: "gsm0"}) || got[1].Route != "gsm1" || got[1].Reason != "absent" || got[1].Detail == "" {
			t.Errorf("got %+v (%v)", got, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := finder.Try(ctx, searches); !errors.Is(err, context.Canceled) {
		t.Errorf("after its context: %v", err)
	}
}

// A context that ends ends the search for a modem that is silent.
func TestFinderHeedsItsContext(t *testing.T) {
	u := newUSB(t)
	stick := newQuectel(t, imeiA)
	if err := stick.commands.InjectSpec("dead"); err != nil {
		t.Fatal(err)
	}
	stick.plug(t, u, "1-1", 0)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if port, err := u.finder().Seek("gsm0", "auto").Open(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("port %v, error %v", port, err)
	}
}
