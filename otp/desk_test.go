package otp_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// TestDeskLists has every verification and message of all apps in one list, each
// once, newest first, in whatever pages it is read.
func TestDeskLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second := demoApp("second")
		second.Inbound = true
		r := newRig(t, setup{limits: bare, apps: []otp.App{demoApp("demo"), second}})
		ctx, desk := t.Context(), otp.NewDesk(r.box, r.outbox)
		app, _ := r.box.Apps.ByID("second")
		var want []otp.ID // oldest first
		messages := 0
		for i := range 25 {
			c := r.server()
			if i%3 == 0 {
				c.App = app
			}
			p, err := r.start(c, number(i))
			must(t, err)
			want = append(want, p.Verification.ID)
			synctest.Wait()
			time.Sleep(time.Second)
			if i%5 == 0 {
				_, err = r.v.Resend(ctx, c, p.Verification.ID, "")
				must(t, err)
				_, err = r.outbox.Send(ctx, c, otp.MessageRequest{To: number(i), Text: "hello"})
				must(t, err)
				messages += 2
				synctest.Wait()
				time.Sleep(time.Second)
			}
			messages++
		}
		slices.Reverse(want)
		for _, limit := range []int{1, 7, 25, 100} {
			var got []otp.ID
			for cursor := ""; ; {
				page, next, err := desk.Verifications(ctx, otp.Filter{}, limit, cursor)
				must(t, err)
				if len(page) > limit {
					t.Fatalf("a page of %d has %d", limit, len(page))
				}
				for _, h := range page {
					got = append(got, h.Verification.ID)
					if m := h.Newest(); m.ID != h.Verification.Message || m.Verification != h.Verification.ID {
						t.Errorf("the newest message is %+v", m)
					}
				}
				if cursor = next; next == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("in pages of %d: got %d, want %d, or not in order", limit, len(got), len(want))
			}
			n := 0
			for cursor, last := "", r.box.Clock.Now()+1; ; {
				page, next, err := desk.Messages(ctx, otp.Filter{}, limit, cursor)
				must(t, err)
				for _, m := range page {
					if n++; m.Created > last {
						t.Error("messages are not in order")
					}
					last = m.Created
				}
				if cursor = next; next == "" {
					break
				}
			}
			if n != messages {
				t.Errorf("in pages of %d: %d messages, want %d", limit, n, messages)
			}
		}
		for filter, n := range map[otp.Filter]int{
			{App: "second"}: 9, {State: "pending"}: 25, {State: "approved"}: 0, {Phone: number(5)}: 1, {App: "second", Phone: number(5)}: 0,
		} {
			if page, _, err := desk.Verifications(ctx, filter, 100, ""); err != nil || len(page) != n {
				t.Errorf("%+v: got %d, %v; want %d", filter, len(page), err, n)
			}
		}
		for filter, n := range map[otp.Filter]int{
			{Route: "gsm0"}: messages, {Route: "gsm1"}: 0, {State: "sent"}: messages, {Phone: number(5)}: 3,
		} {
			if page, _, err := desk.Messages(ctx, filter, 100, ""); err != nil || len(page) != n {
				t.Errorf("%+v: got %d, %v; want %d", filter, len(page), err, n)
			}
		}
		_, _, err := desk.Messages(ctx, otp.Filter{Phone: "0791234567"}, 10, "")
		wantCode(t, err, otp.InvalidPhone)
		for _, cursor := range []string{"x", strings.Repeat("0", 47), want[0].String()} {
			_, _, err := desk.Verifications(ctx, otp.Filter{}, 10, cursor)
			wantCode(t, err, otp.InvalidRequest)
		}
	})
}

