package twilio_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

const digits = "493827"

func TestCheckApproves(t *testing.T) {
	for _, name := range []string{"check", "checksid"} {
		h := open(t)
		h.after.Verification.Status, h.after.Verification.Approved = otp.Approved, created+9000
		a := h.do("POST /VerificationCheck", request(t, name))
		golden(t, "approved", a)
		if a.status != 201 || h.called[1] != "Check" || h.id != h.progress.Verification.ID || h.digits != digits {
			t.Errorf("%s: got %d, the core was asked to %v of %s", name, a.status, h.called, h.id)
		}
	}
}

// TestWrongCode has that a wrong code is no error, the last one not either: it
// is the next try that is told so.
func TestWrongCode(t *testing.T) {
	for _, code := range []otp.Code{otp.CodeWrong, otp.CodeExhausted} {
		for _, name := range []string{"check", "checksid"} {
			h := open(t)
			h.err = refusal(code)
			a := h.do("POST /VerificationCheck", request(t, name))
			if golden(t, "wrong", a); a.status != 201 {
				t.Errorf("%s: got %d", code, a.status)
			}
		}
	}
	h := open(t)
	h.progress.Verification.Status = otp.Exhausted
	h.err = refusal(otp.CodeExhausted)
	a := h.do("POST /VerificationCheck", request(t, "check"))
	if golden(t, "exhausted", a); a.status != 429 {
		t.Errorf("got %d", a.status)
	}
	h.err = &otp.Error{Code: otp.CodeExhausted} // as the core has it: there is nothing to wait for
	if a := h.do("POST /VerificationCheck", request(t, "check")); a.status != 429 || len(a.head.Peek("Retry-After")) > 0 {
		t.Errorf("got %d, Retry-After %q", a.status, a.head.Peek("Retry-After"))
	}
}

// TestCheckOfNothing has that what is not there is asked of the core all the
// same, so that whoever guesses at handles is charged.
func TestCheckOfNothing(t *testing.T) {
	for _, body := range []string{request(t, "check"), request(t, "checksid"), "Code=1&VerificationSid=x", "Code=1&To=x"} {
		h := open(t)
		h.findErr, h.err = refusal(otp.CodeUnknown), refusal(otp.CodeUnknown)
		a := h.do("POST /VerificationCheck", body)
		golden(t, "nocheck", a)
		if a.status != 404 || len(h.called) != 2 || h.called[1] != "Check" || h.id == h.progress.Verification.ID || h.id.IsZero() {
			t.Errorf("%s: got %d, the core was asked to %v of %s", body, a.status, h.called, h.id)
		}
	}
	for _, code := range []otp.Code{otp.CodeExpired, otp.CodeUsed} {
		h := open(t)
		h.progress.Verification.Status, h.err = otp.Expired, refusal(code)
		a := h.do("POST /VerificationCheck", request(t, "check"))
		if golden(t, "nocheck", a); a.status != 404 {
			t.Errorf("%s: got %d", code, a.status)
		}
	}
}

// TestRefusalsOfAPrivateApp are one, whatever became of the verification. Only
// limits are told apart, and they are one too.
func TestRefusalsOfAPrivateApp(t *testing.T) {
	try := func(before otp.Status, findErr error, code otp.Code) answer {
		h := open(t)
		h.progress.Verification.Status, h.findErr = before, findErr
		h.err = &otp.Error{Code: code, Detail: "Reason " + string(code)}
		return h.at("private", "POST /VerificationCheck", request(t, "check"), basic(account, privateKey))
	}
	first := try(otp.Pending, nil, otp.CodeWrong)
	if first.status != 404 {
		t.Errorf("got %d %s", first.status, first.body)
	}
	for name, a := range map[string]answer{
		"Unknown":   try("", refusal(otp.CodeUnknown), otp.CodeUnknown),
		"Expired":   try(otp.Expired, nil, otp.CodeExpired),
		"Used":      try(otp.Approved, nil, otp.CodeUsed),
		"LastTry":   try(otp.Pending, nil, otp.CodeExhausted),
		"Exhausted": try(otp.Exhausted, nil, otp.CodeExhausted),
	} {
		if a.status != first.status || a.body != first.body || a.head.String() != first.head.String() {
			t.Errorf("%s is told apart: %d %s", name, a.status, a.body)
		}
	}
	limit := try(otp.Pending, nil, otp.LimitPhone)
	for _, code := range []otp.Code{otp.LimitAddress, otp.LimitBox} {
		if a := try(otp.Pending, nil, code); a.status != 429 || a.body != limit.body {
			t.Errorf("%s is told apart: %d %s", code, a.status, a.body)
		}
	}
}

func TestLimits(t *testing.T) {
	for call, want := range map[string][3]string{
		"POST /Verifications":     {"60203", "60207", "20429"},
		"POST /VerificationCheck": {"60202", "60202", "20429"},
	} {
		for i, code := range []otp.Code{otp.LimitPhone, otp.LimitAddress, otp.LimitBox} {
			h := open(t)
			h.err = refusal(code)
			a := h.do(call, "Channel=sms&"+request(t, "check"))
			if a.status != 429 || !strings.Contains(a.body, `"code":`+want[i]) || string(a.head.Peek("Retry-After")) != "91" {
				t.Errorf("%s, %s: got %d %s", call, code, a.status, a.body)
			}
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, body := range []string{"", "Code=493827", "To=%2B41791234567", "Code=&To=%2B41791234567", "Code=493827&Code=493828&To=%2B41791234567"} {
		h := open(t)
		if a := h.do("POST /VerificationCheck", body); a.status != 400 || len(h.called) > 0 || strings.Contains(a.body, "4938") {
			t.Errorf("%s: got %d %s, the core was asked to %v", body, a.status, a.body, h.called)
		}
	}
	h := open(t)
	h.findErr = refusal(otp.Busy)
	if a := h.do("POST /VerificationCheck", request(t, "check")); a.status != 503 || len(h.called) != 1 {
		t.Errorf("got %d %s", a.status, a.body)
	}
}
