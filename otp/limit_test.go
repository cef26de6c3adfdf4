package otp_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// only lifts every limit but those that keep sets.
func only(keep func(l *otp.Limits, d otp.Limits)) func(*otp.Limits) {
	return func(l *otp.Limits) {
		d := *l
		*l = otp.Limits{}
		keep(l, d)
	}
}

// finish approves what was started, so that no live verification is in the
// way.
func (r *rig) finish(c otp.Caller, to string) error {
	p, err := r.start(c, to)
	if err == nil {
		must(r.t, r.check(r.server(), p.Verification.ID, r.sent()))
	}
	return err
}

// cancelled starts and cancels: a send that never verifies.
func (r *rig) canceled(c otp.Caller, to string) error {
	p, err := r.start(c, to)
	if err == nil {
		synctest.Wait()
		must(r.t, r.v.Cancel(context.Background(), r.server(), p.Verification.ID))
	}
	return err
}

// Each send limit lets its count through, refuses the next one with its code,
// tells exactly when there is room again, and is not prolonged by attempts in
// between.
func TestSendLimits(t *testing.T) {
	const subscriber = "+4179123%04d"
	for _, test := range []struct {
		name  string
		limit func(*otp.Limits)
		count int
		code  otp.Code
		wait  time.Duration
		send  func(r *rig, n int) error
	}{
		{"three per phone in five minutes, from anywhere",
			only(func(l *otp.Limits, d otp.Limits) { l.SendsPerPhone = d.SendsPerPhone }), 3, otp.LimitPhone, 5 * time.Minute,
			func(r *rig, n int) error { return r.canceled(r.from(fmt.Sprintf("192.0.2.%d", n)), alice) }},
		{"four per address and phone in an hour",
			only(func(l *otp.Limits, d otp.Limits) { l.SendsPerAddressPhone = d.SendsPerAddressPhone }), 4, otp.LimitPhone, time.Hour,
			func(r *rig, n int) error { return r.canceled(r.from("192.0.2.1"), alice) }},
		{"ten per address in ten minutes",
			only(func(l *otp.Limits, d otp.Limits) { l.SendsPerAddress = d.SendsPerAddress }), 10, otp.LimitAddress, 10 * time.Minute,
			func(r *rig, n int) error { return r.canceled(r.from("192.0.2.1"), fmt.Sprintf(subscriber, n*10)) }},
		{"ten per /64 in ten minutes",
			only(func(l *otp.Limits, d otp.Limits) { l.SendsPerAddress = d.SendsPerAddress }), 10, otp.LimitAddress, 10 * time.Minute,
			func(r *rig, n int) error {
				return r.canceled(r.from(fmt.Sprintf("2001:db8::%x:1", n)), fmt.Sprintf(subscriber, n*10))
			}},
		{"an IPv4 address counts as itself when mapped into IPv6",
			only(func(l *otp.Limits, d otp.Limits) { l.SendsPerAddress = d.SendsPerAddress }), 10, otp.LimitAddress, 10 * time.Minute,
			func(r *rig, n int) error {
				return r.canceled(r.from([]string{"192.0.2.1", "::ffff:192.0.2.1"}[n%2]), fmt.Sprintf(subscriber, n*10))
			}},
		{"ten unknown numbers of a block in ten minutes",
			only(func(l *otp.Limits, d otp.Limits) { l.SendsPerBlock = d.SendsPerBlock }), 10, otp.LimitBox, 10 * time.Minute,
			func(r *rig, n int) error {
				return r.canceled(r.from(fmt.Sprintf("192.0.2.%d", n)), fmt.Sprintf(subscriber, n))
			}},
		{"thirty unknown numbers of a large block in an hour",
			only(func(l *otp.Limits, d otp.Limits) { l.SendsPerLargeBlock = d.SendsPerLargeBlock }), 30, otp.LimitBox, time.Hour,
			func(r *rig, n int) error {
				return r.canceled(r.from(fmt.Sprintf("192.0.2.%d", n)), fmt.Sprintf(subscriber, n*100))
			}},
		{"seventy unknown numbers of a country in an hour",
			only(func(l *otp.Limits, d otp.Limits) { l.SendsPerCountry = d.SendsPerCountry }), 70, otp.LimitBox, time.Hour,
			func(r *rig, n int) error {
				return r.canceled(r.from(fmt.Sprintf("192.0.2.%d", n)), fmt.Sprintf("+4179%03d0000", n))
			}},
		{"forty-two unknown numbers in a minute",
			only(func(l *otp.Limits, d otp.Limits) { l.SendsPerBox = d.SendsPerBox }), 42, otp.LimitBox, time.Minute,
			func(r *rig, n int) error {
				return r.canceled(r.from(fmt.Sprintf("192.0.2.%d", n)), fmt.Sprintf("+4179%03d0000", n))
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, setup{limits: test.limit})
				for n := range test.count {
					must(t, test.send(r, n))
				}
				e := wantCode(t, test.send(r, test.count), test.code)
				if e.RetryAfter > test.wait || e.RetryAfter < test.wait-time.Second {
					t.Errorf("retry after %s, want %s", e.RetryAfter, test.wait)
				}
				pass(e.RetryAfter - time.Millisecond)
				again := wantCode(t, test.send(r, test.count), test.code)
				if again.RetryAfter != time.Millisecond {
					t.Errorf("%s left after the refusals, want 1ms", again.RetryAfter)
				}
				pass(time.Millisecond)
				must(t, test.send(r, test.count))
			})
		})
	}
}

