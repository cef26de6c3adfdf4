package descope_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web/webtest"
)

// TestRefuseIsTotal proves what SDKs need of every refusal: JSON with an error
// code, whole seconds to wait, and never a 503, which they repeat by themselves.
func TestRefuseIsTotal(t *testing.T) {
	d := open(t)
	for _, code := range append(otp.Codes(), "invented") {
		for _, wait := range []time.Duration{0, 200 * time.Millisecond, 90500 * time.Millisecond} {
			c := post("/", "").http().Call(t.Context())
			c.HTTP.Response.SetBodyString("half an answer")
			d.Refuse(c, &otp.Error{Code: code, Detail: "What to do.", RetryAfter: wait, Err: errors.New("inner secret")}, 0)
			status, body := c.HTTP.Response.StatusCode(), string(c.HTTP.Response.Body())
			var wire struct{ ErrorCode, ErrorDescription, ErrorMessage string }
			if err := json.Unmarshal([]byte(body), &wire); err != nil {
				t.Fatalf("%s: %v", code, err)
			}
			if status < 400 || status == 503 || wire.ErrorCode == "" || wire.ErrorDescription == "" || wire.ErrorMessage == "" {
				t.Errorf("%s: got %d %s", code, status, body)
			}
			if (status == 500) != (code == otp.Internal || code == "invented") {
				t.Errorf("%s: status is %d", code, status)
			}
			if strings.Contains(body, "inner secret") || status == 500 && strings.Contains(body, "What to do") {
				t.Errorf("%s: the answer tells the cause: %s", code, body)
			}
			want := map[time.Duration]string{0: "1", 200 * time.Millisecond: "1", 90500 * time.Millisecond: "91"}[wait]
			if status != 429 {
				want = ""
			}
			if got := string(c.HTTP.Response.Header.Peek("Retry-After")); got != want {
				t.Errorf("%s: Retry-After is %q, want %q", code, got, want)
			}
		}
	}
}

var checkRefusals = []otp.Code{otp.CodeUnknown, otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeExhausted}

func TestPrivateCheckHasOneRefusal(t *testing.T) {
	wrong := post("/v1/auth/otp/verify/sms", `{"loginId":"anna","code":"000000"}`)
	seen := map[string]bool{}
	for _, code := range checkRefusals {
		d := open(t)
		d.core.Err = &otp.Error{Code: code, Detail: "It is " + string(code)}
		a := d.do(wrong.as(private))
		if a.Status != 401 || a.member("errorCode") != "E061102" {
			t.Errorf("%s: got %d %s", code, a.Status, a.Body)
		}
		seen[string(a.Body)] = true
	}
	if len(seen) != 1 {
		t.Errorf("the refusals differ: %v", seen)
	}
}

// TestCheckRefusals fixes what the vendor tells apart; what it has no code for
// is one answer.
func TestCheckRefusals(t *testing.T) {
	want := map[otp.Code]string{
		otp.CodeUnknown: "E061102", otp.CodeWrong: "E061102", otp.CodeUsed: "E061102",
		otp.CodeExhausted: "E061103", otp.CodeExpired: "E061104",
	}
	same := map[string]bool{}
	for _, code := range checkRefusals {
		d := open(t)
		d.core.Err = &otp.Error{Code: code, Detail: "It is " + string(code)}
		a := d.do(post("/v1/auth/otp/verify/sms", `{"loginId":"anna","code":"000000"}`))
		if a.Status != 401 || a.member("errorCode") != want[code] {
			t.Errorf("%s: got %d %s", code, a.Status, a.Body)
		}
		if want[code] == "E061102" {
			same[string(a.Body)] = true
		}
	}
	if len(same) != 1 {
		t.Errorf("refusals of one code differ: %v", same)
	}
}

// TestLimitsHaveOneAnswer keeps a guesser from learning which limit it met.
func TestLimitsHaveOneAnswer(t *testing.T) {
	seen := map[string]bool{}
	for _, code := range []otp.Code{otp.LimitPhone, otp.LimitAddress, otp.LimitBox} {
		d := open(t)
		d.core.Err = &otp.Error{Code: code, Detail: "It is " + string(code), RetryAfter: time.Minute}
		a := d.do(post("/v1/auth/otp/signin/sms", `{"loginId":"anna"}`))
		if a.Status != 429 || a.RetryAfter != "60" {
			t.Errorf("%s: got %d after %q", code, a.Status, a.RetryAfter)
		}
		seen[string(a.Body)] = true
	}
	if len(seen) != 1 {
		t.Errorf("the limits differ: %v", seen)
	}
}

// TestFaultTellsNothing goes the way of a fault in a handler.
func TestFaultTellsNothing(t *testing.T) {
	d := open(t)
	d.core.Err = errors.New("open /var/lib/pinferry/db: no such device")
	a := d.do(post("/v1/auth/otp/signin/sms", `{"loginId":"anna"}`))
	if a.Status != 500 || strings.Contains(string(a.Body), "pinferry") {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
}

// TestNoGrantIsAFault: a right code without anything to give must not look like
// a login.
func TestNoGrantIsAFault(t *testing.T) {
	for name, prepare := range map[string]func(*webtest.Core){
		"NoGrant":   func(k *webtest.Core) { k.Progress.Grant = nil },
		"NoSession": func(k *webtest.Core) { k.Grant.Session = nil },
	} {
		d := open(t)
		prepare(d.core)
		if a := d.do(post("/v1/auth/otp/verify/sms", `{"loginId":"anna","code":"493827"}`)); a.Status != 500 {
			t.Errorf("%s: got %d %s", name, a.Status, a.Body)
		}
	}
}

// TestRefuseWithoutACaller: the server refuses for a door before anybody was
// admitted, too.
func TestRefuseWithoutACaller(t *testing.T) {
	d := open(t)
	c := post("/", "").http().Call(t.Context())
	d.Refuse(c, &otp.Error{Code: otp.InvalidRequest, Detail: "This path has POST."}, 405)
	if r := &c.HTTP.Response; r.StatusCode() != 405 || !strings.Contains(string(r.Body()), "E011003") {
		t.Errorf("got %d %s", r.StatusCode(), r.Body())
	}
}
