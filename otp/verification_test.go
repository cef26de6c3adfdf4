package otp_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

func TestRightCodeApprovesOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		p := r.mustStart(r.from("192.0.2.1"), alice)
		if p.Verification.Status != otp.Pending || p.Message.State != otp.MessageAccepted {
			t.Fatalf("started as %s with message %s", p.Verification.Status, p.Message.State)
		}
		digits := r.sent()
		p, err := r.v.Check(context.Background(), r.from("192.0.2.1"), p.Verification.ID, digits)
		must(t, err)
		if p.Verification.Status != otp.Approved {
			t.Fatalf("status is %s", p.Verification.Status)
		}
		wantCode(t, r.check(r.from("192.0.2.1"), p.Verification.ID, digits), otp.CodeUsed)
	})
}

func TestCodesAreTypedAsTheyAreRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		p := r.mustStart(r.server(), alice)
		d := r.sent()
		must(t, r.check(r.server(), p.Verification.ID, d[:3]+" "+d[3:]))
	})
}

func TestFiveWrongTriesKillTheCode(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		p := r.mustStart(r.server(), alice)
		right := r.sent()
		for n := range 4 {
			wantCode(t, r.check(r.from(fmt.Sprintf("192.0.2.%d", n)), p.Verification.ID, wrong(right, n)), otp.CodeWrong)
		}
		if left := r.verification(p.Verification.ID).Verification.AttemptsLeft(); left != 1 {
			t.Errorf("%d attempts left, want 1", left)
		}
		wantCode(t, r.check(r.from("192.0.2.9"), p.Verification.ID, wrong(right, 9)), otp.CodeExhausted)
		wantCode(t, r.check(r.from("192.0.2.10"), p.Verification.ID, right), otp.CodeExhausted)
		if s := r.verification(p.Verification.ID).Verification.Status; s != otp.Exhausted {
			t.Errorf("status is %s", s)
		}
	})
}

func TestOneAddressCannotKillACode(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		p := r.mustStart(r.from("198.51.100.7"), alice)
		right := r.sent()
		for n := range 4 {
			wantCode(t, r.check(r.from("192.0.2.1"), p.Verification.ID, wrong(right, n)), otp.CodeWrong)
		}
		for range 10 {
			e := wantCode(t, r.check(r.from("192.0.2.1"), p.Verification.ID, wrong(right, 7)), otp.LimitAddress)
			if e.RetryAfter <= 0 {
				t.Fatal("a limit without a wait")
			}
		}
		must(t, r.check(r.from("198.51.100.7"), p.Verification.ID, right))
	})
}

func TestRefusalsOfACheckThatIsNone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{demoApp("demo"), demoApp("other")}})
		other := r.from("192.0.2.1")
		other.App = r.box.Apps.All()[1]
		p := r.mustStart(r.server(), alice)
		right := r.sent()
		wantCode(t, r.check(r.from("192.0.2.1"), otp.NewID(), right), otp.CodeUnknown)
		for range 6 {
			wantCode(t, r.check(other, p.Verification.ID, right), otp.CodeUnknown)
		}
		if left := r.verification(p.Verification.ID).Verification.AttemptsLeft(); left != 5 {
			t.Errorf("another app used up tries: %d left", left)
		}
		must(t, r.check(r.server(), p.Verification.ID, right))
	})
}

func TestCodeExpires(t *testing.T) {
	for _, test := range []struct {
		name string
		wait time.Duration
		want otp.Code
	}{
		{"just before", 5*time.Minute - time.Millisecond, ""},
		{"at its end", 5 * time.Minute, otp.CodeExpired},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, setup{})
				p := r.mustStart(r.server(), alice)
				right := r.sent()
				pass(test.wait)
				err := r.check(r.server(), p.Verification.ID, right)
				if test.want == "" {
					must(t, err)
					return
				}
				wantCode(t, err, test.want)
				if s := r.verification(p.Verification.ID).Verification.Status; s != otp.Expired {
					t.Errorf("status is %s", s)
				}
			})
		})
	}
}

