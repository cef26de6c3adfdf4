package otp_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// slow makes every message of a route take so long.
func slow(route *otptest.Route, n int, takes time.Duration) {
	for range n {
		route.Script(otptest.Turn{Takes: takes})
	}
}

// gathering is a store that answers the closures of Update together, as one
// commit does, once so many have run.
type gathering struct {
	otp.Store
	mu     sync.Mutex
	left   int
	answer chan struct{}
}

func (g *gathering) Update(ctx context.Context, fn func(otp.Tx) error) error {
	err := g.Store.Update(ctx, fn)
	g.mu.Lock()
	if g.left--; g.left == 0 {
		close(g.answer)
	}
	g.mu.Unlock()
	<-g.answer
	return err
}

// of thirty starts at once at a modem that takes three seconds for each,
// those that are accepted are sent within a minute, about when they were told;
// the others pass when they were told to come back.
func TestThirtyStartsAtOnce(t *testing.T) {
	for _, oneCommit := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			const starts, takes = 30, 3 * time.Second
			route := otptest.NewRoute("gsm0")
			s := setup{routes: []*otptest.Route{route}, limits: bare}
			gather := &gathering{answer: make(chan struct{})}
			if oneCommit {
				s.wrap = func(store otp.Store) otp.Store { gather.Store = store; return gather }
			}
			close(gather.answer)
			slow(route, 100, takes)
			r := newRig(t, s)
			r.measure()
			pass(takes)
			synctest.Wait()
			r.measure() // the modem is busy, so that nobody can jump the queue
			synctest.Wait()

			if oneCommit {
				gather.mu.Lock()
				gather.left, gather.answer = starts, make(chan struct{})
				gather.mu.Unlock()
			}
			var mu sync.Mutex
			accepted := map[otp.ID]otp.Progress{}
			refused := 0
			var callers sync.WaitGroup
			for n := range starts {
				callers.Go(func() {
					p, err := r.start(r.server(), number(n))
					if err != nil {
						e := wantCode(t, err, otp.Busy)
						mu.Lock()
						refused++
						mu.Unlock()
						pass(e.RetryAfter)
						synctest.Wait()
						if p, err = r.start(r.server(), number(n)); err != nil {
							t.Errorf("refused again after %v: %v", e.RetryAfter, err)
							return
						}
					}
					mu.Lock()
					accepted[p.Message.ID] = p
					mu.Unlock()
				})
			}
			callers.Wait()
			pass(2 * time.Minute)
			synctest.Wait()
			if refused != 11 || len(accepted) != starts {
				t.Errorf("one commit %v: %d refused at first, %d accepted in the end", oneCommit, refused, len(accepted))
			}
			for id, p := range accepted {
				m := r.message(id)
				truth := m.Updated.Sub(m.Created)
				if m.State != otp.MessageSent || truth > time.Minute {
					t.Errorf("a message is %s after %v", m.State, truth)
				}
				if p.ETA > 2*truth || truth > 2*p.ETA {
					t.Errorf("told %v, took %v", p.ETA, truth)
				}
			}
		})
	}
}

// Nothing is refused for a guess: before the first message, the pace is one.
func TestNothingIsRefusedForAGuess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		slow(route, 40, time.Second)
		r := newRig(t, setup{routes: []*otptest.Route{route}, limits: bare})
		for n := range 40 {
			r.mustStart(r.server(), number(n))
		}
		pass(time.Minute)
		if n := len(route.Given()); n != 40 {
			t.Errorf("%d messages went out, want 40", n)
		}
	})
}

// What was refused after its admission leaves no trace in the estimates.
func TestRefusedStartsGiveTheirSeatsBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		slow(route, 40, 3*time.Second)
		r := newRig(t, setup{routes: []*otptest.Route{route}, limits: func(l *otp.Limits) {
			*l = otp.Limits{SendsPerPhone: []otp.Rule{{Count: 1, Window: time.Hour}}}
		}})
		r.measure()
		pass(3 * time.Second)
		synctest.Wait()
		for range 100 {
			_, err := r.start(r.server(), bob)
			wantCode(t, err, otp.LimitPhone)
			r.store.FailNext(context.DeadlineExceeded)
			if _, err := r.start(r.server(), alice); err == nil {
				t.Fatal("accepted by a store that failed")
			}
		}
		if got := r.report("gsm0"); got.Queue != 0 || got.Wait > 4*time.Second {
			t.Errorf("%d wait, for %v", got.Queue, got.Wait)
		}
		if p := r.mustStart(r.server(), alice); p.ETA > 4*time.Second {
			t.Errorf("eta %v on an idle route", p.ETA)
		}
	})
}

// Who goes by a plain message waits behind the codes, and a code does not wait
// behind plain messages.
func TestPlainMessagesDoNotKeepCodesOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		slow(route, 100, 3*time.Second)
		r := newRig(t, setup{routes: []*otptest.Route{route}, limits: bare})
		r.measure()
		pass(3 * time.Second)
		synctest.Wait()
		var err error
		n := 0
		for ; err == nil && n < 40; n++ {
			_, err = r.outbox.Send(t.Context(), r.server(), otp.MessageRequest{To: number(n), Text: "hello"})
		}
		wantCode(t, err, otp.Busy)
		if p := r.mustStart(r.server(), alice); p.ETA > 7*time.Second {
			t.Errorf("a code waits %v behind %d plain messages", p.ETA, n)
		}
	})
}
