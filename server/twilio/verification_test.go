package twilio_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web/webtest"
)

func TestCreate(t *testing.T) {
	h := open(t)
	a := h.do("POST /Verifications", request(t, "create"))
	a.Golden(t, "verification")
	want := otp.StartRequest{To: phone, Purpose: otp.PurposeVerify, Locale: "de", Slot: otp.Slot{Door: "twilio"}, Again: true}
	if r := h.Started; a.Status != 201 || r.To != want.To || r.Purpose != want.Purpose || r.Locale != want.Locale || r.Slot != want.Slot || !r.Again || r.Channel != "" {
		t.Errorf("got %d, the core was asked for %+v", a.Status, r)
	}
}

// TestRepeat has that a second create shows the same verification with one
// more attempt.
func TestRepeat(t *testing.T) {
	h := open(t)
	h.After.Verification.Sends = 3
	h.After.Message.Created = created.Add(31 * time.Second)
	h.After.Message.Updated = h.After.Message.Created
	a := h.do("POST /Verifications", request(t, "create"))
	if a.Golden(t, "repeated"); a.Status != 201 {
		t.Errorf("got %d", a.Status)
	}
}

func TestCreateRefuses(t *testing.T) {
	for name, test := range map[string]struct{ body, message string }{
		"Nothing":        {"", "Missing required parameter To"},
		"NoTo":           {"Channel=sms", "Missing required parameter To"},
		"NoChannel":      {"To=%2B41791234567", "Missing required parameter Channel"},
		"WhatsApp":       {"To=%2B41791234567&Channel=whatsapp", "`Channel`"},
		"Call":           {"To=%2B41791234567&Channel=call", "`Channel`"},
		"Capitals":       {"To=%2B41791234567&Channel=SMS", "`Channel`"},
		"CustomCode":     {"To=%2B41791234567&Channel=sms&CustomCode=493827", "`CustomCode`"},
		"CustomMessage":  {"To=%2B41791234567&Channel=sms&CustomMessage=meet+me", "`CustomMessage`"},
		"Amount":         {"To=%2B41791234567&Channel=sms&Amount=10", "`Amount`"},
		"Payee":          {"To=%2B41791234567&Channel=sms&Payee=Acme", "`Payee`"},
		"DeviceIp":       {"To=%2B41791234567&Channel=sms&DeviceIp=here", "`DeviceIp`"},
		"DeviceZone":     {"To=%2B41791234567&Channel=sms&DeviceIp=fe80%3A%3A1%25eth0", "`DeviceIp`"},
		"ToTwice":        {"To=%2B41791234567&To=%2B41791234568&Channel=sms", "twice"},
		"UnknownTwice":   {"To=%2B41791234567&Channel=sms&X=1&X=1", "twice"},
		"InvalidUTF8":    {"To=%FF&Channel=sms", "UTF-8"},
		"LowerCaseNames": {"to=%2B41791234567&channel=sms", "Missing required parameter To"},
		"JSON":           {`{"To":"+41791234567","Channel":"sms"}`, "Missing required parameter To"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			a := h.do("POST /Verifications", test.body)
			if a.Status != 400 || !strings.Contains(a.Body, `"code":60200`) || !strings.Contains(a.Body, test.message) || len(h.Called) > 0 {
				t.Errorf("got %d %s, the core was asked to %v", a.Status, a.Body, h.Called)
			}
			if strings.Contains(a.Body, "4179123456") || strings.Contains(a.Body, "493827") || strings.Contains(a.Body, "meet") {
				t.Errorf("a value is repeated: %s", a.Body)
			}
		})
	}
	h := open(t)
	h.do("POST /Verifications", "To=%2B41791234567&Channel=whatsapp").Golden(t, "wrongchannel")
	h.do("POST /Verifications", "").Golden(t, "missing")
}

func TestAuto(t *testing.T) {
	h := open(t)
	if a := h.do("POST /Verifications", "To=%2B41791234567&Channel=auto"); a.Status != 201 || !strings.Contains(a.Body, `"channel":"sms"`) {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
}

// TestFetch has the spellings of a path's last part: a sid, and a phone with
// its plus sign as it is or encoded.
func TestFetch(t *testing.T) {
	for word, slot := range map[string]otp.Slot{
		sid: {}, phone: {Door: "twilio", Login: phone}, "%2B41791234567": {Door: "twilio", Login: phone}, "%2b41791234567": {Door: "twilio", Login: phone},
		sid + "00": {Door: "twilio", Login: sid + "00"}, strings.ToUpper(sid): {Door: "twilio", Login: strings.ToUpper(sid)}, "VE": {Door: "twilio", Login: "VE"},
	} {
		h := open(t)
		a := h.do("GET /Verifications/"+word, "")
		if a.Status != 200 || h.Slot != slot || h.Slot == (otp.Slot{}) && h.ID != h.Progress.Verification.ID {
			t.Errorf("%s: got %d, slot %+v, id %s", word, a.Status, h.Slot, h.ID)
		}
		a.Golden(t, "verification")
	}
	for _, word := range []string{"%", "%2", "%zz"} {
		h := open(t)
		if a := h.do("GET /Verifications/"+word, ""); a.Status != 404 || len(h.Called) > 0 {
			t.Errorf("%s: got %d %s", word, a.Status, a.Body)
		}
	}
}

// TestEndedIsGone has that what has ended in whatever way is not found by a
// fetch, nor by an update.
func TestEndedIsGone(t *testing.T) {
	for _, status := range []otp.Status{otp.Approved, otp.Canceled, otp.Expired, otp.Exhausted, ""} {
		for call, body := range map[string]string{"GET": "", "POST": request(t, "cancel")} {
			for _, word := range []string{sid, phone} {
				h := open(t)
				h.Progress.Verification.Status = status
				if status == "" {
					h.lose(webtest.Refusal(otp.CodeUnknown))
				}
				a := h.do(call+" /Verifications/"+word, body)
				if a.Status != 404 || len(h.Called) != 1 {
					t.Errorf("%s %s %q: got %d, the core was asked to %v", call, word, status, a.Status, h.Called)
				}
				a.Golden(t, map[string]string{sid: "gone", phone: "gonephone"}[word])
			}
		}
	}
}

func TestCancel(t *testing.T) {
	for _, word := range []string{sid, phone} {
		h := open(t)
		a := h.do("POST /Verifications/"+word, request(t, "cancel"))
		a.Golden(t, "canceled")
		if a.Status != 200 || h.Called[1] != "Cancel" || h.ID != h.Progress.Verification.ID {
			t.Errorf("%s: got %d, the core was asked to %v", word, a.Status, h.Called)
		}
	}
	h := open(t)
	h.Err = webtest.Refusal(otp.Conflict) // it was approved in between
	if a := h.do("POST /Verifications/"+sid, request(t, "cancel")); a.Status != 404 {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
}

// TestNobodyApproves has that a status cannot be set to what only the holder of
// the phone can bring about.
func TestNobodyApproves(t *testing.T) {
	h := open(t)
	h.do("POST /Verifications/"+sid, "Status=approved").Golden(t, "approve")
	for _, body := range []string{"Status=approved", "Status=pending", "Status=Canceled", "Status=", ""} {
		if a := h.do("POST /Verifications/"+sid, body); a.Status != 400 || len(h.Called) > 0 {
			t.Errorf("%s: got %d %s, the core was asked to %v", body, a.Status, a.Body, h.Called)
		}
	}
}
