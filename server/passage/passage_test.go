package passage_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/passage"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/pinferry/pinferry/server/web/webtest"
)

var (
	_ passage.Verifications = (*otp.Verifications)(nil)
	_ passage.Directory     = (*otp.Directory)(nil)
	_ passage.Mint          = (*token.Mint)(nil)
)

const (
	publishable, secret = "pk_test_3f9a", "sk_test_7c1e"
	foreign             = "sk_hidden_11aa"
	mailing             = "sk_mail_52ee"
	phone               = "+41791234567"
	otpID               = "000102030405060708090a0b0c0d0e0f"
	userID              = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
	legacy              = "Tk3xLegacyAppIdOfPassage" // an alias, as the vendor's ids look
)

// newApps returns the apps of the tests: demo is open and full, bare is open
// and has nothing configured, hidden is private, closed has another door, mail
// takes email addresses.
func newApps(t testing.TB) *otp.Apps {
	t.Helper()
	open := []string{"native", "passage"}
	return webtest.Apps(t,
		otp.App{
			ID: "demo", Aliases: []string{legacy}, Name: "Demo shop", Keys: webtest.Keys(publishable, secret),
			Doors: open, Sessions: true, Hosts: []string{"otp.example.com"},
			Origins: []string{"https://shop.example.com"}, Redirects: []string{"https://shop.example.com/welcome"},
			Backends: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")},
		},
		otp.App{ID: "bare", Doors: open, Sessions: true, CodeTTL: 90 * time.Second},
		otp.App{ID: "hidden", Keys: webtest.Keys(foreign), Doors: open, Sessions: true, Private: true},
		otp.App{ID: "mail", Keys: webtest.Keys(mailing), Doors: open, Sessions: true, Email: true},
		otp.App{ID: "closed", Doors: []string{"native"}, Sessions: true},
	)
}

// door is the door over a core of this test.
type door struct {
	web.Door
	core *webtest.Core
	t    testing.TB
}

func open(t testing.TB) *door {
	k := webtest.NewCore("passage", "demo", phone)
	return &door{passage.New(k, k, webtest.Mint{Core: k}, newApps(t)), k, t}
}

// request is a call as it comes to the door. bearer is what stands behind
// "Bearer ", if it is not empty.
type request struct {
	method, path, body string
	bearer             string
	headers            map[string]string
}

// http is the call in HTTP, with the content type of the vendor's older pages,
// and a Host that is none of ours.
func (r request) http() webtest.Request {
	return webtest.Request{
		Method: r.method, Target: r.path, Body: r.body, Type: "text/plain;charset=UTF-8", Host: "attacker.example",
		Bearer: r.bearer, Headers: r.headers,
	}
}

// do makes a call as the server would. Whatever it is, no session is spared.
func (d *door) do(r request) webtest.Answer {
	d.t.Helper()
	a := webtest.Do(d.t, d.Door, r.http())
	if !d.core.Except.IsZero() {
		d.t.Errorf("the session %s was spared", d.core.Except)
	}
	return a
}

// golden compares a call and what it answers with a file of testdata.
func golden(t *testing.T, name string, r request, a webtest.Answer) {
	t.Helper()
	webtest.Exchange(t, name, r.http(), a)
}

// want fails unless the status is as wanted and the core was asked these calls.
func (d *door) want(a webtest.Answer, status int, called ...string) {
	d.t.Helper()
	d.core.Want(d.t, a, status, called...)
}
