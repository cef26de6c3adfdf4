package otp_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pinferry/pinferry/otp"
)

var operator = otp.Actor{Who: "admin", From: "192.0.2.7"}

// trail returns the records of a box, newest first.
func (r *rig) trail() []otp.AuditRecord {
	r.t.Helper()
	page, _, err := otp.NewTrail(r.box).List(context.Background(), 100, 0)
	must(r.t, err)
	return page
}

// TestAuditOfEveryDoing has what an operator does in the trail, with what it
// leads to in the same closure, and nothing of what was refused or of an app.
func TestAuditOfEveryDoing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		ctx := context.Background()
		user := r.login(r.at("strike"), alice).User
		if len(r.trail()) != 0 {
			t.Errorf("what an app does is in the trail: %+v", r.trail())
		}
		c := r.server()
		c.By = operator
		no, yes := false, true
		for _, enabled := range []*bool{&no, &no, &yes} { // the second changes nothing
			_, err := r.d.Change(ctx, c, user.ID, otp.UserChange{Enabled: enabled})
			must(t, err)
		}
		must(t, r.d.RevokeAll(ctx, c, user.ID, otp.ID{}))
		must(t, r.d.Remove(ctx, c, user.ID))
		wantCode(t, r.d.Remove(ctx, c, user.ID), otp.NotRegistered)
		_, err := r.outbox.Send(ctx, c, otp.MessageRequest{To: bob, Text: "secret text"})
		must(t, err)
		p, err := r.start(c, alice)
		must(t, err)
		_, err = r.v.Resend(ctx, c, p.Verification.ID, "")
		must(t, err)
		must(t, otp.NewDesk(r.box, r.outbox).Cancel(ctx, operator, p.Verification.ID))
		must(t, otp.NewTrail(r.box).Note(ctx, operator, "backup.take", ""))
		var got []string
		for i, record := range r.trail() {
			got = append(got, record.Action+" "+record.Target)
			if record.Who != "admin" || record.From != "192.0.2.7" || record.Seq != uint64(len(r.trail())-i) || record.At == 0 {
				t.Errorf("got %+v", record)
			}
		}
		id := "usr_" + user.ID.String()
		want := "backup.take |verification.cancel vrf_" + p.Verification.ID.String() + "|verification.resend +41*******67|verification.start +41*******67|" +
			"message.send +1********00|user.remove " + id + "|user.sign_out " + id + "|user.unblock " + id + "|user.block " + id
		if strings.Join(got, "|") != want {
			t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
		}
		// The app's own server counts where a user is shut out.
		user = r.login(r.at("strike"), alice).User
		must(t, r.d.Remove(ctx, r.server(), user.ID))
		if last := r.trail()[0]; last.Who != "app demo" || last.Action != "user.remove" {
			t.Errorf("got %+v", last)
		}
	})
}

// TestAuditShowsWhatWasChanged damages the chain in each way and has the walk
// find the place.
func TestAuditShowsWhatWasChanged(t *testing.T) {
	const n = 20
	seq := func(k otp.Key) byte { return ^k.Part[7] }
	for name, c := range map[string]struct {
		damage func(tx otp.Tx, keys []otp.Key, rows [][]byte)
		broken uint64
	}{
		"intact":         {func(otp.Tx, []otp.Key, [][]byte) {}, 0},
		"changed":        {func(tx otp.Tx, k []otp.Key, rows [][]byte) { rows[7][20] ^= 1; tx.Put(k[7], rows[7], 0) }, n - 7},
		"removed":        {func(tx otp.Tx, k []otp.Key, _ [][]byte) { tx.Delete(k[7]) }, n - 7},
		"first removed":  {func(tx otp.Tx, k []otp.Key, _ [][]byte) { tx.Delete(k[n-1]) }, 1},
		"newest removed": {func(tx otp.Tx, k []otp.Key, _ [][]byte) { tx.Delete(k[0]) }, n},
		"exchanged":      {func(tx otp.Tx, k []otp.Key, rows [][]byte) { tx.Put(k[3], rows[4], 0); tx.Put(k[4], rows[3], 0) }, n - 3},
		"one put in front": {func(tx otp.Tx, k []otp.Key, rows [][]byte) {
			more := k[0]
			more.Part = more.Part[:7] + string([]byte{more.Part[7] - 1})
			tx.Put(more, rows[0], 0)
		}, n},
		"all removed": {func(tx otp.Tx, k []otp.Key, _ [][]byte) {
			for _, key := range k {
				tx.Delete(key)
			}
		}, n},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, setup{})
			trail := otp.NewTrail(r.box)
			for range n {
				must(t, trail.Note(t.Context(), operator, "backup.take", "gsm0"))
			}
			var keys []otp.Key
			var rows [][]byte
			must(t, r.store.Update(t.Context(), func(tx otp.Tx) error {
				err := tx.Scan(otp.Key{Kind: otp.KindAudit}, otp.Key{}, 0, func(k otp.Key, row []byte) bool {
					keys, rows = append(keys, k), append(rows, append([]byte{}, row...))
					return true
				})
				if len(keys) != n || seq(keys[0]) != n {
					t.Fatalf("%d records, the first %d", len(keys), seq(keys[0]))
				}
				return err
			}))
			must(t, r.store.Update(t.Context(), func(tx otp.Tx) error { c.damage(tx, keys, rows); return nil }))
			report, err := trail.Verify(t.Context())
			must(t, err)
			if report.Broken != c.broken || report.Intact != (c.broken == 0) || report.Records != n {
				t.Errorf("got %+v, want broken at %d", report, c.broken)
			}
		})
	}
}

// TestAuditWithItsEffect has neither without the other when the closure fails.
func TestAuditWithItsEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		user := r.login(r.at("strike"), alice).User
		must(t, r.store.Update(t.Context(), func(tx otp.Tx) error {
			tx.Put(otp.Key{Kind: otp.KindMeta, Part: "audit"}, []byte("damaged"), 0)
			return nil
		}))
		c := r.server()
		c.By = operator
		if err := r.d.Remove(t.Context(), c, user.ID); err == nil {
			t.Fatal("a removal that cannot be noted is carried out")
		}
		if _, err := r.d.User(t.Context(), c, user.ID); err != nil {
			t.Errorf("the user is gone without a record: %v", err)
		}
	})
}

func TestAuditPages(t *testing.T) {
	r := newRig(t, setup{})
	trail := otp.NewTrail(r.box)
	for range 25 {
		must(t, trail.Note(t.Context(), operator, "backup.take", strings.Repeat("ä", 200)))
	}
	var before, want uint64 = 0, 25
	for {
		page, more, err := trail.List(t.Context(), 10, before)
		must(t, err)
		for _, record := range page {
			if record.Seq != want || len(record.Target) > 80 {
				t.Errorf("got %d with %d bytes, want %d", record.Seq, len(record.Target), want)
			}
			want--
			before = record.Seq
		}
		if !more {
			break
		}
	}
	if want != 0 {
		t.Errorf("%d records are missing", want)
	}
}
