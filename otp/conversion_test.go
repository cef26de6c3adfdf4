package otp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// guarded lifts every limit but those on what is typed in.
var guarded = only(func(l *otp.Limits, d otp.Limits) {
	l.ConversionPerBlock, l.ConversionPerCountry = d.ConversionPerBlock, d.ConversionPerCountry
})

// neighbour is the n-th number of one block of 1,000, and spread the n-th of
// many, all of one country and hardly two of one block.
func neighbour(n int) string { return fmt.Sprintf("+4179123%04d", n) }
func spread(n int) string    { return fmt.Sprintf("+4178%03d00%02d", 100+n%800, n/800) }

// ignored sends codes that nobody types in, to the numbers from first on.
func (r *rig) ignored(of func(int) string, first, count int) {
	r.t.Helper()
	for n := range count {
		must(r.t, r.canceled(r.server(), of(first+n)))
	}
}

// typed sends codes that are typed in.
func (r *rig) typed(of func(int) string, first, count int) {
	r.t.Helper()
	for n := range count {
		must(r.t, r.finish(r.server(), of(first+n)))
	}
}

// shut wants a start refused, and returns the wait.
func (r *rig) shut(to string) time.Duration {
	r.t.Helper()
	_, err := r.start(r.server(), to)
	return wantCode(r.t, err, otp.LimitBox).RetryAfter
}

// Twenty-five codes to one block of which none is typed in shut it for an hour
// to the second, which attempts do not prolong. Other blocks of the country are
// open. Then it is open again, and stays so with three numbers that verify.
func TestABlockThatNobodyAnswersIsShut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: guarded})
		r.ignored(neighbour, 0, 25)
		if wait := r.shut(neighbour(25)); wait != time.Hour {
			t.Errorf("shut for %s, want an hour", wait)
		}
		r.mustStart(r.server(), spread(0))
		pass(time.Hour - time.Millisecond)
		if wait := r.shut(neighbour(25)); wait != time.Millisecond {
			t.Errorf("%s left, want 1ms", wait)
		}
		pass(time.Millisecond)
		r.typed(neighbour, 30, 3)
		r.ignored(neighbour, 40, 28)
		r.shut(neighbour(80)) // three of thirty are a tenth, and three of thirty-one are not
	})
}

// A code that may still be on its way is held against nobody, but not more than
// five of them: the twentieth that nobody types in counts when its time is over.
func TestCodesOnTheirWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: guarded})
		r.ignored(neighbour, 0, 20)
		pass(4 * time.Minute)
		r.ignored(neighbour, 20, 1)
		pass(2 * time.Minute)
		r.shut(neighbour(30))
	})
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: guarded})
		r.ignored(neighbour, 0, 19)
		pass(6 * time.Minute)
		r.ignored(neighbour, 19, 1) // nineteen are not enough
	})
}

// The window slides: twenty in more than an hour shut nothing.
func TestASlowBlockStaysOpen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: guarded})
		for n := range 60 {
			r.ignored(neighbour, n, 1)
			pass(3*time.Minute + 30*time.Second)
		}
	})
}

// A burst of people whose codes are on the way shuts their block, and opens it
// as soon as a tenth of them has typed one in.
func TestAHonestBurstOpensItsBlock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: guarded})
		var burst []otp.Progress
		var codes []string
		for n := range 25 {
			burst = append(burst, r.mustStart(r.server(), neighbour(n)))
			codes = append(codes, r.sent())
		}
		for n := range 3 {
			r.shut(neighbour(30))
			must(t, r.check(r.server(), burst[n].Verification.ID, codes[n]))
			pass(20 * time.Second)
		}
		r.mustStart(r.server(), neighbour(30))
	})
}

// Numbers that verified here never count, in no direction, and are let through;
// one number that verifies twice is one.
func TestKnownNumbersAreNoConversions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: guarded})
		r.typed(neighbour, 0, 1)
		r.ignored(neighbour, 100, 9)
		pass(2 * time.Hour)
		for range 10 {
			must(t, r.finish(r.server(), neighbour(0)))
		}
		for range 30 {
			must(t, r.canceled(r.server(), neighbour(0)))
		}
		r.ignored(neighbour, 200, 25)
		r.shut(neighbour(300))
		must(t, r.finish(r.server(), neighbour(0)))
		r.shut(neighbour(300))
	})
}

