package webtest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web/webtest"
)

// TestCore has whom a test makes fail, and what a core remembers.
func TestCore(t *testing.T) {
	broken, gone := errors.New("broken"), errors.New("gone")
	k := &webtest.Core{Err: broken, Fail: map[string]error{"Find": gone, "Get": nil}, Known: "good"}
	k.Progress.Grant = &k.Grant
	mint := webtest.Mint{Core: k}
	_, start := k.Start(t.Context(), otp.Caller{}, otp.StartRequest{})
	_, find := k.Find(t.Context(), otp.Caller{}, "ann")
	p, get := k.Get(t.Context(), otp.Caller{As: "demo"}, webtest.ID(1))
	if start != broken || find != gone || get != nil || p.Grant != nil || strings.Join(k.Called, " ") != "Start Find Get" || k.Caller.As != "demo" || k.ID != webtest.ID(1) {
		t.Errorf("got %v, %v and %v; asked %v", start, find, get, k.Called)
	}
	k.Err = nil
	if p, err := k.Check(t.Context(), otp.Caller{}, otp.ID{}, "1"); err != nil || p.Grant != &k.Grant {
		t.Errorf("got %+v, %v", p, err)
	}
	form := func(*otp.Grant) token.Form { return token.Form{Type: "x"} }
	if _, _, err := mint.Refresh(t.Context(), otp.Caller{}, "bad", form); otp.AsError(err).Code != otp.Unauthorized || k.Form != nil || k.Token != "bad" {
		t.Errorf("a bad token: got %v, form %v", err, k.Form)
	}
	if _, _, err := mint.Refresh(t.Context(), otp.Caller{}, "good", form); err != nil || k.Form == nil || k.Form.Type != "x" {
		t.Errorf("a good token: got %v, form %v", err, k.Form)
	}
}

// TestRead holds tokens of a real mint against key sets, the right one and
// others.
func TestRead(t *testing.T) {
	k := &webtest.Core{}
	apps := webtest.Apps(t, otp.App{ID: "demo", Sessions: true})
	demo, _ := apps.ByID("demo")
	k.Grant = otp.Grant{User: otp.User{ID: webtest.ID(1), App: "demo"}, Session: &otp.Session{App: "demo", User: webtest.ID(1), As: "demo", Created: webtest.Moment, Expires: webtest.Moment.Add(otp.RefreshLife)}}
	mint, other := webtest.OpenMint(t, k, demo), webtest.OpenMint(t, k, demo)
	set, err := mint.Issue(&k.Grant, token.Form{Algorithm: token.RS256, Type: "JWT"})
	if err != nil {
		t.Fatal(err)
	}
	keys, foreign := mint.KeySet(demo, token.RS256), other.KeySet(demo, token.RS256)
	if head, claims := webtest.Read(t, set.Access, keys); head["alg"] != "RS256" || claims["sub"] != "usr_"+webtest.ID(1).String() {
		t.Errorf("got %v %v", head, claims)
	}
	must(t, "ForeignKey", true, func(t testing.TB) { webtest.Read(t, set.Access, foreign) })
	must(t, "NoKey", true, func(t testing.TB) { webtest.Read(t, set.Access, token.KeySet{}) })
	must(t, "Tampered", true, func(t testing.TB) { webtest.Read(t, set.Access[:len(set.Access)-8]+"AAAAAAAA", keys) })
}

func TestWant(t *testing.T) {
	k := webtest.NewCore("native", "demo", "+41791234567")
	k.Start(t.Context(), otp.Caller{}, otp.StartRequest{})
	a := webtest.Answer{Status: 200}
	must(t, "AsItWas", false, func(t testing.TB) { k.Want(t, a, 200, "Start") })
	must(t, "OtherStatus", true, func(t testing.TB) { k.Want(t, a, 201, "Start") })
	must(t, "OtherCall", true, func(t testing.TB) { k.Want(t, a, 200, "Check") })
	must(t, "NoCall", true, func(t testing.TB) { k.Want(t, a, 200) })
}
