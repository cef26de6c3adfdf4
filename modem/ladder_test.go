package modem_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

// climber keeps the rungs that a gateway took.
type climber struct {
	mu    sync.Mutex
	rungs []string
}

func (c *climber) climbed(rung string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rungs = append(c.rungs, rung)
}

func (c *climber) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.rungs)
}

func (c *climber) count(rung string) (n int) {
	for _, r := range c.list() {
		if r == rung {
			n++
		}
	}
	return n
}

func isRestart(unit string) bool { return unit == "AT+CFUN=1,1\r" }

// Each hang is ended by the mildest rung that can end it, and no harder one is
// taken.
func TestLadderRungByRung(t *testing.T) {
	for hang, c := range map[string]struct {
		rungs  []string
		within time.Duration
	}{
		"escape":  {[]string{"at", "escape"}, 20 * time.Second},
		"reopen":  {[]string{"at", "escape", "reopen"}, 25 * time.Second},
		"restart": {[]string{"at", "escape", "reopen", "restart"}, 60 * time.Second},
		"reset":   {[]string{"at", "escape", "reopen", "restart", "reset"}, 100 * time.Second},
	} {
		t.Run(hang, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took := &climber{}
				s := plug(simulator.Config{Boot: 8 * time.Second})
				resets := 0
				b := run(t, s, modem.Config{Climbed: took.climbed, Reset: func(context.Context) error {
					resets++
					s.Reset()
					return nil
				}})
				defer b.stop()
				b.await(t, otp.RouteReady, "", 3*time.Second)
				time.Sleep(time.Minute) // the time in which a stick may still be starting is over
				b.inject(t, "hang="+hang)
				b.await(t, otp.RouteComing, "no_answer", 12*time.Second)
				b.await(t, otp.RouteReady, "", c.within)
				if got := took.list(); !slices.Equal(got, c.rungs) {
					t.Errorf("rungs %q, want %q", got, c.rungs)
				}
				if want := strings.Count(strings.Join(c.rungs, " "), "reset"); resets != want {
					t.Errorf("%d resets, want %d", resets, want)
				}
				if v := b.send(); v.Outcome != otp.Sent {
					t.Errorf("verdict %+v", v)
				}
				b.stop()
				checkUnits(t, s.units.list())
			})
		})
	}
}

// What nothing helps against is an alarm, the hard rungs rest for 10 minutes
// each, and the modem is back as soon as somebody has helped it.
func TestLadderEndsInAnAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := &climber{}
		s := plug(simulator.Config{})
		b := run(t, s, modem.Config{
			Climbed: c.climbed, Log: zerolog.New(&log).Level(zerolog.InfoLevel),
			Reset: func(context.Context) error { return nil },
		})
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		b.inject(t, "dead")
		b.await(t, otp.RouteDown, "no_answer", 25*time.Second)
		b.await(t, otp.RouteDown, "hung", 3*time.Minute)
		time.Sleep(time.Hour)
		b.await(t, otp.RouteDown, "hung", 0)
		if n := c.count("restart"); n < 5 || n > 7 {
			t.Errorf("%d restarts in an hour, want one in ten minutes", n)
		}
		if n := c.count("reset"); n < 5 || n > 7 {
			t.Errorf("%d resets in an hour, want one in ten minutes", n)
		}
		if n := c.count("alarm"); n != 1 {
			t.Errorf("%d alarms", n)
		}
		if lines := bytes.Count(log.Bytes(), []byte("\n")); lines > 40 {
			t.Errorf("%d lines of log in an hour:\n%s", lines, log.String())
		}
		b.ClearFaults()
		b.await(t, otp.RouteReady, "", 15*time.Second)
		if v := b.send(); v.Outcome != otp.Sent {
			t.Errorf("verdict %+v", v)
		}
	})
}

// A stick that is plugged in says nothing for a while; it must not be started
// anew for that.
func TestLadderSparesAStickThatStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &climber{}
		s := plug(simulator.Config{})
		b := run(t, s, modem.Config{Climbed: c.climbed})
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		for range 5 {
			b.pull(true)
			time.Sleep(time.Minute)
			b.inject(t, "dead")
			b.pull(false)
			time.Sleep(20 * time.Second)
			b.ClearFaults()
			b.await(t, otp.RouteReady, "", 15*time.Second)
		}
		if len(c.list()) != 0 || s.units.count(isRestart) != 0 {
			t.Errorf("rungs %q", c.list())
		}
	})
}

// A modem that answers and gives no prompt is started anew after three
// messages, and not again within 10 minutes (F4).
func TestLadderWithoutAPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &climber{}
		s := plug(simulator.Config{})
		resets := 0
		b := run(t, s, modem.Config{Climbed: c.climbed, Reset: func(context.Context) error {
			resets++
			return nil
		}})
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		time.Sleep(time.Minute)
		b.inject(t, "no-prompt@*")
		three := func() {
			for range 3 {
				if v := b.send(); v.Outcome != otp.Refused {
					t.Errorf("verdict %+v", v)
				}
			}
			if status := b.Status(); status.Reason != "no_answer" || !strings.Contains(status.Detail, "takes no message") {
				t.Errorf("without a prompt the route says %q: %s", status.Reason, status.Detail)
			}
			b.await(t, otp.RouteReady, "", 20*time.Second)
			time.Sleep(time.Minute)
		}
		three()
		if n := s.units.count(isRestart); n != 1 || resets != 0 {
			t.Errorf("%d restarts, %d resets after 3 messages", n, resets)
		}
		three()
		three()
		if n := s.units.count(isRestart); n != 1 || resets != 1 {
			t.Errorf("%d restarts, %d resets after 9 messages", n, resets)
		}
	})
}

// An operator may start the modem anew.
func TestLadderByTheOperator(t *testing.T) {
	bubble(t, simulator.Config{Boot: 8 * time.Second, PIN: "4711"}, modem.Config{PIN: "4711"}, func(t *testing.T, b *bench) {
		if err := b.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if status := b.Status(); status.State == otp.RouteReady {
			t.Error("a modem that starts is ready")
		}
		b.await(t, otp.RouteReady, "", 20*time.Second)
		if n := b.units.count(isRestart); n != 1 {
			t.Errorf("%d restarts", n)
		}
	})
}