// After the first three sends in an hour the waits grow; without an address
// they grow per phone.
func TestBackoff(t *testing.T) {
	for _, from := range []string{"192.0.2.1", ""} {
		t.Run("from "+from, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, setup{limits: only(func(l *otp.Limits, d otp.Limits) { l.Backoff = d.Backoff })})
				for range 3 {
					must(t, r.canceled(r.from(from), alice))
				}
				for _, want := range []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute} {
					e := wantCode(t, r.canceled(r.from(from), alice), otp.LimitPhone)
					if e.RetryAfter < want*9/10-time.Second || e.RetryAfter > want*11/10+time.Second {
						t.Errorf("wait of %s, want about %s", e.RetryAfter, want)
					}
					if from != "" {
						must(t, r.canceled(r.from("198.51.100.9"), fmt.Sprintf("+4179555%04d", want/time.Second)))
					}
					pass(e.RetryAfter - time.Millisecond)
					wantCode(t, r.canceled(r.from(from), alice), otp.LimitPhone)
					pass(time.Millisecond)
					must(t, r.canceled(r.from(from), alice))
				}
			})
		})
	}
}

// When one quota refuses none is charged: the refused sends to one number
// leave the caller's other quotas as they were.
func TestAllOrNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: only(func(l *otp.Limits, d otp.Limits) {
			l.SendsPerPhone, l.SendsPerAddress = d.SendsPerPhone, d.SendsPerAddress
		})})
		for range 3 {
			must(t, r.canceled(r.from("192.0.2.1"), alice))
		}
		for range 20 {
			wantCode(t, r.canceled(r.from("192.0.2.1"), alice), otp.LimitPhone)
		}
		for n := range 7 { // ten per address, three of them used
			must(t, r.canceled(r.from("192.0.2.1"), fmt.Sprintf("+4179555%04d", n*100)))
		}
		wantCode(t, r.canceled(r.from("192.0.2.1"), bob), otp.LimitAddress)
	})
}

// Spellings and national aliases of one handset share its bucket.
func TestSpellingsShareABucket(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: only(func(l *otp.Limits, d otp.Limits) { l.SendsPerPhone = d.SendsPerPhone })})
		for _, to := range []string{"+41 79 123 45 67", "tel:+41-79-123-45-67", "+41 (79) 1234567"} {
			must(t, r.canceled(r.server(), to))
		}
		wantCode(t, r.canceled(r.server(), alice), otp.LimitPhone)
		for _, to := range []string{"+525512345678", "+5215512345678", "+52 55 1234 5678"} {
			must(t, r.canceled(r.server(), to))
		}
		wantCode(t, r.canceled(r.server(), "+52 1 55 1234 5678"), otp.LimitPhone)
	})
}

func TestLimitsSurviveARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		for range 3 {
			must(t, r.canceled(r.from("192.0.2.1"), alice))
		}
		r.stop()
		r = newRig(t, setup{store: r.store})
		wantCode(t, r.canceled(r.from("192.0.2.1"), alice), otp.LimitPhone)
	})
}