// TestDeskTellsTheStory has each wrong try, resend and state of a verification
// with its time.
func TestDeskTellsTheStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare})
		desk := otp.NewDesk(r.box, r.outbox)
		p := r.mustStart(r.server(), alice)
		digits := r.sent()
		time.Sleep(time.Second)
		wantCode(t, r.check(r.server(), p.Verification.ID, wrong(digits, 0)), otp.CodeWrong)
		time.Sleep(time.Minute)
		_, err := r.v.Resend(t.Context(), r.server(), p.Verification.ID, "")
		must(t, err)
		synctest.Wait()
		time.Sleep(time.Second)
		must(t, r.check(r.server(), p.Verification.ID, digits))
		h, err := desk.Verification(t.Context(), p.Verification.ID)
		must(t, err)
		v := h.Verification
		after := func(t otp.Time) time.Duration { return t.Sub(v.Created).Round(time.Second) }
		if len(v.Wrong) != 1 || after(v.Wrong[0]) != time.Second || after(v.Ended) != 62*time.Second || v.Ended != v.Approved {
			t.Errorf("got %v, ended %v", v.Wrong, after(v.Ended))
		}
		if len(h.Messages) != 2 || h.Messages[0].Resend || !h.Messages[1].Resend {
			t.Fatalf("got %d messages", len(h.Messages))
		}
		for _, m := range h.Messages {
			var states []string
			for _, s := range m.Steps {
				states = append(states, string(s.State)+" by "+s.Route)
			}
			if got := strings.Join(states, ", "); got != "sending by gsm0, sent by gsm0" {
				t.Errorf("got %s", got)
			}
		}
		_, err = desk.Verification(t.Context(), otp.NewID())
		wantCode(t, err, otp.CodeUnknown)
		_, err = desk.Message(t.Context(), otp.NewID())
		wantCode(t, err, otp.CodeUnknown)
		wantCode(t, desk.Cancel(t.Context(), operator, v.ID), otp.Conflict)
	})
}

// TestDeskSendsByOneRoute has a test message go by the route that it is for and by
// no other, whichever is preferred.
func TestDeskSendsByOneRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, routes: []*otptest.Route{otptest.NewRoute("first"), otptest.NewRoute("second"), otptest.NewRoute("third")}})
		for _, route := range r.routes {
			m, err := r.outbox.Send(t.Context(), r.server(), otp.MessageRequest{To: alice, Text: "test", Route: route.Name()})
			must(t, err)
			synctest.Wait()
			if got := r.message(m.ID); got.Route != route.Name() || got.State != otp.MessageSent {
				t.Errorf("for %s: %s by %s", route.Name(), got.State, got.Route)
			}
		}
		_, err := r.outbox.Send(t.Context(), r.server(), otp.MessageRequest{To: alice, Text: "test", Route: "gsm9"})
		wantCode(t, err, otp.InvalidRequest)
	})
}

