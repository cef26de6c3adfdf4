package otp_test

import (
	"fmt"
	"sync"
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
			var evaluated sync.Map
			barrier := make(chan struct{})
			var all sync.WaitGroup
			for i := range 199 {
				all.Go(func() {
					<-barrier
					err := r.check(r.from(fmt.Sprintf("192.0.2.%d", i%test.addresses)), p.Verification.ID, wrong(right, i))
					if c := otp.AsError(err).Code; c == otp.CodeWrong || i == -1 {
						evaluated.Store(i, true)
					}
				})
			}
			close(barrier)
			all.Wait()
			n := 0
			evaluated.Range(func(any, any) bool { n++; return true })
			v := r.verification(p.Verification.ID).Verification
			if int(v.Tries) > test.most || n > test.most || v.Status != test.ends {
				t.Fatalf("%d addresses, round %d: %d tries counted, %d evaluated, status %s", test.addresses, round, v.Tries, n, v.Status)
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

// eventually waits, in real time, for the n-th message.
func eventually(t *testing.T, r *rig, n int) string {
	t.Helper()
	for len(r.routes[0].Given()) <= n {
		time.Sleep(100 * time.Microsecond)
	}
	return code(t, r.routes[0], n)
}