// What the app or the box vouches for, what is no number and what nothing is
// sent for does not count and is not held up.
func TestWhatNoConversionIsAskedOf(t *testing.T) {
	for name, test := range map[string]struct {
		limits func(*otp.Limits)
		send   func(r *rig, n int) error
	}{
		"safe prefixes": {guarded, func(r *rig, n int) error { return r.canceled(r.server(), fmt.Sprintf("+4179555%04d", n)) }},
		"email": {guarded, func(r *rig, n int) error {
			_, err := r.v.Start(context.Background(), r.server(), otp.StartRequest{To: fmt.Sprintf("u%d@shop.example", n), Purpose: otp.PurposeVerify, Email: true})
			return err
		}},
		"texts to the box": {guarded, func(r *rig, n int) error {
			_, err := r.v.Start(context.Background(), r.server(), otp.StartRequest{To: neighbour(n), Purpose: otp.PurposeVerify, Channel: otp.ChannelInbound})
			return err
		}},
		"exempt addresses": {func(l *otp.Limits) {
			guarded(l)
			l.Exempt = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}, func(r *rig, n int) error { return r.canceled(r.from("127.0.0.1"), neighbour(n)) }},
		"lifted": {func(l *otp.Limits) { *l = otp.Limits{} }, func(r *rig, n int) error { return r.canceled(r.server(), neighbour(n)) }},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				app := mailApp("demo")
				app.SafePrefixes, app.Inbound = []string{"+4179555"}, true
				r := mailRig(t, setup{apps: []otp.App{app}, limits: test.limits})
				for n := range 130 {
					must(t, test.send(r, n))
				}
				r.mustStart(r.server(), neighbour(999))
			})
		})
	}
}

// A number of a safe prefix goes through although its country is shut.
func TestSafePrefixesPassAShutCountry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := demoApp("demo")
		app.SafePrefixes = []string{"+4179555"}
		r := newRig(t, setup{apps: []otp.App{app}, limits: guarded})
		r.ignored(spread, 0, 125)
		if wait := r.shut(spread(200)); wait != time.Hour {
			t.Errorf("shut for %s, want an hour", wait)
		}
		r.mustStart(r.server(), "+41795550001")
		r.mustStart(r.server(), bob) // of another country
	})
}

// A country of whose codes 15 % are typed in stays open, however many they are;
// one of 14 % does not.
func TestACountryThatAnswersStaysOpen(t *testing.T) {
	for percent, open := range map[int]bool{15: true, 14: false} {
		t.Run(fmt.Sprint(percent), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, setup{limits: guarded})
				r.typed(spread, 0, percent)
				r.ignored(spread, 100, 100-percent)
				pass(6 * time.Minute)
				if !open {
					r.shut(spread(200))
					return
				}
				for round := 1; round < 4; round++ {
					r.typed(spread, round*200, percent)
					r.ignored(spread, round*200+100, 100-percent)
				}
				pass(6 * time.Minute)
				r.mustStart(r.server(), spread(799))
			})
		})
	}
}

// What a vendor's door refuses after the limits were charged, and what never
// left the box, was not sent; a number that the network refuses was.
func TestWhatWasNotSentDoesNotCount(t *testing.T) {
	bubble(t, func(t *testing.T) { // nobody is registered
		app := openApp("demo")
		r := newRig(t, setup{apps: []otp.App{app}, limits: guarded})
		for n := range 40 {
			_, err := r.v.Start(context.Background(), r.at("descope"), otp.StartRequest{
				To: neighbour(n), Purpose: otp.PurposeSignIn, Reveal: true, Slot: otp.Slot{Door: "descope", Login: neighbour(n)},
			})
			wantCode(t, err, otp.NotRegistered)
		}
		r.mustStart(r.server(), neighbour(999))
	})
	for reason, counts := range map[otp.Reason]bool{otp.ReasonEncoding: false, otp.ReasonRecipient: true} {
		t.Run(string(reason), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				route := otptest.NewRoute("gsm0")
				for range 25 {
					route.Script(otptest.Turn{Verdict: otp.Verdict{Outcome: otp.Refused, Reason: reason, Retry: otp.RetryNever}})
				}
				r := newRig(t, setup{limits: guarded, routes: []*otptest.Route{route}})
				for n := range 25 {
					r.mustStart(r.server(), neighbour(n))
					synctest.Wait()
					pass(time.Minute) // of what a route in trouble is spared
				}
				pass(6 * time.Minute)
				_, err := r.start(r.server(), neighbour(999))
				if shut := err != nil; shut != counts {
					t.Errorf("the start ends with %v", err)
				}
			})
		})
	}
}

