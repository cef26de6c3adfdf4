package ssojet_test

import (
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/ssojet"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/pinferry/pinferry/server/web/webtest"
)

var (
	_ ssojet.Verifications = (*otp.Verifications)(nil)
	_ ssojet.Directory     = (*otp.Directory)(nil)
	_ ssojet.Mint          = (*token.Mint)(nil)
)

const (
	publishable, secret = "pk_test_3f9a", "sk_test_7c1e"
	foreign             = "sk_hidden_11aa"
	phone               = "+41791234567"
	state               = "000102030405060708090a0b0c0d0e0f"
	userID              = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
	legacy              = "646616daf9a276fa9a6446a1" // an alias, as the vendor's ids look
)

func newCore() *webtest.Core {
	k := webtest.NewCore("ssojet", legacy, phone)
	k.Progress.Verification.Status = otp.Pending
	return k
}

// newApps returns the apps of the tests: demo is open, hidden is private,
// closed has another door.
func newApps(t testing.TB) *otp.Apps {
	t.Helper()
	doors := []string{"native", "ssojet"}
	return webtest.Apps(t,
		otp.App{
			ID: "demo", Aliases: []string{legacy}, Keys: webtest.Keys(publishable, secret), Doors: doors,
			Sessions: true, Hosts: []string{"demo.auth.example.com"},
		},
		otp.App{ID: "hidden", Keys: webtest.Keys(foreign), Doors: doors, Sessions: true, Private: true},
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
	k := newCore()
	return &door{ssojet.New(k, k, webtest.Mint{Core: k}, newApps(t)), k, t}
}

// do makes a call as the server would. Whatever it is, the tokens are as the
// vendor's look, and nobody chose a channel.
func (d *door) do(r webtest.Request) webtest.Answer {
	d.t.Helper()
	a := webtest.Do(d.t, d.Door, r)
	if f := d.core.Form; f != nil && (f.Algorithm != token.RS256 || f.Type != "at+jwt") {
		d.t.Errorf("tokens of the form %+v", f)
	}
	if d.core.Channel != "" {
		d.t.Errorf("the channel %q was chosen", d.core.Channel)
	}
	return a
}

// want fails unless the status is as wanted and the core was asked these calls.
func (d *door) want(a webtest.Answer, status int, called ...string) {
	d.t.Helper()
	d.core.Want(d.t, a, status, called...)
}
