package otp_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// The fault table as far as a route's verdict tells of the fault: how long until
// the other route has the message (N21), how often it was transmitted (N22), and
// how it ends.
func TestFailOver(t *testing.T) {
	type attempt struct {
		takes   time.Duration
		verdict otp.Verdict
	}
	refuse := func(reason otp.Reason, retry otp.Retry) otp.Verdict { return verdict(otp.Refused, reason, retry) }
	for _, test := range []struct {
		fault    string
		kind     string
		attempts []attempt // by the first route
		limit    time.Duration
		want     otp.MessageState
		elsewhere,
		duplicate bool
		alone otp.MessageState // without another route
	}{
		{"F2 unplugged before Ctrl-Z", "modem", []attempt{{time.Second, refuse(otp.ReasonRouteGone, otp.RetryElsewhere)}}, 5 * time.Second, otp.MessageSent, true, false, otp.MessageSent},
		{"F3 unplugged after Ctrl-Z", "modem", []attempt{{time.Second, verdict(otp.Unknown, otp.ReasonRouteGone, 0)}}, 5 * time.Second, otp.MessageSent, true, true, otp.MessageSent},
		{"F5 no answer after Ctrl-Z", "modem", []attempt{{30 * time.Second, verdict(otp.Unknown, otp.ReasonNoAnswer, 0)}}, 30 * time.Second, otp.MessageSent, true, true, otp.MessageSent},
		{"F11 temporary, once", "modem", []attempt{{time.Second, refuse(otp.ReasonTemporary, otp.RetryHere)}}, 0, otp.MessageSent, false, false, otp.MessageSent},
		{"F11 temporary, twice", "modem", []attempt{{time.Second, refuse(otp.ReasonTemporary, otp.RetryHere)}, {time.Second, refuse(otp.ReasonTemporary, otp.RetryHere)}}, 10 * time.Second, otp.MessageSent, true, false, otp.MessageFailed},
		{"F12 bad number", "modem", []attempt{{time.Second, refuse(otp.ReasonRecipient, otp.RetryNever)}}, 0, otp.MessageFailed, false, false, otp.MessageFailed},
		{"F13 bad SIM", "modem", []attempt{{time.Second, refuse(otp.ReasonSIM, otp.RetryElsewhere)}}, 2 * time.Second, otp.MessageSent, true, false, otp.MessageFailed},
		{"F14 our own defect", "modem", []attempt{{0, refuse(otp.ReasonEncoding, otp.RetryNever)}}, 0, otp.MessageFailed, false, false, otp.MessageFailed},
		{"F17 connection refused", "relay", []attempt{{0, refuse(otp.ReasonRouteGone, otp.RetryHere)}, {0, refuse(otp.ReasonRouteGone, otp.RetryHere)}}, 10 * time.Second, otp.MessageSent, true, false, otp.MessageSent},
		{"F18 too many requests", "relay", []attempt{{time.Second, refuse(otp.ReasonTemporary, otp.RetryElsewhere)}}, 10 * time.Second, otp.MessageSent, true, false, otp.MessageFailed},
		{"F20 answer lost", "relay", []attempt{{8 * time.Second, verdict(otp.Unknown, otp.ReasonNoAnswer, 0)}}, 10 * time.Second, otp.MessageSent, true, true, otp.MessageUnknown},
		{"F20 answer lost, repeats are known", "relay", []attempt{{8 * time.Second, verdict(otp.Unknown, otp.ReasonNoAnswer, otp.RetryHere)}}, 10 * time.Second, otp.MessageSent, true, true, otp.MessageSent},
		{"a route that panics", "modem", []attempt{{0, otp.Verdict{Outcome: otp.Unknown, Reason: otp.ReasonRouteFault}}}, 2 * time.Second, otp.MessageSent, true, true, otp.MessageSent},
	} {
		for _, alone := range []bool{false, true} {
			name := test.fault
			if alone {
				name += ", alone"
			}
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					first, second := otptest.NewRoute("first"), otptest.NewRoute("second")
					s := first.Status()
					s.Kind = test.kind
					first.SetStatus(s)
					maybe := 0
					for _, a := range test.attempts {
						first.Script(otptest.Turn{Takes: a.takes, Verdict: a.verdict})
						if a.verdict.Outcome == otp.Unknown {
							maybe++
						}
					}
					var r *rig
					var began, over otp.Time
					second.Script(otptest.Turn{During: func(otp.Outgoing) { over = r.box.Clock.Now() }})
					routes := []*otptest.Route{first, second}
					if alone {
						routes = routes[:1]
					}
					r = newRig(t, setup{routes: routes, limits: bare})
					synctest.Wait()
					began = r.box.Clock.Now()
					p := r.mustStart(r.server(), alice)
					pass(6 * time.Minute)
					synctest.Wait()
					m := r.message(p.Message.ID)
					if alone {
						if m.State != test.alone || m.MaybeSent > 2 {
							t.Errorf("the message is %s (%s), maybe sent %d times", m.State, m.Reason, m.MaybeSent)
						}
						return
					}
					if m.State != test.want || m.PossibleDuplicate != test.duplicate || m.MaybeSent > 2 {
						t.Errorf("the message is %s (%s), a possible duplicate: %v, maybe sent %d times", m.State, m.Reason, m.PossibleDuplicate, m.MaybeSent)
					}
					if took := over.Sub(began); (over != 0) != test.elsewhere || test.elsewhere && took > test.limit {
						t.Errorf("the other route had it after %v, want %v: %v", took, test.elsewhere, test.limit)
					}
					if test.elsewhere && code(t, first, 0) != code(t, second, 0) {
						t.Error("the other route sent other digits")
					}
					if m.State == otp.MessageSent {
						maybe++
					}
					if maybe > 2 {
						t.Errorf("%d transmissions", maybe)
					}
				})
			})
		}
	}
}

