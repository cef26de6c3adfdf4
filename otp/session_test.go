package otp_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

const day = 24 * time.Hour

// session opens one for alice at the descope door.
func (r *rig) session() *otp.Session {
	r.t.Helper()
	return r.login(r.at("descope"), alice).Session
}

func (r *rig) refresh(s *otp.Session, counter uint32) (*otp.Session, error) {
	g, err := r.d.Refresh(context.Background(), r.at(s.Door), otp.RefreshToken{Family: s.ID, Counter: counter})
	return g.Session, err
}

// each use raises the counter; the parent gets the same successor for ten
// seconds; whatever else is used again ends the family.
func TestRefreshRotates(t *testing.T) {
	for name, test := range map[string]struct {
		wait    time.Duration
		counter uint32 // that is used when the family stands at 2
		want    uint32 // 0: refused, and the family has ended
		reused  bool   // and that is the cause
	}{
		"the present":               {0, 2, 3, false},
		"the parent at once":        {0, 1, 2, false},
		"the parent within 10 s":    {10*time.Second - time.Millisecond, 1, 2, false},
		"the parent after 10 s":     {10 * time.Second, 1, 0, true},
		"the grand-parent":          {0, 0, 0, true},
		"one of the future":         {0, 3, 0, false},
		"one of the far future":     {0, 1<<32 - 1, 0, false},
		"the present after a while": {time.Minute, 2, 3, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
				s := r.session()
				for counter := range uint32(2) {
					next, err := r.refresh(s, counter)
					must(t, err)
					if next.Counter != counter+1 || next.Rotated != r.box.Clock.Now() || next.Expires != s.Expires {
						t.Fatalf("the successor of %d is %+v", counter, next)
					}
				}
				pass(test.wait)
				next, err := r.refresh(s, test.counter)
				if test.want != 0 {
					must(t, err)
					if next.Counter != test.want {
						t.Errorf("the counter is %d, want %d", next.Counter, test.want)
					}
					return
				}
				refused := wantCode(t, err, otp.Unauthorized)
				if errors.Is(err, otp.ErrReused) != test.reused {
					t.Errorf("the cause is %v", refused.Err)
				}
				if r.alive(s) {
					t.Error("the family lives on")
				}
				gone := wantCode(t, second(r.refresh(s, 2)), otp.Unauthorized)
				if gone.Detail != refused.Detail || errors.Is(gone, otp.ErrReused) {
					t.Errorf("a token of no family is told apart: %v", gone)
				}
			})
		})
	}
}

// A first token has no parent, whatever arithmetic says.
func TestFirstTokenHasNoParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
		wantCode(t, second(r.refresh(r.session(), 1<<32-1)), otp.Unauthorized)
	})
}

// twenty uses of one token at once leave one chain.
func TestParallelRefreshesLeaveOneChain(t *testing.T) {
	r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
	c := r.at("descope")
	p, err := r.v.Start(t.Context(), c, otp.StartRequest{To: alice, Purpose: otp.PurposeSignUpOrIn})
	must(t, err)
	p, err = r.v.Check(t.Context(), c, p.Verification.ID, eventually(t, r, 0))
	must(t, err)
	s := p.Grant.Session
	for round := range uint32(50) {
		barrier := make(chan struct{})
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				<-barrier
				next, err := r.refresh(s, round)
				if err != nil || next.Counter != round+1 {
					t.Errorf("round %d: %v, %+v", round, err, next)
				}
			})
		}
		close(barrier)
		all.Wait()
	}
	if n := r.rows(otp.KindSession); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// N16, R-65: what ends a session ends its refresh at once.
