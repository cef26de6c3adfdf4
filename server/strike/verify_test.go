package strike_test

import (
	"encoding/json"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web/webtest"
)

func TestVerify(t *testing.T) {
	for name, test := range map[string]struct {
		open, body string
		slot       otp.Slot
	}{
		"Strike": {"Strike", strikeVerify, otp.Slot{Door: "strike", Login: phone}},
		"GoTrue": {"GoTrue", gotrueVerify, otp.Slot{Door: "gotrue", Login: phone}},
		"Change": {"GoTrue", verifyChange, otp.Slot{Door: "gotrue:change", Login: phone}},
	} {
		t.Run(name, func(t *testing.T) {
			h := doors[test.open](t)
			a := h.do("POST /verify", test.body)
			a.Golden(t, "session")
			if a.Status != 200 || h.Slot != test.slot || h.Digits != digits {
				t.Errorf("got %d, slot %+v, digits %q", a.Status, h.Slot, h.Digits)
			}
		})
	}
}

// TestTokenForm has the claims that GoTrue's clients read. What a user says of
// itself is none of them.
func TestTokenForm(t *testing.T) {
	h := openGoTrue(t)
	h.do("POST /verify", gotrueVerify)
	f := h.Form
	if f.Subject != "10111213-1415-1617-1819-1a1b1c1d1e1f" || f.Audience != "authenticated" || f.Audiences != nil || f.Issuer != "" || f.Refresh != nil {
		t.Errorf("got %+v", f)
	}
	for name, want := range map[string]any{
		"email": "", "phone": "12125550100", "role": "authenticated", "aal": "aal1",
		"session_id": "20212223-2425-2627-2829-2a2b2c2d2e2f", "is_anonymous": false, "user_metadata": struct{}{},
	} {
		if got := f.Claims[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if amr, err := json.Marshal(f.Claims["amr"]); err != nil || string(amr) != `[{"method":"otp","timestamp":1795339800}]` {
		t.Errorf("amr is %s (%v)", amr, err)
	}
	verified := h.Form.Claims["session_id"]
	h.do("POST /token?grant_type=refresh_token", `{"refresh_token":"x"}`)
	if h.Form.Claims["session_id"] != verified {
		t.Error("a refresh gives another form")
	}
}

// TestRefusalsOfACodeAreOne has the rule for public and private apps alike:
// neither vendor has words for the reasons.
func TestRefusalsOfACodeAreOne(t *testing.T) {
	for door, open := range doors {
		for _, key := range []string{publishable, privateKey} {
			var first webtest.Answer
			for i, code := range []otp.Code{otp.CodeUnknown, otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeExhausted} {
				h := open(t)
				h.Err = &otp.Error{Code: code, Detail: "Reason " + string(code)}
				a := h.do("POST /verify", strikeVerify, "apikey: "+key)
				if i == 0 {
					first = a
				}
				if a.Status != 403 || a.Body != first.Body || a.Head.String() != first.Head.String() {
					t.Errorf("%s, %s: %s is told apart: %d %s", door, key, code, a.Status, a.Body)
				}
			}
			first.Golden(t, map[string]string{"Strike": "rejected", "GoTrue": "gotruerejected"}[door])
		}
	}
}

// TestLimitsOfAPrivateApp has one text for all of them.
func TestLimitsOfAPrivateApp(t *testing.T) {
	for door, open := range doors {
		for _, call := range []struct{ path, body string }{{"POST /otp", strikeSend}, {"POST /resend", strikeVerify}, {"POST /verify", strikeVerify}} {
			var first string
			for _, code := range []otp.Code{otp.LimitPhone, otp.LimitAddress, otp.LimitBox} {
				h := open(t)
				h.Err = webtest.Refusal(code)
				a := h.do(call.path, call.body, "apikey: "+privateKey)
				if first == "" {
					first = a.Body
				}
				if a.Status != 429 || a.Body != first || a.Header("Retry-After") != "91" {
					t.Errorf("%s %s: %s is told apart: %d %s", door, call.path, code, a.Status, a.Body)
				}
			}
		}
	}
}

// TestLimitsOfGoTrue tells sends from tries, as its clients do.
func TestLimitsOfGoTrue(t *testing.T) {
	for call, want := range map[string]string{"POST /otp": "over_sms_send_rate_limit", "POST /resend": "over_sms_send_rate_limit", "POST /verify": "over_request_rate_limit"} {
		h := openGoTrue(t)
		h.Err = webtest.Refusal(otp.LimitPhone)
		if a := h.do(call, gotrueVerify); a.Status != 429 || a.Header("X-Sb-Error-Code") != want {
			t.Errorf("%s: got %d %s", call, a.Status, a.Body)
		}
	}
}

// TestSessionEndedMeanwhile has a phone change whose session was logged out
// before the code came back, or before it was asked for.
func TestSessionEndedMeanwhile(t *testing.T) {
	h := openGoTrue(t)
	h.Err = webtest.Refusal(otp.Unauthorized)
	for _, a := range []webtest.Answer{h.do("POST /verify", verifyChange), h.do("PUT /user", changePhone, signedIn)} {
		if a.Golden(t, "gotruebadtoken"); a.Status != 403 {
			t.Errorf("got %d", a.Status)
		}
	}
}

func TestVerifyNeedsAToken(t *testing.T) {
	for door, open := range doors {
		h := open(t)
		if a := h.do("POST /verify", `{"type":"sms","phone":"+12125550100"}`); a.Status != 400 || len(h.Called) > 0 {
			t.Errorf("%s: got %d %s", door, a.Status, a.Body)
		}
	}
}

// TestApprovalWithoutSession is a fault: neither door has another answer.
func TestApprovalWithoutSession(t *testing.T) {
	for door, open := range doors {
		h := open(t)
		h.Grant.Session = nil
		if a := h.do("POST /verify", strikeVerify); a.Status != 500 {
			t.Errorf("%s: got %d %s", door, a.Status, a.Body)
		}
	}
}
