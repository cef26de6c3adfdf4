package otp_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// pair is a route that fails and one that stands in for it.
func pair(t *testing.T, kind string) (*rig, *otptest.Route, *otptest.Route) {
	t.Helper()
	routes := []*otptest.Route{otptest.NewRoute("first"), otptest.NewRoute("second")}
	for _, route := range routes {
		s := route.Status()
		s.Kind = kind
		route.SetStatus(s)
	}
	return newRig(t, setup{routes: routes, limits: bare}), routes[0], routes[1]
}

// sendMany starts so many verifications one after the other, each for a number
// of its own from first on.
func sendMany(r *rig, first, n int) {
	r.t.Helper()
	for i := range n {
		r.mustStart(r.server(), number(first+i))
		synctest.Wait()
	}
}

var broken = verdict(otp.Refused, otp.ReasonRouteGone, otp.RetryElsewhere)

// F21: five failures in a row open the breaker for 30 s, in which the route
// costs nobody any time; then one message at a time is a probe, and two good
// ones close it.
func TestBreakerOpensAndCloses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, first, second := pair(t, "relay")
		first.Verdicts(slices.Repeat([]otp.Verdict{broken}, 5)...)
		sendMany(r, 0, 5)
		if got := r.report("first"); got.Breaker != otp.BreakerOpen || got.State != otp.RouteDown || got.Reason != "failing" {
			t.Fatalf("after five failures the breaker is %s, the route %s (%s)", got.Breaker, got.State, got.Reason)
		}
		began := r.box.Clock.Now()
		sendMany(r, 5, 10)
		if n, took := len(first.Given()), r.box.Clock.Now().Sub(began); n != 5 || took != 0 {
			t.Errorf("an open breaker let %d messages through and cost %v", n-5, took)
		}
		if n := len(second.Given()); n != 15 {
			t.Errorf("%d messages by the second route, want all 15", n)
		}

		pass(30 * time.Second)
		first.Script(otptest.Turn{Verdict: broken, Takes: time.Second})
		for n := range 3 {
			r.mustStart(r.server(), number(20+n))
		}
		pass(2 * time.Second)
		synctest.Wait()
		if n := len(first.Given()); n != 6 {
			t.Errorf("%d probes at once, want 1", n-5)
		}
		if got := r.report("first").Breaker; got != otp.BreakerOpen {
			t.Errorf("after a bad probe the breaker is %s", got)
		}

		pass(30 * time.Second)
		sendMany(r, 30, 1)
		if got := r.report("first").Breaker; got != otp.BreakerProbing {
			t.Errorf("after one good probe the breaker is %s", got)
		}
		sendMany(r, 31, 1)
		if got := r.report("first"); got.Breaker != otp.BreakerClosed || got.State != otp.RouteReady {
			t.Errorf("after two good probes the breaker is %s and the route %s", got.Breaker, got.State)
		}
	})
}

// F21: half of at least ten within 30 s open it as well.
func TestBreakerOpensAtHalf(t *testing.T) {
	for _, test := range []struct {
		name  string
		pause time.Duration
		want  otp.BreakerState
	}{
		{"within 30 s", 2 * time.Second, otp.BreakerOpen},
		{"over a minute", 7 * time.Second, otp.BreakerClosed},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r, first, _ := pair(t, "relay")
				for n := range 5 {
					first.Verdicts(otp.Verdict{Outcome: otp.Sent}, broken)
					sendMany(r, 2*n, 1)
					pass(test.pause)
					if got := r.report("first").Breaker; got != otp.BreakerClosed {
						t.Fatalf("%s after %d attempts", got, 2*n+1)
					}
					sendMany(r, 2*n+1, 1)
					pass(test.pause)
				}
				if got := r.report("first").Breaker; got != test.want {
					t.Errorf("the breaker is %s, want %s", got, test.want)
				}
			})
		})
	}
}