// A restart opens nothing and forgets nothing.
func TestConversionsSurviveARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: guarded})
		r.ignored(neighbour, 0, 24)
		r.stop()
		r = newRig(t, setup{store: r.store, limits: guarded})
		r.ignored(neighbour, 24, 1)
		r.shut(neighbour(30))
		pass(10 * time.Minute)
		r.stop()
		r = newRig(t, setup{store: r.store, limits: guarded})
		if wait := r.shut(neighbour(30)); wait != 50*time.Minute {
			t.Errorf("%s left, want 50m", wait)
		}
	})
}

// After the clock went back a month a shut block is shut for an hour, not for a
// month, and after it went forward it is open.
func TestConversionsWhenTheClockSteps(t *testing.T) {
	const month = 30 * 24 * time.Hour
	for _, step := range []time.Duration{-month, month} {
		t.Run(step.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, setup{limits: guarded})
				pass(2 * month)
				r.ignored(neighbour, 0, 25)
				r.shut(neighbour(30))
				r.stop()
				must(t, r.store.Update(context.Background(), func(tx otp.Tx) error {
					tx.Delete(otp.Key{Kind: otp.KindMeta, Part: "clock"}) // as an accepted step leaves it
					return nil
				}))
				r = newRig(t, setup{store: r.store, limits: guarded, clock: otp.NewClock(otp.ClockSource{Suspended: func() time.Duration { return step }})})
				if step < 0 {
					if wait := r.shut(neighbour(30)); wait > time.Hour {
						t.Errorf("shut for %s", wait)
					}
					pass(time.Hour)
				}
				r.mustStart(r.server(), neighbour(30))
			})
		})
	}
}

// The log tells once of each closing, by the block and never by a number.
func TestAClosingIsLoggedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var log bytes.Buffer
		r := newRig(t, setup{limits: guarded})
		r.box.Log = zerolog.New(&log)
		r.ignored(neighbour, 0, 25)
		for range 3 {
			r.shut(neighbour(30))
		}
		pass(time.Hour)
		r.ignored(neighbour, 100, 25)
		r.shut(neighbour(30))
		var told []string
		for line := range strings.Lines(log.String()) {
			var entry struct {
				Message, Prefix string
				Sends, Verified int
			}
			must(t, json.Unmarshal([]byte(line), &entry))
			if entry.Prefix != "" {
				told = append(told, fmt.Sprint(entry))
			}
		}
		if want := "{fraud.prefix +41791230 25 0}"; len(told) != 2 || told[0] != want || told[1] != want {
			t.Errorf("the log tells %q, want twice %s", told, want)
		}
	})
}

// BenchmarkStrangers measures starts, and their ends, of numbers that never verified here, under
// the limits that are on by default and with rows that are full.
func BenchmarkStrangers(b *testing.B) {
	for name, conversions := range map[string][]otp.Conversion{"counted": {{Sends: 1 << 30, Window: time.Minute, Percent: 10}}, "lifted": nil} {
		b.Run(name, func(b *testing.B) {
			var n atomic.Int64
			clock := otp.NewClock(otp.ClockSource{Suspended: func() time.Duration { return time.Duration(n.Load()) * 20 * time.Millisecond }})
			r := newRig(b, setup{clock: clock, limits: func(l *otp.Limits) {
				many := []otp.Rule{{Count: 1 << 30, Window: time.Hour}}
				l.SendsPerBlock, l.SendsPerLargeBlock, l.SendsPerCountry, l.SendsPerBox = many, many, many, many
				l.ConversionPerBlock, l.ConversionPerCountry = conversions, conversions
			}})
			b.ReportAllocs()
			for b.Loop() {
				p := r.mustStart(r.server(), fmt.Sprintf("+4178%07d", n.Add(1)))
				must(b, r.v.Cancel(context.Background(), r.server(), p.Verification.ID)) // the queue stays short
			}
		})
	}
}
