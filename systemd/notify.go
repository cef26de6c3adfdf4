// Package systemd speaks to the service manager and asks the kernel about boot
// and time. Beside the Go files stand what a package installs: the unit, the
// udev rules, the system user and the sample configuration.
//
// Without a service manager everything in it does nothing, and says so.
package systemd

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// sendLimit bounds one notification: a manager that does not read must not
// hold the service up.
const sendLimit = 5 * time.Second

// Notifier tells the service manager how the service fares, over the datagram
// socket that the manager names in $NOTIFY_SOCKET (sd_notify(3)). Without one
// it does nothing. It is safe for concurrent use.
type Notifier struct {
	socket string        // empty: nobody listens
	beat   time.Duration // how often Beat is due, 0: never
}

// New returns a notifier for the environment env, which is os.Getenv outside
// of tests.
func New(env func(string) string) *Notifier {
	n := &Notifier{socket: env("NOTIFY_SOCKET")}
	if pid := env("WATCHDOG_PID"); pid == "" || pid == strconv.Itoa(os.Getpid()) {
		limit, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64)
		if err == nil && limit > 0 && limit <= int64(24*time.Hour/time.Microsecond) {
			n.beat = time.Duration(limit) * time.Microsecond / 2
		}
	}
	return n
}

// Ready says that the service is up.
func (n *Notifier) Ready() error { return n.send("READY=1") }

// Stopping says that the service is going down.
func (n *Notifier) Stopping() error { return n.send("STOPPING=1") }

// Status shows a line in `systemctl status`. It must hold neither a code nor a
// full phone number.
func (n *Notifier) Status(line string) error {
	return n.send("STATUS=" + strings.Map(oneLine, line))
}

// Watchdog returns how often to call Beat, half of what the manager allows,
// and whether it watches at all.
func (n *Notifier) Watchdog() (interval time.Duration, ok bool) {
	return n.beat, n.beat > 0 && n.socket != ""
}

// Beat says that the service is alive. Call it only when something was done
// that proves it; the manager restarts a service that falls silent.
func (n *Notifier) Beat() error { return n.send("WATCHDOG=1") }

// send hands one assignment to the manager. A path that begins with @ is an
// abstract socket.
func (n *Notifier) send(assignment string) error {
	if n.socket == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("reach the service manager: %w", err)
	}
	defer conn.Close()
	// Closing is what wakes a write that is stuck.
	defer time.AfterFunc(sendLimit, func() { conn.Close() }).Stop()
	if _, err := conn.Write([]byte(assignment)); err != nil {
		return fmt.Errorf("notify the service manager: %w", err)
	}
	return nil
}

// oneLine replaces what would begin another assignment.
func oneLine(r rune) rune {
	if r < ' ' {
		return ' '
	}
	return r
}
