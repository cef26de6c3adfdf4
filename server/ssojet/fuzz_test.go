package ssojet_test

import (
	"encoding/json"
	"testing"
)

func FuzzSend(f *testing.F) { fuzzPost(f, send) }

func FuzzResend(f *testing.F) { fuzzPost(f, resend) }

func FuzzVerify(f *testing.F) { fuzzPost(f, verify) }

// fuzzPost posts bodies, seeded with those of all calls: what one takes, another
// must bear. Whatever a body is, the answer is JSON and no fault, and only one
// JSON object reaches the core.
func fuzzPost(f *testing.F, path string) {
	for _, seed := range []string{
		sendIt.body, right, `{"state_id":"` + state + `"}`, `{"phone":"\r\nAT+CPWROFF\u001a"}`, `{"otp":"\u0000","state":"\ud83d\ude00"}`, `null`, ` `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d := open(t)
		a := d.do(request{method: "POST", path: path, body: string(body)})
		if a.status >= 500 || !json.Valid([]byte(a.body)) {
			t.Errorf("got %d %s", a.status, a.body)
		}
		var object map[string]any
		if len(d.core.called) > 0 && json.Unmarshal(body, &object) != nil {
			t.Errorf("the core was asked %v", d.core.called)
		}
	})
}