func TestSessionEnds(t *testing.T) {
	off, on := false, true
	change := func(r *rig, s *otp.Session, enabled *bool) {
		must(r.t, second(r.d.Change(context.Background(), r.server(), s.User, otp.UserChange{Enabled: enabled})))
	}
	for name, test := range map[string]struct {
		end   func(r *rig, s *otp.Session)
		lives bool
	}{
		"idle for less than 7 days": {func(*rig, *otp.Session) { pass(7*day - time.Millisecond) }, true},
		"idle for 7 days":           {func(*rig, *otp.Session) { pass(7 * day) }, false},
		"idle for 8 days":           {func(*rig, *otp.Session) { pass(8 * day) }, false},
		"logged out":                {func(r *rig, s *otp.Session) { must(r.t, r.d.Revoke(context.Background(), r.at("descope"), s.ID)) }, false},
		"all logged out": {func(r *rig, s *otp.Session) {
			must(r.t, r.d.RevokeAll(context.Background(), r.server(), s.User, otp.ID{}))
		}, false},
		"all others logged out": {func(r *rig, s *otp.Session) { must(r.t, r.d.RevokeAll(context.Background(), r.server(), s.User, s.ID)) }, true},
		"spared when it was dead": {func(r *rig, s *otp.Session) {
			must(r.t, r.d.RevokeAll(context.Background(), r.server(), s.User, otp.ID{}))
			must(r.t, r.d.RevokeAll(context.Background(), r.server(), s.User, s.ID))
		}, false},
		"user disabled":             {func(r *rig, s *otp.Session) { change(r, s, &off) }, false},
		"user disabled and enabled": {func(r *rig, s *otp.Session) { change(r, s, &off); change(r, s, &on) }, false},
		"user enabled":              {func(r *rig, s *otp.Session) { change(r, s, &on) }, true},
		"user removed":              {func(r *rig, s *otp.Session) { must(r.t, r.d.Remove(context.Background(), r.server(), s.User)) }, false},
		"user of that phone anew": {func(r *rig, s *otp.Session) {
			must(r.t, r.d.Remove(context.Background(), r.server(), s.User))
			register(r)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
				s := r.session()
				test.end(r, s)
				if r.alive(s) != test.lives {
					t.Errorf("it lives: %v", !test.lives)
				}
				_, err := r.refresh(s, 0)
				if test.lives {
					must(t, err)
				} else {
					wantCode(t, err, otp.Unauthorized)
				}
				must(t, r.d.Revoke(t.Context(), r.at("descope"), s.ID)) // once more is no error
			})
		})
	}
}

// N16: a session that is used every day ends on the 31st.
func TestSessionEndsAfterThirtyDays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
		s := r.session()
		for d := range uint32(29) {
			pass(day)
			must(t, second(r.refresh(s, d)))
			if n := r.store.Sweep(r.box.Clock.Now()); r.rows(otp.KindSession) != 1 {
				t.Fatalf("day %d: a live session was swept with %d rows", d, n)
			}
		}
		pass(day - time.Millisecond)
		must(t, second(r.refresh(s, 29)))
		pass(time.Millisecond)
		if r.alive(s) {
			t.Error("it lives on the 31st day")
		}
		wantCode(t, second(r.refresh(s, 30)), otp.Unauthorized)
		pass(time.Hour)
		r.store.Sweep(r.box.Clock.Now())
		if n := r.rows(otp.KindSession); n != 0 {
			t.Errorf("%d ended sessions are kept", n)
		}
		if n := r.rows(otp.KindUser); n != 1 {
			t.Error("the user was swept")
		}
	})
}

// at another app or door a session is unknown, and nothing there
// ends it.
func TestSessionOfAnotherAppOrDoor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo"), openApp("other")}})
		s := r.session()
		other := r.at("descope")
		other.App = r.box.Apps.All()[1]
		for _, c := range []otp.Caller{other, r.at("passage"), r.server()} {
			_, err := r.d.Session(t.Context(), c, s.ID)
			wantCode(t, err, otp.Unauthorized)
			for counter := range uint32(3) {
				_, err = r.d.Refresh(t.Context(), c, otp.RefreshToken{Family: s.ID, Counter: counter})
				wantCode(t, err, otp.Unauthorized)
			}
			must(t, r.d.Revoke(t.Context(), c, s.ID))
		}
		wantCode(t, r.d.RevokeAll(t.Context(), other, s.User, otp.ID{}), otp.NotRegistered)
		if !r.alive(s) {
			t.Error("a stranger ended it")
		}
		must(t, second(r.refresh(s, 0)))
	})
}

// A session of one user spares none of another.
func TestSpareOnlyTheUsersOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
		mine, hers := r.session(), r.login(r.at("descope"), bob).Session
		must(t, r.d.RevokeAll(t.Context(), r.server(), mine.User, hers.ID))
		if r.alive(mine) || !r.alive(hers) {
			t.Error("the wrong session has ended")
		}
	})
}

// A step of the clock back, which an operator has accepted, prolongs nothing.
func TestSessionsOfAFutureThatWasUndone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		clock := otp.NewClock(otp.ClockSource{Suspended: func() time.Duration { return 365 * day }})
		r := newRig(t, setup{apps: []otp.App{openApp("demo")}, clock: clock})
		s := r.session()
		if !r.alive(s) {
			t.Fatal("it does not live")
		}
		must(t, clock.Accept(t.Context(), r.store))
		if r.alive(s) {
			t.Error("it lives a year before it was opened")
		}
	})
}
