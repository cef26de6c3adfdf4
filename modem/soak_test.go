package modem_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

// The soak. Each of its days has a seed of its own.
const (
	soakDays    = 1
	soakDay     = 24 * time.Hour // of virtual time
	soakCodes   = 720            // a day
	soakSwallow = 5              // of so many messages, one whose answer lacks a word
	soakMishaps = 480            // a day, were there no time between two of them
)

// mishap is one thing that befalls a stick. It returns when that is over.
type mishap struct {
	name string
	fall func(t *testing.T, s *stick, rng *rand.Rand)
}

// condition is a mishap that holds for a while: one of specs begins it and cure
// ends it, or every fault does if that is "".
func condition(name, cure string, specs ...string) mishap {
	return mishap{name, func(t *testing.T, s *stick, rng *rand.Rand) {
		s.inject(t, specs[rng.IntN(len(specs))])
		time.Sleep(span(rng, 2*time.Second, 3*time.Minute))
		if cure == "" {
			s.ClearFaults()
		} else {
			s.inject(t, cure)
		}
	}}
}

// struck is a mishap of the next message: one of specs.
func struck(name string, specs ...string) mishap {
	return mishap{name, func(t *testing.T, s *stick, rng *rand.Rand) {
		s.inject(t, specs[rng.IntN(len(specs))])
	}}
}

// unplugged takes the stick out for a while. Its power goes with it.
func unplugged(t *testing.T, s *stick, rng *rand.Rand) {
	s.pull(true)
	s.Reset()
	time.Sleep(span(rng, 200*time.Millisecond, 2*time.Minute))
	s.pull(false)
}

// mishaps are what a stick meets with in its life.
var mishaps = []mishap{
	condition("searching", "creg=1", "creg=0", "creg=2", "creg=3", "creg=4", "creg=5"),
	condition("no sim", "sim=ready", "sim=missing", "sim=puk"),
	condition("silent", "", "dead"),
	condition("hang", "", "hang=escape", "hang=reopen", "hang=restart"),
	{"flapping", func(t *testing.T, s *stick, rng *rand.Rand) {
		for range 2 + rng.IntN(20) {
			s.inject(t, "creg=2")
			time.Sleep(span(rng, time.Second, 4*time.Second))
			s.inject(t, "creg=1")
			time.Sleep(span(rng, time.Second, 4*time.Second))
		}
	}},
	{"unplugged", unplugged},
	{"hang until unplugged", func(t *testing.T, s *stick, rng *rand.Rand) {
		s.inject(t, "hang=reset")
		time.Sleep(span(rng, 5*time.Second, 3*time.Minute))
		unplugged(t, s, rng)
	}},
	{"restart", func(t *testing.T, s *stick, _ *rand.Rand) { s.inject(t, "reboot@now") }},
	struck("unplugged in a dialogue", "hangup=before-prompt@1", "hangup=after-prompt@1", "hangup=after-submit@1", "hangup=before-reply@1", "hangup=after-reply@1"),
	struck("full sim", "full@1", "full@now"),
	struck("refused for the number", "cms=1@1", "cms=50@1", "cms=69@1", "cms=96@1"),
	struck("refused for the sim", "cms=10@1", "cms=28@1", "cms=310@1", "cms=330@1", "smsc-lost@now"),
	struck("refused for now", "cms=38@1", "cms=41@1", "cms=42@1", "cms=331@1", "cms=302@1", "cms=513@1", "early=302@1", "cme=14@1"),
	struck("perhaps sent", "cms=127@1", "cms=332@1", "cms=500@1", "error@1", "silence@1", "lost-reply@1", "late-reply=20s@1", "late-reply=45s@1", "late-reply=90s@1", "ok-only@1", "no-ok@1"),
	struck("no prompt", "no-prompt@1", "stuck-prompt@1"),
	struck("babble", "urc@1", "twice@1", "garbage@1", "noise=70000@1", "noise=70000@now"),
	struck("new life", "reboot@1", "cmgf-reset@1"),
	struck("reports", "no-report@1", "report-late=5m@1", "report-early@1", "report=0x46@1"),
}

// span is a random time between two others.
func span(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)))
}

// A stick that meets with everything, around the clock, beside one that is
// always there and only swallows a word now and then: each code that was accepted reaches a terminal state that is true of
// what the handsets got, nothing goes out a third time or with other digits, no
// code fails that the other stick could have carried, and nothing is left over
// of all that.
//
// A port over a pipe costs no descriptor, but each one that is open has a
// goroutine of its reader and one of the simulator: one left open would show.
func TestSoakDay(t *testing.T) {
	for seed := range uint64(soakDays) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { liveThrough(t, seed) }) })
	}
}

