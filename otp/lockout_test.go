package otp_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// TestOperatorTriesAreGuesses counts no try with the right password, though no
// code can be sent, and none that was not looked at.
func TestOperatorTriesAreGuesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, setup{limits: func(l *otp.Limits) { *l = otp.Limits{SendsPerPhone: []otp.Rule{{2, time.Hour}}} }})
		o.setUp()
		o.factor(alice)
		_, err := o.signIn("192.0.2.7", password)
		must(t, err)
		for range 8 {
			_, err := o.signIn("192.0.2.7", password)
			wantCode(t, err, otp.LimitPhone)
		}
		o.slow.busy.Store(true)
		for range 8 {
			_, err := o.signIn("192.0.2.7", "a wrong password")
			wantCode(t, err, otp.Busy)
		}
		o.slow.busy.Store(false)
		for range 5 {
			_, err := o.signIn("192.0.2.7", "a wrong password")
			wantCode(t, err, otp.Unauthorized)
		}
		_, err = o.signIn("192.0.2.7", password)
		wantCode(t, err, otp.LimitAddress)
	})
}

// TestStrangersLockNoOperatorOut has people who know the operator's number use up
// all that it may be sent and tried, and the operator get in all the same.
func TestStrangersLockNoOperatorOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, setup{limits: func(l *otp.Limits) {
			*l = otp.Limits{SendsPerPhone: []otp.Rule{{3, time.Hour}}, TriesPerPhone: []otp.Rule{{5, time.Hour}}}
		}})
		o.setUp()
		o.factor(alice)
		for range 3 { // which all live
			p := o.mustStart(o.from("198.51.100.1"), alice)
			digits := o.sent()
			for i := range 2 {
				o.check(o.from("198.51.100.1"), p.Verification.ID, wrong(digits, i))
			}
		}
		_, err := o.start(o.from("198.51.100.1"), alice)
		if err == nil {
			t.Fatal("the number has no limit")
		}
		_, sent, err := o.p.SignIn(t.Context(), desk, otp.Login{Password: password})
		must(t, err)
		token, _, err := o.p.SignIn(t.Context(), desk, otp.Login{Password: password, Verification: sent.Verification.ID, Code: o.sent()})
		must(t, err)
		if !o.here(token) {
			t.Error("not signed in")
		}
		// Who has the password alone can still not have code after code sent.
		for err = nil; err == nil; _, _, err = o.p.SignIn(t.Context(), desk, otp.Login{Password: password}) {
		}
		wantCode(t, err, otp.LimitPhone)
	})
}

// factor makes a phone the second factor.
func (o *office) factor(phone string) {
	o.t.Helper()
	p, err := o.p.SetPhone(context.Background(), desk, password, phone)
	must(o.t, err)
	must(o.t, o.p.ConfirmPhone(context.Background(), operator, p.Verification.ID, o.sent()))
}

// TestResetHolds has nobody who is on his way with the old password, or the old
// secret, undo a reset.
func TestResetHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, setup{})
		token := o.setUp()
		late := func(call func() error) (done chan error) {
			done = make(chan error, 1)
			go func() { done <- call() }()
			time.Sleep(150 * time.Millisecond) // it was compared, and is being hashed
			return done
		}
		done := late(func() error {
			return o.p.ChangePassword(context.Background(), operator, desk, token, password, "the thief's own password")
		})
		must(t, o.p.Reset(t.Context(), operator))
		wantCode(t, <-done, otp.Unauthorized)
		if o.here(token) {
			t.Error("a sign-in has outlived the reset")
		}
		token = o.setUp()
		done = late(func() error {
			return o.p.ChangePassword(context.Background(), operator, desk, token, password, "another long password")
		})
		must(t, o.p.SignOutAll(t.Context(), operator))
		must(t, <-done)
		if o.here(token) {
			t.Error("a new password has brought a sign-in back")
		}
	})
}

// between is a store that runs a function once before the next closure that
// writes.
type between struct {
	otp.Store
	first func()
}

func (b *between) Update(ctx context.Context, fn func(otp.Tx) error) error {
	if f := b.first; f != nil {
		b.first = nil
		f()
	}
	return b.Store.Update(ctx, fn)
}

// TestPresent has a sign-in that ends while its use is being written ended, and
// one last as long as it would on a disk that takes no more writes.
func TestPresent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var store *between
		o := newOffice(t, setup{wrap: func(s otp.Store) otp.Store { store = &between{Store: s}; return store }})
		token := o.setUp()
		time.Sleep(2 * time.Minute)
		store.first = func() { must(t, o.p.SignOut(context.Background(), operator, token)) }
		if o.here(token) {
			t.Error("it has ended, and lets in")
		}
		if n := o.rows(otp.KindSignIn); n != 0 {
			t.Errorf("%d rows are left of it", n)
		}
		token, err := o.signIn("192.0.2.7", password)
		must(t, err)
		time.Sleep(2 * time.Minute)
		o.store.FailNext(&otp.Error{Code: otp.StorageLow})
		if !o.here(token) {
			t.Error("a full disk has ended the sign-in of who could mend it")
		}
		time.Sleep(2 * time.Minute)
		o.store.FailNext(errors.New("broken"))
		if _, err := o.p.Present(t.Context(), token, true); err == nil {
			t.Error("a broken store goes unseen")
		}
	})
}

// TestSignInsEndWithARestore has a sign-in end where rows may be missing: that it
// was ended may be among them.
func TestSignInsEndWithARestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, setup{})
		token := o.setUp()
		if _, err := o.box.Open(t.Context(), false); err != nil || !o.here(token) {
			t.Fatalf("a restart has ended it, %v", err)
		}
		if _, err := o.box.Open(t.Context(), true); err != nil || o.here(token) {
			t.Errorf("it lives on, %v", err)
		}
		token, err := o.signIn("192.0.2.7", password)
		if must(t, err); !o.here(token) {
			t.Error("the password is gone")
		}
	})
}

// TestOperatorTriesOfOneSite has whoever has a whole IPv6 network try twenty
// times, not five from each of its parts.
func TestOperatorTriesOfOneSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, setup{})
		o.setUp()
		for range 30 { // who knows it may come as often as he likes
			_, err := o.signIn("2001:db8:1::1", password)
			must(t, err)
		}
		for i := range 20 {
			_, err := o.signIn(fmt.Sprintf("2001:db8:1:%x::1", i), "a wrong password")
			wantCode(t, err, otp.Unauthorized)
		}
		_, err := o.signIn("2001:db8:1:ffff::1", password)
		wantCode(t, err, otp.LimitAddress)
		page, _, err := otp.NewDesk(o.box, o.outbox).Bars(t.Context(), otp.Question{}, 100, "")
		if err != nil || len(page) != 1 || page[0].Subject != "2001:db8:1::/48" || page[0].Rule != "N26" || page[0].Count != 20 {
			t.Errorf("got %+v, %v", page, err)
		}
		for _, other := range []string{"2001:db8:2::1", "192.0.2.7"} {
			_, err = o.signIn(other, password)
			must(t, err)
		}
		lifted, err := otp.NewDesk(o.box, o.outbox).Lift(t.Context(), operator, page[0].ID)
		if err != nil || lifted != 1 {
			t.Errorf("lifted %d, %v", lifted, err)
		}
		_, err = o.signIn("2001:db8:1:ffff::1", password)
		must(t, err)
	})
}
