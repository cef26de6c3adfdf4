package otp_test

import (
	"bytes"
	"context"
	"reflect"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// Whatever bytes stand in a row, reading them is an error at worst, and what
// is read and written again is read the same.
func FuzzRecords(f *testing.F) {
	r := newRig(f, setup{limits: bare, apps: []otp.App{openApp("demo")}})
	p := r.mustStart(r.server(), alice)
	eventually(f, r, 0)
	c, slot := r.at("descope"), otp.Slot{Door: "descope", Login: "bob", Named: true}
	login := otp.StartRequest{To: bob, Purpose: otp.PurposeSignUp, Slot: slot, Wish: otp.Wish{Name: "Bob", Claims: []byte("{}")}}
	var grants []otp.Grant
	for n, wish := range []otp.Wish{login.Wish, {Challenge: challenge(verifier)}} {
		login.Wish = wish
		_, err := r.v.Start(f.Context(), c, login)
		must(f, err)
		done, err := r.v.CheckSlot(f.Context(), c, slot, eventually(f, r, n+1))
		must(f, err)
		grants = append(grants, *done.Grant)
		login.To, login.Purpose = "", otp.PurposeSignIn
	}
	_, err := r.v.Start(f.Context(), c, login)
	must(f, err)
	session, exchange := grants[0].Session, grants[1].Exchange
	must(f, r.store.View(context.Background(), func(tx otp.Tx) error {
		for _, kind := range otp.Kinds() {
			if err := tx.Scan(otp.Key{Kind: kind}, otp.Key{}, 0, func(k otp.Key, v []byte) bool {
				f.Add(byte(k.Kind), bytes.Clone(v))
				return true
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	f.Add(byte(otp.KindVerification), []byte{})
	f.Add(byte(otp.KindMessage), []byte{2, 0x80})
	f.Add(byte(otp.KindSession), []byte{1, 0x80})
	r.stop()
	f.Fuzz(func(t *testing.T, kind byte, row []byte) {
		store := otptest.NewMemory()
		must(t, r.store.View(context.Background(), func(tx otp.Tx) error { return copyInto(tx, store) }))
		must(t, store.Update(context.Background(), func(tx otp.Tx) error {
			var keys []otp.Key
			for _, k := range otp.Kinds() {
				if byte(k) != kind {
					continue
				}
				if err := tx.Scan(otp.Key{Kind: k}, otp.Key{}, 0, func(k otp.Key, _ []byte) bool { keys = append(keys, k); return true }); err != nil {
					return err
				}
			}
			for _, k := range keys {
				tx.Put(k, row, 0)
			}
			return nil
		}))
		box := *r.box
		box.Store = store
		outbox := otp.NewOutbox(&box, []otp.Route{otptest.NewRoute("gsm0")})
		v := otp.NewVerifications(&box, outbox)
		ctx := context.Background()
		_, _ = box.Open(ctx, false)
		if got, err := v.Get(ctx, r.server(), p.Verification.ID); err == nil && got.Verification.ID == p.Verification.ID &&
			v.Cancel(ctx, r.server(), p.Verification.ID) == nil { // reads it and, while it was pending, writes it
			again, err := v.Get(ctx, r.server(), p.Verification.ID)
			again.Verification.Status, again.Verification.Ended, again.Message = got.Verification.Status, got.Verification.Ended, got.Message
			if err != nil || !reflect.DeepEqual(again.Verification, got.Verification) {
				t.Errorf("read, written and read again it differs (%v)", err)
			}
		}
		noPanic(t, second(v.Check(ctx, r.server(), p.Verification.ID, "000000")))
		noPanic(t, second(v.Resend(ctx, r.server(), p.Verification.ID, "")))
		noPanic(t, second(v.Start(ctx, r.server(), otp.StartRequest{To: alice, Purpose: otp.PurposeVerify})))
		noPanic(t, second(v.Allowance(ctx, r.from("192.0.2.1"), alice)))
		noPanic(t, second(v.CheckSlot(ctx, c, slot, "000000")))
		noPanic(t, second(v.Start(ctx, c, login)))
		d := otp.NewDirectory(&box)
		if got, err := d.User(ctx, c, session.User); err == nil {
			u, err := d.Change(ctx, c, session.User, otp.UserChange{})
			again, err2 := d.User(ctx, c, session.User)
			got.Updated = again.Updated
			if got.ID == session.User && got.App == "demo" && (err != nil || err2 != nil || !reflect.DeepEqual(again, got) || !reflect.DeepEqual(u, got)) {
				t.Errorf("a user read, written and read again differs (%v, %v)", err, err2)
			}
		}
		if got, err := d.Session(ctx, c, session.ID); err == nil && got.Session.ID == session.ID && got.User.ID == session.User && got.User.App == "demo" {
			must(t, d.RevokeAll(ctx, c, got.User.ID, session.ID))
			again, err := d.Session(ctx, c, session.ID)
			if err == nil {
				again.Session.Era = got.Session.Era
			}
			if err != nil || !reflect.DeepEqual(again.Session, got.Session) {
				t.Errorf("a session read, written and read again differs (%v)", err)
			}
		}
		noPanic(t, second(d.Refresh(ctx, c, otp.RefreshToken{Family: session.ID})))
		noPanic(t, second(d.Exchange(ctx, c, exchange, verifier, "")))
		noPanic(t, second(d.Find(ctx, c, "bob")))
		_, _, err := d.Users(ctx, c, 10, "")
		noPanic(t, err)
		noPanic(t, d.Remove(ctx, c, session.User))
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		_ = outbox.Run(ctx)
	})
}

func second[T any](_ T, err error) error { return err }

// noPanic fails if an error is a contained panic.
func noPanic(t *testing.T, err error) {
	t.Helper()
	if err != nil && bytes.Contains([]byte(err.Error()), []byte("panic")) {
		t.Error(err)
	}
}

func copyInto(from otp.Tx, to otp.Store) error {
	return to.Update(context.Background(), func(tx otp.Tx) error {
		for _, kind := range otp.Kinds() {
			if err := from.Scan(otp.Key{Kind: kind}, otp.Key{}, 0, func(k otp.Key, v []byte) bool { tx.Put(k, v, 0); return true }); err != nil {
				return err
			}
		}
		return nil
	})
}