// F17: a provider that was not reached is looked for once more after 1 s, give
// or take half of it, and not by all messages in the same moment.
func TestProviderIsLookedForAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		first, second := otptest.NewRoute("first"), otptest.NewRoute("second")
		s := first.Status()
		s.Kind = "relay"
		first.SetStatus(s)
		var r *rig
		var asked []otp.Time
		gone := otptest.Turn{Verdict: verdict(otp.Refused, otp.ReasonRouteGone, otp.RetryHere), During: func(otp.Outgoing) {
			asked = append(asked, r.box.Clock.Now())
		}}
		well := otptest.Turn{Verdict: verdict(otp.Sent, otp.ReasonNone, otp.RetryNever)}
		r = newRig(t, setup{routes: []*otptest.Route{first, second}, limits: bare})
		var pauses []time.Duration
		for n := range 40 {
			asked = nil
			first.Script(gone, gone, well, well, well)
			r.mustStart(r.server(), number(2*n))
			pass(5 * time.Second)
			if synctest.Wait(); len(asked) != 2 {
				t.Fatalf("the provider was asked %d times", len(asked))
			}
			pauses = append(pauses, asked[1].Sub(asked[0]))
			for range 3 { // or its breaker would open
				r.mustStart(r.server(), number(2*n+1))
				pass(5 * time.Second)
			}
		}
		slices.Sort(pauses)
		if least, most := pauses[0], pauses[len(pauses)-1]; least < 500*time.Millisecond || most > 1500*time.Millisecond || most-least < 300*time.Millisecond {
			t.Errorf("the pauses are %v to %v", least, most)
		}
	})
}

// A provider's id that no store could take as a key keeps nobody from sending.
func TestEndlessReference(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, first, _ := pair(t, "relay")
		endless := verdict(otp.Sent, otp.ReasonNone, otp.RetryNever)
		endless.Ref = otp.Reference(strings.Repeat("x", 65_400))
		first.Verdicts(endless)
		p := r.mustStart(r.server(), alice)
		synctest.Wait()
		if got := r.message(p.Message.ID); got.State != otp.MessageSent {
			t.Errorf("the message is %s", got.State)
		}
		must(t, r.store.View(t.Context(), func(tx otp.Tx) error {
			return tx.Scan(otp.Key{Kind: otp.KindReference}, otp.Key{}, 0, func(k otp.Key, _ []byte) bool {
				t.Errorf("a key of %d bytes was written", len(k.Part))
				return true
			})
		}))
	})
}
