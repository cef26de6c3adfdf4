package twilio_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web/webtest"
)

const digits = "493827"

func TestCheckApproves(t *testing.T) {
	for _, name := range []string{"check", "checksid"} {
		h := open(t)
		h.After.Verification.Status, h.After.Verification.Approved = otp.Approved, created+9000
		a := h.do("POST /VerificationCheck", request(t, name))
		a.Golden(t, "approved")
		if a.Status != 201 || h.Called[1] != "Check" || h.ID != h.Progress.Verification.ID || h.Digits != digits {
			t.Errorf("%s: got %d, the core was asked to %v of %s", name, a.Status, h.Called, h.ID)
		}
	}
}

// TestWrongCode has that a wrong code is no error, the last one not either: it
// is the next try that is told so.
func TestWrongCode(t *testing.T) {
	for _, code := range []otp.Code{otp.CodeWrong, otp.CodeExhausted} {
		for _, name := range []string{"check", "checksid"} {
			h := open(t)
			h.Err = webtest.Refusal(code)
			a := h.do("POST /VerificationCheck", request(t, name))
			if a.Golden(t, "wrong"); a.Status != 201 {
				t.Errorf("%s: got %d", code, a.Status)
			}
		}
	}
	h := open(t)
	h.Progress.Verification.Status = otp.Exhausted
	h.Err = webtest.Refusal(otp.CodeExhausted)
	a := h.do("POST /VerificationCheck", request(t, "check"))
	if a.Golden(t, "exhausted"); a.Status != 429 {
		t.Errorf("got %d", a.Status)
	}
	h.Err = &otp.Error{Code: otp.CodeExhausted} // as the core has it: there is nothing to wait for
	if a := h.do("POST /VerificationCheck", request(t, "check")); a.Status != 429 || a.Header("Retry-After") != "" {
		t.Errorf("got %d, Retry-After %q", a.Status, a.Header("Retry-After"))
	}
}

// TestCheckOfNothing has that what is not there is asked of the core all the
// same, so that whoever guesses at handles is charged.
func TestCheckOfNothing(t *testing.T) {
	for _, body := range []string{request(t, "check"), request(t, "checksid"), "Code=1&VerificationSid=x", "Code=1&To=x"} {
		h := open(t)
		h.Err = webtest.Refusal(otp.CodeUnknown)
		h.lose(h.Err)
		a := h.do("POST /VerificationCheck", body)
		a.Golden(t, "nocheck")
		if a.Status != 404 || len(h.Called) != 2 || h.Called[1] != "Check" || h.ID == h.Progress.Verification.ID || h.ID.IsZero() {
			t.Errorf("%s: got %d, the core was asked to %v of %s", body, a.Status, h.Called, h.ID)
		}
	}
	for _, code := range []otp.Code{otp.CodeExpired, otp.CodeUsed} {
		h := open(t)
		h.Progress.Verification.Status, h.Err = otp.Expired, webtest.Refusal(code)
		a := h.do("POST /VerificationCheck", request(t, "check"))
		if a.Golden(t, "nocheck"); a.Status != 404 {
			t.Errorf("%s: got %d", code, a.Status)
		}
	}
}

// TestRefusalsOfAPrivateApp are one, whatever became of the verification. Only
// limits are told apart, and they are one too.
func TestRefusalsOfAPrivateApp(t *testing.T) {
	try := func(before otp.Status, findErr error, code otp.Code) webtest.Answer {
		h := open(t)
		h.Progress.Verification.Status = before
		h.lose(findErr)
		h.Err = &otp.Error{Code: code, Detail: "Reason " + string(code)}
		return h.at("private", "POST /VerificationCheck", request(t, "check"), basic(account, privateKey))
	}
	first := try(otp.Pending, nil, otp.CodeWrong)
	if first.Status != 404 {
		t.Errorf("got %d %s", first.Status, first.Body)
	}
	for name, a := range map[string]webtest.Answer{
		"Unknown":   try("", webtest.Refusal(otp.CodeUnknown), otp.CodeUnknown),
		"Expired":   try(otp.Expired, nil, otp.CodeExpired),
		"Used":      try(otp.Approved, nil, otp.CodeUsed),
		"LastTry":   try(otp.Pending, nil, otp.CodeExhausted),
		"Exhausted": try(otp.Exhausted, nil, otp.CodeExhausted),
	} {
		if a.Status != first.Status || a.Body != first.Body || a.Head.String() != first.Head.String() {
			t.Errorf("%s is told apart: %d %s", name, a.Status, a.Body)
		}
	}
	limit := try(otp.Pending, nil, otp.LimitPhone)
	for _, code := range []otp.Code{otp.LimitAddress, otp.LimitBox} {
		if a := try(otp.Pending, nil, code); a.Status != 429 || a.Body != limit.Body {
			t.Errorf("%s is told apart: %d %s", code, a.Status, a.Body)
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
			h.Err = webtest.Refusal(code)
			a := h.do(call, "Channel=sms&"+request(t, "check"))
			if a.Status != 429 || !strings.Contains(a.Body, `"code":`+want[i]) || a.Header("Retry-After") != "91" {
				t.Errorf("%s, %s: got %d %s", call, code, a.Status, a.Body)
			}
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, body := range []string{"", "Code=493827", "To=%2B41791234567", "Code=&To=%2B41791234567", "Code=493827&Code=493828&To=%2B41791234567"} {
		h := open(t)
		if a := h.do("POST /VerificationCheck", body); a.Status != 400 || len(h.Called) > 0 || strings.Contains(a.Body, "4938") {
			t.Errorf("%s: got %d %s, the core was asked to %v", body, a.Status, a.Body, h.Called)
		}
	}
	h := open(t)
	h.lose(webtest.Refusal(otp.Busy))
	if a := h.do("POST /VerificationCheck", request(t, "check")); a.Status != 503 || len(h.Called) != 1 {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
}
