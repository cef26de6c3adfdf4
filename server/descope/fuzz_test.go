package descope_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// tryBody posts a body in the name of a session. Whatever it is, the answer is
// JSON and no fault, and only a body that is one JSON object reaches the core.
func tryBody(t *testing.T, path string, body []byte) *core {
	d := open(t)
	a := d.do(post(path, string(body)).as(project + ":" + refreshToken))
	if a.Status >= 500 {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
	var object map[string]any
	if d.core.called != "" && json.Unmarshal(body, &object) != nil {
		t.Errorf("the core was asked to %s", d.core.called)
	}
	return d.core
}

// tryStart is tryBody for calls that send a code: what the core is asked for
// keeps the promises of the door.
func tryStart(t *testing.T, path string, body []byte) {
	k := tryBody(t, path, body)
	if k.called == "" {
		return
	}
	if strings.TrimSpace(k.start.Slot.Login) == "" || !k.start.Slot.Named || k.start.Slot.Door != "descope" {
		t.Errorf("slot is %+v", k.start.Slot)
	}
	if c := k.start.Wish.Challenge; c != "" && len(c) != 43 {
		t.Errorf("the challenge has %d characters", len(c))
	}
	if k.start.Wish.RevokeOthers && k.start.Family.IsZero() {
		t.Error("others are revoked in the name of nobody")
	}
	if k.start.Wish.Claims != nil {
		var claims map[string]json.RawMessage
		if json.Unmarshal(k.start.Wish.Claims, &claims) != nil {
			t.Errorf("claims are no object: %s", k.start.Wish.Claims)
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
		case d.core.called == "":
			if a.Status != 401 {
				t.Errorf("got %d %s", a.Status, a.Body)
			}
		case !d.core.caller.App.Open("descope"):
			t.Errorf("made for %s", d.core.caller.App.ID)
		case d.core.caller.Secret && !strings.Contains(bearer, ":"+secret):
			t.Error("made with a secret key that was not sent")
		}
	})
}
