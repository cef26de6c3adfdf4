package ssojet_test

import (
	"testing"

	"github.com/pinferry/pinferry/server/web/webtest"
)

func FuzzSend(f *testing.F) { fuzzPost(f, send) }

func FuzzResend(f *testing.F) { fuzzPost(f, resend) }

func FuzzVerify(f *testing.F) { fuzzPost(f, verify) }

// fuzzPost posts bodies, seeded with those of all calls: what one takes, another
// must bear.
func fuzzPost(f *testing.F, path string) {
	for _, seed := range []string{
		sendIt.Body, right, `{"state_id":"` + state + `"}`, `{"phone":"\r\nAT+CPWROFF\u001a"}`, `{"otp":"\u0000","state":"\ud83d\ude00"}`, `null`, ` `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d := open(t)
		a := d.do(webtest.Request{Method: "POST", Target: path, Body: string(body)})
		webtest.Body(t, body, a, d.core.Called)
	})
}
