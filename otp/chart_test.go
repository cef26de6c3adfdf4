package otp_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// sum adds up the tallies of a span.
func sum(t *testing.T, c *otp.Chart, span time.Duration) (all otp.Tally, slots int) {
	t.Helper()
	_, list, err := c.Slots(context.Background(), span)
	must(t, err)
	for _, s := range list {
		all.Sent, all.Delivered = all.Sent+s.Sent, all.Delivered+s.Delivered
		all.Approved, all.Refused = all.Approved+s.Approved, all.Refused+s.Refused
	}
	return all, len(list)
}

// runChart writes the chart until what it returns is called.
func runChart(t *testing.T, c *otp.Chart) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	return func() {
		cancel()
		must(t, <-done)
	}
}

// TestChartSurvives counts a day, restarts in the middle, and has every count
// once, wherever it stood at the time.
func TestChartSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, setup{limits: func(l *otp.Limits) {
			*l = otp.Limits{SendsPerPhone: []otp.Rule{{Count: 1, Window: time.Minute}}}
		}})
		stop := runChart(t, r.box.Chart)
		want := otp.Tally{}
		hour := func() {
			for range 4 {
				p := r.mustStart(r.server(), alice)
				_, err := r.v.Check(t.Context(), r.server(), p.Verification.ID, r.sent())
				must(t, err)
				_, err = r.start(r.server(), alice)
				wantCode(t, err, otp.LimitPhone)
				want.Sent, want.Approved, want.Refused = want.Sent+1, want.Approved+1, want.Refused+1
				if got, _ := sum(t, r.box.Chart, 48*time.Hour); got != want {
					t.Fatalf("got %+v, want %+v", got, want)
				}
				time.Sleep(15 * time.Minute)
			}
		}
		for range 12 {
			hour()
		}
		stop()
		again := otp.NewChart(r.store, r.box.Clock)
		must(t, again.Open(t.Context()))
		if got, _ := sum(t, again, 48*time.Hour); got != want {
			t.Errorf("after a restart: got %+v, want %+v", got, want)
		}
		sent, approved := again.Last()
		if since := r.box.Clock.Now().Sub(sent); since < 14*time.Minute || since > 15*time.Minute || approved < sent {
			t.Errorf("the last message is of %v ago, the last approval %v later", since, approved.Sub(sent))
		}
		if got, slots := sum(t, again, time.Hour); slots != 4 || got.Sent != 3 { // the slot under way is empty
			t.Errorf("the last hour has %d slots and %+v", slots, got)
		}
		if _, slots := sum(t, again, 1000*time.Hour); slots != 672 {
			t.Errorf("the chart goes back %d slots", slots)
		}
	})
}

// TestChartOfAFaultyDisk counts on while nothing can be written, and loses
// nothing.
func TestChartOfAFaultyDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		r := newRig(t, setup{limits: bare})
		chart := otp.NewChart(faulty{r.store, &broken}, r.box.Clock)
		r.stop()
		r.box.Chart = chart
		r.run()
		stop := runChart(t, chart)
		for i := range 4 {
			broken.Store(i%2 == 1)
			r.mustStart(r.server(), alice)
			synctest.Wait()
			time.Sleep(2 * time.Minute)
		}
		broken.Store(false)
		stop()
		again := otp.NewChart(r.store, r.box.Clock)
		if got, _ := sum(t, again, time.Hour); got.Sent != 4 {
			t.Errorf("got %+v", got)
		}
	})
}

// faulty is a store whose disk is full while broken is true.
type faulty struct {
	otp.Store
	broken *atomic.Bool
}

func (f faulty) Update(ctx context.Context, fn func(otp.Tx) error) error {
	if f.broken.Load() {
		return &otp.Error{Code: otp.StorageLow}
	}
	return f.Store.Update(ctx, fn)
}

// TestFeedFoldsFloods has a flood of refusals leave what else has happened.
func TestFeedFoldsFloods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, setup{limits: func(l *otp.Limits) {
			*l = otp.Limits{SendsPerPhone: []otp.Rule{{Count: 1, Window: time.Hour}}}
		}})
		news, stop := r.box.Feed.Watch()
		defer stop()
		r.mustStart(r.server(), alice)
		synctest.Wait()
		for range 1000 {
			_, err := r.start(r.server(), alice)
			wantCode(t, err, otp.LimitPhone)
		}
		<-news
		all := r.box.Feed.Since(0, 100)
		last := all[len(all)-1]
		if last.Type != "verification.refused" || last.Times != 1000 || last.Reason != string(otp.LimitPhone) || last.To != "" {
			t.Errorf("got %+v", last)
		}
		started := false
		for _, n := range all {
			started = started || n.Type == "verification.started" && n.To == "+41*******67"
		}
		if !started {
			t.Errorf("the start was washed away: %+v", all)
		}
		if got := r.box.Feed.Since(last.Seq, 100); len(got) != 0 {
			t.Errorf("behind the last: %+v", got)
		}
		if got := r.box.Feed.Since(0, 2); len(got) != 2 || got[1].Seq != last.Seq {
			t.Errorf("the last two: %+v", got)
		}
	})
}
