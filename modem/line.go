package modem

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Bounds of a line.
const (
	maxLine    = 4096            // octets of one line that are kept; a longer one is noise
	maxWaiting = 64              // tokens that wait for the owner
	writeLimit = 5 * time.Second // one Write may take
	closeLimit = time.Second     // the reader may take to see that the port is closed
)

// What the reader tells beside lines. Neither can be mistaken for a line: a
// line never begins with '>' and holds no control character.
const (
	prompt = ">"    // the modem waits for a PDU
	noise  = "\x00" // a line passed maxLine and was dropped
)

// line is one opened port, read as lines and written in whole units.
//
// It stands where the at package of warthog618/modem could: that one writes
// the PDU again at a second prompt, has one time limit for prompt and answer
// together, loses the order of indications, and gives a port up after 64 KiB
// of noise. None of these can be mended from outside.
type line struct {
	port   Port
	tokens chan string   // filled and closed by read
	closed chan struct{} // closed by close
	once   sync.Once     // guards closed
	err    error         // why reading ended; written by read before it closes tokens
}

// newLine starts to read port.
func newLine(port Port) *line {
	l := &line{port: port, tokens: make(chan string, maxWaiting), closed: make(chan struct{})}
	go l.read()
	return l
}

// read turns octets into tokens until the port ends.
func (l *line) read() {
	defer close(l.tokens)
	defer func() {
		// A driver's panic must end the session, not the process.
		if p := recover(); p != nil {
			l.err = fmt.Errorf("read: panic of type %T", p)
		}
	}()
	octets := bufio.NewReaderSize(l.port, maxLine)
	text := make([]byte, 0, maxLine)
	flooded := false
	for {
		b, err := octets.ReadByte()
		if err != nil {
			l.err = fmt.Errorf("read: %w", err)
			return
		}
		switch {
		case b == '\r' || b == '\n':
			if len(text) > 0 && !flooded {
				l.tell(string(text))
			}
			text, flooded = text[:0], false
		case flooded, b <= ' ' && len(text) == 0:
			// Control characters mean nothing before an answer, and neither does
			// the space behind a prompt.
		case b == '>' && len(text) == 0:
			l.tell(prompt) // no line end follows it
		case len(text) == maxLine:
			flooded = true
			l.tell(noise)
		case b < ' ', b > '~':
			text = append(text, '?') // so that noise never passes for an answer
		default:
			text = append(text, b)
		}
	}
}

// tell hands a token to the owner. It waits while the owner is behind: the
// tokens of a modem that floods us stay bounded.
func (l *line) tell(token string) {
	select {
	case l.tokens <- token:
	case <-l.closed:
	}
}

// write hands one unit to the port in one Write. whole is true when every
// octet of it has gone out, and so it may be true beside an error.
func (l *line) write(unit string) (whole bool, err error) {
	limit, cancel := context.WithTimeout(context.Background(), writeLimit)
	defer cancel()
	deadline, _ := limit.Deadline()
	if err := l.port.SetWriteDeadline(deadline); err != nil {
		return false, fmt.Errorf("write: %w", err)
	}
	n, err := l.port.Write([]byte(unit))
	whole = n == len(unit)
	if err == nil && !whole {
		err = io.ErrShortWrite
	}
	if err != nil {
		err = fmt.Errorf("write: %w", err)
	}
	return whole, err
}

// lost returns why the tokens ended. It may be called only after they have.
func (l *line) lost() error {
	if l.err == nil {
		return errors.New("read: ended")
	}
	return l.err
}

// close closes the port and waits until the reader has let go of it: a port
// that is still being read stays locked against its next opening.
func (l *line) close() {
	l.once.Do(func() {
		close(l.closed)
		l.port.Close() // what it says makes no difference now
	})
	limit := time.NewTimer(closeLimit)
	defer limit.Stop()
	for {
		select {
		case _, ok := <-l.tokens:
			if !ok {
				return
			}
		case <-limit.C:
			return
		}
	}
}