// TestBars has what is shut in the list, under the name of its rule and until the
// moment that Retry-After tells, and open again once it is lifted.
func TestBars(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, setup{})
		desk, ctx := otp.NewDesk(r.box, r.outbox), t.Context()
		c := r.from("192.0.2.1")
		shut := func(q otp.Question) map[string]otp.Bar {
			all := map[string]otp.Bar{}
			for cursor := ""; ; {
				page, next, err := desk.Bars(ctx, q, 1, cursor)
				must(t, err)
				for _, b := range page {
					all[b.Name+" "+b.Subject] = b
					if strings.Contains(fmt.Sprint(b), alice[1:]) {
						t.Errorf("a number stands in full in %+v", b)
					}
				}
				if cursor = next; next == "" {
					return all
				}
			}
		}
		if got := shut(otp.Question{}); len(got) != 0 {
			t.Errorf("a new box: %+v", got)
		}
		for range 3 {
			r.mustStart(c, alice)
			synctest.Wait()
			must(t, r.cancelAll(c))
		}
		_, err := r.start(c, alice)
		wait := wantCode(t, err, otp.LimitPhone).RetryAfter
		got := shut(otp.Question{})
		phone, ok := got["sends_per_phone +41*******67"]
		if !ok || phone.Rule != "N7, N8" || phone.Kind != "phone" || phone.Count != 3 {
			t.Fatalf("got %+v", got)
		}
		// The back-off of the address, or the five minutes of the number.
		listed := got["sends_per_address_phone 192.0.2.1 to +41*******67"].Until.Sub(r.box.Clock.Now())
		if d := max(listed, 5*time.Minute) - wait; d.Abs() > time.Second {
			t.Errorf("the list says %v more than Retry-After", d)
		}
		if why := shut(otp.Question{Phone: alice}); len(why) < len(got) || why["sends_per_box "].Until != 0 {
			t.Errorf("why: %+v", why)
		}
		if why := shut(otp.Question{Phone: bob}); why["sends_per_phone +41*******67"].ID != "" {
			t.Errorf("another's: %+v", why)
		}
		if why := shut(otp.Question{Address: netip.MustParseAddr("192.0.2.1")}); why["sends_per_address 192.0.2.1"].Count != 3 {
			t.Errorf("the address: %+v", why)
		}
		for _, id := range []string{"", "x", phone.ID[1:]} {
			_, err := desk.Lift(ctx, operator, id)
			wantCode(t, err, otp.InvalidRequest)
		}
		n, err := desk.Lift(ctx, operator, phone.ID)
		if err != nil || n != 1 {
			t.Errorf("lifted %d, %v", n, err)
		}
		if n, err = desk.Lift(ctx, operator, phone.ID); err != nil || n != 0 {
			t.Errorf("lifted again: %d, %v", n, err)
		}
		_, err = r.start(c, alice) // the back-off of the address is still there
		wantCode(t, err, otp.LimitPhone)
		if n, err = desk.LiftAll(ctx, operator, otp.Question{Phone: alice}); err != nil || n == 0 {
			t.Errorf("lifted %d, %v", n, err)
		}
		r.mustStart(c, alice)
		for _, record := range r.trail() {
			if record.Action != "limit.lift" || !strings.Contains(record.Target, "+41*******67") {
				t.Errorf("got %+v", record)
			}
		}
		_, err = desk.LiftAll(ctx, operator, otp.Question{})
		wantCode(t, err, otp.InvalidRequest)
		_, _, err = desk.Bars(ctx, otp.Question{}, 10, "x")
		wantCode(t, err, otp.InvalidRequest)
	})
}

// TestConversionBars has a block in the list that few codes are typed in from, with
// what was counted, and open again once it is lifted; so for its country.
func TestConversionBars(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: guarded})
		desk, ctx := otp.NewDesk(r.box, r.outbox), t.Context()
		r.typed(neighbour, 0, 1)
		r.ignored(neighbour, 1, 24)
		wait := r.shut(neighbour(30))
		page, _, err := desk.Bars(ctx, otp.Question{}, 10, "")
		must(t, err)
		if len(page) != 1 {
			t.Fatalf("got %+v", page)
		}
		b := page[0]
		if b.Kind != "block" || b.Subject != "+41791230..." || b.Rule != "N12" || b.Name != "conversion_per_block" || b.Count != 25 || b.Verified != 1 ||
			b.Until.Sub(r.box.Clock.Now()) != wait || len(b.Conversions) != 1 {
			t.Errorf("got %+v", b)
		}
		why, _, err := desk.Bars(ctx, otp.Question{Phone: neighbour(30)}, 10, "")
		must(t, err)
		if len(why) != 2 || why[1].Name != b.Name && why[0].Name != b.Name { // the country is open, and told too
			t.Errorf("why: %+v", why)
		}
		lifted, err := desk.Lift(ctx, operator, b.ID)
		if err != nil || lifted != 1 {
			t.Errorf("lifted %d, %v", lifted, err)
		}
		r.mustStart(r.server(), neighbour(30))
		if trail := r.trail(); len(trail) == 0 || trail[0].Target != "conversion_per_block +41791230..." {
			t.Errorf("the trail: %+v", trail)
		}
	})
}

