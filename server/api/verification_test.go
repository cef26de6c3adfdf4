package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

func TestStart(t *testing.T) {
	d := open(t)
	status, body := d.do(d.Start, request{key: publishable, body: `{"to":"` + phone + `","channel":"sms","locale":"de-CH","metadata":{"order":17},"captcha":"x"}`,
		headers: map[string]string{"Idempotency-Key": "a-1"}})
	if status != 201 {
		t.Fatalf("got %d %s", status, body)
	}
	golden(t, "verification", body)
	want := otp.StartRequest{To: phone, Channel: "sms", Purpose: otp.PurposeVerify, Locale: "de-CH", IdempotencyKey: "a-1", Captcha: "x"}
	got := d.core.Started
	if string(got.Metadata) != `{"order":17}` || !strings.HasPrefix(string(got.Body), `{"to":"+41`) {
		t.Errorf("metadata %s, body %s", got.Metadata, got.Body)
	}
	got.Metadata, got.Body = nil, nil
	if got.To != want.To || got.Channel != want.Channel || got.Purpose != want.Purpose || got.Locale != want.Locale || got.IdempotencyKey != want.IdempotencyKey || got.Captcha != want.Captcha || got.Slot != (otp.Slot{}) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestStartRefuses(t *testing.T) {
	long := strings.Repeat("k", 65)
	for name, test := range map[string]struct {
		request request
		detail  string
	}{
		"NoNumber":          {request{body: `{}`}, `"to" is missing`},
		"NullNumber":        {request{body: `{"to":null}`}, `"to" is missing`},
		"MetadataArray":     {request{body: `{"to":"x","metadata":[1]}`}, `"metadata" must be an object`},
		"MetadataText":      {request{body: `{"to":"x","metadata":"a"}`}, `"metadata" must be an object`},
		"MetadataLarge":     {request{body: `{"to":"x","metadata":{"a":"` + strings.Repeat("m", 1024) + `"}}`}, "1024 bytes"},
		"IdempotencyLong":   {request{body: `{"to":"x"}`, headers: map[string]string{"Idempotency-Key": long}}, "1 to 64"},
		"IdempotencySpaced": {request{body: `{"to":"x"}`, headers: map[string]string{"Idempotency-Key": "a\tb"}}, "1 to 64"},
		"IdempotencyUTF8":   {request{body: `{"to":"x"}`, headers: map[string]string{"Idempotency-Key": "é"}}, "1 to 64"},
		"PurposeUnknown":    {request{body: `{"to":"x","purpose":"login"}`}, `"purpose" must be`},
		"PurposeOfDoors":    {request{body: `{"to":"x","purpose":"change_phone"}`}, `"purpose" must be`},
		"TokenForNothing":   {request{body: `{"to":"x","purpose":"sign_in","access_token":"a.b.c"}`}, `"access_token" goes with`},
		"UnknownMember":     {request{body: `{"phone":"x"}`}, "known are to, region, channel"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			test.request.key = publishable
			status, body := d.do(d.Start, test.request)
			if status != 400 || !strings.Contains(strings.ReplaceAll(body, `\"`, `"`), test.detail) {
				t.Errorf("got %d %s", status, body)
			}
			if d.core.called() != "" {
				t.Error("the core was asked")
			}
		})
	}
}

func TestIdempotencyKeyWithAnotherBody(t *testing.T) {
	d := open(t)
	d.core.Err = &otp.Error{Code: otp.Conflict, Detail: "This Idempotency-Key was used with another body."}
	status, body := d.do(d.Start, request{key: publishable, body: `{"to":"x"}`, headers: map[string]string{"Idempotency-Key": "a"}})
	if status != 422 {
		t.Fatalf("got %d %s", status, body)
	}
	golden(t, "idempotency", body)
}

