package otp_test

import (
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// What the headers of a door say is what the next start meets, and asking costs
// nothing.
func TestAllowance(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
		c, server := r.from("192.0.2.1"), r.server()
		want := func(c otp.Caller, to string, want otp.Allowance) {
			t.Helper()
			for range 20 {
				got, err := r.v.Allowance(t.Context(), c, to)
				must(t, err)
				if got != want {
					t.Fatalf("the allowance is %+v, want %+v", got, want)
				}
			}
		}
		want(server, "", otp.Allowance{})
		want(server, "alice", otp.Allowance{})
		want(server, alice, otp.Allowance{Limit: 3, Remaining: 3})
		want(c, alice, otp.Allowance{Limit: 3, Remaining: 3})
		want(c, "", otp.Allowance{Limit: 10, Remaining: 10})
		r.mustStart(c, alice)
		pass(time.Minute)
		r.mustStart(c, alice)
		want(c, "+41 79 123 45 67", otp.Allowance{Limit: 3, Remaining: 1, Reset: 4 * time.Minute})
		want(server, alice, otp.Allowance{Limit: 3, Remaining: 1, Reset: 4 * time.Minute})
		want(c, "", otp.Allowance{Limit: 10, Remaining: 8, Reset: 9 * time.Minute})
		want(r.from("192.0.2.2"), "", otp.Allowance{Limit: 10, Remaining: 10})
		r.mustStart(c, alice)
		want(c, alice, otp.Allowance{Limit: 3, Remaining: 0, Reset: 4 * time.Minute})
		wantCode(t, second(r.start(c, alice)), otp.LimitAddress)
		pass(6 * time.Minute)
		want(c, alice, otp.Allowance{Limit: 4, Remaining: 1, Reset: 53 * time.Minute}) // of one address to one phone
		for n := range 7 {
			r.mustStart(c, "+4179111223"+string(rune('0'+n)))
		}
		want(c, "", otp.Allowance{Limit: 10, Remaining: 0, Reset: 3 * time.Minute})
		want(c, alice, otp.Allowance{Limit: 10, Remaining: 0, Reset: 3 * time.Minute})
	})
}

func TestAllowanceWithoutLimits(t *testing.T) {
	r := newRig(t, setup{limits: bare})
	if got, err := r.v.Allowance(t.Context(), r.from("192.0.2.1"), alice); err != nil || got != (otp.Allowance{}) {
		t.Errorf("the allowance is %+v (%v)", got, err)
	}
}
