package proof

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem/simulator"
)

// pull is a point of the dialogue at which the stick goes.
type pull struct {
	point  string
	inject []string
	sent   int // the greatest number of transmissions of the message that meets it
	// waits says that the message may be with the stick's owner when the stick
	// goes, who keeps it for 2 s: the stick may be back by then.
	waits bool
}

var pulls = []pull{
	{"before AT+CMGS", []string{"hangup@now"}, 1, true},
	{"behind the prompt", []string{"hangup=after-prompt@1"}, 1, false},
	{"after Ctrl-Z, not sent", []string{"hangup=after-submit@1"}, 1, false},
	{"after Ctrl-Z, sent", []string{"hangup=before-reply@1"}, 2, false},
	{"after +CMGS, before OK", []string{"no-ok@1", "hangup=after-reply@1"}, 2, false},
}

// The stick is pulled out at one point of the dialogue, again and again, and
// comes back each time: the message is handed over in time, nobody gets a third
// one, and the stick carries the next.
func TestPulls(t *testing.T) {
	table := make([]string, len(pulls))
	t.Run("points", func(t *testing.T) {
		for i, p := range pulls {
			t.Run(p.point, func(t *testing.T) {
				t.Parallel()
				table[i] = p.repeat(t, rounds(t, 3))
			})
		}
	})
	t.Logf("unplugged, rounds, time until a route had it, transmissions, ends\n%s", strings.Join(table, "\n"))
}

// repeat pulls the stick in every round and returns a line of the table.
func (p *pull) repeat(t *testing.T, rounds int) string {
	t.Helper()
	// A PDU takes its time to the network, so that the stick can go before; and
	// the stick stays away for long enough to be missed.
	s := newScene(t, stage{sim: simulator.Config{Replug: 500 * time.Millisecond, Latency: 150 * time.Millisecond}})
	var delays, returns []time.Duration
	counts, ends := map[int]int{}, map[string]int{}
	for round := range rounds {
		began := now()
		s.await(stick, 30*time.Second, "ready", "")
		returns = append(returns, time.Since(began))
		// Two that go well for each that does not: else the breaker would spare
		// the stick the rest.
		for range 2 {
			s.send().wants(stick, hardLimit)
		}
		s.inject(p.inject...)
		m := s.send()
		by := backup
		if p.waits {
			by = m.Route
		}
		m.wants(by, goneLimit)
		took, _ := m.took(by)
		delays = append(delays, took)
		n := len(m.transmissions())
		if n > p.sent {
			t.Errorf("round %d: %d transmissions, want no more than %d", round+1, n, p.sent)
		}
		counts[n]++
		ends[m.State]++
	}
	s.prove()
	slices.Sort(delays)
	verdict := "ok"
	if t.Failed() {
		verdict = "FAIL"
	}
	return fmt.Sprintf("%-24s %2d  median %.2f s, most %.2f s of %.0f  once %d, twice %d  %v  back after %.1f s at most  %s", p.point, rounds,
		delays[len(delays)/2].Seconds(), delays[len(delays)-1].Seconds(), goneLimit.Seconds(), counts[1], counts[2], ends, slices.Max(returns).Seconds(), verdict)
}
