package passage_test

import (
	"testing"

	"github.com/pinferry/pinferry/server/web/webtest"
)

func FuzzLogin(f *testing.F) { fuzzPost(f, login) }

func FuzzActivate(f *testing.F) { fuzzPost(f, activate) }

func FuzzRefresh(f *testing.F) { fuzzPost(f, "/v1/apps/demo/tokens") }

func FuzzCreate(f *testing.F) { fuzzPost(f, users) }

// fuzzPost seeds every target with the bodies of all: what one takes, another
// must bear.
func fuzzPost(f *testing.F, path string) {
	for _, seed := range []string{
		`{"identifier":"` + phone + `","language":"de"}`, right, `{"refresh_token":"a"}`, `{"phone":"` + phone + `","user_metadata":{"a":[{}]}}`,
		`{"identifier":"ann@example.com"}`, `{"otp":"\u0000","otp_id":"\ud83d\ude00"}`, `{"user_metadata":null,"identifier":" "}`, `[]`, ` `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d := open(t)
		a := d.do(request{method: "POST", path: path, body: string(body), bearer: secret})
		webtest.Body(t, body, a, d.core.Called)
	})
}
