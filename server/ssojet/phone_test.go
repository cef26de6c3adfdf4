package ssojet_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web/webtest"
)

const (
	flow   = "/api/v1/auth/passwordless/phone-otp"
	send   = flow + "/send?client_id=" + legacy
	resend = flow + "/resend?client_id=" + legacy
	verify = flow + "/verify?client_id=" + legacy
	right  = `{"state":"` + state + `","otp":"123456"}`
)

var sendIt = webtest.Request{Method: "POST", Target: send, Body: `{"phone_id":"` + phone + `"}`}

func TestSend(t *testing.T) {
	for name, body := range map[string]string{
		"send": sendIt.Body, "sendphone": `{"phone":"` + phone + `"}`, "sendboth": `{"phone":"ignored","phone_id":"` + phone + `","brand":"x"}`,
	} {
		d := open(t)
		r := webtest.Request{Method: "POST", Target: send, Body: body, Headers: map[string]string{"User-Agent": "SSOjet/1.0.0 (https://ssojet.com)"}}
		a := d.do(r)
		d.want(a, 200, "Start")
		webtest.Exchange(t, name, r, a)
		s := d.core.Started
		if s.To != phone || s.Purpose != otp.PurposeSignUpOrIn || s.Reveal || s.Slot != (otp.Slot{}) {
			t.Errorf("got %+v", s)
		}
		if c := d.core.Caller; c.Door != "ssojet" || c.As != legacy || c.App.ID != "demo" || c.Address != netip.MustParseAddr("203.0.113.9") {
			t.Errorf("got %+v", c)
		}
	}
}

func TestSendRefuses(t *testing.T) {
	for _, body := range []string{``, `{}`, `{"phone_id":""}`, `{"phone_id":41761112233}`, `{"phone_id":"+41761112233","phone_id":"+41761112234"}`, `[]`} {
		d := open(t)
		a := d.do(webtest.Request{Method: "POST", Target: send, Body: body})
		d.want(a, 400)
		if strings.Contains(a.Body, "76111223") {
			t.Errorf("the answer repeats the number: %s", a.Body)
		}
	}
}

// TestClientID: the vendor's samples send it twice, once without a value.
func TestClientID(t *testing.T) {
	for name, test := range map[string]struct {
		query  string
		header string
		as     string
	}{
		"Once":         {"?client_id=demo", "", "demo"},
		"Twice":        {"?client_id=" + legacy + "&client_id=", "", legacy},
		"EmptyFirst":   {"?client_id=&client_id=demo", "", "demo"},
		"FirstOfTwo":   {"?client_id=demo&client_id=hidden", "", "demo"},
		"Header":       {"", legacy, legacy},
		"EmptyQuery":   {"?client_id=&client_id=", "demo", "demo"},
		"QueryCounts":  {"?client_id=demo", "hidden", "demo"},
		"NotTheBearer": {"?other=demo", "demo", "demo"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			r := webtest.Request{Method: "POST", Target: flow + "/send" + test.query, Body: sendIt.Body}
			if test.header != "" {
				r.Headers = map[string]string{"x-client-id": test.header}
			}
			d.want(d.do(r), 200, "Start")
			if d.core.Caller.As != test.as {
				t.Errorf("it is %q, want %q", d.core.Caller.As, test.as)
			}
		})
	}
}

func TestNoClientID(t *testing.T) {
	d := open(t)
	r := webtest.Request{Method: "POST", Target: flow + "/send", Body: sendIt.Body, Host: "demo.auth.example.com"}
	a := d.do(r)
	d.want(a, 400)
	webtest.Exchange(t, "noclient", r, a)
}

func TestUnknownClientAndClosedDoorLookTheSame(t *testing.T) {
	var first webtest.Answer
	for _, id := range []string{"nobody", "closed", "%64emo%20", strings.Repeat("a", 300)} {
		d := open(t)
		r := webtest.Request{Method: "POST", Target: flow + "/send?client_id=" + id, Body: sendIt.Body}
		a := d.do(r)
		d.want(a, 400)
		if first.Body == "" {
			first = a
			webtest.Exchange(t, "unknownclient", r, a)
		}
		if a.Body != first.Body {
			t.Errorf("%.20s: got %s", id, a.Body)
		}
	}
}

func TestKeyOfAnotherAppIsRefused(t *testing.T) {
	d := open(t)
	r := sendIt
	r.Headers = map[string]string{"X-Pinferry-Key": foreign}
	d.want(d.do(r), 401)
}

func TestServerSpeaksForItsUsers(t *testing.T) {
	d := open(t)
	r := sendIt
	r.Headers = map[string]string{"X-Pinferry-Key": secret, "Pinferry-Client-IP": "192.0.2.1"}
	d.want(d.do(r), 200, "Start")
	if c := d.core.Caller; !c.Secret || c.Address != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("got %+v", c)
	}
}

func TestResend(t *testing.T) {
	for name, body := range map[string]string{"resend": `{"state":"` + state + `"}`, "resendid": `{"state_id":"` + state + `"}`} {
		d := open(t)
		r := webtest.Request{Method: "POST", Target: resend, Body: body}
		a := d.do(r)
		d.want(a, 200, "Resend")
		webtest.Exchange(t, name, r, a)
		if d.core.ID.String() != state {
			t.Errorf("asked for %s", d.core.ID)
		}
	}
}

