package otp_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/pinferry/pinferry/otp/otptest"
)

// Digits are uniform: all lengths, leading zeros, and no digit favoured.
func TestCodesAreUniform(t *testing.T) {
	r := newRig(t, setup{limits: bare, routes: []*otptest.Route{otptest.NewRoute("gsm0")}})
	const codes = 2000
	var counts [6][10]float64
	seen := map[string]bool{}
	for n := range codes {
		r.mustStart(r.server(), fmt.Sprintf("+4179%07d", n))
		digits := eventually(t, r, n)
		if len(digits) != 6 {
			t.Fatalf("a code has %d digits", len(digits))
		}
		for i, d := range digits {
			counts[i][d-'0']++
		}
		seen[digits] = true
	}
	if len(seen) < codes*99/100-20 {
		t.Errorf("only %d of %d codes differ", len(seen), codes)
	}
	for place, row := range counts {
		chi := 0.0
		for _, n := range row {
			chi += math.Pow(n-codes/10, 2) / (codes / 10)
		}
		if chi > 33 { // 9 degrees of freedom, p = 0.0001 for each of six places
			t.Errorf("place %d: chi-square %.1f", place, chi)
		}
	}
}
