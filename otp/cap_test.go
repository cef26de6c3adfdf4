package otp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// capped allows a route so many messages in a day.
func capped(name string, most int) func(*otp.Limits) {
	return func(l *otp.Limits) {
		*l = otp.Limits{SendsPerRoute: map[string][]otp.Rule{name: {{Count: most, Window: 24 * time.Hour}}}}
	}
}

// the message after the last that a route may carry in a day is refused
// there, and goes another way if there is one.
func TestDailyCap(t *testing.T) {
	for _, most := range []int{50, 200} { // counted one by one, and in parts of the day
		t.Run("alone", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				relay := way("relay", "relay", 8, 0)
				r := newRig(t, setup{routes: []*otptest.Route{relay}, limits: capped("relay", most)})
				sendMany(r, 0, most)
				_, err := r.start(r.server(), alice)
				e := wantCode(t, err, otp.ChannelUnavailable)
				if n := len(relay.Given()); n != most {
					t.Errorf("%d messages went out, want %d", n, most)
				}
				if got := r.report("relay"); got.State != otp.RouteDown || got.Reason != "daily_cap" || got.Used != most || got.DailyCap != most {
					t.Errorf("the route is %s (%s), %d of %d used", got.State, got.Reason, got.Used, got.DailyCap)
				}
				pass(e.RetryAfter)
				r.mustStart(r.server(), alice)
				synctest.Wait()
				if n := len(relay.Given()); n != most+1 {
					t.Errorf("%d messages went out a day later, want one more", n-most)
				}
			})
		})
		t.Run("with another route", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				relay, stick := way("relay", "relay", 8, 0), way("stick", "modem", 1, 0)
				r := newRig(t, setup{routes: []*otptest.Route{relay, stick}, limits: capped("relay", most)})
				sendMany(r, 0, most+5)
				if n, m := len(relay.Given()), len(stick.Given()); n != most || m != 5 {
					t.Errorf("%d and %d messages went out, want %d and 5", n, m, most)
				}
			})
		})
	}
}

// Those who wait count as if they had gone: nothing is accepted that the cap
// keeps from being sent.
func TestDailyCapCountsTheQueue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		relay := way("relay", "relay", 1, 2*time.Second)
		r := newRig(t, setup{routes: []*otptest.Route{relay}, limits: capped("relay", 5)})
		accepted := 0
		for n := range 10 {
			if _, err := r.start(r.server(), number(n)); err == nil {
				accepted++
			}
		}
		pass(time.Minute)
		if n := len(relay.Given()); accepted != 5 || n != 5 {
			t.Errorf("%d accepted, %d sent, want 5", accepted, n)
		}
	})
}

// What was certainly not sent is not counted.
func TestDailyCapForgetsRefusals(t *testing.T) {
	bubble(t, func(t *testing.T) {
		relay := otptest.NewRoute("relay")
		relay.Verdicts(
			verdict(otp.Refused, otp.ReasonRecipient, otp.RetryNever),
			verdict(otp.Unknown, otp.ReasonNoAnswer, 0))
		r := newRig(t, setup{routes: []*otptest.Route{relay}, limits: capped("relay", 10)})
		sendMany(r, 0, 1)
		if got := r.report("relay").Used; got != 0 {
			t.Errorf("%d used after a refusal", got)
		}
		sendMany(r, 1, 1) // may have been sent, and is sent once more
		if got := r.report("relay").Used; got != 2 {
			t.Errorf("%d used after an unknown outcome and its repeat", got)
		}
	})
}

// The count outlives a restart, and a clock that is set back.
func TestDailyCapOutlivesRestartAndClock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ahead := otp.NewClock(otp.ClockSource{Build: otp.NewClock(otp.ClockSource{}).Now().Add(48 * time.Hour)})
		relay := way("relay", "relay", 8, 0)
		r := newRig(t, setup{routes: []*otptest.Route{relay}, limits: capped("relay", 3), clock: ahead})
		sendMany(r, 0, 3)
		r.stop()

		again := newRig(t, setup{routes: []*otptest.Route{way("relay", "relay", 8, 0)}, limits: capped("relay", 3), store: r.store})
		_, err := again.start(again.server(), alice)
		wantCode(t, err, otp.ChannelUnavailable)
		must(t, again.box.Clock.Accept(t.Context(), again.store)) // two days back
		_, err = again.start(again.server(), alice)
		wantCode(t, err, otp.ChannelUnavailable)
		if got := again.report("relay").Used; got != 3 {
			t.Errorf("%d used, want 3", got)
		}
	})
}
