package simulator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// ErrUnplugged is returned by a [PTY] between HangUp and Replug.
var ErrUnplugged = errors.New("simulator: unplugged")

// PTY is a pseudo terminal: the modem's side is the PTY itself, the host's side
// a tty at [PTY.Path]. Hosts may open and close the tty as they like. The PTY
// never holds the tty open itself, so a host sees a hang-up as it would see a
// stick go. It is safe for concurrent use.
type PTY struct {
	mu      sync.Mutex // guards everything below
	pair    *pair      // nil: unplugged
	link    string     // the symbolic link that follows the tty; "": none
	closed  bool
	changed chan struct{} // closed and replaced when pair or closed changes
}

// OpenPTY returns a PTY that is plugged in. The tty is in raw mode.
func OpenPTY() (*PTY, error) {
	p := &PTY{changed: make(chan struct{})}
	if err := p.Replug(); err != nil {
		return nil, err
	}
	return p, nil
}

// Path returns the path of the tty, "" while unplugged. It may be another one
// after Replug, as with a stick.
func (p *PTY) Path() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.present() {
		return ""
	}
	return p.pair.path
}

// Await returns the path of the tty as soon as the stick is plugged in, or the
// error of ctx or of a PTY that is closed.
func (p *PTY) Await(ctx context.Context) (string, error) {
	now, err := p.await(ctx)
	if err != nil {
		return "", err
	}
	return now.path, nil
}

// present reports whether a stick is plugged in. One that a fault pulled out
// closed its own pair.
func (p *PTY) present() bool { return p.pair != nil && !p.pair.gone() }

// Link makes path a symbolic link to the tty, now and after each Replug. What
// stands at path is replaced only if it is a symbolic link.
func (p *PTY) Link(path string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.link
	p.link = path
	err := p.relink()
	if err != nil {
		p.link = old
	}
	return err
}

// relink points the link at the present tty.
func (p *PTY) relink() error {
	if p.link == "" || !p.present() {
		return nil
	}
	if info, err := os.Lstat(p.link); err == nil && info.Mode()&os.ModeSymlink == 0 {
		return fmt.Errorf("link tty: %s exists and is no symbolic link", p.link)
	}
	next := fmt.Sprintf("%s.%d", p.link, os.Getpid())
	if err := os.Symlink(p.pair.path, next); err != nil {
		return fmt.Errorf("link tty: %w", err)
	}
	if err := os.Rename(next, p.link); err != nil {
		return errors.Join(fmt.Errorf("link tty: %w", err), os.Remove(next))
	}
	return nil
}

// HangUp pulls the stick out: hosts see a hang-up, and the link is gone.
func (p *PTY) HangUp() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.unplug()
}

func (p *PTY) unplug() error {
	if p.pair == nil {
		return nil
	}
	gone := p.pair
	p.pair = nil
	p.notify()
	if to, err := os.Readlink(p.link); err == nil && to == gone.path {
		return errors.Join(os.Remove(p.link), gone.Close())
	}
	return gone.Close()
}

// Replug plugs a stick in again that HangUp pulled out: there is a new tty, and
// the link points at it. It does nothing if the stick is there.
func (p *PTY) Replug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return os.ErrClosed
	}
	if p.present() {
		return nil
	}
	next, err := openPair()
	if err != nil {
		return err
	}
	p.pair = next
	p.notify()
	return p.relink()
}

// Close unplugs for good.
func (p *PTY) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.notify()
	return p.unplug()
}

// Read reads what a host wrote. It waits for a host if there is none.
func (p *PTY) Read(b []byte) (int, error) {
	now, err := p.plugged()
	if err != nil {
		return 0, err
	}
	return now.Read(b)
}

// Write writes to the host; if there is none, b is lost.
func (p *PTY) Write(b []byte) (int, error) {
	now, err := p.plugged()
	if err != nil {
		return 0, err
	}
	return now.Write(b)
}

// notify wakes those who wait for a change.
func (p *PTY) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// plugged returns the present pair.
func (p *PTY) plugged() (*pair, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return nil, os.ErrClosed
	case !p.present():
		return nil, ErrUnplugged
	}
	return p.pair, nil
}

// await returns the pair that is or will be plugged in.
func (p *PTY) await(ctx context.Context) (*pair, error) {
	for {
		p.mu.Lock()
		now, present, closed, changed := p.pair, p.present(), p.closed, p.changed
		p.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case closed:
			return nil, os.ErrClosed
		case present:
			return now, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// Run serves p with m until ctx ends or p is closed, through hosts that come
// and go and through re-plugs, and leaves p unplugged. A stick that is pulled
// out loses its power, so after each re-plug m has factory settings. A hang-up
// fault plugs the stick in again after Config.Replug.
func Run(ctx context.Context, m *Modem, p *PTY) error {
	for {
		now, err := p.await(ctx)
		if err != nil {
			return p.HangUp()
		}
		err = m.Serve(ctx, now)
		m.Reset()
		if gone := p.lose(now); gone != nil {
			return gone
		}
		switch {
		case errors.Is(err, ErrHangUp):
			if err := m.replug(ctx, p); err != nil {
				return err
			}
		case err != nil:
			return err
		}
	}
}

// lose unplugs old, unless another stick has been plugged in meanwhile.
func (p *PTY) lose(old *pair) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pair != old {
		return nil
	}
	return p.unplug()
}

// replug plugs p in again after the time that the configuration says.
func (m *Modem) replug(ctx context.Context, p *PTY) error {
	if m.cfg.Replug < 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(m.cfg.Replug):
	}
	if err := p.Replug(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("plug in again: %w", err)
	}
	return nil
}
