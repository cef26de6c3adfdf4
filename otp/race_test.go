package otp_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// A right code approves exactly once, however many ask at once.
func TestParallelRightChecksApproveOnce(t *testing.T) {
	r := newRig(t, setup{limits: bare})
	const rounds, parallel = 100, 50
	for round := range rounds {
		p := r.mustStart(r.server(), alice)
		right := eventually(t, r, round)
		results := make([]error, parallel)
		barrier := make(chan struct{})
		var all sync.WaitGroup
		for i := range parallel {
			all.Go(func() {
				<-barrier
				results[i] = r.check(r.server(), p.Verification.ID, right)
			})
		}
		close(barrier)
		all.Wait()
		approved := 0
		for _, err := range results {
			if err == nil {
				approved++
				continue
			}
			wantCode(t, err, otp.CodeUsed)
		}
		if approved != 1 {
			t.Fatalf("round %d: %d approvals, want 1", round, approved)
		}
	}
}

// Of 200 parallel checks at most five are evaluated: at most four from one
// address.
func TestParallelWrongChecksAreCounted(t *testing.T) {
	for _, test := range []struct {
		addresses, most int
		ends            otp.Status
	}{{50, 5, otp.Exhausted}, {1, 4, otp.Pending}} {
		r := newRig(t, setup{limits: bare})
		for round := range 20 {
			p := r.mustStart(r.server(), alice)
			right := eventually(t, r, round)
			var approved atomic.Int32
			barrier := make(chan struct{})
			var all sync.WaitGroup
			for i := range 200 {
				all.Go(func() {
					<-barrier
					caller, digits := r.from(fmt.Sprintf("192.0.2.%d", i%test.addresses)), wrong(right, i)
					if i == 199 {
						digits = right
					}
					switch err := otp.AsError(r.check(caller, p.Verification.ID, digits)); {
					case err == nil:
						approved.Add(1)
					case i == 199 && err.Code == otp.CodeWrong:
						t.Error("the right digits were called wrong")
					}
				})
			}
			close(barrier)
			all.Wait()
			v := r.verification(p.Verification.ID).Verification
			if int(v.Tries) > test.most || approved.Load() > 1 || approved.Load() == 1 != (v.Status == otp.Approved) {
				t.Fatalf("%d addresses, round %d: %d tries counted, %d approved, status %s", test.addresses, round, v.Tries, approved.Load(), v.Status)
			}
			if v.Status == otp.Approved {
				continue
			}
			if int(v.Tries) != test.most || v.Status != test.ends {
				t.Fatalf("%d addresses, round %d: %d tries counted, status %s", test.addresses, round, v.Tries, v.Status)
			}
			err := r.check(r.from("198.51.100.1"), p.Verification.ID, right)
			if test.ends == otp.Exhausted {
				wantCode(t, err, otp.CodeExhausted)
			} else {
				must(t, err)
			}
		}
	}
}

// however many right checks ask at once, there is one grant and one
// session.
func TestParallelRightChecksOpenOneSession(t *testing.T) {
	r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
	c := r.at("descope")
	const rounds, parallel = 100, 50
	for round := range rounds {
		p, err := r.v.Start(t.Context(), c, otp.StartRequest{To: alice, Purpose: otp.PurposeSignUpOrIn})
		must(t, err)
		right := eventually(t, r, round)
		grants := make([]*otp.Grant, parallel)
		barrier := make(chan struct{})
		var all sync.WaitGroup
		for i := range parallel {
			all.Go(func() {
				<-barrier
				p, err := r.v.Check(context.Background(), c, p.Verification.ID, right)
				if err != nil {
					wantCode(t, err, otp.CodeUsed)
				}
				grants[i] = p.Grant
			})
		}
		close(barrier)
		all.Wait()
		grants = slices.DeleteFunc(grants, func(g *otp.Grant) bool { return g == nil })
		if len(grants) != 1 {
			t.Fatalf("round %d: %d grants", round, len(grants))
		}
		if g := grants[0]; int(g.User.Logins) != round+1 || g.First != (round == 0) {
			t.Fatalf("round %d: login %d", round, g.User.Logins)
		}
		if n := r.rows(otp.KindSession); n != round+1 {
			t.Fatalf("round %d: %d sessions", round, n)
		}
		wantCode(t, second(r.v.Check(t.Context(), c, p.Verification.ID, right)), otp.CodeUsed)
	}
	if n := r.rows(otp.KindUser); n != 1 {
		t.Errorf("%d users of one number", n)
	}
}

// eventually waits, in real time, for the n-th message.
func eventually(t testing.TB, r *rig, n int) string {
	t.Helper()
	for len(r.routes[0].Given()) <= n {
		time.Sleep(100 * time.Microsecond)
	}
	return code(t, r.routes[0], n)
}
