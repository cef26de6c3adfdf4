package otp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// way is a route of a kind and pace.
func way(name, kind string, slots int, takes time.Duration) *otptest.Route {
	route := otptest.NewRoute(name)
	s := route.Status()
	s.Kind, s.Slots, s.Free = kind, slots, slots
	route.SetStatus(s)
	slow(route, 200, takes)
	return route
}

// measured is a rig whose routes have each carried one message, so that their
// pace is known.
func measured(t *testing.T, routes ...*otptest.Route) *rig {
	r := newRig(t, setup{routes: routes, limits: bare})
	synctest.Wait()
	for n, only := range routes {
		for _, route := range routes {
			if route != only {
				route.Down("stopped")
			}
		}
		r.mustStart(r.server(), number(800+n))
		pass(time.Minute)
		for _, route := range routes {
			route.Ready()
		}
	}
	synctest.Wait()
	return r
}

// count tells how many messages each route was given since it was measured.
func count(routes ...*otptest.Route) (n []int) {
	for _, route := range routes {
		n = append(n, len(route.Given())-1)
	}
	return n
}

// Modems that stand next to each other share the load by how fast they are, and
// each message goes the way that is expected to be the shortest.
func TestPoolTakesTheShortestWait(t *testing.T) {
	t.Run("as fast as each other", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			a, b := way("a", "modem", 1, 3*time.Second), way("b", "modem", 1, 3*time.Second)
			r := measured(t, a, b)
			for n := range 30 {
				if p := r.mustStart(r.server(), number(n)); n == 29 && (p.ETA < 40*time.Second || p.ETA > 50*time.Second) {
					t.Errorf("the last of thirty is expected after %v", p.ETA)
				}
			}
			pass(time.Minute)
			if n := count(a, b); n[0] != 15 || n[1] != 15 {
				t.Errorf("the modems carried %v", n)
			}
		})
	})
	t.Run("the fast one first", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			a, b := way("a", "modem", 1, 10*time.Second), way("b", "modem", 1, time.Second)
			r := measured(t, a, b)
			// The slow one would take longer than the fast one takes for them all.
			for n := range 5 {
				r.mustStart(r.server(), number(n))
			}
			pass(time.Minute)
			if n := count(a, b); n[0] != 0 || n[1] != 5 {
				t.Errorf("the modems carried %v", n)
			}
			for n := range 22 {
				r.mustStart(r.server(), number(10+n))
			}
			pass(time.Minute)
			if n := count(a, b); n[0] != 2 || n[1] != 25 {
				t.Errorf("the modems carried %v", n)
			}
		})
	})
	t.Run("not one that is not ready", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			a, b := way("a", "modem", 1, time.Second), way("b", "modem", 1, 2*time.Second)
			r := measured(t, a, b)
			a.Down("no_sim")
			for n := range 5 {
				r.mustStart(r.server(), number(n))
			}
			pass(time.Minute)
			if n := count(a, b); n[0] != 0 || n[1] != 5 {
				t.Errorf("the modems carried %v", n)
			}
		})
	})
}

// What costs money stands after the modems: it is used for what they cannot hand
// over in time, and for nothing else.
func TestRelayTakesWhatModemsCannot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		stick, relay := way("stick", "modem", 1, 10*time.Second), way("relay", "relay", 8, 100*time.Millisecond)
		r := measured(t, stick, relay)
		for n := range 5 {
			r.mustStart(r.server(), number(n))
		}
		pass(time.Minute + time.Second)
		if n := count(stick, relay); n[0] != 5 || n[1] != 0 {
			t.Fatalf("modem and relay carried %v, the modem had the time", n)
		}
		for n := range 20 {
			if p := r.mustStart(r.server(), number(20+n)); n == 19 && p.ETA > 5*time.Second {
				t.Errorf("the twentieth is expected after %v", p.ETA)
			}
		}
		pass(5 * time.Second)
		if n := count(stick, relay); n[0] != 5+1 || n[1] != 14 {
			t.Errorf("modem and relay carried %v after five seconds", n)
		}
		pass(time.Minute)
		if n := count(stick, relay); n[0] < 10 || n[0]+n[1] != 25 {
			t.Errorf("modem and relay carried %v", n)
		}
	})
}

// A modem that hangs in a dialogue loses those who wait for it to another route
// as soon as their time is at stake.
func TestHangingModemLosesItsQueue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		stick, relay := otptest.NewRoute("stick"), way("relay", "relay", 8, 100*time.Millisecond)
		slow(stick, 1, 3*time.Second)
		stick.Script(otptest.Turn{Takes: 300 * time.Second, Verdict: verdict(otp.Unknown, otp.ReasonNoAnswer, 0)})
		r := measured(t, stick, relay)
		began := r.box.Clock.Now()
		for n := range 10 {
			r.mustStart(r.server(), number(n))
		}
		pass(62 * time.Second)
		if n := count(stick, relay); n[1] != 9 {
			t.Errorf("modem and relay carried %v, %v after the start", n, r.box.Clock.Now().Sub(began))
		}
	})
}

