package simulator

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// reopenPoll is how often a PTY that no host has open looks for one. The
// kernel tells a waiting reader when the last host leaves, not when the next
// one comes.
const reopenPoll = 10 * time.Millisecond

// pair is one pseudo terminal of the kernel, seen from the modem.
type pair struct {
	master *os.File
	path   string // of the tty
	closed chan struct{}
	once   sync.Once
}

// openPair opens a pair in raw mode without ever opening its tty.
func openPair() (*pair, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/ptmx: %w", err)
	}
	path, err := prepare(fd)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return &pair{master: os.NewFile(uintptr(fd), "/dev/ptmx"), path: path, closed: make(chan struct{})}, nil
}

// prepare unlocks the tty behind a master and sets it raw, and returns its
// path. On Linux the settings of a master are those of its tty.
func prepare(fd int) (path string, err error) {
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return "", fmt.Errorf("unlock tty: %w", err)
	}
	n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err != nil {
		return "", fmt.Errorf("name tty: %w", err)
	}
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return "", fmt.Errorf("read tty settings: %w", err)
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8 | unix.CREAD
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return "", fmt.Errorf("set tty raw: %w", err)
	}
	return fmt.Sprintf("/dev/pts/%d", n), nil
}

// Read waits for a host if none has the tty open; the kernel says EIO then.
func (p *pair) Read(b []byte) (int, error) {
	for {
		n, err := p.master.Read(b)
		if !errors.Is(err, unix.EIO) {
			return n, err
		}
		select {
		case <-p.closed:
			return 0, os.ErrClosed
		case <-time.After(reopenPoll):
		}
	}
}

// Write loses what no host is there to read.
func (p *pair) Write(b []byte) (int, error) {
	n, err := p.master.Write(b)
	if errors.Is(err, unix.EIO) {
		return len(b), nil
	}
	return n, err
}

func (p *pair) Close() error {
	var err error
	p.once.Do(func() {
		close(p.closed)
		err = p.master.Close()
	})
	return err
}

// gone reports whether p was closed.
func (p *pair) gone() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}