// A mailbox has no plus sign that would tell it from the address before it, and the
// address may have one: 43 is its byte.
func TestBarsOfAMailbox(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, address := range []string{"192.0.2.1", "10.43.43.43", "2001:db8:2b:2b::1"} {
			r := mailRig(t, setup{})
			desk := otp.NewDesk(r.box, r.outbox)
			for _, to := range []string{ann, alice} {
				_, err := r.to(r.from(address), to, "", otp.PurposeVerify)
				must(t, err)
			}
			from := strings.Replace(address, ":2b::1", ":2b::/64", 1)
			q := otp.Question{Address: netip.MustParseAddr(address)}
			page, _, err := desk.Bars(t.Context(), q, 100, "")
			must(t, err)
			for _, want := range []string{from + " to a***@example.com", from + " to +41*******67"} {
				if !slices.ContainsFunc(page, func(b otp.Bar) bool { return b.Subject == want }) {
					t.Errorf("no %q in %+v", want, page)
				}
			}
			_, err = desk.LiftAll(t.Context(), operator, q)
			must(t, err)
			page, _, err = desk.Bars(t.Context(), q, 100, "")
			must(t, err)
			if len(page) != 1 || page[0].Kind != "box" {
				t.Errorf("left are %+v", page)
			}
			r.stop()
		}
	})
}

// With very many rows neighbours share one, but wrong tries are counted for each
// number still: none is shown in full for that.
func TestBarsOfNeighbours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, setup{})
		p := r.mustStart(r.server(), alice)
		synctest.Wait()
		wantCode(t, r.check(r.from("192.0.2.1"), p.Verification.ID, wrong(r.sent(), 0)), otp.CodeWrong)
		must(t, r.store.Update(t.Context(), func(tx otp.Tx) error {
			row, ok := tx.Get(otp.Key{Kind: otp.KindQuota, Part: "T\xc0\x00\x02\x01" + alice})
			if !ok {
				t.Error("there is no row of tries")
			}
			for _, to := range []string{alice, "+41791234"} {
				tx.Put(otp.Key{Kind: otp.KindQuota, Part: "T~~\xc0\x00\x02" + to}, row, 0)
			}
			return nil
		}))
		page, _, err := otp.NewDesk(r.box, r.outbox).Bars(t.Context(), otp.Question{Address: netip.MustParseAddr("192.0.2.1"), Phone: alice}, 100, "")
		must(t, err)
		all := fmt.Sprint(page)
		if strings.Contains(all, alice) || !strings.Contains(all, "192.0.2.0/24 to +41791234...") || !strings.Contains(all, "192.0.2.0/24 to +41*******67") {
			t.Errorf("got %s", all)
		}
	})
}

// cancelAll ends what lives, so that only limits refuse.
func (r *rig) cancelAll(c otp.Caller) error {
	page, _, err := otp.NewDesk(r.box, r.outbox).Verifications(context.Background(), otp.Filter{State: "pending"}, 100, "")
	for _, h := range page {
		if err == nil {
			err = r.v.Cancel(context.Background(), c, h.Verification.ID)
		}
	}
	return err
}

func TestMaskedSender(t *testing.T) {
	for from, want := range map[string]string{
		"+41791234567": "+41*******67", "0791234567": "********67", "12345": "12345", "Bank": "Bank", "<script>": "<script>", "": "",
	} {
		if got := otp.MaskedSender(from); got != want {
			t.Errorf("%q: got %q, want %q", from, got, want)
		}
	}
}

// FuzzHandles has no handle that was not given out lead anywhere.
func FuzzHandles(f *testing.F) {
	r := newRig(f, setup{})
	desk := otp.NewDesk(r.box, r.outbox)
	r.mustStart(r.server(), alice)
	all, _, err := desk.Bars(f.Context(), otp.Question{Phone: alice}, 100, "")
	must(f, err)
	given := map[string]bool{}
	for _, b := range all {
		given[b.ID] = true
		f.Add(b.ID)
	}
	f.Add("")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, handle string) {
		if _, _, err := desk.Bars(t.Context(), otp.Question{}, 1, handle); err == nil && handle != "" && !given[handle] {
			t.Errorf("%q is a cursor", handle)
		}
		if _, err := desk.Lift(t.Context(), operator, handle); err == nil && !given[handle] {
			t.Errorf("%q is a limit", handle)
		}
	})
}
