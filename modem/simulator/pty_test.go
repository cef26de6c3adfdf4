package simulator_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinferry/pinferry/modem/simulator"
)

// patience is how long a real tty may take for what should come at once.
const patience = 10 * time.Second

// client is a program that has the tty open.
type client struct {
	t    *testing.T
	tty  *os.File
	said chan string // closed when the tty is gone
	err  error       // why; valid once said is closed
}

// open opens a tty as a plain file: the simulator has to see to the rest.
func open(t *testing.T, path string) *client {
	t.Helper()
	tty, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, tty: tty, said: make(chan string, 1024)}
	go func() {
		defer close(c.said)
		for buf := make([]byte, 4096); ; {
			n, err := tty.Read(buf)
			if err != nil {
				c.err = err
				return
			}
			c.said <- string(buf[:n])
		}
	}()
	return c
}

// expect writes s and reads until want has come.
func (c *client) expect(s, want string) {
	c.t.Helper()
	if _, err := c.tty.WriteString(s); err != nil {
		c.t.Fatalf("write %q: %v", s, err)
	}
	var got strings.Builder
	timeout := time.After(patience)
	for !strings.Contains(got.String(), want) {
		select {
		case more, open := <-c.said:
			if !open {
				c.t.Fatalf("after %q: %v, with %q", s, c.err, got.String())
			}
			got.WriteString(more)
		case <-timeout:
			c.t.Fatalf("after %q: no %q in %q", s, want, got.String())
		}
	}
}

// lost waits until the tty is gone, and reports how.
func (c *client) lost() error {
	c.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case _, open := <-c.said:
			if !open {
				return c.err
			}
		case <-timeout:
			c.t.Fatal("the tty is still there")
		}
	}
}

// close closes the tty and waits for its reader.
func (c *client) close() {
	c.tty.Close()
	for range c.said {
	}
}

// plug runs a modem behind a tty until the test ends.
func plug(t *testing.T, cfg simulator.Config) (*simulator.Modem, *simulator.PTY) {
	t.Helper()
	pty, err := simulator.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	m := simulator.New(cfg)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- simulator.Run(ctx, m, pty) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := pty.Close(); err != nil {
			t.Error(err)
		}
		if path := pty.Path(); path != "" {
			t.Errorf("still at %s", path)
		}
	})
	return m, pty
}

func TestPTY(t *testing.T) {
	m, pty := plug(t, simulator.Config{})
	c := open(t, pty.Path())
	c.expect("AT\r", "AT\r\r\nOK\r\n")
	c.expect("ATE0\r", "\r\nOK\r\n")
	c.expect(announce(hello), prompt)
	c.expect(hello+"\x1a", sent0)
	c.close()

	// The next program finds the same modem, with no line settings of its
	// own: raw mode survives the reopening.
	for range 3 {
		c = open(t, pty.Path())
		c.expect("AT+CSQ\r", "\r\n+CSQ: 20,99\r\n\r\nOK\r\n")
		c.close()
	}
	if got := m.Handset().Messages(); len(got) != 1 || got[0].Text != helloText {
		t.Errorf("handset %v", got)
	}
}

func TestPTYLosesWhatNobodyReads(t *testing.T) {
	m, pty := plug(t, simulator.Config{})
	c := open(t, pty.Path())
	c.expect("ATE0\r", "OK\r\n")
	c.close()
	for range 10 {
		if err := m.InjectSpec("noise@now"); err != nil {
			t.Fatal(err)
		}
	}
	c = open(t, pty.Path())
	c.expect("\r\x1b\rAT\r", "\r\nOK\r\n")
	c.close()
}

func TestPTYNoise(t *testing.T) {
	m, pty := plug(t, simulator.Config{})
	c := open(t, pty.Path())
	c.expect("ATE0\r", "OK\r\n")
	if err := m.InjectSpec("noise@now"); err != nil {
		t.Fatal(err)
	}
	c.expect("AT\r", "\r\nOK\r\n")
	c.close()
}