// TestApproved shows who learns whose number was proven.
func TestApproved(t *testing.T) {
	d := open(t)
	v := &d.core.Progress.Verification
	v.Status, v.Approved, v.Tries = otp.Approved, created.Add(41*time.Second), 2
	d.core.Progress.Message.State, d.core.Progress.Message.Route = otp.MessageDelivered, "gsm0"
	d.core.Progress.ETA, d.core.Progress.ResendAfter = 0, 0
	status, body := d.do(d.Get, request{key: secret, param: id})
	if status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	golden(t, "approved", body)
	status, body = d.do(d.Get, request{key: publishable, param: id})
	if status != 200 || strings.Contains(body, phone[1:]) || strings.Contains(body, "approved_at") || strings.Contains(body, "metadata") {
		t.Errorf("a publishable key reads %d %s", status, body)
	}
	golden(t, "approvedpublic", body)
	status, body = d.do(d.Check, request{key: publishable, param: id, body: `{"code":"123456"}`})
	if status != 200 {
		t.Errorf("got %d %s", status, body)
	}
	golden(t, "approvedpublic", body)
}

// TestEmail shows an email address where a phone stands otherwise: masked to all,
// and whole to a secret key once it has been proven.
func TestEmail(t *testing.T) {
	d := open(t)
	v := &d.core.Progress.Verification
	v.Address, v.Channel = otp.Address{Kind: otp.Email, Key: "ann@example.com", Dial: "Ann@example.com"}, otp.ChannelEmail
	status, body := d.do(d.Start, request{key: secret, body: `{"to":"Ann@example.com"}`})
	if s := d.core.Started; status != 201 || s.To != "Ann@example.com" || !s.Email || s.Channel != "" {
		t.Errorf("got %d %s, asked %+v", status, body, s)
	}
	if !strings.Contains(body, `"to":"a***@example.com","channel":"email"`) || strings.Contains(body, "Ann@") {
		t.Errorf("started with %s", body)
	}
	v.Status, v.Approved = otp.Approved, created.Add(41*time.Second)
	_, body = d.do(d.Get, request{key: secret, param: id})
	if !strings.Contains(body, `"email":"Ann@example.com","approved_at"`) || strings.Contains(body, `"phone"`) {
		t.Errorf("a server reads %s", body)
	}
	_, body = d.do(d.Get, request{key: publishable, param: id})
	if strings.Contains(body, "Ann@") || strings.Contains(body, `"email":"`) {
		t.Errorf("a page reads %s", body)
	}
}

func TestPendingShowsNoNumberToASecretKey(t *testing.T) {
	d := open(t)
	_, body := d.do(d.Get, request{key: secret, param: id})
	if strings.Contains(body, phone[1:]) || !strings.Contains(body, `"metadata":{"order":17}`) {
		t.Errorf("got %s", body)
	}
	d.core.Progress.Message = otp.Message{}
	_, body = d.do(d.Get, request{key: secret, param: id})
	if !strings.Contains(body, `"message":null`) {
		t.Errorf("got %s", body)
	}
}

func TestCheckPassesOnWhatWasTyped(t *testing.T) {
	d := open(t)
	if status, body := d.do(d.Check, request{key: publishable, param: id, body: `{"code":"123 456"}`}); status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	if d.core.Digits != "123 456" || "vrf_"+d.core.ID.String() != id {
		t.Errorf("got %q for %s", d.core.Digits, d.core.ID)
	}
}

// TestRefusedChecksAreOne asks with every sort of wrong id and gets one answer,
// for which the core was asked each time.
func TestRefusedChecksAreOne(t *testing.T) {
	var first string
	seen := map[otp.ID]bool{}
	for _, param := range []string{
		id, "vrf_ffffffffffffffffffffffffffffffff", "x", "vrf_", id[:len(id)-1], id + "0", strings.ToUpper(id), messageID, id[4:], "VRF_" + id[4:],
		strings.Repeat("9", 3000),
	} {
		d := open(t)
		d.core.Err = &otp.Error{Code: otp.CodeUnknown, Detail: "whatever"}
		if param == id {
			d.core.Err = &otp.Error{Code: otp.CodeExhausted, Detail: "the reason"}
		}
		status, body := d.do(d.Check, request{key: publishable, param: param, body: `{"code":"123456"}`})
		if first == "" {
			first = body
		}
		if status != 422 || body != first {
			t.Errorf("%.40s: got %d %s", param, status, body)
		}
		if d.core.called() != "Check" || d.core.ID.IsZero() || seen[d.core.ID] || d.core.Digits != "123456" {
			t.Errorf("%.40s: the core was asked %q for %s", param, d.core.called(), d.core.ID)
		}
		seen[d.core.ID] = true
	}
	golden(t, "rejected", first)
}

func TestCheckRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"NoCode": `{}`, "Number": `{"code":493827}`, "Null": `{"code":null}`, "Empty": `{"code":""}`, "Extra": `{"code":"493827","to":"x"}`,
		"Twice": `{"code":"493827","code":"654321"}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			status, answer := d.do(d.Check, request{key: publishable, param: id, body: body})
			if status != 400 || d.core.called() != "" || strings.Contains(answer, "493827") {
				t.Errorf("got %d %s; core: %q", status, answer, d.core.called())
			}
		})
	}
}

func TestResend(t *testing.T) {
	d := open(t)
	if status, body := d.do(d.Resend, request{key: publishable, param: id}); status != 200 || d.core.Channel != "" {
		t.Fatalf("got %d %s", status, body)
	}
	if status, body := d.do(d.Resend, request{key: publishable, param: id, body: `{"channel":"sms"}`}); status != 200 || d.core.Channel != "sms" {
		t.Fatalf("got %d %s", status, body)
	}
	d.core.Err = &otp.Error{Code: otp.CodeUsed, Detail: "x"}
	status, body := d.do(d.Resend, request{key: publishable, param: id})
	if status != 409 {
		t.Errorf("got %d %s", status, body)
	}
	golden(t, "ended", body)
}

func TestUnknownIDs(t *testing.T) {
	d := open(t)
	d.core.Err = &otp.Error{Code: otp.CodeUnknown, Detail: "There is no such verification."}
	for name, handler := range map[string]func(request) (int, string){
		"Get":    func(r request) (int, string) { return d.do(d.Get, r) },
		"Resend": func(r request) (int, string) { return d.do(d.Resend, r) },
		"Cancel": func(r request) (int, string) { return d.do(d.Cancel, r) },
	} {
		for _, param := range []string{id, "x", messageID, strings.ToUpper(id)} {
			status, body := handler(request{key: publishable, param: param})
			if status != 404 {
				t.Errorf("%s %s: got %d", name, param, status)
			}
			golden(t, "missing", body)
		}
	}
}

func TestCancel(t *testing.T) {
	d := open(t)
	if status, body := d.do(d.Cancel, request{key: publishable, param: id}); status != 204 || body != "" || d.core.called() != "Cancel" {
		t.Errorf("got %d %q", status, body)
	}
	d.core.Err = &otp.Error{Code: otp.Conflict, Detail: "This verification was approved."}
	if status, body := d.do(d.Cancel, request{key: publishable, param: id}); status != 409 {
		t.Errorf("got %d %s", status, body)
	}
}

func TestLimitTellsWhenToComeBack(t *testing.T) {
	d := open(t)
	d.core.Err = &otp.Error{Code: otp.LimitPhone, Detail: "which rule it was", RetryAfter: 61*time.Second + time.Millisecond}
	status, body := d.do(d.Start, request{key: publishable, body: `{"to":"` + phone + `"}`})
	if status != 429 {
		t.Errorf("got %d", status)
	}
	golden(t, "limited", body)
}

// TestRegion starts with a number as people in a country write it.
func TestRegion(t *testing.T) {
	for body, want := range map[string]string{
		`{"to":"079 123 45 67","region":"CH"}`:    "+41791234567",
		`{"to":"+41 79 123 45 67","region":"US"}`: "+41 79 123 45 67",
		`{"to":"079 123 45 67"}`:                  "079 123 45 67",
		`{"to":"what","region":"CH"}`:             "what", // the core refuses it
	} {
		d := open(t)
		if status, answer := d.do(d.Start, request{key: publishable, body: body}); status != 201 || d.core.Started.To != want {
			t.Errorf("%s: got %d %s, asked for %q", body, status, answer, d.core.Started.To)
		}
	}
	for _, region := range []string{"ch", "XX", "001", "*"} {
		d := open(t)
		if status, body := d.do(d.Start, request{key: publishable, body: `{"to":"0791234567","region":"` + region + `"}`}); status != 400 || d.core.called() != "" || !strings.Contains(body, "region") {
			t.Errorf("%s: got %d %s", region, status, body)
		}
	}
}
