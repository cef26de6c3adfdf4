package simulator

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Bench is a modem that somebody plays with: on one side a pseudo-terminal for
// whatever drives modems, on the other a keyboard and a screen.
type Bench struct {
	// Config is the modem's, and Faults are injected before anybody can open it.
	Config Config
	Faults []Fault
	// Link is the path of a symbolic link to the tty, "" for none.
	Link string
	// In takes a line each: what [ParseFault] reads; "clear", which ends all
	// faults; and "sms +41791234567 text", by which a handset texts the modem. It
	// is read to its end, which may be after Run has returned.
	In io.Reader
	// Out gets the path of the tty, and then each message that the handset
	// receives, as JSON in a line. Err gets why a line of In is not taken.
	Out, Err io.Writer
}

// Run plugs the modem in until ctx ends.
func (b Bench) Run(ctx context.Context) error {
	m := New(b.Config)
	for _, f := range b.Faults {
		m.Inject(f)
	}
	pty, err := OpenPTY()
	if err != nil {
		return fmt.Errorf("open a pseudo-terminal: %w", err)
	}
	defer pty.Close()
	if b.Link != "" {
		if err := pty.Link(b.Link); err != nil {
			return fmt.Errorf("link to the pseudo-terminal: %w", err)
		}
	}
	fmt.Fprintln(b.Out, pty.Path())
	var screen sync.WaitGroup
	defer screen.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	screen.Go(func() {
		m.Handset().Watch(ctx, func(sms SMS) {
			line, _ := json.Marshal(sms) // strings and a time of this century
			fmt.Fprintf(b.Out, "%s\n", line)
		})
	})
	go b.read(m)
	return Run(ctx, m, pty)
}

// read does what is typed, until In ends.
func (b Bench) read(m *Modem) {
	lines := bufio.NewScanner(b.In)
	for lines.Scan() {
		if err := m.heed(strings.TrimSpace(lines.Text())); err != nil {
			fmt.Fprintln(b.Err, err)
		}
	}
}

// heed does what one line says.
func (m *Modem) heed(line string) error {
	switch {
	case line == "":
		return nil
	case line == "clear":
		m.ClearFaults()
		return nil
	case strings.HasPrefix(line, "sms "):
		from, text, _ := strings.Cut(strings.TrimSpace(line[len("sms "):]), " ")
		return m.Deliver(from, text)
	}
	return m.InjectSpec(line)
}
