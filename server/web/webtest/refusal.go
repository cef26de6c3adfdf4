package webtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// secret stands in causes and in the details of faults: no answer may have it.
const secret = "disk of 10.0.0.7 is on fire"

// Refusal is a refusal of the core for a reason, with a cause that must not
// leave the box. Whoever may try again may do so after 90 s and a nanosecond, so
// in 91 s.
func Refusal(code otp.Code) *otp.Error {
	return &otp.Error{Code: code, Detail: "What the core says.", RetryAfter: 90*time.Second + 1, Err: errors.New(secret)}
}

// EveryCode has a door refuse for every reason there is, and compares what each
// is there, one line a code, with a file of testdata; it returns these lines.
// Only a fault is 500, only 429 and 503 say how long to wait, and no cause is
// told.
func EveryCode(t testing.TB, file string, refuse func(*otp.Error) Answer) string {
	t.Helper()
	var all strings.Builder
	for _, code := range otp.Codes() {
		a := refuse(Refusal(code))
		wait := a.Header("Retry-After")
		fmt.Fprintf(&all, "%s %d %q %s\n", code, a.Status, wait, a.Body)
		if (a.Status == 500) != (code == otp.Internal) {
			t.Errorf("%s has no line of its own: got %d", code, a.Status)
		}
		if waits := a.Status == 429 || a.Status == 503; waits && wait != "91" || !waits && wait != "" {
			t.Errorf("%s: got %d with Retry-After %q", code, a.Status, wait)
		}
		if !json.Valid([]byte(a.Body)) || strings.Contains(a.Body, secret) {
			t.Errorf("%s: got %s", code, a.Body)
		}
	}
	Golden(t, file, all.String())
	return all.String()
}

// Faults has a door refuse for faults: neither the detail of one, nor its cause,
// nor a code that is none leaves the box.
func Faults(t testing.TB, refuse func(*otp.Error) Answer) {
	t.Helper()
	for _, err := range []error{errors.New(secret), &otp.Error{Code: otp.Internal, Detail: secret}, &otp.Error{Code: "no_such_code", Detail: secret}} {
		a := refuse(otp.AsError(err))
		if got := a.Head.String() + a.Body; a.Status != 500 || strings.Contains(got, secret) {
			t.Errorf("%v: got %s", err, got)
		}
	}
}

// Waits has a door refuse for a limit: the wait is rounded up, and never zero.
func Waits(t testing.TB, refuse func(*otp.Error) Answer) {
	t.Helper()
	for wait, want := range map[time.Duration]string{0: "1", time.Second: "1", time.Second + 1: "2"} {
		a := refuse(&otp.Error{Code: otp.LimitPhone, RetryAfter: wait})
		if got := a.Header("Retry-After"); got != want {
			t.Errorf("%v: Retry-After is %q, want %q", wait, got, want)
		}
	}
}

// Body judges what a door made of a body that may be anything: the answer is
// JSON, if the door has one, and no fault; and only a body that is one JSON
// object reaches the core. asked is what the core was asked for it.
func Body(t testing.TB, body []byte, a Answer, asked []string) {
	t.Helper()
	if a.Status >= 500 || !json.Valid([]byte(a.Body)) {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
	var object map[string]any
	if len(asked) > 0 && json.Unmarshal(body, &object) != nil {
		t.Errorf("the core was asked to %v", asked)
	}
}
