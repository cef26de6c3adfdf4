package descope_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/server/web/webtest"
)

// tryBody posts a body in the name of a session, and returns the core.
func tryBody(t *testing.T, path string, body []byte) *webtest.Core {
	d := open(t)
	a := webtest.Do(t, d.Door, post(path, string(body)).as(project+":"+refreshToken).http())
	webtest.Body(t, body, a, d.core.Called)
	return d.core
}

// tryStart is tryBody for calls that send a code: what the core is asked for
// keeps the promises of the door.
func tryStart(t *testing.T, path string, body []byte) {
	k := tryBody(t, path, body)
	if len(k.Called) == 0 {
		return
	}
	if strings.TrimSpace(k.Started.Slot.Login) == "" || !k.Started.Slot.Named || k.Started.Slot.Door != "descope" {
		t.Errorf("slot is %+v", k.Started.Slot)
	}
	if c := k.Started.Wish.Challenge; c != "" && len(c) != 43 {
		t.Errorf("the challenge has %d characters", len(c))
	}
	if k.Started.Wish.RevokeOthers && k.Started.Family.IsZero() {
		t.Error("others are revoked in the name of nobody")
	}
	if k.Started.Wish.Claims != nil {
		var claims map[string]json.RawMessage
		if json.Unmarshal(k.Started.Wish.Claims, &claims) != nil {
			t.Errorf("claims are no object: %s", k.Started.Wish.Claims)
		}
		for _, name := range []string{"sub", "amr", "roles", "su"} {
			if _, ok := claims[name]; ok {
				t.Errorf("claims have %s", name)
			}
		}
	}
}

func FuzzSignIn(f *testing.F) {
	f.Add([]byte(`{"loginId":"+41791234567","loginOptions":{"stepup":true,"customClaims":{"a":1},"pkceChallenge":"` + challenge + `"}}`))
	f.Fuzz(func(t *testing.T, body []byte) { tryStart(t, "/v1/auth/otp/signin/sms", body) })
}

func FuzzSignUp(f *testing.F) {
	f.Add([]byte(`{"loginId":"anna","user":{"phone":"+41791234567","name":"\r\nAT+CPWROFF\u001a"},"loginOptions":null}`))
	f.Fuzz(func(t *testing.T, body []byte) { tryStart(t, "/v1/auth/otp/signup/sms", body) })
}

func FuzzSignUpOrIn(f *testing.F) {
	f.Add([]byte(`{"loginId":"\u202e","loginOptions":{"revokeOtherSessions":true,"templateOptions":{"a":"b"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) { tryStart(t, "/v1/auth/otp/signup-in/sms", body) })
}

func FuzzChangePhone(f *testing.F) {
	f.Add([]byte(`{"loginId":"anna","phone":"+41791234567","mfa":true}`))
	f.Fuzz(func(t *testing.T, body []byte) { tryStart(t, "/v1/auth/otp/update/phone/sms", body) })
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte(`{"code":"493827","loginId":"anna"}`))
	f.Fuzz(func(t *testing.T, body []byte) { tryBody(t, "/v1/auth/otp/verify/sms", body) })
}

func FuzzExchange(f *testing.F) {
	f.Add([]byte(`{"code":"b25jZQ","codeVerifier":"` + verifier + `"}`))
	f.Fuzz(func(t *testing.T, body []byte) { tryBody(t, "/v1/auth/exchange", body) })
}

// FuzzBearer: whatever stands in the header, a call is either refused or made
// for an app of this door; and it is a secret key's call only if that key is
// one of the parts.
func FuzzBearer(f *testing.F) {
	for _, seed := range []string{project, project + ":" + refreshToken + ":" + secret, "demo::" + secret, ":", secret + ":" + project} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, bearer string) {
		d := open(t)
		a := d.do(post("/v1/auth/otp/signin/sms", `{"loginId":"anna"}`).as(bearer))
		switch {
		case len(d.core.Called) == 0:
			if a.Status != 401 {
				t.Errorf("got %d %s", a.Status, a.Body)
			}
		case !d.core.Caller.App.Open("descope"):
			t.Errorf("made for %s", d.core.Caller.App.ID)
		case d.core.Caller.Secret && !strings.Contains(bearer, ":"+secret):
			t.Error("made with a secret key that was not sent")
		}
	})
}