// F12, R-86: a number that the network has trouble with waits for its second
// attempt beside the line, not in it.
func TestBadNumberDelaysNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		var at []time.Duration
		var r *rig
		var began otp.Time
		note := func(otp.Outgoing) { at = append(at, r.box.Clock.Now().Sub(began)) }
		trouble := verdict(otp.Refused, otp.ReasonTemporary, otp.RetryHere)
		route.Script(otptest.Turn{Takes: time.Second, Verdict: trouble, During: note})
		for range 4 {
			route.Script(otptest.Turn{Takes: time.Second, During: note})
		}
		route.Script(otptest.Turn{Takes: time.Second, Verdict: trouble, During: note})
		r = newRig(t, setup{routes: []*otptest.Route{route}, limits: bare})
		synctest.Wait()
		began = r.box.Clock.Now()
		bad := r.mustStart(r.server(), alice)
		for n := range 4 {
			r.mustStart(r.server(), number(n))
		}
		pass(20 * time.Second)
		given := route.Given()
		for n := 1; n <= 3; n++ {
			if given[n].Dial == alice[1:] || at[n] != time.Duration(n)*time.Second {
				t.Errorf("attempt %d began after %v, to the bad number: %v", n, at[n], given[n].Dial == alice[1:])
			}
		}
		if m := r.message(bad.Message.ID); m.Tries != 2 {
			t.Errorf("the bad number had %d attempts, want 2", m.Tries)
		}
	})
}

// F11: the second attempt is made by the same route, though a better one has
// come meanwhile.
func TestSecondAttemptIsMadeHere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := otptest.NewRoute("a"), way("b", "modem", 1, time.Second)
		slow(a, 1, 3*time.Second)
		a.Script(otptest.Turn{Verdict: verdict(otp.Refused, otp.ReasonTemporary, otp.RetryHere)})
		r := measured(t, a, b)
		b.Down("no_network")
		synctest.Wait()
		p := r.mustStart(r.server(), alice)
		synctest.Wait()
		b.Ready()
		pass(5 * time.Second)
		if n := count(a, b); n[0] != 2 || n[1] != 0 {
			t.Errorf("the modems made %v attempts, want both by the first", n)
		}
		if m := r.message(p.Message.ID); m.State != otp.MessageSent {
			t.Errorf("the message is %s", m.State)
		}
	})
}

// A dead number that the network calls a trouble of its own has few second
// attempts.
func TestDeadNumberRunsOutOfSecondAttempts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		for range 20 {
			route.Verdicts(verdict(otp.Refused, otp.ReasonTemporary, otp.RetryHere))
		}
		r := newRig(t, setup{routes: []*otptest.Route{route}, limits: bare})
		var tries []uint8
		for range 5 {
			p := r.mustStart(r.server(), alice)
			pass(5 * time.Second)
			m := r.message(p.Message.ID)
			if m.State != otp.MessageFailed {
				t.Errorf("the message is %s", m.State)
			}
			tries = append(tries, m.Tries)
			must(t, r.v.Cancel(t.Context(), r.server(), p.Verification.ID))
		}
		if want := [5]uint8{2, 2, 2, 1, 1}; [5]uint8(tries) != want {
			t.Errorf("attempts of each message: %v, want %v", tries, want)
		}
	})
}

// One success that took very long does not keep a stick idle for ever: with
// nothing to measure it by, its pace is soon thought to be the usual one.
func TestPoolForgetsAMishap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		hurt, well := otptest.NewRoute("hurt"), way("well", "modem", 1, 4*time.Second)
		s := hurt.Status()
		s.Kind, s.Slots, s.Free = "modem", 1, 1
		hurt.SetStatus(s)
		hurt.Script(otptest.Turn{Takes: 50 * time.Second})
		slow(hurt, 200, time.Second)
		r := measured(t, hurt, well)
		if pace := r.report("hurt").Pace; pace < 45*time.Second {
			t.Fatalf("after the mishap its pace is %v", pace)
		}
		for n := range 3 { // right away they go by the other
			r.mustStart(r.server(), number(n))
			pass(10 * time.Second)
		}
		if n := count(hurt, well); n[0] != 0 || n[1] != 3 {
			t.Fatalf("the modems carried %v after the mishap", n)
		}
		for n := range 120 { // a code in a minute: the other alone could carry them
			r.mustStart(r.server(), number(10+n))
			pass(time.Minute)
		}
		if n := count(hurt, well); n[0] < 60 {
			t.Errorf("the modems carried %v in the two hours after", n)
		}
		if pace := r.report("hurt").Pace; pace > 2*time.Second {
			t.Errorf("its pace is %v still", pace)
		}
	})
}

// What was measured as fast is not forgotten: the next message would put it
// right.
func TestPaceOfAFastRouteStays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := measured(t, way("fast", "modem", 1, 200*time.Millisecond))
		pass(24 * time.Hour)
		if pace := r.report("fast").Pace; pace != 200*time.Millisecond {
			t.Errorf("its pace is %v after a day", pace)
		}
	})
}
