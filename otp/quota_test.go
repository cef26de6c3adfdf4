package otp_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// A short rule keeps its count when it shares a row with a long and large one.
func TestShortRuleBesideALargeOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: only(func(l *otp.Limits, _ otp.Limits) {
			l.MessagesPerApp = []otp.Rule{{Count: 60, Window: time.Minute}, {Count: 2000, Window: 24 * time.Hour}}
		})})
		send := func() error {
			_, err := r.outbox.Send(context.Background(), r.server(), otp.MessageRequest{To: alice, Text: "x"})
			return err
		}
		must(t, send())
		pass(10 * time.Minute)
		passed := 0
		for range 200 {
			if send() == nil {
				passed++
			}
		}
		if passed > 60 {
			t.Errorf("%d passed a rule of 60 a minute", passed)
		}
	})
}

// What unknown numbers may use is a share, but the row remembers all events,
// whoever made them.
func TestShareForgetsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: only(func(l *otp.Limits, _ otp.Limits) {
			l.SendsPerCountry = []otp.Rule{{Count: 150, Window: time.Hour}}
		})})
		must(t, r.finish(r.server(), alice))
		sends := 1
		for n := range 400 {
			to := alice
			if n%2 == 0 {
				to = fmt.Sprintf("+4178%03d0000", n)
			}
			if r.canceled(r.server(), to) == nil {
				sends++
			}
		}
		if sends > 150 {
			t.Errorf("%d sends under a limit of 150", sends)
		}
	})
}

// Plain messages that wait do not make codes wait, and so refuse none.
func TestCodesAreNotBusyBehindMessages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		for range 60 {
			route.Script(otptest.Turn{Takes: 5 * time.Second})
		}
		r := newRig(t, setup{limits: bare, routes: []*otptest.Route{route}})
		synctest.Wait()
		for range 10 {
			_, err := r.outbox.Send(context.Background(), r.server(), otp.MessageRequest{To: bob, Text: "x"})
			must(t, err)
		}
		pass(6 * time.Second) // the pace is measured
		var err error
		for n := 0; err == nil && n < 40; n++ {
			_, err = r.outbox.Send(context.Background(), r.server(), otp.MessageRequest{To: bob, Text: "x", TTL: time.Minute})
		}
		wantCode(t, err, otp.Busy)
		r.mustStart(r.server(), alice)
	})
}

// What was pending when the clock was set back, as an operator accepted, does
// not live on for as long as the step.
func TestNothingLivesThroughAStepBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		year := 365 * 24 * time.Hour
		ahead := otp.NewClock(otp.ClockSource{Suspended: func() time.Duration { return year }})
		r := newRig(t, setup{clock: ahead, limits: bare})
		var p otp.Progress
		for range 3 {
			p = r.mustStart(r.server(), alice)
			r.sent()
		}
		must(t, r.box.Clock.Accept(context.Background(), r.store))
		if s := r.verification(p.Verification.ID).Verification.Status; s != otp.Expired {
			t.Errorf("the verification is %s", s)
		}
		_, err := r.v.Resend(context.Background(), r.server(), p.Verification.ID, "")
		wantCode(t, err, otp.CodeExpired)
		r.mustStart(r.server(), alice)
	})
}
