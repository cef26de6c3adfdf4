package otp_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// withEvents is a box with an app that takes events.
func withEvents(t *testing.T) (*rig, *otp.Events) {
	t.Helper()
	r := newRig(t, setup{apps: []otp.App{listening("demo"), openApp("other")}})
	r.box.Events = otp.NewEvents(r.box)
	return r, r.box.Events
}

// take delivers what is due, and returns the types.
func take(t *testing.T, q *otp.Events) (types []string) {
	t.Helper()
	for {
		due, wait, err := q.Due(context.Background(), "demo", 2)
		must(t, err)
		for _, e := range due {
			types = append(types, string(e.Type))
			_, err := q.Settle(context.Background(), e, true)
			must(t, err)
		}
		if len(due) == 0 && wait != time.Millisecond {
			return types
		}
	}
}

func wantEvents(t *testing.T, q *otp.Events, want ...string) {
	t.Helper()
	got := take(t, q)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

func TestEventsOfAVerification(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, q := withEvents(t)
		p := r.mustStart(r.server(), alice)
		must(t, r.check(r.server(), p.Verification.ID, r.sent()))
		wantEvents(t, q, "message.sent", "verification.approved")

		p = r.mustStart(r.server(), bob)
		digits := r.sent()
		for i := range 5 {
			r.check(r.server(), p.Verification.ID, wrong(digits, i))
		}
		wantEvents(t, q, "message.sent", "verification.exhausted")

		p = r.mustStart(r.server(), "+447911123456")
		must(t, r.v.Cancel(context.Background(), r.server(), p.Verification.ID))
		synctest.Wait()
		pass(10 * time.Minute)
		for _, got := range take(t, q) {
			if got == "verification.expired" {
				t.Error("what had ended has expired too")
			}
		}
	})
}

func TestEventOfExpiry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, q := withEvents(t)
		p := r.mustStart(r.server(), alice)
		r.sent()
		wantEvents(t, q, "message.sent")
		pass(3 * time.Minute)
		_, err := r.v.Resend(context.Background(), r.server(), p.Verification.ID, "")
		must(t, err)
		r.sent()
		pass(3 * time.Minute) // past the first expiry, which the resend has moved
		wantEvents(t, q, "message.sent")
		_, wait, err := q.Due(context.Background(), "demo", 1)
		must(t, err)
		pass(wait)
		wantEvents(t, q, "verification.expired")
		if n := r.rows(otp.KindEvent); n != 0 {
			t.Errorf("%d events are left", n)
		}
	})
}

func TestEventsOfMessages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, q := withEvents(t)
		_, err := r.outbox.Send(context.Background(), r.server(), otp.MessageRequest{To: alice, Text: "Hello"})
		must(t, err)
		synctest.Wait()
		r.outbox.Reported(otp.Report{Route: "gsm0", Ref: "1", Dial: alice[1:], Delivered: true})
		synctest.Wait()
		wantEvents(t, q, "message.sent", "message.delivered")
		r.texted(bob, "hello")
		due, _, err := q.Due(context.Background(), "demo", 1)
		must(t, err)
		if len(due) != 1 || due[0].Type != otp.EventInboundReceived || due[0].From != bob {
			t.Fatalf("due %+v", due)
		}
		if text, err := q.Text(context.Background(), due[0]); text != "hello" || err != nil {
			t.Errorf("text %q, %v", text, err)
		}
	})
}

// Rows of events hold no code, no text and no whole number but that of a
// received SMS.
func TestEventsHoldNoSecret(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, _ := withEvents(t)
		r.mustStart(r.server(), alice)
		digits := r.sent()
		_, err := r.outbox.Send(context.Background(), r.server(), otp.MessageRequest{To: alice, Text: "private"})
		must(t, err)
		synctest.Wait()
		must(t, r.store.View(context.Background(), func(tx otp.Tx) error {
			return tx.Scan(otp.Key{Kind: otp.KindEvent}, otp.Key{}, 0, func(_ otp.Key, row []byte) bool {
				for _, secret := range []string{digits, "private", alice[1:]} {
					if bytes.Contains(row, []byte(secret)) {
						t.Errorf("a row holds %.3s...", secret)
					}
				}
				return true
			})
		}))
	})
}

func TestEventsOfAnAppThatTakesNone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, _ := withEvents(t)
		other, _ := r.box.Apps.ByID("other")
		r.mustStart(otp.Caller{App: other, Secret: true}, alice)
		synctest.Wait()
		if n := r.rows(otp.KindEvent); n != 0 {
			t.Errorf("%d events are queued", n)
		}
	})
}

// An event that nobody takes is tried again, ever more seldom, and then dead.
func TestEventsAreTriedToALimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, q := withEvents(t)
		r.texted(alice, "hello")
		began := r.box.Clock.Now()
		var at []string
		for {
			due, wait, err := q.Due(context.Background(), "demo", 1)
			must(t, err)
			if len(due) == 0 {
				if wait == 0 {
					break
				}
				pass(wait)
				continue
			}
			at = append(at, r.box.Clock.Now().Sub(began).String())
			dead, err := q.Settle(context.Background(), due[0], false)
			must(t, err)
			if dead != (len(at) == 10) {
				t.Fatalf("after %d tries: dead is %v", len(at), dead)
			}
		}
		want := "0s 5s 5m5s 35m5s 2h35m5s 7h35m5s 17h35m5s 31h35m5s 51h35m5s 75h35m5s"
		if got := strings.Join(at, " "); got != want {
			t.Errorf("tried at %s,\nwant %s", got, want)
		}
		dead, err := q.Dead(context.Background(), 10)
		must(t, err)
		if len(dead) != 1 || dead[0].Tries != 10 || dead[0].App != "demo" || dead[0].Why != otp.DeadTries {
			t.Errorf("dead: %s", fmt.Sprint(dead))
		}
	})
}

// A damaged row does not keep the events behind it from being told.
func TestDamagedEvent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, q := withEvents(t)
		r.texted(alice, "hello")
		must(t, r.store.Update(context.Background(), func(tx otp.Tx) error {
			return tx.Scan(otp.Key{Kind: otp.KindEvent}, otp.Key{}, 1, func(k otp.Key, _ []byte) bool {
				tx.Put(k, []byte("damaged"), 0)
				return true
			})
		}))
		pass(time.Second)
		r.texted(bob, "hello")
		wantEvents(t, q, "inbound.received")
		if n := r.rows(otp.KindEvent); n != 0 {
			t.Errorf("%d events are left", n)
		}
	})
}

func TestNewsOfEvents(t *testing.T) {
	r, q := withEvents(t)
	news := q.News()
	select {
	case <-news:
		t.Fatal("news of nothing")
	default:
	}
	r.texted(alice, "hello")
	<-news
	if due, _, err := q.Due(context.Background(), "demo", 1); len(due) != 1 || err != nil {
		t.Errorf("due %v, %v", due, err)
	}
}
