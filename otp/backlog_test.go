package otp_test

import (
	"context"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// letter has one SMS received, of a sender of its own, which is one event.
func (r *rig) letter(n int) { r.texted(number(n), "hello") }

// dead lists the dead, as far as the reason is that.
func deadFor(t *testing.T, q *otp.Events, why otp.DeadReason) (all []otp.DeadEvent) {
	t.Helper()
	dead, err := q.Dead(context.Background(), 1000)
	must(t, err)
	for _, e := range dead {
		if e.Why == why {
			all = append(all, e)
		}
	}
	return all
}

func backlog(t *testing.T, q *otp.Events) otp.Backlog {
	t.Helper()
	all, err := q.Backlogs(context.Background())
	must(t, err)
	if len(all) != 1 || all[0].App != "demo" {
		t.Fatalf("backlogs %+v", all)
	}
	return all[0]
}

// An app's queue has a bound: the longest due make room, and are listed as dead.
func TestEventsOverflow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, q := withEvents(t)
		q.Most = 10
		for n := range 25 {
			r.letter(n)
			pass(time.Second)
		}
		due, _, err := q.Due(context.Background(), "demo", 25)
		must(t, err)
		must(t, q.Tidy(context.Background(), "demo"))
		if b := backlog(t, q); b.Waiting != 10 || b.Dead != 15 || b.Overdue != 10*time.Second {
			t.Errorf("the backlog is %+v", b)
		}
		dead := deadFor(t, q, otp.DeadOverflow)
		if len(dead) != 15 || dead[0].ID != due[14].ID || dead[14].ID != due[0].ID {
			t.Errorf("%d are dead, or others than the first", len(dead))
		}
		// What was under way meanwhile stays dead, unless it has been taken.
		_, err = q.Settle(context.Background(), due[0], false)
		must(t, err)
		_, err = q.Settle(context.Background(), due[1], true)
		must(t, err)
		if b := backlog(t, q); b.Waiting != 10 || b.Dead != 14 {
			t.Errorf("after two late outcomes it is %+v", b)
		}
		for n := range 30 { // it looks now and then only
			r.letter(100 + n)
		}
		must(t, q.Tidy(context.Background(), "demo"))
		if b := backlog(t, q); b.Waiting != 40 {
			t.Errorf("at once it is %+v", b)
		}
		pass(time.Hour)
		must(t, q.Tidy(context.Background(), "demo"))
		if b := backlog(t, q); b.Waiting != 10 {
			t.Errorf("an hour later it is %+v", b)
		}
	})
}

// What is true no more when it is given up is nobody's news.
func TestEventsOverflowWithoutUntruths(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, q := withEvents(t)
		q.Most = 1
		p := r.mustStart(r.server(), alice)
		must(t, r.check(r.server(), p.Verification.ID, r.sent())) // its expiry stands in the queue all the same
		pass(10 * time.Minute)
		for n := range 5 {
			r.letter(n)
		}
		must(t, q.Tidy(context.Background(), "demo"))
		for _, e := range deadFor(t, q, otp.DeadOverflow) {
			if e.Type == otp.EventVerificationExpired {
				t.Error("a verification that was approved is told to have expired")
			}
		}
	})
}

// Events of a server that is not there for days are dead, and not swept in
// silence.
func TestEventsOfAServerThatIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, q := withEvents(t)
		r.letter(1)
		pass(95 * time.Hour)
		r.letter(2)
		must(t, q.Tidy(context.Background(), "demo"))
		if b := backlog(t, q); b.Waiting != 2 || b.Overdue != 95*time.Hour {
			t.Fatalf("after 95 hours the backlog is %+v", b)
		}
		pass(2 * time.Hour)
		must(t, q.Tidy(context.Background(), "demo"))
		if b := backlog(t, q); b.Waiting != 1 || b.Dead != 1 || len(deadFor(t, q, otp.DeadLate)) != 1 {
			t.Errorf("after 97 hours the backlog is %+v", b)
		}
	})
}
