package relay_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// A rest does not outlive a step back of the clock.
func TestRestAfterTheClockWentBack(t *testing.T) {
	var back atomic.Int64
	p := newProvider(t, says(401, `{}`))
	c := hooked(t, p)
	c.Now = func() otp.Time { return now() - otp.Time(back.Load()) }
	r := open(t, c)
	r.Send(t.Context(), outgoing())
	if s := r.Status(); s.State != otp.RouteDown {
		t.Fatalf("status %+v", s)
	}
	back.Store(int64(48 * time.Hour / time.Millisecond))
	if s := r.Status(); s.State != otp.RouteReady {
		t.Errorf("status %+v", s)
	}
	r.Send(t.Context(), outgoing())
	if s := r.Status(); s.State != otp.RouteDown {
		t.Errorf("after another refusal: status %+v", s)
	}
}

// A rest ends by itself, and Run tells of its end.
func TestRest(t *testing.T) {
	var passed atomic.Int64 // box time since the start, in milliseconds
	p := newProvider(t, answer(429, `{}`, "Retry-After: "+now().Add(time.Second).Std().Format(http.TimeFormat)))
	c := hooked(t, p)
	c.Now = func() otp.Time { return now() + 950 + otp.Time(passed.Load()) }
	r := open(t, c)
	s := run(t, r)
	r.Send(t.Context(), outgoing())
	if got := r.Status(); got.State != otp.RouteComing || got.Free != 0 {
		t.Fatalf("status %+v", got)
	}
	<-s.changed // it stands aside
	passed.Store(50)
	<-s.changed // Run looks again when the rest should be over
	if got := r.Status(); got.Free != 8 || got.Reason != "" {
		t.Errorf("status %+v", got)
	}
}

// Eight messages are carried at once, and the status counts them.
func TestSlots(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		says(200, `{"id":"1","status":"queued"}`)(w, r)
	})
	r := open(t, hooked(t, p))
	verdicts := make(chan otp.Verdict)
	for range 8 {
		go func() { verdicts <- r.Send(t.Context(), outgoing()) }()
	}
	for range 8 {
		<-arrived
	}
	if s := r.Status(); s.Free != 0 || s.State != otp.RouteReady {
		t.Errorf("status %+v", s)
	}
	close(release)
	for range 8 {
		if v := <-verdicts; v.Outcome != otp.Sent {
			t.Errorf("got %+v", v)
		}
	}
	if s := r.Status(); s.Free != 8 {
		t.Errorf("status %+v", s)
	}
}
