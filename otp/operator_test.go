package otp_test

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
)

const password = "correct horse battery"

// tedious is a keeper of passwords that takes its time, and counts what it compares.
type tedious struct {
	matches atomic.Int64
	busy    atomic.Bool // too many wait for it
}

func (s *tedious) Hash(_ context.Context, p string) (string, error) {
	time.Sleep(100 * time.Millisecond)
	return "hash of " + p, nil
}

func (s *tedious) Match(_ context.Context, hash, p string) (bool, error) {
	if s.busy.Load() {
		return false, &otp.Error{Code: otp.Busy}
	}
	time.Sleep(100 * time.Millisecond)
	s.matches.Add(1)
	return hash == "hash of "+p, nil
}

// office is the operators of a rig.
type office struct {
	*rig
	p    *otp.Operators
	slow *tedious
}

var desk = netip.MustParseAddr("192.0.2.7")

func newOffice(t *testing.T, s setup) *office {
	o := &office{rig: newRig(t, s), slow: new(tedious)}
	o.p = otp.NewOperators(o.box, o.v, o.slow, "")
	must(t, o.p.Open(t.Context()))
	return o
}

// setUp sets the first password and returns the sign-in.
func (o *office) setUp() string {
	o.t.Helper()
	token, err := o.p.SetUp(context.Background(), desk, o.p.SetupSecret(), password)
	must(o.t, err)
	return token
}

func (o *office) signIn(from, with string) (string, error) {
	token, _, err := o.p.SignIn(context.Background(), netip.MustParseAddr(from), otp.Login{Password: with})
	return token, err
}

// here tells whether a sign-in lives.
func (o *office) here(token string) bool {
	o.t.Helper()
	_, err := o.p.Present(context.Background(), token, true)
	if err != nil {
		wantCode(o.t, err, otp.Unauthorized)
	}
	return err == nil
}

// TestSetUp has the first password set once, by the secret alone.
func TestSetUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, setup{})
		secret := o.p.SetupSecret()
		if len(secret) != 19 {
			t.Fatalf("the secret is %d characters", len(secret))
		}
		_, err := o.signIn("192.0.2.7", password)
		wantCode(t, err, otp.Conflict)
		_, err = o.p.SetUp(t.Context(), desk, secret, "too short")
		wantCode(t, err, otp.InvalidRequest)
		_, err = o.p.SetUp(t.Context(), desk, "AAAA-BBBB-CCCC-DDDD", password)
		wantCode(t, err, otp.Unauthorized)
		_, err = o.p.SetUp(t.Context(), desk, "", password)
		wantCode(t, err, otp.Unauthorized)
		token, err := o.p.SetUp(t.Context(), desk, " "+lower(secret)+" ", password) // as people type it
		must(t, err)
		if !o.here(token) || o.p.SetupSecret() != "" {
			t.Error("who set the password is not signed in, or the secret lives on")
		}
		_, err = o.p.SetUp(t.Context(), desk, secret, password)
		wantCode(t, err, otp.Conflict)

		// It is the same box after a restart, and another after a reset.
		again := otp.NewOperators(o.box, o.v, o.slow, "")
		must(t, again.Open(t.Context()))
		if again.SetupSecret() != "" {
			t.Error("after a restart there is a setup secret")
		}
		must(t, o.p.Reset(t.Context(), operator))
		if o.here(token) || o.p.SetupSecret() == "" || o.p.SetupSecret() == secret {
			t.Error("after a reset the sign-in lives on, or there is no new secret")
		}
		_, err = o.signIn("192.0.2.7", password)
		wantCode(t, err, otp.Conflict)
		o.setUp()
	})
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

// TestSignInLives has a sign-in end by idling, by its age, by hand and by a new
// password.
func TestSignInLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, setup{})
		token := o.setUp()
		for range 23 { // 11 h 30 min of use
			time.Sleep(30*time.Minute - time.Second)
			if !o.here(token) {
				t.Fatal("a sign-in in use has ended")
			}
		}
		time.Sleep(30 * time.Minute)
		if o.here(token) {
			t.Error("a sign-in lives beyond 12 hours")
		}
		in := func() string { token, err := o.signIn("192.0.2.7", password); must(t, err); return token }
		token = in()
		time.Sleep(29 * time.Minute)
		if _, err := o.p.Present(t.Context(), token, false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if o.here(token) {
			t.Error("looking on keeps a sign-in from ending idle")
		}
		a, b, c := in(), in(), in()
		must(t, o.p.SignOut(t.Context(), operator, a))
		if o.here(a) || !o.here(b) {
			t.Error("signing out ends another, or not the right one")
		}
		must(t, o.p.ChangePassword(t.Context(), operator, desk, b, password, "another long password"))
		if !o.here(b) || o.here(c) {
			t.Error("a new password ends the own sign-in, or no other")
		}
		_, err := o.signIn("192.0.2.7", password)
		wantCode(t, err, otp.Unauthorized)
		d, err := o.signIn("192.0.2.7", "another long password")
		must(t, err)
		all, err := o.p.SignIns(t.Context(), d)
		if err != nil || len(all) != 2 {
			t.Errorf("got %+v, %v", all, err)
		}
		must(t, o.p.SignOutAll(t.Context(), operator))
		if o.here(b) || o.here(d) || o.here("") || o.here("x") {
			t.Error("somebody is still signed in")
		}
	})
}

