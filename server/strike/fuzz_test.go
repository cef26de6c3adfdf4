package strike_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/server/web/webtest"
)

// tryBody posts a body to both doors, or to the one that has the call. No body
// is as good as an empty object, and a token is looked at before any body.
func tryBody(t *testing.T, call string, body []byte, headers ...string) {
	for door, open := range doors {
		if door == "Strike" && strings.HasPrefix(call, "PUT") {
			continue
		}
		h := open(t)
		a := h.do(call, string(body), headers...)
		asked := slices.DeleteFunc(h.Called, func(call string) bool { return call == "Bearer" })
		if len(bytes.TrimSpace(body)) == 0 {
			asked = nil // no body is {}
		}
		webtest.Body(t, body, a, asked)
	}
}

func FuzzSend(f *testing.F) {
	for _, seed := range []string{strikeSend, gotrueSend, `{"phone":null,"data":null,"create_user":null}`, `{"phone":"\r\nAT+CPWROFF\u001a","channel":"whatsapp"}`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) { tryBody(t, "POST /otp", body) })
}

func FuzzVerify(f *testing.F) {
	for _, seed := range []string{strikeVerify, gotrueVerify, `{"type":"phone_change","phone":"7","token":"\u0000"}`, `{"type":"sms","phone":"1","token":493827}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		tryBody(t, "POST /verify", body)
		tryBody(t, "POST /resend", body)
	})
}

func FuzzRefresh(f *testing.F) {
	for _, seed := range []string{refreshBody, `{"refresh_token":""}`, `{"refresh_token":[]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) { tryBody(t, "POST /token?grant_type=refresh_token", body) })
}

func FuzzChangeUser(f *testing.F) {
	for _, seed := range []string{changePhone, `{"data":{"a":null,"b":{"c":[1,"\u2028"]}}}`, `{"email":"a@b.example"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) { tryBody(t, "PUT /user", body, signedIn) })
}
