package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a fail-over may take, from the request on. A second of each is the slack
// of machines that have more to do than this.
const (
	slack     = time.Second
	hardLimit = 2*time.Second + slack  // after a definite refusal
	goneLimit = 5*time.Second + slack  // after the modem went
	hushLimit = 32*time.Second + slack // after 30 s of silence
	awayLimit = 10*time.Second + slack // after a provider's fault
)

// fault is a row of the matrix: how a fault is caused, and what the message
// that meets it must come to.
type fault struct {
	name, cause string
	stage       stage
	inject      []string // into the stick, once all is ready
	always      misdeed  // of the provider
	next        []misdeed
	// before goes ahead of the message, and after follows it; both may be nil.
	before, after func(s *scene)

	want  string        // the route that must have it; "" is none
	limit time.Duration // until then
	sent  int           // the transmissions in all
	state string        // how it ends if no route must have it, with its reason
	// maybe says that nobody can know whether the first route sent it; either,
	// that this depends on the moment.
	maybe, either bool
}

// entry is what became of a fault.
type entry struct {
	*fault
	took    time.Duration
	sending sending
	sent    int
	failed  bool
}

// String is a line of the table.
func (e entry) String() string {
	took := "-"
	if e.limit > 0 {
		took = fmt.Sprintf("%.2f s of %.0f", e.took.Seconds(), e.limit.Seconds())
	}
	state := e.sending.end()
	if e.sending.PossibleDuplicate {
		state += ", flagged"
	}
	verdict := "ok"
	if e.failed {
		verdict = "FAIL"
	}
	return fmt.Sprintf("%-4s %-52s %-14s %-7s %d  %-36s %s", e.name, e.cause, took, e.sending.Route, e.sent, state, verdict)
}

// Every fault of the radio and of the relays, each caused in a box of its own
// with a stick on a pseudo-terminal and a provider over HTTP: where the message
// goes then, how long that takes, how often it is transmitted and how it ends.
func TestFaults(t *testing.T) {
	all := append(radioFaults(t), relayFaults(t)...)
	slices.SortStableFunc(all, func(a, b fault) int { // F2 stands before F10
		return cmp.Or(cmp.Compare(len(a.name), len(b.name)), strings.Compare(a.name, b.name))
	})
	table := make([]*entry, len(all))
	t.Run("faults", func(t *testing.T) {
		for i := range all {
			f := &all[i]
			t.Run(f.name+" "+f.cause, func(t *testing.T) {
				t.Parallel()
				e := &entry{fault: f}
				defer func() {
					e.failed = t.Failed()
					table[i] = e
				}()
				f.drive(newScene(t, f.stage), e)
			})
		}
	})
	var text strings.Builder
	for _, e := range table {
		if e != nil { // not skipped
			fmt.Fprintf(&text, "\n%s", e)
		}
	}
	t.Logf("fault, cause, time to the route that took it of its limit, route, transmissions, end, verdict%s", text.String())
}

// drive causes the fault and writes down what comes of it.
func (f *fault) drive(s *scene, e *entry) {
	s.t.Helper()
	s.inject(f.inject...)
	s.provider.misbehave(f.always, f.next...)
	if f.before != nil {
		f.before(s)
	}
	m := s.send()
	e.sending = *m
	e.sent = len(m.transmissions())
	if f.want == "" {
		if m.end() != f.state {
			s.t.Errorf("the message ended as %s, want %s", m.end(), f.state)
		}
	} else {
		took, ok := m.took(f.want)
		e.took = took
		switch {
		case !ok || !m.reached() || m.Route != f.want:
			s.t.Errorf("the message ended as %s by %s, want it sent by %s", m.end(), m.Route, f.want)
		case took > f.limit:
			s.t.Errorf("%s had it after %v, want %v", f.want, took, f.limit)
		}
	}
	if e.sent != f.sent {
		s.t.Errorf("%d transmissions, want %d", e.sent, f.sent)
	}
	if m.PossibleDuplicate != f.maybe && !f.either {
		s.t.Errorf("a possible duplicate: %v, want %v", m.PossibleDuplicate, f.maybe)
	}
	if f.after != nil {
		f.after(s)
	}
	s.prove()
}

// wants holds a message against the route that must have carried it, and that
// in time.
func (m *sending) wants(route string, limit time.Duration) {
	t := m.scene.t
	t.Helper()
	if took, ok := m.took(route); !ok || !m.reached() || m.Route != route || took > limit {
		t.Errorf("a message ended as %s by %s, %s had it %v after %v; want %s within %v", m.end(), m.Route, route, ok, took, route, limit)
	}
}
