package otptest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// sink counts what a route tells.
type sink struct {
	otp.RouteSink
	changes chan string
}

func (s sink) Changed(route string) { s.changes <- route }

func TestRouteScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := otptest.NewRoute("gsm0")
		refused := otp.Verdict{Outcome: otp.Refused, Reason: otp.ReasonTemporary, Retry: otp.RetryHere}
		during := make(chan int, 1)
		r.Script(otptest.Turn{Verdict: refused, Takes: 3 * time.Second, During: func(otp.Outgoing) { during <- r.Status().Free }})
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // a route that has begun finishes
		now := otp.NewClock(otp.ClockSource{}).Now
		begun := now()
		if v := r.Send(ctx, otp.Outgoing{Dial: "41790000001"}); v != refused || now().Sub(begun) != 3*time.Second {
			t.Errorf("the scripted turn gave %+v after %v", v, now().Sub(begun))
		}
		if free := <-during; free != 0 {
			t.Errorf("during a Send %d slots were free", free)
		}
		first := r.Send(t.Context(), otp.Outgoing{Dial: "41790000002"})
		second := r.Send(t.Context(), otp.Outgoing{Dial: "41790000003"})
		if first.Outcome != otp.Sent || second.Outcome != otp.Sent || first.Ref == second.Ref {
			t.Errorf("behind the script: %+v and %+v, want successes with references of their own", first, second)
		}
		if given := r.Given(); len(given) != 3 || given[2].Dial != "41790000003" || r.Peak() != 1 {
			t.Errorf("the route remembers %d messages, peak %d", len(given), r.Peak())
		}
	})
}

func TestRouteTellsSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := otptest.NewRoute("gsm0")
		s := sink{changes: make(chan string, 8)}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx, s) }()
		r.Sink()
		synctest.Wait()
		r.Down("no_network")
		if st := r.Status(); st.State != otp.RouteDown || st.Reason != "no_network" || st.Free != 0 {
			t.Errorf("after Down: %+v", st)
		}
		r.Ready()
		if st := r.Status(); st.State != otp.RouteReady || st.Reason != "" || st.Free != 1 {
			t.Errorf("after Ready: %+v", st)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if n := len(s.changes); n != 3 {
			t.Errorf("the sink heard of %d changes, want the beginning and two", n)
		}
	})
}
