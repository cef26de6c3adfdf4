package ssojet_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

const (
	flow   = "/api/v1/auth/passwordless/phone-otp"
	send   = flow + "/send?client_id=" + legacy
	resend = flow + "/resend?client_id=" + legacy
	verify = flow + "/verify?client_id=" + legacy
	right  = `{"state":"` + state + `","otp":"123456"}`
)

var sendIt = request{method: "POST", path: send, body: `{"phone_id":"` + phone + `"}`}

func TestSend(t *testing.T) {
	for name, body := range map[string]string{
		"send": sendIt.body, "sendphone": `{"phone":"` + phone + `"}`, "sendboth": `{"phone":"ignored","phone_id":"` + phone + `","brand":"x"}`,
	} {
		d := open(t)
		r := request{method: "POST", path: send, body: body, headers: map[string]string{"User-Agent": "SSOjet/1.0.0 (https://ssojet.com)"}}
		a := d.do(r)
		d.want(a, 200, "Start")
		golden(t, name, r, a)
		s := d.core.start
		if s.To != phone || s.Purpose != otp.PurposeSignUpOrIn || s.Reveal || s.Slot != (otp.Slot{}) {
			t.Errorf("got %+v", s)
		}
		if c := d.core.caller; c.Door != "ssojet" || c.As != legacy || c.App.ID != "demo" || c.Address != netip.MustParseAddr("203.0.113.9") {
			t.Errorf("got %+v", c)
		}
	}
}

func TestSendRefuses(t *testing.T) {
	for _, body := range []string{``, `{}`, `{"phone_id":""}`, `{"phone_id":41761112233}`, `{"phone_id":"+41761112233","phone_id":"+41761112234"}`, `[]`} {
		d := open(t)
		a := d.do(request{method: "POST", path: send, body: body})
		d.want(a, 400)
		if strings.Contains(a.body, "76111223") {
			t.Errorf("the answer repeats the number: %s", a.body)
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
			r := request{method: "POST", path: flow + "/send" + test.query, body: sendIt.body}
			if test.header != "" {
				r.headers = map[string]string{"x-client-id": test.header}
			}
			d.want(d.do(r), 200, "Start")
			if d.core.caller.As != test.as {
				t.Errorf("it is %q, want %q", d.core.caller.As, test.as)
			}
		})
	}
}

func TestNoClientID(t *testing.T) {
	d := open(t)
	r := request{method: "POST", path: flow + "/send", body: sendIt.body, host: "demo.auth.example.com"}
	a := d.do(r)
	d.want(a, 400)
	golden(t, "noclient", r, a)
}

func TestUnknownClientAndClosedDoorLookTheSame(t *testing.T) {
	var first answer
	for _, id := range []string{"nobody", "closed", "%64emo%20", strings.Repeat("a", 300)} {
		d := open(t)
		r := request{method: "POST", path: flow + "/send?client_id=" + id, body: sendIt.body}
		a := d.do(r)
		d.want(a, 400)
		if first.body == "" {
			first = a
			golden(t, "unknownclient", r, a)
		}
		if a.body != first.body {
			t.Errorf("%.20s: got %s", id, a.body)
		}
	}
}

func TestKeyOfAnotherAppIsRefused(t *testing.T) {
	d := open(t)
	r := sendIt
	r.key = foreign
	d.want(d.do(r), 401)
}

func TestServerSpeaksForItsUsers(t *testing.T) {
	d := open(t)
	r := sendIt
	r.key, r.headers = secret, map[string]string{"Pinferry-Client-IP": "192.0.2.1"}
	d.want(d.do(r), 200, "Start")
	if c := d.core.caller; !c.Secret || c.Address != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("got %+v", c)
	}
}

func TestResend(t *testing.T) {
	for name, body := range map[string]string{"resend": `{"state":"` + state + `"}`, "resendid": `{"state_id":"` + state + `"}`} {
		d := open(t)
		r := request{method: "POST", path: resend, body: body}
		a := d.do(r)
		d.want(a, 200, "Resend")
		golden(t, name, r, a)
		if d.core.id.String() != state {
			t.Errorf("asked for %s", d.core.id)
		}
	}
}

