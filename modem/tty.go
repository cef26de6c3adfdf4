package modem

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

// OpenTTY returns a function that opens the serial port at path, raw, at
// 115,200 baud, for this process alone. Its errors are [OpenError].
//
// A wait in Read ends when the port is closed, and a Write that the modem does
// not take ends at its deadline: that is what the kernel's poller gives to a
// descriptor opened with O_NONBLOCK.
func OpenTTY(path string) func(ctx context.Context) (Port, error) {
	return func(context.Context) (Port, error) { return openTTY(path, "/proc") }
}

// openTTY opens the serial port at path. proc is where a process that keeps it
// from us is looked for.
func openTTY(path, proc string) (Port, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, explain(path, proc, err)
	}
	if err := claim(fd); err != nil {
		unix.Close(fd)
		return nil, explain(path, proc, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// claim makes the tty ours and raw. The lock stands beside TIOCEXCL because
// root may open an exclusive tty.
func claim(fd int) error {
	settings, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if !pseudo(fd) {
		if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
	}
	settings.Iflag, settings.Oflag, settings.Lflag = unix.IGNBRK, 0, 0
	settings.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	settings.Ispeed, settings.Ospeed = unix.B115200, unix.B115200
	settings.Cc[unix.VMIN], settings.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, settings); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	// What the modem said to the process before us is no answer to us.
	if err := unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

// pseudo tells whether a tty is a pseudo terminal. One that was made exclusive
// stays so for as long as its other side lives: the process after a killed one
// could not open it.
func pseudo(fd int) bool {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return false
	}
	const first, last = 136, 143 // major numbers of the slaves, by the kernel's devices list
	major := unix.Major(uint64(stat.Rdev))
	return major >= first && major <= last
}

// explain tells apart why a tty cannot be opened, and what to do.
func explain(path, proc string, err error) *OpenError {
	e := &OpenError{Reason: "absent", Err: fmt.Errorf("open %s: %w", path, err)}
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		e.Reason, e.Detail = "permission", fmt.Sprintf("%s may not be opened by this user. %s", path, admission(path))
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EWOULDBLOCK):
		e.Reason, e.Detail = "busy", fmt.Sprintf("%s is in use by %s. Stop it, or keep it from this port.", path, holder(proc, path))
	case errors.Is(err, unix.ENOTTY):
		e.Detail = fmt.Sprintf("%s is no serial port. Name the modem's tty as device.", path)
	default:
		e.Detail = fmt.Sprintf("%s is not there. Plug the modem in, or name its tty as device.", path)
	}
	return e
}

// admission says which group would let this user in, and how to join it.
func admission(path string) string {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return "A folder above it is closed to this user."
	}
	group := strconv.FormatUint(uint64(stat.Gid), 10)
	if found, err := user.LookupGroupId(group); err == nil {
		group = found.Name
	}
	if stat.Mode&(unix.S_IRGRP|unix.S_IWGRP) != unix.S_IRGRP|unix.S_IWGRP || stat.Gid == 0 {
		return "It is closed to groups too: install the udev rules that come with pinferry, and plug the modem in again."
	}
	name := strconv.Itoa(os.Geteuid())
	if us, err := user.LookupId(name); err == nil {
		name = us.Username
	}
	return fmt.Sprintf("It belongs to the group %s. Run: sudo usermod -aG %s %s, and restart.", group, group, name)
}
