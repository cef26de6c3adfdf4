package passage_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web/webtest"
)

const (
	login    = "/v1/apps/demo/login/otp"
	register = "/v1/apps/demo/register/otp"
	activate = "/v1/apps/demo/otp/activate"
	right    = `{"otp":"123456","otp_id":"` + otpID + `"}`
)

func TestLogin(t *testing.T) {
	d := open(t)
	r := request{method: "POST", path: login, body: `{"identifier":"` + phone + `","language":"de-CH","magic_link_path":"/x"}`, headers: map[string]string{"Passage-Version": "passage-js 3.14.6"}}
	a := d.do(r)
	d.want(a, 201, "Start")
	golden(t, "login", r, a)
	s := d.core.Started
	if s.To != phone || s.Purpose != otp.PurposeSignIn || s.Locale != "de-CH" || !s.Reveal || s.Slot != (otp.Slot{}) {
		t.Errorf("got %+v", s)
	}
	if c := d.core.Caller; c.Door != "passage" || c.As != "demo" || c.Secret || c.Address != netip.MustParseAddr("203.0.113.9") {
		t.Errorf("got %+v", c)
	}
}

func TestRegister(t *testing.T) {
	d := open(t)
	r := request{method: "POST", path: "/v1/apps/" + legacy + "/register/otp", body: `{"identifier":"` + phone + `"}`}
	a := d.do(r)
	d.want(a, 201, "Start")
	golden(t, "register", r, a)
	if s := d.core.Started; s.Purpose != otp.PurposeSignUp || !s.Reveal || d.core.Caller.As != legacy {
		t.Errorf("got %+v as %q", s, d.core.Caller.As)
	}
}

// TestServerSpeaksForItsUsers shows that a server may start logins with its key
// in the vendor's place, and name the user's address.
func TestServerSpeaksForItsUsers(t *testing.T) {
	d := open(t)
	r := request{method: "POST", path: login, body: `{"identifier":"` + phone + `"}`, bearer: secret, headers: map[string]string{"Pinferry-Client-IP": "192.0.2.1"}}
	d.want(d.do(r), 201, "Start")
	if c := d.core.Caller; !c.Secret || c.Address != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("got %+v", c)
	}
}

func TestKeyOfAnotherAppIsRefused(t *testing.T) {
	d := open(t)
	r := request{method: "POST", path: login, body: `{"identifier":"` + phone + `"}`, bearer: foreign}
	a := d.do(r)
	d.want(a, 401)
	golden(t, "wrongkey", r, a)
}

func TestStartRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"email":        `{"identifier":"ann@example.com"}`,
		"noidentifier": `{}`,
		"nobody":       ``,
		"number":       `{"identifier":41761112233}`,
		"twice":        `{"identifier":"+41761112233","identifier":"+41761112234"}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			r := request{method: "POST", path: login, body: body}
			a := d.do(r)
			d.want(a, 400)
			if strings.Contains(a.Body, "76111223") || strings.Contains(a.Body, "ann@") {
				t.Errorf("the answer repeats what was sent: %s", a.Body)
			}
			golden(t, "start"+name, r, a)
		})
	}
}

// TestStartOfTheOtherSort covers the refusals that the vendor documents for a
// login of a stranger and a registration of somebody known.
func TestStartOfTheOtherSort(t *testing.T) {
	for name, test := range map[string]struct {
		path string
		code otp.Code
	}{
		"unknownuser": {login, otp.NotRegistered}, "inactiveuser": {login, otp.UserDisabled}, "knownuser": {register, otp.AlreadyRegistered},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			d.core.Err = &otp.Error{Code: test.code, Detail: "what the core says"}
			r := request{method: "POST", path: test.path, body: `{"identifier":"` + phone + `"}`}
			golden(t, name, r, d.do(r))
		})
	}
}

func TestUnknownAppAndClosedDoorLookTheSame(t *testing.T) {
	var first webtest.Answer
	for _, app := range []string{"nobody", "closed", "%64emo", "demo.", strings.Repeat("a", 300)} {
		d := open(t)
		r := request{method: "POST", path: "/v1/apps/" + app + "/login/otp", body: `{"identifier":"` + phone + `"}`}
		a := d.do(r)
		d.want(a, 404)
		if first.Body == "" {
			first = a
			golden(t, "unknownapp", r, a)
		}
		if a.Body != first.Body {
			t.Errorf("%.20s: got %s", app, a.Body)
		}
	}
}

func TestActivate(t *testing.T) {
	d := open(t)
	r := request{method: "POST", path: activate, body: right}
	a := d.do(r)
	d.want(a, 200, "Check")
	golden(t, "activate", r, a)
	if d.core.ID.String() != otpID || d.core.Digits != "123456" {
		t.Errorf("the core was asked for %s", d.core.ID)
	}
}

// TestNowhereToGo shows the result of an app without redirects.
func TestNowhereToGo(t *testing.T) {
	d := open(t)
	a := d.do(request{method: "POST", path: "/v1/apps/bare/otp/activate", body: right})
	d.want(a, 200, "Check")
	if !strings.Contains(a.Body, `"redirect_url":""`) {
		t.Errorf("got %s", a.Body)
	}
}

func TestActivateRefuses(t *testing.T) {
	for _, body := range []string{
		`{"otp":"123456"}`, `{"otp_id":"` + otpID + `"}`, `{"otp":"","otp_id":"` + otpID + `"}`, `{"otp":123456,"otp_id":"` + otpID + `"}`,
		`{"otp":null,"otp_id":null}`, `[]`, `{"otp":"123456","otp":"654321","otp_id":"` + otpID + `"}`,
	} {
		d := open(t)
		a := d.do(request{method: "POST", path: activate, body: body})
		d.want(a, 400)
		if strings.Contains(a.Body, "123456") {
			t.Errorf("the answer repeats the code: %s", a.Body)
		}
	}
}

// TestWrongIDsCostAsMuch asks with what cannot be an id: the core hears of each
// under a fresh id, and the answer is that of a wrong code.
func TestWrongIDsCostAsMuch(t *testing.T) {
	d := open(t)
	d.core.Err = &otp.Error{Code: otp.CodeWrong, Detail: "what the core says"}
	r := request{method: "POST", path: activate, body: right}
	wrong := d.do(r)
	d.want(wrong, 400, "Check")
	golden(t, "wrongcode", r, wrong)
	seen := map[otp.ID]bool{d.core.ID: true}
	for _, id := range []string{"x", otpID[1:], otpID + "0", "vrf_" + otpID, strings.ToUpper(otpID), strings.Repeat("f", 5000)} {
		d := open(t)
		d.core.Err = &otp.Error{Code: otp.CodeUnknown}
		a := d.do(request{method: "POST", path: activate, body: `{"otp":"123456","otp_id":"` + id + `"}`})
		d.want(a, 400, "Check")
		if a.Body != wrong.Body || d.core.ID.IsZero() || seen[d.core.ID] {
			t.Errorf("%.20s: got %s for %s", id, a.Body, d.core.ID)
		}
		seen[d.core.ID] = true
	}
}

// TestExhausted shows the one refusal of a code that the vendor tells apart,
// and that a private app does not.
func TestExhausted(t *testing.T) {
	d := open(t)
	d.core.Err = &otp.Error{Code: otp.CodeExhausted}
	r := request{method: "POST", path: activate, body: right}
	a := d.do(r)
	d.want(a, 401, "Check")
	golden(t, "exhausted", r, a)
}

// TestPrivateRefusalsAreOne: whatever became of a code, a private app says the
// same.
func TestPrivateRefusalsAreOne(t *testing.T) {
	var first webtest.Answer
	for _, code := range []otp.Code{otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeExhausted, otp.CodeUnknown} {
		d := open(t)
		d.core.Err = &otp.Error{Code: code, Detail: "because it is " + string(code)}
		a := d.do(request{method: "POST", path: "/v1/apps/hidden/otp/activate", body: right})
		d.want(a, 400, "Check")
		if first.Body == "" {
			first = a
		}
		if a.Body != first.Body || a.Head.String() != first.Head.String() {
			t.Errorf("%s is told apart: %s", code, a.Body)
		}
	}
}
