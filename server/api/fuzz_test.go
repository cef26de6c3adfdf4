package api_test

import (
	"encoding/json"
	"testing"

	"github.com/pinferry/pinferry/server/web"
	"github.com/pinferry/pinferry/server/web/webtest"
)

// tryBody posts a body to a handler with a secret key.
func tryBody(t *testing.T, handler func(*door) web.Handler, body []byte) {
	d := open(t)
	status, answer := d.do(handler(d), request{key: secret, param: id, body: string(body), random: true})
	webtest.Body(t, body, webtest.Answer{Status: status, Body: answer}, d.core.Called)
}

func FuzzStart(f *testing.F) {
	for _, seed := range []string{
		`{"to":"+41791234567","metadata":{"a":1},"client_ip":"::1"}`, `{"to":"\r\nAT+CPWROFF\u001a","locale":"\u202e"}`,
		`{"to":"x","metadata":{"a":{"b":[]}},"purpose":"sign_in","channel":"whatsapp"}`, `{"to":null,"metadata":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		tryBody(t, func(d *door) web.Handler { return d.Start }, body)
	})
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{`{"code":"493827"}`, `{"code":"\u0000","client_ip":"fe80::1%0"}`, `{"code":493827}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		tryBody(t, func(d *door) web.Handler { return d.Check }, body)
	})
}

func FuzzResend(f *testing.F) {
	for _, seed := range []string{`{"channel":"sms"}`, `{}`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 0 {
			tryBody(t, func(d *door) web.Handler { return d.Resend }, body)
		}
	})
}

func FuzzSend(f *testing.F) {
	for _, seed := range []string{`{"to":"x","text":"hello","ttl":"1h","priority":"high"}`, `{"to":"x","text":"a","ttl":"9223372036854775807h"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		tryBody(t, func(d *door) web.Handler { return d.Send }, body)
	})
}

func FuzzRefresh(f *testing.F) {
	for _, seed := range []string{`{"refresh_token":"AAAA"}`, `{"refresh_token":7}`, `{"refresh_token":"","x":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		tryBody(t, func(d *door) web.Handler { return d.Refresh }, body)
	})
}

func FuzzChangeUser(f *testing.F) {
	for _, seed := range []string{`{"enabled":false}`, `{"metadata":{"a":[]}}`, `{"metadata":null}`, `{"enabled":null}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d := open(t)
		status, answer := d.do(d.ChangeUser, request{key: secret, param: userID, body: string(body), random: true})
		if status >= 500 || !json.Valid([]byte(answer)) || status == 200 && d.core.called() != "Change" {
			t.Errorf("got %d %s", status, answer)
		}
	})
}

// FuzzMe shows any token: nobody gets in by what a token says of itself, and
// the core is asked only for an app that is there.
func FuzzMe(f *testing.F) {
	for _, seed := range []string{tokenOf("demo"), tokenOf("nobody"), "a.b.c", "..", "", "x", "a.eyJpc3MiOjd9.c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, access string) {
		d := open(t)
		status, answer := d.do(d.Me, request{headers: map[string]string{"Authorization": "Bearer " + access}})
		if status != 401 || !json.Valid([]byte(answer)) {
			t.Errorf("got %d %s", status, answer)
		}
		if d.core.called() != "" && d.core.Caller.App.ID != "demo" {
			t.Errorf("the core was asked for %s", d.core.Caller.App.ID)
		}
	})
}
