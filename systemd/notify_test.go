package systemd_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pinferry/pinferry/systemd"
)

// environment is a process environment for one test.
type environment map[string]string

func (e environment) get(name string) string { return e[name] }

// listen opens a notification socket, as a service manager does.
func listen(tb testing.TB, name string) *net.UnixConn {
	tb.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	return conn
}

func receive(tb testing.TB, conn *net.UnixConn) string {
	tb.Helper()
	datagram := make([]byte, 1024)
	n, err := conn.Read(datagram)
	if err != nil {
		tb.Fatal(err)
	}
	return string(datagram[:n])
}

func TestNotify(t *testing.T) {
	for kind, name := range map[string]string{
		"path":     filepath.Join(t.TempDir(), "notify"),
		"abstract": "@pinferry-test-" + strconv.Itoa(os.Getpid()),
	} {
		t.Run(kind, func(t *testing.T) {
			manager := listen(t, name)
			n := systemd.New(environment{"NOTIFY_SOCKET": name}.get)
			for want, send := range map[string]func() error{
				"READY=1":    n.Ready,
				"STOPPING=1": n.Stopping,
				"WATCHDOG=1": n.Beat,
				// A status cannot smuggle in another assignment.
				"STATUS=gsm0 is ready READY=1": func() error { return n.Status("gsm0 is ready\nREADY=1") },
			} {
				if err := send(); err != nil {
					t.Fatal(err)
				}
				if got := receive(t, manager); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}

// Without a manager nothing happens; with one that is gone, the caller learns.
func TestNobodyListens(t *testing.T) {
	silent := systemd.New(environment{}.get)
	gone := systemd.New(environment{"NOTIFY_SOCKET": filepath.Join(t.TempDir(), "gone")}.get)
	for name, calls := range map[string][2]func() error{
		"ready":    {silent.Ready, gone.Ready},
		"stopping": {silent.Stopping, gone.Stopping},
		"beat":     {silent.Beat, gone.Beat},
	} {
		if err := calls[0](); err != nil {
			t.Errorf("%s without a manager: %v", name, err)
		}
		if err := calls[1](); err == nil {
			t.Errorf("%s to a socket that is gone succeeds", name)
		}
	}
}

func TestWatchdog(t *testing.T) {
	pid := strconv.Itoa(os.Getpid())
	for name, c := range map[string]struct {
		env  environment
		want time.Duration // 0: nobody watches
	}{
		"watched":          {environment{"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": pid}, 30 * time.Second},
		"any process":      {environment{"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "60000000"}, 30 * time.Second},
		"another process":  {environment{"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1" + pid}, 0},
		"not watched":      {environment{"NOTIFY_SOCKET": "@x"}, 0},
		"nobody to beat":   {environment{"WATCHDOG_USEC": "60000000"}, 0},
		"no number":        {environment{"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "1m"}, 0},
		"zero":             {environment{"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "0"}, 0},
		"negative":         {environment{"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "-1"}, 0},
		"longer than ever": {environment{"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "9223372036854775807"}, 0},
	} {
		interval, ok := systemd.New(c.env.get).Watchdog()
		if ok != (c.want > 0) || ok && interval != c.want {
			t.Errorf("%s: got %s, %t; want %s", name, interval, ok, c.want)
		}
	}
}

func TestConcurrentBeats(t *testing.T) {
	const beats = 50
	name := filepath.Join(t.TempDir(), "notify")
	manager := listen(t, name)
	n := systemd.New(environment{"NOTIFY_SOCKET": name}.get)
	var all sync.WaitGroup
	for range beats {
		all.Go(func() {
			if err := n.Beat(); err != nil {
				t.Error(err)
			}
		})
	}
	for range beats {
		if got := receive(t, manager); got != "WATCHDOG=1" {
			t.Errorf("got %q", got)
		}
	}
	all.Wait()
}