// A pulled-out stick is a hang-up for the program, and comes back as another
// tty under the same link.
func TestPTYReplug(t *testing.T) {
	_, pty := plug(t, simulator.Config{})
	link := filepath.Join(t.TempDir(), "modem")
	if err := pty.Link(link); err != nil {
		t.Fatal(err)
	}
	c := open(t, link)
	c.expect("ATE0\r", "OK\r\n")
	if err := pty.HangUp(); err != nil {
		t.Fatal(err)
	}
	t.Log("the program sees:", c.lost())
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the link is still there: %v", err)
	}
	if err := pty.Replug(); err != nil {
		t.Fatal(err)
	}
	next := open(t, link)
	next.expect("AT\r", "AT\r\r\nOK\r\n") // with factory settings
	next.close()
	c.close()
}

func TestPTYHangUpFault(t *testing.T) {
	for _, point := range []string{"before-prompt", "after-prompt", "after-submit", "before-reply", "after-reply"} {
		t.Run(point, func(t *testing.T) {
			m, pty := plug(t, simulator.Config{Replug: -1})
			link := filepath.Join(t.TempDir(), "modem")
			if err := pty.Link(link); err != nil {
				t.Fatal(err)
			}
			if err := m.InjectSpec("hangup=" + point + "@1"); err != nil {
				t.Fatal(err)
			}
			c := open(t, link)
			c.expect("ATE0\r", "OK\r\n")
			if point == "before-prompt" {
				if _, err := c.tty.WriteString(announce(hello)); err != nil {
					t.Fatal(err)
				}
			} else {
				c.expect(announce(hello), prompt)
			}
			switch point {
			case "after-submit", "before-reply":
				if _, err := c.tty.WriteString(hello + "\x1a"); err != nil {
					t.Fatal(err)
				}
			case "after-reply":
				c.expect(hello+"\x1a", sent0)
			}
			c.lost()
			c.close()
			sent := point == "before-reply" || point == "after-reply"
			if got := len(m.Handset().Messages()) == 1; got != sent {
				t.Errorf("sent %v, want %v", got, sent)
			}
			if err := pty.Replug(); err != nil {
				t.Fatal(err)
			}
			c = open(t, link)
			c.expect("AT\r", "AT\r\r\nOK\r\n")
			c.close()
		})
	}
}

// After a hang-up fault the stick comes back by itself.
func TestPTYComesBack(t *testing.T) {
	m, pty := plug(t, simulator.Config{Replug: time.Millisecond})
	link := filepath.Join(t.TempDir(), "modem")
	if err := pty.Link(link); err != nil {
		t.Fatal(err)
	}
	c := open(t, link)
	c.expect("ATE0\r", "OK\r\n")
	if err := m.InjectSpec("hangup@now"); err != nil {
		t.Fatal(err)
	}
	c.lost()
	c.close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	path, err := pty.Await(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != path {
		t.Errorf("the link points at %q (%v), the tty is %s", to, err, path)
	}
	c = open(t, link)
	c.expect("AT\r", "AT\r\r\nOK\r\n")
	c.close()
}

func TestPTYLinkSparesFiles(t *testing.T) {
	_, pty := plug(t, simulator.Config{})
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := pty.Link(file); err == nil {
		t.Error("a file was replaced by the link")
	}
	if err := pty.Link(filepath.Join(file, "nowhere")); err == nil {
		t.Error("a link in no directory was made")
	}
	// A link that could not be made is not tried again.
	if err := errors.Join(pty.HangUp(), pty.Replug()); err != nil {
		t.Error(err)
	}
}

func TestPTYClosed(t *testing.T) {
	pty, err := simulator.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	m := simulator.New(simulator.Config{})
	ended := make(chan error)
	go func() { ended <- simulator.Run(context.Background(), m, pty) }()
	if err := pty.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := pty.Replug(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("plugged in again: %v", err)
	}
	if _, err := pty.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read: %v", err)
	}
}

// A PTY is a line like any other.
func TestServePTY(t *testing.T) {
	pty, err := simulator.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	m := simulator.New(simulator.Config{})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- m.Serve(ctx, pty) }()
	c := open(t, pty.Path())
	c.expect("AT\r", "OK\r\n")
	c.close()
	c = open(t, pty.Path())
	c.expect("AT\r", "OK\r\n")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	c.lost()
	c.close()
}