// TestOperatorTries has five wrong passwords in 15 minutes from one address, and
// a sixth is not looked at, however many come at once.
func TestOperatorTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, setup{})
		o.setUp()
		for range 10 { // who knows it may come as often as he likes
			_, err := o.signIn("192.0.2.7", password)
			must(t, err)
		}
		o.slow.matches.Store(0)
		var refused atomic.Int64
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_, err := o.signIn("192.0.2.7", "a wrong password")
				if otp.AsError(err).Code == otp.LimitAddress {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		if n := o.slow.matches.Load(); n != 5 || refused.Load() != 15 {
			t.Errorf("%d were compared and %d refused", n, refused.Load())
		}
		_, err := o.signIn("192.0.2.7", password)
		if e := wantCode(t, err, otp.LimitAddress); e.RetryAfter < 14*time.Minute || e.RetryAfter > 15*time.Minute+time.Second {
			t.Errorf("wait %v", e.RetryAfter)
		}
		_, err = o.p.SetUp(t.Context(), desk, "", password)
		wantCode(t, err, otp.Conflict)
		wantCode(t, o.p.Prove(t.Context(), desk, password), otp.LimitAddress)
		_, err = o.signIn("192.0.2.8", password) // another address is not concerned
		must(t, err)
		time.Sleep(15*time.Minute + time.Second)
		_, err = o.signIn("192.0.2.7", password)
		must(t, err)
	})
}

// TestSecondFactor has the box's own codes asked for once a phone is set: the
// right one for the right phone, of this door.
func TestSecondFactor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, setup{limits: bare})
		o.setUp()
		ctx := t.Context()
		_, err := o.p.SetPhone(ctx, desk, "a wrong password", alice)
		wantCode(t, err, otp.Unauthorized)
		p, err := o.p.SetPhone(ctx, desk, password, alice)
		must(t, err)
		digits := o.sent()
		wantCode(t, o.check(o.server(), p.Verification.ID, digits), otp.CodeUnknown) // it is good at no other door
		wantCode(t, o.p.ConfirmPhone(ctx, operator, p.Verification.ID, wrong(digits, 0)), otp.CodeWrong)
		must(t, o.p.ConfirmPhone(ctx, operator, p.Verification.ID, digits))
		if a, err := o.p.Account(ctx); err != nil || a.Phone != "+41*******67" || a.App != "demo" {
			t.Fatalf("got %+v, %v", a, err)
		}
		time.Sleep(16 * time.Minute) // the wrong password counts no more

		login := func(id otp.ID, digits string) (string, *otp.Progress, error) {
			return o.p.SignIn(ctx, desk, otp.Login{Password: password, Verification: id, Code: digits})
		}
		token, code, err := login(otp.ID{}, "")
		if err != nil || token != "" || code == nil || code.Verification.Address.Masked() != "+41*******67" {
			t.Fatalf("got %q, %+v, %v", token, code, err)
		}
		digits = o.sent()
		if _, _, err := o.p.SignIn(ctx, desk, otp.Login{Password: "a wrong password", Verification: code.Verification.ID, Code: digits}); err == nil {
			t.Error("a code is enough")
		}
		_, _, err = login(code.Verification.ID, wrong(digits, 0))
		wantCode(t, err, otp.CodeWrong)
		_, _, err = login(p.Verification.ID, digits) // an approved one
		if err == nil {
			t.Error("a used verification lets in")
		}
		// A code of the app to somebody else, at whatever door.
		stranger, err := o.start(o.at(otp.OperatorDoor), bob)
		must(t, err)
		_, _, err = login(stranger.Verification.ID, o.sent())
		wantCode(t, err, otp.CodeUnknown)
		token, _, err = login(code.Verification.ID, digits)
		must(t, err)
		if !o.here(token) {
			t.Error("not signed in")
		}
		time.Sleep(16 * time.Minute) // the wrong ones have used up the address's tries
		wantCode(t, o.p.RemovePhone(ctx, operator, desk, "a wrong password"), otp.Unauthorized)
		must(t, o.p.RemovePhone(ctx, operator, desk, password))
		token, _, err = login(otp.ID{}, "")
		if err != nil || !o.here(token) {
			t.Errorf("without a phone: %v", err)
		}
	})
}
