package api_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

const exchangeBody = `{"code":"the-code","code_verifier":"the-verifier","redirect_uri":"https://shop.example/"}`

func TestExchange(t *testing.T) {
	for _, key := range []string{publishable, secret} {
		d := open(t)
		grant := d.core.signIn()
		status, body := d.do(d.Exchange, request{key: key, body: exchangeBody})
		if status != 200 || d.core.Redeemed != [3]string{"the-code", "the-verifier", "https://shop.example/"} || d.core.Issued.Session != grant.Session {
			t.Errorf("got %d %s, asked for %q", status, body, d.core.Redeemed)
		}
		golden(t, "refreshed", body) // a session is one thing, wherever it comes from
	}
}

func TestExchangeRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		request request
		err     error
		status  int
	}{
		"NoKey":      {request{body: exchangeBody}, nil, 401},
		"NoCode":     {request{key: publishable, body: strings.Replace(exchangeBody, "the-code", "", 1)}, nil, 400},
		"NoVerifier": {request{key: publishable, body: strings.Replace(exchangeBody, "the-verifier", "", 1)}, nil, 400},
		"NoRedirect": {request{key: publishable, body: `{"code":"a","code_verifier":"b"}`}, nil, 400},
		"Misspelt":   {request{key: publishable, body: `{"code":"a","codeVerifier":"b","redirect_uri":"c"}`}, nil, 400},
		"Refused":    {request{key: publishable, body: exchangeBody}, &otp.Error{Code: otp.CodeUnknown, Detail: "why"}, 400},
		"Fault":      {request{key: publishable, body: exchangeBody}, errors.New("disk"), 500},
	} {
		d := open(t)
		d.core.Err = test.err
		status, body := d.do(d.Exchange, test.request)
		if asked := d.core.called() == "Exchange"; status != test.status || asked != (test.err != nil) || strings.Contains(body, "the-") || strings.Contains(body, "why") {
			t.Errorf("%s: got %d %s; core: %q", name, status, body, d.core.called())
		}
	}
}

// FuzzExchange looks for a body that panics, or that reaches the core without
// being whole.
func FuzzExchange(f *testing.F) {
	d := open(f)
	d.core.signIn()
	f.Add(exchangeBody)
	f.Add(`{"code":1}`)
	f.Fuzz(func(t *testing.T, body string) {
		d.core.Redeemed = [3]string{}
		c := newCall(request{key: publishable, body: body})
		if err := d.Exchange(c); err != nil {
			if p := web.ProblemOf(err); p.Status >= 500 {
				t.Errorf("%s: %v", body, err)
			}
			return
		}
		for _, part := range d.core.Redeemed {
			if part == "" {
				t.Errorf("%s reached the core", body)
			}
		}
	})
}