// F21: with every breaker open a start is refused at once, and told when.
func TestEveryBreakerOpen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, first, second := pair(t, "relay")
		gone := verdict(otp.Refused, otp.ReasonModemBusy, otp.RetryElsewhere)
		first.Verdicts(slices.Repeat([]otp.Verdict{gone}, 5)...)
		second.Verdicts(slices.Repeat([]otp.Verdict{gone}, 5)...)
		sendMany(r, 0, 5)
		began := r.box.Clock.Now()
		_, err := r.start(r.server(), alice)
		e := wantCode(t, err, otp.ChannelUnavailable)
		if took := r.box.Clock.Now().Sub(began); took > time.Second || e.RetryAfter < time.Second || e.RetryAfter > 30*time.Second {
			t.Errorf("refused after %v, to come back after %v", took, e.RetryAfter)
		}
		pass(e.RetryAfter)
		r.mustStart(r.server(), alice)
		synctest.Wait()
		if n := len(first.Given()) + len(second.Given()); n != 11 {
			t.Errorf("%d attempts after the breakers let one through, want 1", n-10)
		}
	})
}

// While a route is probed, nobody else is let in to wait for the outcome.
func TestOneProbeAtATime(t *testing.T) {
	for _, test := range []struct {
		name  string
		first func(route *otptest.Route)
	}{
		{"under way", func(route *otptest.Route) { route.Script(otptest.Turn{Takes: 10 * time.Second}) }},
		{"waiting", func(route *otptest.Route) { s := route.Status(); s.Free = 0; route.SetStatus(s) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				route := otptest.NewRoute("gsm0")
				route.Verdicts(slices.Repeat([]otp.Verdict{verdict(otp.Refused, otp.ReasonModemBusy, otp.RetryElsewhere)}, 5)...)
				r := newRig(t, setup{routes: []*otptest.Route{route}, limits: bare})
				sendMany(r, 0, 5)
				pass(30 * time.Second)
				test.first(route)
				sendMany(r, 10, 1)
				_, err := r.start(r.server(), alice)
				if e := wantCode(t, err, otp.ChannelUnavailable); e.RetryAfter < time.Second {
					t.Errorf("retry after %v", e.RetryAfter)
				}
			})
		})
	}
}

// A message that was accepted before the breaker opened is the probe as soon as
// there may be one; nothing else has to happen.
func TestWaitingMessageIsTheProbe(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		route.Verdicts(slices.Repeat([]otp.Verdict{broken}, 5)...)
		r := newRig(t, setup{routes: []*otptest.Route{route}, limits: bare})
		p := r.mustStart(r.server(), alice)
		pass(20 * time.Second)
		if got := r.report("gsm0"); got.Breaker != otp.BreakerOpen || len(route.Given()) != 5 {
			t.Fatalf("the breaker is %s after %d attempts", got.Breaker, len(route.Given()))
		}
		pass(20 * time.Second)
		synctest.Wait()
		if m := r.message(p.Message.ID); m.State != otp.MessageSent {
			t.Errorf("the message is %s", m.State)
		}
	})
}

// In a pool a route that is to be probed goes before a faster one: else nobody
// would find that it is well again.
func TestPoolProbes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, first, second := pair(t, "modem")
		first.Verdicts(slices.Repeat([]otp.Verdict{broken}, 5)...)
		slow(second, 20, 10*time.Millisecond)
		for n := range 5 { // the second is measured and faster by now, and down
			second.Down("stopped")
			sendMany(r, n, 1)
			second.Ready()
			pass(5 * time.Second)
		}
		if got := r.report("first").Breaker; got != otp.BreakerOpen {
			t.Fatalf("the breaker is %s", got)
		}
		pass(30 * time.Second)
		sendMany(r, 10, 1)
		sendMany(r, 11, 1)
		if got := r.report("first").Breaker; got != otp.BreakerClosed || len(first.Given()) != 7 {
			t.Errorf("the breaker is %s after %d attempts", got, len(first.Given()))
		}
	})
}