func TestResend(t *testing.T) {
	start := func(t *testing.T, policy otp.ResendPolicy) (*rig, otp.Progress, string) {
		app := demoApp("demo")
		app.Resend = policy
		r := newRig(t, setup{apps: []otp.App{app}})
		p := r.mustStart(r.server(), alice)
		return r, p, r.sent()
	}
	resend := func(t *testing.T, r *rig, id otp.ID) otp.Progress {
		p, err := r.v.Resend(context.Background(), r.server(), id, "")
		must(t, err)
		return p
	}
	t.Run("same digits and expiry in the first half", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			r, p, first := start(t, otp.ResendSame)
			pass(2 * time.Minute)
			again := resend(t, r, p.Verification.ID)
			if r.sent() != first || again.Verification.Expires != p.Verification.Expires {
				t.Error("the code or its expiry changed")
			}
		})
	})
	t.Run("fresh digits and a full life in the second half", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			r, p, first := start(t, otp.ResendSame)
			pass(3 * time.Minute)
			again := resend(t, r, p.Verification.ID)
			second := r.sent()
			if second == first || again.Verification.Expires != p.Verification.Expires.Add(3*time.Minute) {
				t.Error("the code did not begin anew")
			}
			wantCode(t, r.check(r.server(), p.Verification.ID, first), otp.CodeWrong)
			must(t, r.check(r.server(), p.Verification.ID, second))
		})
	})
	t.Run("policy new", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			r, p, first := start(t, otp.ResendNew)
			resend(t, r, p.Verification.ID)
			if r.sent() == first {
				t.Error("the digits are the same")
			}
		})
	})
	t.Run("tries stay counted", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			r, p, _ := start(t, otp.ResendNew)
			wantCode(t, r.check(r.server(), p.Verification.ID, "x"), otp.CodeWrong)
			if left := resend(t, r, p.Verification.ID).Verification.AttemptsLeft(); left != 4 {
				t.Errorf("%d attempts left after a resend, want 4", left)
			}
		})
	})
	t.Run("of an ended verification", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			r, p, _ := start(t, otp.ResendSame)
			must(t, r.v.Cancel(context.Background(), r.server(), p.Verification.ID))
			_, err := r.v.Resend(context.Background(), r.server(), p.Verification.ID, "")
			wantCode(t, err, otp.CodeExpired)
		})
	})
}

func TestResendReplacesWhatIsQueued(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		r := newRig(t, setup{routes: []*otptest.Route{route}})
		s := route.Status()
		s.State, s.Free = otp.RouteComing, 0
		route.SetStatus(s)
		p := r.mustStart(r.server(), alice)
		again, err := r.v.Resend(context.Background(), r.server(), p.Verification.ID, "")
		must(t, err)
		third, err := r.v.Resend(context.Background(), r.server(), p.Verification.ID, "")
		must(t, err)
		if third.Message.ID != again.Message.ID {
			t.Error("a second resend made another message while the first was queued")
		}
		route.Ready()
		synctest.Wait()
		if n := len(route.Given()); n != 1 {
			t.Errorf("%d messages were sent, want 1", n)
		}
		if m := r.message(p.Message.ID); m.State != otp.MessageSuperseded || m.Reason != otp.ReasonResent {
			t.Errorf("the first message is %s (%s)", m.State, m.Reason)
		}
	})
}

func TestThreeLiveVerificationsOfAnAddress(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare})
		var last otp.Progress
		for range 3 {
			last = r.mustStart(r.server(), alice)
			r.sent()
		}
		_, err := r.start(r.server(), alice)
		wait := wantCode(t, err, otp.LimitAddress).RetryAfter
		r.mustStart(r.server(), bob)
		must(t, r.v.Cancel(context.Background(), r.server(), last.Verification.ID))
		r.mustStart(r.server(), alice)
		pass(wait)
		r.mustStart(r.server(), alice)
	})
}

func TestIdempotencyKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		request := otp.StartRequest{To: alice, Purpose: otp.PurposeVerify, IdempotencyKey: "k", Body: []byte("a")}
		start := func() (otp.Progress, error) { return r.v.Start(context.Background(), r.server(), request) }
		first, err := start()
		must(t, err)
		again, err := start()
		must(t, err)
		if again.Verification.ID != first.Verification.ID {
			t.Error("the same request made another verification")
		}
		elsewhere, err := r.v.Start(context.Background(), r.at("twilio"), request)
		must(t, err)
		if elsewhere.Verification.ID == first.Verification.ID {
			t.Error("another door's request was answered with it")
		}
		synctest.Wait()
		if n := len(r.routes[0].Given()); n != 2 {
			t.Errorf("%d messages for one request at each of two doors", n)
		}
		request.Body = []byte("b")
		_, err = start()
		wantCode(t, err, otp.Conflict)
		pass(10 * time.Minute)
		fresh, err := start()
		must(t, err)
		if fresh.Verification.ID == first.Verification.ID {
			t.Error("the key outlived its ten minutes")
		}
	})
}

func TestTestNumbersTouchNoRoute(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := demoApp("demo")
		app.Mode, app.TestNumbers = otp.Test, map[string]string{alice: "123456"}
		r := newRig(t, setup{apps: []otp.App{app}})
		r.routes[0].Down("absent")
		for range 8 {
			p := r.mustStart(r.from("192.0.2.1"), "+41 79 123 45 67")
			must(t, r.check(r.from("192.0.2.1"), p.Verification.ID, "123456"))
		}
		synctest.Wait()
		if n := len(r.routes[0].Given()); n != 0 {
			t.Errorf("%d messages to a test number", n)
		}
	})
}

func TestStartIsRefusedWhenItCannotSucceed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := demoApp("demo")
		app.Countries = []string{"CH"}
		r := newRig(t, setup{apps: []otp.App{app}})
		for _, test := range []struct {
			name   string
			to     string
			want   otp.Code
			before func()
		}{
			{"no number", "hello", otp.InvalidPhone, nil},
			{"premium rate", "+41900123456", otp.NumberRefused, nil},
			{"another country", bob, otp.CountryRefused, nil},
			{"disk low", "+41791112233", otp.StorageLow, func() { r.low.Store(true) }},
			{"modem gone", "+41791112233", otp.ChannelUnavailable, func() { r.low.Store(false); r.routes[0].Down("absent") }},
			{"stopping", "+41791112233", otp.ShuttingDown, func() { r.routes[0].Ready(); r.outbox.Stop() }},
		} {
			if test.before != nil {
				test.before()
			}
			_, err := r.start(r.from("192.0.2.1"), test.to)
			if e := wantCode(t, err, test.want); strings.Contains(e.Error(), "555010") {
				t.Errorf("%s: the error repeats the number", test.name)
			}
		}
	})
}

func TestPolicyIsFrozenAtStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		p := r.mustStart(r.server(), alice)
		right := r.sent()
		r.stop()
		app := demoApp("demo")
		app.CodeLength, app.CodeTTL = 8, time.Minute
		r = newRig(t, setup{store: r.store, apps: []otp.App{app}})
		pass(4 * time.Minute)
		must(t, r.check(r.server(), p.Verification.ID, right))
	})
}

func TestLiveCodesDieWithTheEpoch(t *testing.T) {
	reopen := map[string]func(r *rig) *rig{
		"rows were lost":  func(r *rig) *rig { _, err := r.box.Open(context.Background(), true); must(r.t, err); return r },
		"another box key": func(r *rig) *rig { r.stop(); return newRig(r.t, setup{store: r.store, key: 9}) },
		"clock accepted":  func(r *rig) *rig { must(r.t, r.box.Clock.Accept(context.Background(), r.store)); return r },
	}
	for name, f := range reopen {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, setup{})
				p := r.mustStart(r.server(), alice)
				right := r.sent()
				r = f(r)
				wantCode(t, r.check(r.server(), p.Verification.ID, right), otp.CodeWrong)
			})
		})
	}
}
