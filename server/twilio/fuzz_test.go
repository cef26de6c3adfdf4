package twilio_test

import (
	"encoding/json"
	"testing"
)

// tryBody posts a body. Whatever it is, the answer is JSON and no fault.
func tryBody(t *testing.T, call, body string) *house {
	h := open(t)
	if a := h.do(call, body); a.Status >= 500 || !json.Valid([]byte(a.Body)) {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
	return h
}

func FuzzCreate(f *testing.F) {
	for _, seed := range []string{request(f, "create"), "To=%00&Channel=sms&DeviceIp=%", "To=+41791234567&Channel=sms&&=&Locale=%E2%80%AE", "Channel=auto;To=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if h := tryBody(t, "POST /Verifications", body); len(h.Called) > 0 && h.Started.To == "" {
			t.Error("the core was asked to send to nobody")
		}
	})
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{request(f, "check"), request(f, "checksid"), "Code=%FF&To=x", "Code=1&VerificationSid=VE"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if h := tryBody(t, "POST /VerificationCheck", body); len(h.Called) > 0 && h.Digits == "" {
			t.Error("the core was asked to check no code")
		}
	})
}

func FuzzUpdate(f *testing.F) {
	f.Add(request(f, "cancel"), sid)
	f.Add("Status=approved", "%2B41791234567")
	f.Fuzz(func(t *testing.T, body, word string) {
		h := open(t)
		for _, r := range word {
			if r <= ' ' || r > '~' || r == '/' || r == '?' || r == '#' {
				t.Skip() // it would stand elsewhere than in the path's last part
			}
		}
		if word == "" {
			t.Skip()
		}
		if a := h.do("POST /Verifications/"+word, body); a.Status >= 500 || !json.Valid([]byte(a.Body)) {
			t.Errorf("got %d %s", a.Status, a.Body)
		}
	})
}