// A pause does not outlive a step back of the clock.
func TestBreakerAfterTheClockWentBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		at := time.Duration(0) // how far box time is ahead
		clock := otp.NewClock(otp.ClockSource{Suspended: func() time.Duration { return at }})
		first, second := otptest.NewRoute("first"), otptest.NewRoute("second")
		r := newRig(t, setup{routes: []*otptest.Route{first, second}, limits: bare, clock: clock})
		at = 30 * 24 * time.Hour
		pass(time.Second)
		first.Verdicts(slices.Repeat([]otp.Verdict{broken}, 5)...)
		second.Verdicts(slices.Repeat([]otp.Verdict{broken}, 5)...)
		for n := range 12 {
			if r.report("first").Breaker == otp.BreakerOpen {
				break
			}
			_, err := r.start(r.server(), number(n))
			must(t, err)
			synctest.Wait()
		}
		if got := r.report("first").Breaker; got != otp.BreakerOpen {
			t.Fatalf("the breaker is %s", got)
		}
		must(t, clock.Accept(t.Context(), r.store))
		pass(time.Minute)
		if got := r.report("first").Breaker; got != otp.BreakerProbing {
			t.Errorf("a minute after the step back the breaker is %s", got)
		}
	})
}

// One dead number does not make a route look broken: its failures count once.
func TestOneDeadNumberOpensNoBreaker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, first, _ := pair(t, "modem")
		first.Verdicts(slices.Repeat([]otp.Verdict{verdict(otp.Refused, otp.ReasonTemporary, otp.RetryHere)}, 8)...)
		for range 4 {
			p := r.mustStart(r.server(), alice)
			pass(3 * time.Second)
			must(t, r.v.Cancel(t.Context(), r.server(), p.Verification.ID))
		}
		if got := r.report("first").Breaker; got != otp.BreakerClosed {
			t.Errorf("the breaker is %s", got)
		}
	})
}

// F16: five different numbers in a row that are refused as if the SIM were empty
// take the route out of service; a number that does not exist proves nothing.
func TestRouteWithoutCredit(t *testing.T) {
	doubtful := verdict(otp.Refused, otp.ReasonRecipient, otp.RetryOnce)
	for _, test := range []struct {
		name    string
		verdict otp.Verdict
		numbers int
		pause   time.Duration
		out     bool
	}{
		{"five numbers", doubtful, 5, 30 * time.Second, true},
		{"five numbers over ten minutes", doubtful, 5, 2 * time.Minute, false},
		{"one number five times", doubtful, 1, time.Second, false},
		{"five numbers that do not exist", verdict(otp.Refused, otp.ReasonRecipient, otp.RetryNever), 5, time.Second, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r, first, second := pair(t, "modem")
				first.Verdicts(slices.Repeat([]otp.Verdict{test.verdict}, 5)...)
				s := second.Status() // not in the pool, so that the first is always first
				s.Kind = "relay"
				second.SetStatus(s)
				for n := range 5 {
					p := r.mustStart(r.server(), number(n%test.numbers))
					pass(test.pause)
					must(t, r.v.Cancel(t.Context(), r.server(), p.Verification.ID))
				}
				got := r.report("first")
				if out := got.State == otp.RouteDown; out != test.out || out && got.Reason != "credit" {
					t.Fatalf("the route is %s (%s)", got.State, got.Reason)
				}
				if !test.out {
					return
				}
				before := len(first.Given())
				sendMany(r, 10, 3)
				if len(first.Given()) != before {
					t.Error("messages went by a route without credit")
				}
				pass(10 * time.Minute)
				first.Verdicts(test.verdict) // of the probe
				sendMany(r, 20, 2)
				if n := len(first.Given()) - before; n != 1 {
					t.Errorf("%d probes after ten minutes, want 1", n)
				}
				first.Down("no_sim")
				synctest.Wait()
				first.Ready() // with another SIM
				synctest.Wait()
				if got := r.report("first"); got.State != otp.RouteReady {
					t.Errorf("with another SIM the route is %s (%s)", got.State, got.Reason)
				}
			})
		})
	}
}
