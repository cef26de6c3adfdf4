package otp_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// A quota above the exact count is kept in sub-windows and errs on the strict
// side by one of them at most.
func TestLargeQuotas(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: only(func(l *otp.Limits, _ otp.Limits) { l.MessagesPerApp = []otp.Rule{{Count: 600, Window: time.Hour}} })})
		send := func() error {
			_, err := r.outbox.Send(context.Background(), r.server(), otp.MessageRequest{To: alice, Text: "x"})
			return err
		}
		for range 600 {
			must(t, send())
			pass(time.Second)
		}
		e := wantCode(t, send(), otp.LimitBox)
		if e.RetryAfter < 50*time.Minute || e.RetryAfter > 51*time.Minute+2*time.Second {
			t.Errorf("retry after %s, want 50 to 51 minutes", e.RetryAfter)
		}
		pass(e.RetryAfter)
		must(t, send())
	})
}

// Plain messages have a quota of their own and need a secret key.
func TestPlainMessages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		ctx := context.Background()
		_, err := r.outbox.Send(ctx, r.from("192.0.2.1"), otp.MessageRequest{To: alice, Text: "x"})
		wantCode(t, err, otp.Forbidden)
		for _, bad := range []otp.MessageRequest{
			{To: alice, Text: " "}, {To: alice, Text: "a\x1ab"}, {To: alice, Text: "a\rb"}, {To: alice, Text: "\xff"},
			{To: alice, Text: "x", TTL: time.Second}, {To: alice, Text: "x", Priority: otp.PriorityCode},
		} {
			_, err := r.outbox.Send(ctx, r.server(), bad)
			wantCode(t, err, otp.InvalidRequest)
		}
		for range 60 {
			_, err := r.outbox.Send(ctx, r.server(), otp.MessageRequest{To: alice, Text: "x"})
			must(t, err)
		}
		_, err = r.outbox.Send(ctx, r.server(), otp.MessageRequest{To: alice, Text: "x"})
		wantCode(t, err, otp.LimitBox)
		must(t, r.finish(r.server(), alice))
	})
}

func TestListIsNewestFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare})
		var want []otp.ID
		for range 7 {
			p := r.mustStart(r.server(), alice)
			must(t, r.check(r.server(), p.Verification.ID, r.sent()))
			want = append([]otp.ID{p.Message.ID}, want...)
			pass(time.Second)
		}
		listed := func() (got []otp.ID) {
			for cursor := ""; ; {
				page, next, err := r.outbox.List(context.Background(), r.server(), 3, cursor)
				must(t, err)
				for _, m := range page {
					got = append(got, m.ID)
				}
				if cursor = next; next == "" {
					return got
				}
			}
		}
		if got := listed(); !slices.Equal(got, want) {
			t.Errorf("listed %v, want %v", got, want)
		}
		// What is gone is left out, and ends neither its page nor the list.
		gone := want[2]
		must(t, r.store.Update(context.Background(), func(tx otp.Tx) error {
			tx.Delete(otp.Key{Kind: otp.KindMessage, Part: string(gone[:])})
			return nil
		}))
		if got, left := listed(), slices.Delete(want, 2, 3); !slices.Equal(got, left) {
			t.Errorf("listed %v, want %v", got, left)
		}
		_, _, err := r.outbox.List(context.Background(), r.server(), 3, "zz")
		wantCode(t, err, otp.InvalidRequest)
	})
}
