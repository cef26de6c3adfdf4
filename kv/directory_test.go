package kv_test

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// house is the rules over this engine, with a scripted route.
type house struct {
	t     *testing.T
	db    *kv.DB
	route *otptest.Route
	v     *otp.Verifications
	d     *otp.Directory
	c     otp.Caller
	stop  func()
}

func build(t *testing.T, dir string) *house {
	t.Helper()
	db := open(t, kv.Config{Dir: dir})
	apps, err := otp.NewApps([]otp.App{{ID: "demo", Countries: []string{"*"}, Doors: []string{"native"}, Sessions: true}}, func(string) int { return 1 })
	keys, broken := otp.NewKeys(make([]byte, 32))
	if err != nil || broken != nil {
		t.Fatal(err, broken)
	}
	box := &otp.Box{Store: db, Clock: otp.NewClock(otp.ClockSource{}), Keys: keys, Apps: apps, Log: zerolog.Nop()}
	if _, err := box.Open(t.Context(), db.Lost()); err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: db, route: otptest.NewRoute("gsm0"), d: otp.NewDirectory(box)}
	outbox := otp.NewOutbox(box, []otp.Route{h.route})
	h.v = otp.NewVerifications(box, outbox)
	h.c = otp.Caller{App: apps.All()[0], Secret: true}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- outbox.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		shut(t, db)
	})
	t.Cleanup(h.stop)
	return h
}

var codePattern = regexp.MustCompile(`\b[0-9]{6}\b`)

// prove starts a verification and types the code that arrives at its number.
func (h *house) prove(to string, r otp.StartRequest) (*otp.Grant, error) {
	h.t.Helper()
	r.To = to
	p, err := h.v.Start(context.Background(), h.c, r)
	if err != nil {
		return nil, err
	}
	code := ""
	for code == "" {
		time.Sleep(100 * time.Microsecond) // the route tells nobody
		for _, out := range h.route.Given() {
			if out.Message == p.Message.ID {
				code = codePattern.FindString(out.Text)
			}
		}
	}
	p, err = h.v.Check(context.Background(), h.c, p.Verification.ID, code)
	return p.Grant, err
}

// Users and sessions keep their rules over this engine, where a closure shares
// its commit with others and a scan sees no writes of its own: many at once,
// and after the database was opened again.
func TestUsersAndSessions(t *testing.T) {
	dir := t.TempDir()
	h := build(t, dir)
	numbers := []string{"+41791110001", "+41791110002", "+41791110003", "+41791110004", "+41791110005", "+41791110006"}
	grants := make([]*otp.Grant, len(numbers))
	var all sync.WaitGroup
	for n, number := range numbers {
		all.Go(func() {
			for _, purpose := range []otp.Purpose{otp.PurposeSignUp, otp.PurposeSignIn} {
				g, err := h.prove(number, otp.StartRequest{Purpose: purpose, Wish: otp.Wish{Name: "user " + number[len(number)-1:]}})
				if err != nil {
					t.Errorf("%s: %v", purpose, err)
					return
				}
				grants[n] = g
			}
			for counter := range uint32(5) {
				if _, err := h.d.Refresh(context.Background(), h.c, otp.RefreshToken{Family: grants[n].Session.ID, Counter: counter}); err != nil {
					t.Errorf("refresh: %v", err)
				}
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}

	// A change of phone, a removal and a refusal that must be remembered.
	const moved = "+41791110009"
	if _, err := h.prove(moved, otp.StartRequest{Purpose: otp.PurposeChangePhone, Family: grants[0].Session.ID}); err != nil {
		t.Fatal(err)
	}
	if err := h.d.Remove(t.Context(), h.c, grants[1].User.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.d.Refresh(t.Context(), h.c, otp.RefreshToken{Family: grants[2].Session.ID, Counter: 1}); otp.AsError(err).Code != otp.Unauthorized {
		t.Errorf("a used token: %v", err)
	}

	for _, when := range []string{"at once", "after the database was opened again"} {
		users, next, err := h.d.Users(t.Context(), h.c, 3, "")
		more, end, err2 := h.d.Users(t.Context(), h.c, 3, next)
		if err != nil || err2 != nil || len(users) != 3 || len(more) != 2 || end != "" {
			t.Errorf("%s: pages of %d and %d users (%v, %v)", when, len(users), len(more), err, err2)
		}
		for login, there := range map[string]bool{
			numbers[0]: false, moved: true, "USER 1": true, numbers[1]: false, "user 2": false, numbers[2]: true, "user 3": true,
		} {
			if _, err := h.d.Find(t.Context(), h.c, login); (err == nil) != there {
				t.Errorf("%s: %s is there: %v (%v)", when, strings.Repeat("*", len(login)-4)+login[len(login)-4:], err == nil, err)
			}
		}
		for n, alive := range []bool{true, false, false, true, true, true} {
			g, err := h.d.Session(t.Context(), h.c, grants[n].Session.ID)
			if (err == nil) != alive || alive && g.Session.Counter != 5 {
				t.Errorf("%s: session %d lives: %v, want %v (%v)", when, n, err == nil, alive, err)
			}
		}
		h.stop()
		h = build(t, dir)
	}
}
