package modem_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/otp"
)

// A stick that is pulled shows at once, and works again under other names in
// another socket: within seconds when the kernel tells of it, and also when
// it does not (F1).
func TestFinderFollowsAReplug(t *testing.T) {
	for _, told := range []bool{true, false} {
		for _, device := range []string{"auto", "imei:" + imeiA} {
			t.Run(fmt.Sprintf("%s, told %v", device, told), func(t *testing.T) {
				t.Parallel()
				u := newUSB(t)
				stick, other := newQuectel(t, imeiA), newQuectel(t, imeiB)
				stick.plug(t, u, "1-1", 0)
				f := u.finder()
				search := f.Seek("gsm0", device)
				f.Seek("elsewhere", "imei:"+imeiB) // another route's stick, which may come first
				w := &wired{
					Gateway: modem.New("gsm0", search.Open, modem.Config{Device: device, Wake: search.Wake()}),
					sink:    &sink{},
				}
				t.Cleanup(start(t, w.Gateway, w.sink))
				w.await(t, 10*time.Second, otp.RouteReady)
				if at := w.Status().Device; at != u.tty("ttyUSB2") {
					t.Errorf("the status names %s", at)
				}
				stick.pull(t, u, "1-1")
				w.await(t, 2*time.Second, otp.RouteComing, otp.RouteDown)
				pause(2*time.Second - 100*time.Millisecond)
				if status := w.Status(); status.Reason != "absent" || status.Device != device {
					t.Fatalf("status %+v", status)
				}
				other.plug(t, u, "1-1", 0)
				stick.plug(t, u, "1-4", 4)
				limit := 15 * time.Second // without a word of the kernel: a look, two sticks to ask
				if told {
					f.Heed(modem.Event{Action: "add", Subsystem: "tty", Path: "/devices/usb1/1-4/ttyUSB6"})
					limit = 5 * time.Second
				}
				w.await(t, limit, otp.RouteReady)
				if at := w.Status().Device; at != u.tty("ttyUSB6") {
					t.Errorf("the status names %s", at)
				}
				if v := w.Send(t.Context(), sample()); v.Outcome != otp.Sent {
					t.Errorf("verdict %+v", v)
				}
				if got := stick.commands.Handset().Messages(); len(got) != 1 {
					t.Errorf("the handset of the stick has %d messages, want 1", len(got))
				}
				stick.untouched(t)
				other.untouched(t)
			})
		}
	}
}

// hungStick is a stick that only a restart brings back, with a route that finds
// it by itself.
type hungStick struct {
	*wired
	stick *quectel
	took  *climber
}

// newHungStick plugs a stick in and starts a route for device. had: the route
// gets it to work before it hangs. rival is the device of another route without
// a stick, if any.
func newHungStick(t *testing.T, device, rival string, had bool) *hungStick {
	t.Helper()
	u := newUSB(t)
	h := &hungStick{stick: newQuectel(t, imeiA), took: &climber{}}
	h.stick.plug(t, u, "1-1", 0)
	hang := func() {
		for s, spec := range map[*serial]string{h.stick.commands: "hang=restart", h.stick.data: "dead"} {
			if err := s.InjectSpec(spec); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !had {
		hang()
	}
	f := u.finder()
	search := f.Seek("gsm0", device)
	if rival != "" {
		f.Seek("gsm1", rival)
	}
	h.wired = &wired{
		Gateway: modem.New("gsm0", search.Open, modem.Config{Device: device, Wake: search.Wake(), Climbed: h.took.climbed}),
		sink:    &sink{},
	}
	t.Cleanup(start(t, h.Gateway, h.sink))
	if had {
		h.await(t, 10*time.Second, otp.RouteReady)
		hang()
	}
	return h
}

// A stick that was found by itself and hangs is started anew, though no session
// with it can begin: by the route that had it, and in a box that starts beside
// it. One that may be another route's is left alone.
func TestFinderRevivesAHungStick(t *testing.T) {
	t.Parallel()
	// All at once, for each waits until a stick that starts would have begun.
	revived := map[string]*hungStick{
		"auto": newHungStick(t, "auto", "", true), "imei": newHungStick(t, "imei:"+imeiA, "auto", true),
		"at the start": newHungStick(t, "auto", "", false),
	}
	foreign := map[string]*hungStick{
		"another's": newHungStick(t, "auto", "imei:"+imeiA, false), "unproven": newHungStick(t, "imei:"+imeiA, "", false),
	}
	for name, h := range revived {
		for waited := 0; h.took.count("restart") == 0; waited++ {
			if waited == 60 {
				t.Fatalf("%s: rungs %q", name, h.took.list())
			}
			pause(time.Second)
		}
		h.await(t, 20*time.Second, otp.RouteReady)
		if n := h.took.count("restart"); n != 1 {
			t.Errorf("%s: rungs %q", name, h.took.list())
		}
		h.stick.untouched(t)
	}
	for name, h := range foreign {
		if got := h.took.list(); len(got) != 0 {
			t.Errorf("%s: rungs %q", name, got)
		}
	}
}

// Only the stick that was opened is reset, by its number on the bus.
func TestSearchReset(t *testing.T) {
	u := newUSB(t)
	u.plug(t, "1-1", "1d6b:0002") // number 1
	newQuectel(t, imeiA).plug(t, u, "1-2", 0)
	search := u.finder().Seek("gsm0", "auto")
	if err := search.Reset(t.Context()); err == nil {
		t.Error("something was reset before a modem was opened")
	}
	port, _ := must(t, search)
	defer port.Close()
	node := u.tty("bus/usb/001/002")
	if err := search.Reset(t.Context()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), node) {
		t.Errorf("error %v, want that %s is not there", err, node)
	}
}
