package modem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Event is what the kernel tells of a device that came or went.
type Event struct {
	// Action is "add", "remove", "bind", "change" and the like.
	Action string
	// Subsystem is "usb", "tty" and the like.
	Subsystem string
	// Path is the device below /sys, such as "/devices/platform/.../ttyUSB0".
	Path string
}

// maxEvent bounds a message of the kernel; it writes no longer ones.
const maxEvent = 8 << 10

// ParseEvent reads one message of NETLINK_KOBJECT_UEVENT: a head, "add@/devices/...",
// and pairs like "SUBSYSTEM=tty", each ended by a zero. ok is false for anything
// else, and for a message that contradicts its own head.
func ParseEvent(message []byte) (event Event, ok bool) {
	if len(message) > maxEvent || !bytes.HasSuffix(message, []byte{0}) {
		return Event{}, false
	}
	fields := strings.Split(string(message[:len(message)-1]), "\x00")
	for _, field := range fields[1:] {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "ACTION":
			event.Action = value
		case "DEVPATH":
			event.Path = value
		case "SUBSYSTEM":
			event.Subsystem = value
		}
	}
	if event.Action == "" || event.Subsystem == "" || !strings.HasPrefix(event.Path, "/") ||
		fields[0] != event.Action+"@"+event.Path {
		return Event{}, false
	}
	return event, true
}

// events calls heed with what the kernel tells, until ctx ends or the socket
// fails. Inside a container there may be no such socket, or nothing comes.
func events(ctx context.Context, heed func(Event)) error {
	const kernel = 1 // the multicast group; udev speaks on another
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return fmt.Errorf("open socket for events of the kernel: %w", err)
	}
	socket := os.NewFile(uintptr(fd), "uevent")
	defer socket.Close()
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernel}); err != nil {
		return fmt.Errorf("listen to events of the kernel: %w", err)
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return fmt.Errorf("listen to events of the kernel: %w", err)
	}
	defer context.AfterFunc(ctx, func() { socket.Close() })() // ends a read that waits
	buffer := make([]byte, maxEvent+1)
	for {
		var n int
		var from unix.Sockaddr
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			n, from, failed = unix.Recvfrom(int(fd), buffer, 0)
			return !errors.Is(failed, unix.EAGAIN)
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("read events of the kernel: %w", err)
		case errors.Is(failed, unix.ENOBUFS): // some were lost: a wake too many does no harm
			heed(Event{Action: "add", Subsystem: "tty"})
			continue
		case errors.Is(failed, unix.EINTR):
			continue
		case failed != nil:
			return fmt.Errorf("read events of the kernel: %w", failed)
		}
		// Any process with the right to it can speak on the group; only the kernel
		// has the address 0.
		if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
			continue
		}
		if event, ok := ParseEvent(buffer[:n]); ok {
			heed(event)
		}
	}
}