func TestVerify(t *testing.T) {
	for name, body := range map[string]string{"verify": right, "verifyid": `{"state_id":"` + state + `","otp":"123456"}`} {
		d := open(t)
		r := request{method: "POST", path: verify, body: body}
		a := d.do(r)
		d.want(a, 200, "Check")
		golden(t, name, r, a)
		if d.core.id.String() != state || d.core.digits != "123456" {
			t.Errorf("asked for %s", d.core.id)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	for _, body := range []string{
		``, `{"otp":"123456"}`, `{"state":"` + state + `"}`, `{"state":"` + state + `","otp":123456}`, `{"state":"` + state + `","otp":""}`,
		`{"state":"` + state + `","otp":"123456","otp":"654321"}`,
	} {
		d := open(t)
		a := d.do(request{method: "POST", path: verify, body: body})
		d.want(a, 400)
		if strings.Contains(a.body, "123456") {
			t.Errorf("the answer repeats the code: %s", a.body)
		}
	}
}

// TestDisabledUser is told so only after the right code.
func TestDisabledUser(t *testing.T) {
	d := open(t)
	d.core.err = &otp.Error{Code: otp.UserDisabled, Detail: "This user is blocked."}
	r := request{method: "POST", path: verify, body: right}
	a := d.do(r)
	d.want(a, 403, "Check")
	golden(t, "disabled", r, a)
}

// TestRefusalsAreOne: whatever became of a code, in a private app and in any
// other, the answer is the same.
func TestRefusalsAreOne(t *testing.T) {
	var first answer
	for _, client := range []string{"demo", "hidden"} {
		for _, code := range []otp.Code{otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeExhausted, otp.CodeUnknown} {
			d := open(t)
			d.core.err = &otp.Error{Code: code, Detail: "because it is " + string(code)}
			r := request{method: "POST", path: flow + "/verify?client_id=" + client, body: right}
			a := d.do(r)
			d.want(a, 400, "Check")
			if first.body == "" {
				first = a
				golden(t, "wrongcode", r, a)
			}
			if a.body != first.body || a.header.String() != first.header.String() {
				t.Errorf("%s: %s is told apart: %s", client, code, a.body)
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
		d.core.err = &otp.Error{Code: otp.CodeUnknown}
		for path, call := range map[string]string{verify: "Check", resend: "Resend"} {
			d.core.called = nil
			d.want(d.do(request{method: "POST", path: path, body: `{"state":"` + wrong + `","otp":"123456"}`}), 400, call)
			if d.core.id.IsZero() || seen[d.core.id] {
				t.Errorf("%.20s: asked for %s", wrong, d.core.id)
			}
			seen[d.core.id] = true
		}
	}
}

// TestStatus: the holder of a state learns whether the code came back, and
// neither tokens nor who it was.
func TestStatus(t *testing.T) {
	for name, status := range map[string]otp.Status{"pending": otp.Pending, "approved": otp.Approved, "expired": otp.Expired, "exhausted": otp.Exhausted, "canceled": otp.Canceled} {
		for _, path := range []string{flow + "/status", "/api/v1/auth/passwordless/magic-link/status"} {
			d := open(t)
			d.core.verification.Status = status
			r := request{method: "GET", path: path + "?client_id=demo&state=" + state, key: publishable}
			a := d.do(r)
			d.want(a, 200, "Get")
			if want := map[bool]string{true: `{"authenticated":true}`, false: `{"authenticated":false}`}[status == otp.Approved]; a.body != want {
				t.Errorf("%s: got %s", name, a.body)
			}
		}
	}
	d := open(t)
	r := request{method: "GET", path: flow + "/status?client_id=demo&state_id=" + state}
	a := d.do(r)
	d.want(a, 200, "Get")
	golden(t, "status", r, a)
}

func TestStatusForTheServer(t *testing.T) {
	d := open(t)
	d.core.verification.Status = otp.Approved
	r := request{method: "GET", path: "/api/v1/auth/passwordless/magic-link/status?client_id=demo&state=" + state, key: secret}
	a := d.do(r)
	d.want(a, 200, "Get", "Find")
	golden(t, "statussecret", r, a)
	if d.core.login != phone || strings.Contains(a.body, "token") {
		t.Errorf("got %s", a.body)
	}
	d = open(t)
	d.core.verification.Status, d.core.grant.User.Disabled = otp.Approved, true
	if a := d.do(r); !strings.Contains(a.body, `"authenticated":false`) {
		t.Errorf("a blocked user is logged in: %s", a.body)
	}
	d = open(t)
	d.core.verification.Status, d.core.findErr = otp.Approved, &otp.Error{Code: otp.NotRegistered, Detail: "There is no such user."}
	d.want(d.do(r), 400, "Get", "Find")
}

func TestStatusRefuses(t *testing.T) {
	d := open(t)
	d.want(d.do(request{method: "GET", path: flow + "/status?client_id=demo"}), 400)
	d.core.err = &otp.Error{Code: otp.CodeUnknown}
	d.want(d.do(request{method: "GET", path: flow + "/status?client_id=demo&state=" + state}), 400, "Get")
}
