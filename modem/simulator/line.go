package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

// ErrHangUp is returned by [Modem.Serve] when a fault pulled the stick out.
var ErrHangUp = errors.New("simulator: the modem hung up")

// maxOutput is how many bytes wait for a host that does not read; what comes
// after them is lost, as on a serial line. It holds the largest noise.
const maxOutput = maxNoise + 1<<16

// line is one served stream and what waits to be written to it. The reading
// side belongs to Serve, the writing side to the goroutine in drain.
type line struct {
	stream io.ReadWriteCloser

	mu    sync.Mutex // guards everything below
	more  sync.Cond
	out   []byte
	ended bool
	cause error // why the modem ended the line; nil: it did not
}

func newLine(stream io.ReadWriteCloser) *line {
	l := &line{stream: stream}
	l.more.L = &l.mu
	return l
}

// put queues b for the host.
func (l *line) put(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || len(l.out)+len(b) > maxOutput {
		return
	}
	l.out = append(l.out, b...)
	l.more.Signal()
}

// cut ends the line now; what was not yet written is lost. The first cause
// stays.
func (l *line) cut(cause error) {
	l.mu.Lock()
	if !l.ended {
		l.ended, l.cause, l.out = true, cause, nil
	}
	l.more.Signal()
	l.mu.Unlock()
	l.stream.Close()
}

// why returns why the modem ended the line.
func (l *line) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

// drain writes what is put until the line is cut or the host is gone.
func (l *line) drain() {
	for {
		l.mu.Lock()
		for len(l.out) == 0 && !l.ended {
			l.more.Wait()
		}
		b := l.out
		l.out = nil
		ended := l.ended
		l.mu.Unlock()
		if ended {
			return
		}
		if _, err := l.stream.Write(b); err != nil {
			l.cut(nil)
			return
		}
	}
}

// Serve answers on stream until ctx ends, the host closes it or a fault hangs
// up, and closes it. It returns nil, [ErrHangUp], or the error of a read that
// failed.
//
// It may be called again with another stream. The modem then goes on where it
// stood, prompt and settings included, as a stick does whose port is reopened;
// only a hang-up fault and [Modem.Reset] cost it its settings. One stream is
// served at a time: a new one ends the old one.
func (m *Modem) Serve(ctx context.Context, stream io.ReadWriteCloser) error {
	l := newLine(stream)
	defer context.AfterFunc(ctx, func() { l.cut(nil) })()
	m.attach(l)
	defer m.detach(l)

	drained := make(chan struct{})
	go func() {
		defer close(drained)
		l.drain()
	}()
	err := m.listen(l)
	l.cut(nil)
	<-drained

	switch {
	case l.why() != nil:
		return l.why()
	case ctx.Err() != nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrClosed):
		return nil
	}
	return fmt.Errorf("read line: %w", err)
}

// listen feeds the modem until a read fails.
func (m *Modem) listen(l *line) error {
	buf := make([]byte, 4096)
	for {
		n, err := l.stream.Read(buf)
		if n > 0 {
			m.hear(l, buf[:n])
		}
		if err != nil {
			return err
		}
	}
}

// hear takes what came on l.
func (m *Modem) hear(l *line, b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.line != l {
		return
	}
	if m.cfg.Trace != nil {
		// A trace that fails must not change what the modem does.
		_, _ = m.cfg.Trace.Write(b)
	}
	m.receive(b)
}

func (m *Modem) attach(l *line) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.line != nil {
		m.line.cut(nil)
	}
	m.line = l
	if f, is := m.condition(faultHang); is && f.argument == hangReopen {
		m.release()
	}
	m.cfg.Log.Debug().Msg("line opened")
	m.showReports()
	m.showIncoming()
}

func (m *Modem) detach(l *line) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.line == l {
		m.line = nil
	}
	m.cfg.Log.Debug().Msg("line closed")
}

// hangUp pulls the stick out of the host.
func (m *Modem) hangUp() {
	m.cfg.Log.Info().Msg("hang-up")
	m.reset()
	if m.line != nil {
		m.line.cut(ErrHangUp)
		m.line = nil
	}
}