// Numbers that verified here, and safe prefixes, never count for a block; and
// part of the country's quota is theirs.
func TestKnownNumbersAreNotLockedOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := demoApp("demo")
		app.SafePrefixes = []string{"+41795550"}
		r := newRig(t, setup{apps: []otp.App{app}, limits: only(func(l *otp.Limits, d otp.Limits) {
			l.SendsPerBlock, l.SendsPerCountry = d.SendsPerBlock, d.SendsPerCountry
		})})
		must(t, r.finish(r.server(), alice))
		for n := range 9 {
			must(t, r.canceled(r.server(), fmt.Sprintf("+4179123400%d", n)))
		}
		wantCode(t, r.canceled(r.server(), "+41791234999"), otp.LimitBox)
		must(t, r.finish(r.server(), alice))
		for n := range 15 {
			must(t, r.canceled(r.server(), fmt.Sprintf("+417955500%02d", n)))
		}
		for n := range 70 {
			if err := r.canceled(r.server(), fmt.Sprintf("+4178%03d0000", n)); err != nil {
				wantCode(t, err, otp.LimitBox)
				break
			}
		}
		wantCode(t, r.canceled(r.server(), "+41781110000"), otp.LimitBox)
		must(t, r.finish(r.server(), alice))
	})
}

// Wrong tries are counted per phone over all its codes, and whoever verified
// the number before keeps a reserve.
func TestWrongTriesPerPhone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: only(func(l *otp.Limits, d otp.Limits) {
			l.TriesPerPhone, l.TriesPerAddressPhone, l.TriesPerAddress, l.TriesReserve = d.TriesPerPhone, d.TriesPerAddressPhone, d.TriesPerAddress, d.TriesReserve
		})})
		owner := r.from("198.51.100.7")
		p := r.mustStart(owner, alice)
		must(t, r.check(owner, p.Verification.ID, r.sent()))

		evaluated, address := 0, 0
		var refused *otp.Error
		for range 30 {
			p := r.mustStart(r.server(), alice)
			right := r.sent()
			for n := range 3 {
				address++
				err := otp.AsError(r.check(r.from(fmt.Sprintf("192.0.2.%d", address)), p.Verification.ID, wrong(right, n)))
				if err.Code == otp.CodeWrong {
					evaluated++
				} else {
					refused = wantCode(t, err, otp.LimitPhone)
				}
			}
			must(t, r.v.Cancel(context.Background(), r.server(), p.Verification.ID))
		}
		if evaluated != 10 {
			t.Fatalf("%d wrong tries were evaluated within an hour, want 10", evaluated)
		}
		p = r.mustStart(r.server(), alice)
		right := r.sent()
		wantCode(t, r.check(r.from("203.0.113.1"), p.Verification.ID, right), otp.LimitPhone)
		wantCode(t, r.check(owner, p.Verification.ID, wrong(right, 0)), otp.CodeWrong)
		must(t, r.check(owner, p.Verification.ID, right))

		pass(refused.RetryAfter)
		p = r.mustStart(r.server(), alice)
		must(t, r.check(r.from("203.0.113.1"), p.Verification.ID, r.sent()))
	})
}

func TestWrongTriesPerAddress(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: only(func(l *otp.Limits, d otp.Limits) { l.TriesPerAddress = d.TriesPerAddress })})
		attacker := r.from("192.0.2.1")
		for range 30 {
			wantCode(t, r.check(attacker, otp.NewID(), "123456"), otp.CodeUnknown)
		}
		e := wantCode(t, r.check(attacker, otp.NewID(), "123456"), otp.LimitAddress)
		p := r.mustStart(r.server(), alice)
		wantCode(t, r.check(attacker, p.Verification.ID, r.sent()), otp.LimitAddress)
		must(t, r.check(r.from("192.0.2.2"), p.Verification.ID, code(t, r.routes[0], 0)))
		pass(e.RetryAfter)
		wantCode(t, r.check(attacker, otp.NewID(), "123456"), otp.CodeUnknown)
	})
}

// One address that guesses as fast as it may never shuts out the holder of
// the number at another address, and one that asks for sends never keeps the
// holder waiting for longer than five minutes.
func TestOneAddressIsNoWeapon(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		attacker, victim := r.from("192.0.2.1"), r.from("198.51.100.7")
		for range 60 {
			if p, err := r.start(attacker, alice); err == nil {
				synctest.Wait()
				for n := range 6 {
					_ = r.check(attacker, p.Verification.ID, wrong(code(t, r.routes[0], len(r.routes[0].Given())-1), n))
				}
				must(t, r.v.Cancel(context.Background(), r.server(), p.Verification.ID))
			}
			pass(10 * time.Second)
		}
		p, err := r.start(victim, alice)
		for waited := time.Duration(0); err != nil; p, err = r.start(victim, alice) {
			e := wantCode(t, err, otp.LimitPhone)
			if waited += e.RetryAfter; waited > 5*time.Minute {
				t.Fatal("the holder of the number waits for longer than five minutes")
			}
			pass(e.RetryAfter)
		}
		must(t, r.check(victim, p.Verification.ID, r.sent()))
	})
}

