package otp_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pinferry/pinferry/otp"
)

// TestStanding tells what beside the limits keeps a number from its codes.
func TestStanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		swiss := mailApp("swiss")
		swiss.Email = false
		r := newRig(t, setup{apps: []otp.App{openApp("world"), swiss}})
		desk := otp.NewDesk(r.box, r.outbox)
		for typed, want := range map[string]string{alice: "", bob: "swiss", "ann@example.com": "world swiss"} {
			s, err := desk.Standing(t.Context(), typed)
			if got := strings.Join(s.Apps, " "); err != nil || got != want || s.OptedOut || s.Known {
				t.Errorf("%s: %+v, %v, want %q", typed, s, err, want)
			}
		}
		_, err := desk.Standing(t.Context(), "nobody")
		wantCode(t, err, otp.InvalidPhone)
	})
}