// liveThrough is one day of the soak.
func liveThrough(t *testing.T, seed uint64) {
	ill := plug(simulator.Config{TextMode: true, Boot: 8 * time.Second, Latency: time.Second, ReportDelay: 3 * time.Second})
	well := plug(simulator.Config{Latency: 4 * time.Second, ReportDelay: 3 * time.Second})
	for n := soakSwallow; n <= soakCodes; n += soakSwallow {
		well.inject(t, fmt.Sprintf("ok-only@%d", n)) // or no message could be in doubt at both, and go out a third time
	}
	o := staff(t, ill, well)
	synctest.Wait()
	before, _ := bubbled()

	started := make(chan map[string]otp.Progress)
	go func() { started <- soak(o, rand.New(rand.NewPCG(seed, 2))) }()
	counts := befall(t, ill, rand.New(rand.NewPCG(seed, 1)))
	accepted := <-started
	ill.ClearFaults()
	time.Sleep(15 * time.Minute) // until the last code has died and the last rest is over
	synctest.Wait()

	after, stacks := bubbled()
	if after != before {
		t.Errorf("%d goroutines after the day, %d before it:\n%s", after, before, stacks)
	}
	for n, g := range o.gateways {
		if status := g.Status(); status.State != otp.RouteReady || status.Free != 1 {
			t.Errorf("gsm%d is %v %q (%s) with %d free after the day", n, status.State, status.Reason, status.Detail, status.Free)
		}
	}
	checkUnits(t, ill.units.list())
	checkUnits(t, well.units.list())
	got := map[string][]string{}
	for _, sms := range append(ill.Handset().Messages(), well.Handset().Messages()...) {
		got[sms.To] = append(got[sms.To], sms.Text)
	}
	states, routes, twice, moved := map[otp.MessageState]int{}, map[string]int{}, 0, 0
	for to, p := range accepted {
		m := o.message(p)
		states[m.State]++
		routes[m.Route]++
		if m.Tries > 1 {
			moved++
		}
		if len(got[to]) > 1 {
			twice++
		}
		checkFate(t, &m, got[to])
		delete(got, to)
	}
	if len(got) > 0 {
		t.Errorf("%d numbers got a message that nobody sent", len(got))
	}
	if len(accepted) != soakCodes {
		t.Errorf("%d of %d codes were accepted, with a stick that is there all day", len(accepted), soakCodes)
	}
	if routes["gsm0"] == 0 || routes["gsm1"] == 0 || moved == 0 {
		t.Errorf("nothing had to go another way: by %v, %d tried again", routes, moved)
	}
	t.Logf("%v: %d codes, states %v, by %v, %d tried again, %d arrived twice; %d openings, %d goroutines before, %d after; mishaps %v",
		soakDay, len(accepted), states, routes, moved, twice, ill.openings(), before, after, counts)
}

// befall lets mishaps fall on a stick for a day and counts them.
func befall(t *testing.T, s *stick, rng *rand.Rand) map[string]int {
	counts := map[string]int{}
	clock := time.NewTimer(soakDay)
	defer clock.Stop()
	for {
		select {
		case <-clock.C:
			return counts
		case <-time.After(span(rng, 0, 2*soakDay/soakMishaps)):
			m := mishaps[rng.IntN(len(mishaps))]
			counts[m.name]++
			m.fall(t, s, rng)
		}
	}
}

// soak starts verifications all day long, each of a number of its own, and
// returns those that were accepted, by number.
func soak(o *office, rng *rand.Rand) map[string]otp.Progress {
	accepted := map[string]otp.Progress{}
	at := make([]time.Duration, soakCodes) // of the day
	for i := range at {
		at[i] = span(rng, 0, soakDay)
	}
	slices.Sort(at)
	passed := time.Duration(0)
	for n, due := range at {
		time.Sleep(due - passed)
		passed = due
		p, err := o.start(n)
		if err != nil {
			o.t.Errorf("code %d after %v: %v", n, due, err)
			continue
		}
		accepted[number(n)] = p
	}
	time.Sleep(soakDay - passed)
	return accepted
}

// bubbled counts the goroutines of bubbles and returns the stacks of all; those
// of the process come and go with what else it does.
func bubbled() (n int, stacks string) {
	all := make([]byte, 1<<20)
	stacks = string(all[:runtime.Stack(all, true)])
	return strings.Count(stacks, "synctest bubble"), stacks
}

// checkFate proves that a message has ended, and that its end is true of what
// its number got.
func checkFate(t *testing.T, m *otp.Message, got []string) {
	t.Helper()
	wrong := func(why string) {
		t.Helper()
		t.Errorf("message %s: %s; it is %s (%s) by %s after %d tries, %d maybe sent, and arrived %d times",
			m.ID, why, m.State, m.Reason, m.Route, m.Tries, m.MaybeSent, len(got))
	}
	switch m.State {
	case otp.MessageSent, otp.MessageDelivered, otp.MessageUndelivered:
		if len(got) == 0 {
			wrong("it is lost")
		}
	case otp.MessageUnknown: // whatever became of it
	case otp.MessageFailed:
		if m.Reason != otp.ReasonRecipient {
			wrong("another stick could have carried it")
		}
		if len(got) > 0 {
			wrong("it did not fail")
		}
	default:
		wrong("it has not ended as it must")
	}
	switch {
	case len(got) > 2:
		wrong("a third transmission")
	case len(got) > int(m.MaybeSent):
		wrong("it went out more often than is written")
	case len(got) == 2 && !m.PossibleDuplicate:
		wrong("the repeat is not marked")
	case len(got) == 2 && got[0] != got[1]:
		wrong("the repeat has other digits")
	}
}