// Refused starts are counted against the caller's address, whatever refuses
// them.
func TestProbingIsSlowedDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := demoApp("demo")
		app.Countries = []string{"CH"}
		r := newRig(t, setup{apps: []otp.App{app}, limits: only(func(l *otp.Limits, d otp.Limits) { l.RefusalsPerAddress = d.RefusalsPerAddress })})
		for n := range 60 {
			want, to := otp.CountryRefused, bob
			if n%2 == 0 {
				want, to = otp.InvalidPhone, "0791234567"
			}
			_, err := r.start(r.from("192.0.2.1"), to)
			wantCode(t, err, want)
		}
		_, err := r.start(r.from("192.0.2.1"), bob)
		e := wantCode(t, err, otp.LimitAddress)
		_, err = r.start(r.from("192.0.2.1"), alice)
		wantCode(t, err, otp.LimitAddress)
		r.mustStart(r.from("192.0.2.2"), alice)
		pass(e.RetryAfter)
		r.mustStart(r.from("192.0.2.1"), alice)
	})
}

// Stepping the clock back, once accepted, does not lock the box for years.
func TestQuotasAfterTheClockWentBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := otptest.NewMemory()
		r := newRig(t, setup{store: store, limits: only(func(l *otp.Limits, d otp.Limits) { l.SendsPerPhone = d.SendsPerPhone })})
		pass(30 * 24 * time.Hour)
		for range 3 {
			must(t, r.canceled(r.server(), alice))
		}
		r.stop()
		must(t, store.Update(context.Background(), func(tx otp.Tx) error {
			tx.Delete(otp.Key{Kind: otp.KindMeta, Part: "clock"}) // as an accepted step back leaves it
			return nil
		}))
		back := otp.NewClock(otp.ClockSource{Suspended: func() time.Duration { return -30 * 24 * time.Hour }})
		if back.Now() >= r.box.Clock.Now() {
			t.Fatal("the clock did not go back")
		}
		r = newRig(t, setup{store: store, clock: back, limits: only(func(l *otp.Limits, d otp.Limits) { l.SendsPerPhone = d.SendsPerPhone })})
		e := wantCode(t, r.canceled(r.server(), alice), otp.LimitPhone)
		if e.RetryAfter > 5*time.Minute+time.Second {
			t.Errorf("retry after %s", e.RetryAfter)
		}
		pass(e.RetryAfter)
		must(t, r.canceled(r.server(), alice))
	})
}

func TestExemptAddresses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: func(l *otp.Limits) { l.Exempt = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }})
		for n := range 20 {
			must(t, r.canceled(r.from("127.0.0.1"), fmt.Sprintf("+4179123%04d", n)))
		}
		for range 2 {
			must(t, r.canceled(r.from("127.0.0.1"), bob))
		}
		must(t, r.canceled(r.from("127.0.0.1"), bob))
		wantCode(t, r.canceled(r.from("127.0.0.1"), bob), otp.LimitPhone)
	})
}

func TestLimitsAreBounded(t *testing.T) {
	production, err := otp.NewApps([]otp.App{demoApp("demo")}, segments)
	must(t, err)
	app := demoApp("demo")
	app.Mode = otp.Test
	test, err := otp.NewApps([]otp.App{app}, segments)
	must(t, err)
	must(t, otp.DefaultLimits().Validate(production))
	for name, raise := range map[string]func(*otp.Limits){
		"sends lifted":      func(l *otp.Limits) { l.SendsPerPhone = nil },
		"tries lifted":      func(l *otp.Limits) { l.TriesPerPhone = nil },
		"tries per address": func(l *otp.Limits) { l.TriesPerAddress = []otp.Rule{{Count: 101, Window: 10 * time.Minute}} },
		"short windows":     func(l *otp.Limits) { l.SendsPerPhone = []otp.Rule{{Count: 5, Window: time.Minute}} },
	} {
		l := otp.DefaultLimits()
		raise(&l)
		if l.Validate(production) == nil {
			t.Errorf("%s: a production box accepts it", name)
		}
		if err := l.Validate(test); err != nil {
			t.Errorf("%s: a test box refuses it: %v", name, err)
		}
	}
}