func TestVerify(t *testing.T) {
	for name, body := range map[string]string{"verify": right, "verifyid": `{"state_id":"` + state + `","otp":"123456"}`} {
		d := open(t)
		r := webtest.Request{Method: "POST", Target: verify, Body: body}
		a := d.do(r)
		d.want(a, 200, "Check")
		webtest.Exchange(t, name, r, a)
		if d.core.ID.String() != state || d.core.Digits != "123456" {
			t.Errorf("asked for %s", d.core.ID)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	for _, body := range []string{
		``, `{"otp":"123456"}`, `{"state":"` + state + `"}`, `{"state":"` + state + `","otp":123456}`, `{"state":"` + state + `","otp":""}`,
		`{"state":"` + state + `","otp":"123456","otp":"654321"}`,
	} {
		d := open(t)
		a := d.do(webtest.Request{Method: "POST", Target: verify, Body: body})
		d.want(a, 400)
		if strings.Contains(a.Body, "123456") {
			t.Errorf("the answer repeats the code: %s", a.Body)
		}
	}
}

// TestDisabledUser is told so only after the right code.
func TestDisabledUser(t *testing.T) {
	d := open(t)
	d.core.Err = &otp.Error{Code: otp.UserDisabled, Detail: "This user is blocked."}
	r := webtest.Request{Method: "POST", Target: verify, Body: right}
	a := d.do(r)
	d.want(a, 403, "Check")
	webtest.Exchange(t, "disabled", r, a)
}

// TestRefusalsAreOne: whatever became of a code, in a private app and in any
// other, the answer is the same.
func TestRefusalsAreOne(t *testing.T) {
	var first webtest.Answer
	for _, client := range []string{"demo", "hidden"} {
		for _, code := range []otp.Code{otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeExhausted, otp.CodeUnknown} {
			d := open(t)
			d.core.Err = &otp.Error{Code: code, Detail: "because it is " + string(code)}
			r := webtest.Request{Method: "POST", Target: flow + "/verify?client_id=" + client, Body: right}
			a := d.do(r)
			d.want(a, 400, "Check")
			if first.Body == "" {
				first = a
				webtest.Exchange(t, "wrongcode", r, a)
			}
			if a.Body != first.Body || a.Head.String() != first.Head.String() {
				t.Errorf("%s: %s is told apart: %s", client, code, a.Body)
			}
		}
	}
}

// TestWrongStatesCostAsMuch asks with what cannot be a state: the core hears of
// each under a fresh id.
func TestWrongStatesCostAsMuch(t *testing.T) {
	seen := map[otp.ID]bool{}
	for _, wrong := range []string{"x", state[1:], state + "0", "vrf_" + state, strings.Repeat("F", 5000), "646616daf9a276fa9a6446a1"} {
		d := open(t)
		d.core.Err = &otp.Error{Code: otp.CodeUnknown}
		for path, call := range map[string]string{verify: "Check", resend: "Resend"} {
			d.core.Called = nil
			d.want(d.do(webtest.Request{Method: "POST", Target: path, Body: `{"state":"` + wrong + `","otp":"123456"}`}), 400, call)
			if d.core.ID.IsZero() || seen[d.core.ID] {
				t.Errorf("%.20s: asked for %s", wrong, d.core.ID)
			}
			seen[d.core.ID] = true
		}
	}
}

// TestStatus: the holder of a state learns whether the code came back, and
// neither tokens nor who it was.
func TestStatus(t *testing.T) {
	for name, status := range map[string]otp.Status{"pending": otp.Pending, "approved": otp.Approved, "expired": otp.Expired, "exhausted": otp.Exhausted, "canceled": otp.Canceled} {
		for _, path := range []string{flow + "/status", "/api/v1/auth/passwordless/magic-link/status"} {
			d := open(t)
			d.core.Progress.Verification.Status = status
			r := webtest.Request{Method: "GET", Target: path + "?client_id=demo&state=" + state, Headers: map[string]string{"X-Pinferry-Key": publishable}}
			a := d.do(r)
			d.want(a, 200, "Get")
			if want := map[bool]string{true: `{"authenticated":true}`, false: `{"authenticated":false}`}[status == otp.Approved]; a.Body != want {
				t.Errorf("%s: got %s", name, a.Body)
			}
		}
	}
	d := open(t)
	r := webtest.Request{Method: "GET", Target: flow + "/status?client_id=demo&state_id=" + state}
	a := d.do(r)
	d.want(a, 200, "Get")
	webtest.Exchange(t, "status", r, a)
}

func TestStatusForTheServer(t *testing.T) {
	d := open(t)
	d.core.Progress.Verification.Status = otp.Approved
	r := webtest.Request{Method: "GET", Target: "/api/v1/auth/passwordless/magic-link/status?client_id=demo&state=" + state, Headers: map[string]string{"X-Pinferry-Key": secret}}
	a := d.do(r)
	d.want(a, 200, "Get", "Find")
	webtest.Exchange(t, "statussecret", r, a)
	if d.core.Login != phone || strings.Contains(a.Body, "token") {
		t.Errorf("got %s", a.Body)
	}
	d = open(t)
	d.core.Progress.Verification.Status, d.core.Grant.User.Disabled = otp.Approved, true
	if a := d.do(r); !strings.Contains(a.Body, `"authenticated":false`) {
		t.Errorf("a blocked user is logged in: %s", a.Body)
	}
	d = open(t)
	d.core.Progress.Verification.Status, d.core.Fail = otp.Approved, map[string]error{"Find": &otp.Error{Code: otp.NotRegistered, Detail: "There is no such user."}}
	d.want(d.do(r), 400, "Get", "Find")
}

func TestStatusRefuses(t *testing.T) {
	d := open(t)
	d.want(d.do(webtest.Request{Method: "GET", Target: flow + "/status?client_id=demo"}), 400)
	d.core.Err = &otp.Error{Code: otp.CodeUnknown}
	d.want(d.do(webtest.Request{Method: "GET", Target: flow + "/status?client_id=demo&state=" + state}), 400, "Get")
}
