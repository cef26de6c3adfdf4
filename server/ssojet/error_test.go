package ssojet_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// TestEveryCode refuses a code for every reason there is, and writes what each
// is here, one line a code.
func TestEveryCode(t *testing.T) {
	var all strings.Builder
	for _, code := range otp.Codes() {
		d := open(t)
		d.core.err = &otp.Error{Code: code, Detail: "what the core says", RetryAfter: 90*time.Second + 1, Err: errors.New("disk on fire")}
		a := d.do(sendIt)
		var wire struct {
			Code                 int
			Message, Description string
		}
		decode(t, a.body, &wire)
		if wire.Code != a.status || wire.Message == "" || wire.Description == "" {
			t.Errorf("%s: got %s", code, a.body)
		}
		if (a.status == 500) != (code == otp.Internal) {
			t.Errorf("%s: got %d", code, a.status)
		}
		wait := string(a.header.Peek("Retry-After"))
		fmt.Fprintf(&all, "%s %d %q %s\n", code, a.status, wait, a.body)
		if waits := a.status == 429 || a.status == 503; waits != (wait == "91") {
			t.Errorf("%s: got %d with Retry-After %q", code, a.status, wait)
		}
		if strings.Contains(a.body, "fire") {
			t.Errorf("%s: the cause left the box: %s", code, a.body)
		}
	}
	compare(t, "testdata/codes.txt", all.String())
}

func TestRetryAfterIsNeverZero(t *testing.T) {
	d := open(t)
	d.core.err = &otp.Error{Code: otp.LimitPhone}
	a := d.do(sendIt)
	if wait := string(a.header.Peek("Retry-After")); wait != "1" {
		t.Errorf("Retry-After: %q", wait)
	}
}

// TestFaultsSayNothing: neither a fault's own detail nor a code that is none
// leaves the box, whoever asks the door to refuse.
func TestFaultsSayNothing(t *testing.T) {
	for _, code := range []otp.Code{otp.Internal, "no_such_code"} {
		d := open(t)
		a := d.refuse(&otp.Error{Code: code, Detail: "database 10.0.0.7 is on fire"})
		if a.status != 500 || strings.Contains(a.body, "10.0.0.7") {
			t.Errorf("%s: got %d %s", code, a.status, a.body)
		}
	}
}

// refuse lets the door answer an error of the server, as before a handler has
// told whose call it is.
func (d *door) refuse(e *otp.Error) answer {
	c := newCall(sendIt)
	c.HTTP.WriteString("half an answer")
	d.Refuse(c, e, 0)
	return answerOf(c)
}
