package modem_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

// uevent writes an event as the kernel does.
func uevent(fields ...string) []byte { return []byte(strings.Join(fields, "\x00") + "\x00") }

const ttyPath = "/devices/pci0000:00/usb1/1-1/1-1:1.2/ttyUSB2/tty/ttyUSB2"

func added() []byte {
	return uevent("add@"+ttyPath, "ACTION=add", "DEVPATH="+ttyPath, "SUBSYSTEM=tty", "MAJOR=188", "DEVNAME=ttyUSB2", "SEQNUM=4711")
}

func TestParseEvent(t *testing.T) {
	got, ok := modem.ParseEvent(added())
	if want := (modem.Event{Action: "add", Subsystem: "tty", Path: ttyPath}); !ok || got != want {
		t.Errorf("event %+v %v, want %+v", got, ok, want)
	}
	for name, text := range map[string][]byte{
		"empty":           nil,
		"no end":          []byte("add@/a\x00ACTION=add\x00DEVPATH=/a\x00SUBSYSTEM=tty"),
		"another's head":  uevent("libudev", "ACTION=add", "DEVPATH=/a", "SUBSYSTEM=tty"),
		"a contradiction": uevent("remove@/a", "ACTION=add", "DEVPATH=/a", "SUBSYSTEM=tty"),
		"no subsystem":    uevent("add@/a", "ACTION=add", "DEVPATH=/a"),
		"no path":         uevent("add@", "ACTION=add", "DEVPATH=", "SUBSYSTEM=tty"),
		"too long":        append(added(), uevent(strings.Repeat("x", 8<<10))...),
	} {
		if got, ok := modem.ParseEvent(text); ok {
			t.Errorf("%s: taken as %+v", name, got)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add(added())
	f.Fuzz(func(t *testing.T, text []byte) {
		event, ok := modem.ParseEvent(text)
		if !ok {
			if event != (modem.Event{}) {
				t.Errorf("a refused message gave %+v", event)
			}
			return
		}
		if !strings.HasPrefix(string(text), event.Action+"@"+event.Path+"\x00") {
			t.Errorf("%+v is not what the head of %q says", event, text)
		}
		for _, value := range []string{event.Action, event.Subsystem, event.Path} {
			if value == "" || strings.Contains(value, "\x00") {
				t.Errorf("event %+v", event)
			}
		}
	})
}

// woken tells whether a search is woken within a time.
func woken(s *modem.Search, within time.Duration) bool {
	select {
	case <-s.Wake():
		return true
	default:
	}
	select {
	case <-s.Wake():
		return true
	case <-time.After(within):
		return false
	}
}

// Only what appeared wakes, and one that was woken before it looked again is
// woken once.
func TestHeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := modem.NewFinder(modem.FinderConfig{})
		first, second := f.Seek("gsm0", "auto"), f.Seek("gsm1", "auto")
		for _, e := range []modem.Event{
			{Action: "remove", Subsystem: "tty"}, {Action: "change", Subsystem: "usb"}, {Action: "add", Subsystem: "net"},
		} {
			f.Heed(e)
			if woken(first, time.Second) {
				t.Errorf("woken by %+v", e)
			}
		}
		for range 3 {
			f.Heed(modem.Event{Action: "add", Subsystem: "tty", Path: ttyPath})
		}
		if !woken(first, 0) || !woken(second, 0) {
			t.Error("not woken")
		}
		if woken(first, time.Second) {
			t.Error("woken again")
		}
	})
}

// A gateway that waits before its next try opens at once when it is woken.
func TestGatewayIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{}, 1)
		b := run(t, plug(simulator.Config{}), modem.Config{Wake: wake})
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		b.pull(true)
		b.await(t, otp.RouteDown, "absent", 15*time.Second)
		time.Sleep(time.Minute)
		b.pull(false)
		wake <- struct{}{}
		before := b.openings()
		synctest.Wait()
		if b.openings() != before+1 {
			t.Error("it did not open at once")
		}
		b.await(t, otp.RouteReady, "", 2*time.Second)
	})
}

// Another process that has the right to speak on the kernel's group is not
// believed.
func TestWatchHeedsTheKernelOnly(t *testing.T) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		t.Skipf("NOT TESTED: no netlink here: %v", err)
	}
	defer unix.Close(fd)
	// What we send must reach a listener, or the test would prove nothing.
	control, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(control)
	if err := unix.Bind(control, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}); err != nil {
		t.Skipf("NOT TESTED: no events here: %v", err)
	}
	if err := unix.SetsockoptTimeval(control, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}); err != nil {
		t.Fatal(err)
	}
	f := modem.NewFinder(modem.FinderConfig{})
	search := f.Seek("gsm0", "auto")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Watch(ctx)
	}()
	defer func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(2 * time.Second):
			t.Error("Watch goes on")
		}
	}()
	pause(50 * time.Millisecond) // until it listens
	if err := unix.Sendto(fd, added(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}); err != nil {
		t.Skipf("NOT TESTED: this user may not speak on the group: %v", err)
	}
	got := make([]byte, 8<<10)
	if n, _, err := unix.Recvfrom(control, got, 0); err != nil || string(got[:n]) != string(added()) {
		t.Skipf("NOT TESTED: what is sent reaches nobody here: %v", os.NewSyscallError("recvfrom", err))
	}
	if woken(search, 200*time.Millisecond) {
		t.Error("a process was taken for the kernel")
	}
}

// The kernel is heard. Where the box lets us, we make it speak of its console:
// that tells the system what it knows already.
func TestWatchHearsTheKernel(t *testing.T) {
	f := modem.NewFinder(modem.FinderConfig{})
	search := f.Seek("gsm0", "auto")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Watch(ctx)
	}()
	defer func() {
		cancel()
		<-ended
	}()
	pause(50 * time.Millisecond) // until it listens
	const trigger = "/sys/class/tty/tty/uevent"
	if err := os.WriteFile(trigger, []byte("add"), 0); err != nil {
		t.Skipf("NOT TESTED: the kernel cannot be made to speak here: %v", err)
	}
	if !woken(search, 2*time.Second) {
		t.Skip("NOT TESTED: the kernel's events do not come here, as in a container")
	}
}
