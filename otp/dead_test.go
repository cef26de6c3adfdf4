package otp_test

import (
	"context"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// kill has all events of the app given up.
func kill(t *testing.T, q *otp.Events) {
	t.Helper()
	for {
		due, wait, err := q.Due(context.Background(), "demo", 100)
		must(t, err)
		for _, e := range due {
			_, err := q.Settle(context.Background(), e, false)
			must(t, err)
		}
		if len(due) == 0 && wait == 0 {
			return
		}
		pass(wait)
	}
}

// The operator has dead events delivered anew: one, those of an app, or all. They
// have the id that they had, so that who has taken one knows it again.
func TestReplay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, q := withEvents(t)
		for n := range 3 {
			r.letter(n)
		}
		kill(t, q)
		dead, err := q.Dead(context.Background(), 10)
		must(t, err)
		if len(dead) != 3 {
			t.Fatalf("%d are dead", len(dead))
		}
		news := q.News()
		for _, want := range []bool{true, false} { // it is dead no more
			if found, err := q.Replay(context.Background(), dead[1].ID); found != want || err != nil {
				t.Errorf("found %v, %v", found, err)
			}
		}
		<-news
		due, _, err := q.Due(context.Background(), "demo", 10)
		must(t, err)
		if len(due) != 1 || due[0].ID != dead[1].ID || due[0].Tries != 0 {
			t.Fatalf("due %+v", due)
		}
		must(t, q.Tidy(context.Background(), "demo")) // old as it is, it is not late
		if n, err := q.ReplayAll(context.Background(), "other"); n != 0 || err != nil {
			t.Errorf("%d of another app, %v", n, err)
		}
		_, err = q.ReplayAll(context.Background(), "nobody")
		wantCode(t, err, otp.UnknownApp)
		if n, err := q.ReplayAll(context.Background(), ""); n != 2 || err != nil {
			t.Errorf("%d of all, %v", n, err)
		}
		wantEvents(t, q, "inbound.received", "inbound.received", "inbound.received")
		if n := r.rows(otp.KindDeadEvent) + r.rows(otp.KindEvent); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

// An expiry that was true is true after its verification was forgotten.
func TestReplayOfAnExpiry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, q := withEvents(t)
		r.mustStart(r.server(), alice)
		r.sent()
		wantEvents(t, q, "message.sent")
		pass(10 * time.Minute)
		kill(t, q)
		r.store.Sweep(r.box.Clock.Now())
		n, err := q.ReplayAll(context.Background(), "demo")
		must(t, err)
		if n != 1 {
			t.Fatalf("%d are replayed", n)
		}
		wantEvents(t, q, "verification.expired")
	})
}

// Events of an app that takes none any more are not moved to where nobody looks.
func TestReplayLeavesWhatNobodyTakes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, q := withEvents(t)
		r.letter(1)
		kill(t, q)
		later := newRig(t, setup{apps: []otp.App{openApp("demo")}, store: r.store})
		later.box.Events = otp.NewEvents(later.box)
		if n, err := later.box.Events.ReplayAll(context.Background(), ""); n != 0 || err != nil {
			t.Errorf("%d are replayed, %v", n, err)
		}
		if dead := deadFor(t, later.box.Events, otp.DeadTries); len(dead) != 1 {
			t.Errorf("%d are dead", len(dead))
		}
	})
}

// One damaged row hides no other.
func TestDamagedDeadEvent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, q := withEvents(t)
		r.letter(1)
		r.letter(2)
		kill(t, q)
		damaged := 0
		must(t, r.store.Update(context.Background(), func(tx otp.Tx) error {
			return tx.Scan(otp.Key{Kind: otp.KindDeadEvent}, otp.Key{}, 1, func(k otp.Key, _ []byte) bool {
				tx.Put(k, []byte("damaged"), 0)
				damaged++
				return true
			})
		}))
		if dead, err := q.Dead(context.Background(), 10); damaged != 1 || len(dead) != 1 || err != nil {
			t.Errorf("%d are listed, %v", len(dead), err)
		}
	})
}
