package otp_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

func verdict(o otp.Outcome, reason otp.Reason, retry otp.Retry) otp.Verdict {
	return otp.Verdict{Outcome: o, Reason: reason, Retry: retry}
}

// What becomes of a code whose first route answers with these verdicts, with
// and without a second route that always sends.
func TestVerdicts(t *testing.T) {
	for _, test := range []struct {
		name     string
		verdicts []otp.Verdict
		alone    otp.MessageState // with one route
		firsts   int              // attempts by it
		both     otp.MessageState // with a second route
		seconds  int              // attempts by that
	}{
		{"sent", []otp.Verdict{{Outcome: otp.Sent, Ref: "7"}}, otp.MessageSent, 1, otp.MessageSent, 0},
		{"bad number", []otp.Verdict{verdict(otp.Refused, otp.ReasonRecipient, otp.RetryNever)}, otp.MessageFailed, 1, otp.MessageFailed, 0},
		{"bad SIM", []otp.Verdict{verdict(otp.Refused, otp.ReasonSIM, otp.RetryElsewhere)}, otp.MessageFailed, 1, otp.MessageSent, 1},
		{"temporary, once", []otp.Verdict{verdict(otp.Refused, otp.ReasonTemporary, otp.RetryHere)}, otp.MessageSent, 2, otp.MessageSent, 0},
		{"temporary, twice", slices.Repeat([]otp.Verdict{verdict(otp.Refused, otp.ReasonTemporary, otp.RetryHere)}, 2), otp.MessageFailed, 2, otp.MessageSent, 1},
		{"one try elsewhere", []otp.Verdict{verdict(otp.Refused, otp.ReasonRecipient, otp.RetryOnce)}, otp.MessageFailed, 1, otp.MessageSent, 1},
		{"unknown, once", []otp.Verdict{verdict(otp.Unknown, otp.ReasonNoAnswer, 0)}, otp.MessageSent, 2, otp.MessageSent, 1},
		{"unknown, twice", slices.Repeat([]otp.Verdict{verdict(otp.Unknown, otp.ReasonNoAnswer, 0)}, 2), otp.MessageUnknown, 2, otp.MessageSent, 1},
		{"unknown, then refused", []otp.Verdict{verdict(otp.Unknown, otp.ReasonNoAnswer, 0), verdict(otp.Refused, otp.ReasonRecipient, otp.RetryNever)}, otp.MessageUnknown, 2, otp.MessageSent, 1},
		{"port gone, then back", []otp.Verdict{verdict(otp.Refused, otp.ReasonRouteGone, otp.RetryElsewhere)}, otp.MessageSent, 2, otp.MessageSent, 1},
	} {
		for _, second := range []bool{false, true} {
			name, want := test.name+", alone", test.alone
			routes := []*otptest.Route{otptest.NewRoute("gsm0")}
			if second {
				name, want = test.name+", with another route", test.both
			}
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					routes[0] = otptest.NewRoute("gsm0")
					if second {
						routes = append(routes, otptest.NewRoute("gsm1"))
					}
					routes[0].Verdicts(test.verdicts...)
					r := newRig(t, setup{routes: routes})
					p := r.mustStart(r.server(), alice)
					pass(3 * time.Second)
					synctest.Wait()
					m := r.message(p.Message.ID)
					if m.State != want {
						t.Errorf("the message is %s (%s), want %s", m.State, m.Reason, want)
					}
					if !second && len(routes[0].Given()) != test.firsts {
						t.Errorf("%d attempts, want %d", len(routes[0].Given()), test.firsts)
					}
					if second && len(routes[1].Given()) != test.seconds {
						t.Errorf("%d attempts by the second route, want %d", len(routes[1].Given()), test.seconds)
					}
				})
			})
		}
	}
}

// A second route that answers unknown as well never leads to a third
// transmission.
func TestNeverAThirdTransmission(t *testing.T) {
	bubble(t, func(t *testing.T) {
		routes := []*otptest.Route{otptest.NewRoute("gsm0"), otptest.NewRoute("gsm1"), otptest.NewRoute("gsm2")}
		for _, route := range routes {
			route.Verdicts(verdict(otp.Unknown, otp.ReasonNoAnswer, 0))
		}
		r := newRig(t, setup{routes: routes})
		p := r.mustStart(r.server(), alice)
		synctest.Wait()
		m := r.message(p.Message.ID)
		if m.State != otp.MessageUnknown || m.MaybeSent != 2 || !m.PossibleDuplicate {
			t.Errorf("the message is %s after %d maybe sent", m.State, m.MaybeSent)
		}
		if code(t, routes[0], 0) != code(t, routes[1], 0) {
			t.Error("the repeat has other digits")
		}
		if len(routes[2].Given()) != 0 {
			t.Error("there was a third transmission")
		}
	})
}

func TestRepeatsOnlyWhatIsWorthIt(t *testing.T) {
	during := map[string]func(r *rig, p otp.Progress){
		"approved meanwhile": func(r *rig, p otp.Progress) {
			must(r.t, r.check(r.server(), p.Verification.ID, code(r.t, r.routes[0], 0)))
		},
		"canceled meanwhile": func(r *rig, p otp.Progress) {
			must(r.t, r.v.Cancel(context.Background(), r.server(), p.Verification.ID))
		},
		"less than a minute to go": func(r *rig, p otp.Progress) { pass(4*time.Minute + time.Second) },
	}
	for name, f := range during {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var r *rig
				var p otp.Progress
				begun := make(chan struct{})
				route := otptest.NewRoute("gsm0")
				route.Script(otptest.Turn{Verdict: verdict(otp.Unknown, otp.ReasonNoAnswer, 0), During: func(otp.Outgoing) { <-begun; f(r, p) }})
				r = newRig(t, setup{routes: []*otptest.Route{route}})
				p = r.mustStart(r.server(), alice)
				close(begun)
				pass(5 * time.Minute)
				synctest.Wait()
				if n := len(route.Given()); n != 1 {
					t.Errorf("%d transmissions, want 1", n)
				}
				if m := r.message(p.Message.ID); m.State != otp.MessageUnknown {
					t.Errorf("the message is %s", m.State)
				}
			})
		})
	}
}

func TestCodesGoBeforeMessages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		r := newRig(t, setup{routes: []*otptest.Route{route}, limits: bare})
		s := route.Status()
		s.State, s.Free = otp.RouteComing, 0
		route.SetStatus(s)
		synctest.Wait()
		send := func(text string, p otp.Priority) {
			_, err := r.outbox.Send(context.Background(), r.server(), otp.MessageRequest{To: bob, Text: text, Priority: p})
			must(t, err)
		}
		send("normal 1", otp.PriorityNormal)
		send("normal 2", otp.PriorityNormal)
		send("high", otp.PriorityHigh)
		r.mustStart(r.server(), alice)
		route.Ready()
		synctest.Wait()
		given := route.Given()
		if len(given) != 4 || given[0].Dial != alice[1:] || given[1].Text != "high" || given[2].Text != "normal 1" || given[3].Text != "normal 2" {
			t.Errorf("%d messages went out, or in another order; the route is %+v", len(given), route.Status())
		}
	})
}

func TestQueuedMessagesExpire(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		r := newRig(t, setup{routes: []*otptest.Route{route}})
		s := route.Status()
		s.State, s.Free = otp.RouteComing, 0
		route.SetStatus(s)
		p := r.mustStart(r.server(), alice)
		pass(5*time.Minute + time.Second)
		synctest.Wait()
		if m := r.message(p.Message.ID); m.State != otp.MessageExpired || m.Reason != otp.ReasonNoRoute {
			t.Errorf("the message is %s (%s)", m.State, m.Reason)
		}
		route.Ready()
		synctest.Wait()
		if len(route.Given()) != 0 {
			t.Error("a dead code was sent")
		}
	})
}

func TestApprovalTakesBackWhatIsQueued(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		route.Verdicts(verdict(otp.Refused, otp.ReasonTemporary, otp.RetryHere))
		r := newRig(t, setup{routes: []*otptest.Route{route}})
		p := r.mustStart(r.server(), alice)
		must(t, r.check(r.server(), p.Verification.ID, r.sent()))
		pass(time.Minute)
		synctest.Wait()
		if m := r.message(p.Message.ID); m.State != otp.MessageSuperseded || m.Reason != otp.ReasonApproved {
			t.Errorf("the message is %s (%s)", m.State, m.Reason)
		}
		if n := len(route.Given()); n != 1 {
			t.Errorf("%d transmissions, want 1", n)
		}
	})
}

func TestReports(t *testing.T) {
	report := otp.Report{Route: "gsm0", Ref: "1", Dial: alice[1:], Delivered: true}
	for _, test := range []struct {
		name string
		edit func(*otp.Report)
		wait time.Duration
		want otp.MessageState
	}{
		{"delivered", func(*otp.Report) {}, 0, otp.MessageDelivered},
		{"given up", func(r *otp.Report) { r.Delivered = false }, 0, otp.MessageUndelivered},
		{"another reference", func(r *otp.Report) { r.Ref = "2" }, 0, otp.MessageSent},
		{"another number", func(r *otp.Report) { r.Dial = bob[1:] }, 0, otp.MessageSent},
		{"another route", func(r *otp.Report) { r.Route = "gsm1" }, 0, otp.MessageSent},
		{"a day late", func(*otp.Report) {}, 24 * time.Hour, otp.MessageSent},
		{"just within the day", func(*otp.Report) {}, 24*time.Hour - time.Minute, otp.MessageDelivered},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, setup{})
				p := r.mustStart(r.server(), alice)
				synctest.Wait()
				pass(test.wait)
				it := report
				test.edit(&it)
				r.outbox.Reported(it)
				synctest.Wait()
				if m := r.message(p.Message.ID); m.State != test.want {
					t.Errorf("the message is %s, want %s", m.State, test.want)
				}
				// A report never makes a verification anything else.
				if s := r.verification(p.Verification.ID).Verification.Status; test.wait == 0 && s != otp.Pending {
					t.Errorf("the verification is %s", s)
				}
			})
		})
	}
}

// A report can overtake the verdict of its own attempt.
func TestReportBeforeVerdict(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		var r *rig
		route.Script(otptest.Turn{
			Verdict: otp.Verdict{Outcome: otp.Sent, Ref: "9"}, Takes: 2 * time.Second,
			During: func(otp.Outgoing) {
				r.outbox.Reported(otp.Report{Route: "gsm0", Ref: "9", Dial: alice[1:], Delivered: true})
			},
		})
		r = newRig(t, setup{routes: []*otptest.Route{route}})
		p := r.mustStart(r.server(), alice)
		pass(3 * time.Second)
		synctest.Wait()
		if m := r.message(p.Message.ID); m.State != otp.MessageDelivered {
			t.Errorf("the message is %s", m.State)
		}
	})
}

func TestLateConfirmation(t *testing.T) {
	t.Run("instead of the repeat", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			route := otptest.NewRoute("gsm0")
			busy := func(otp.Outgoing) { s := route.Status(); s.Free = 0; route.SetStatus(s) }
			route.Script(otptest.Turn{Verdict: verdict(otp.Unknown, otp.ReasonNoAnswer, 0), During: busy})
			r := newRig(t, setup{routes: []*otptest.Route{route}})
			p := r.mustStart(r.server(), alice)
			synctest.Wait()
			r.outbox.Confirmed("gsm0", p.Message.ID, "44")
			route.Ready()
			synctest.Wait()
			m := r.message(p.Message.ID)
			if n := len(route.Given()); n != 1 || m.State != otp.MessageSent {
				t.Errorf("%d transmissions, the message is %s", n, m.State)
			}
			r.outbox.Reported(otp.Report{Route: "gsm0", Ref: "44", Dial: alice[1:], Delivered: true})
			synctest.Wait()
			if m := r.message(p.Message.ID); m.State != otp.MessageDelivered {
				t.Errorf("the message is %s after its report", m.State)
			}
		})
	})
	t.Run("of another route's attempt", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			routes := []*otptest.Route{otptest.NewRoute("gsm0"), otptest.NewRoute("gsm1")}
			routes[0].Verdicts(verdict(otp.Unknown, otp.ReasonNoAnswer, 0))
			routes[1].Verdicts(verdict(otp.Unknown, otp.ReasonNoAnswer, 0))
			r := newRig(t, setup{routes: routes})
			p := r.mustStart(r.server(), alice)
			synctest.Wait()
			r.outbox.Confirmed("gsm0", p.Message.ID, "44")
			synctest.Wait()
			if m := r.message(p.Message.ID); m.State != otp.MessageUnknown {
				t.Errorf("the message is %s", m.State)
			}
		})
	})
}

func TestStopFinishesTheDialogueUnderWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		route.Script(otptest.Turn{Takes: 20 * time.Second})
		r := newRig(t, setup{routes: []*otptest.Route{route}})
		synctest.Wait()
		first := r.mustStart(r.server(), alice)
		second := r.mustStart(r.server(), bob)
		synctest.Wait()
		r.stop()
		if m := r.message(first.Message.ID); m.State != otp.MessageSent {
			t.Errorf("the message under way is %s", m.State)
		}
		if m := r.message(second.Message.ID); m.State != otp.MessageAccepted {
			t.Errorf("the queued message is %s", m.State)
		}
	})
}

// The outcome of an attempt is not lost when the store fails for a while.
func TestVerdictOutlivesAStoreFault(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		var r *rig
		route.Script(otptest.Turn{During: func(otp.Outgoing) { r.store.FailNext(context.DeadlineExceeded) }})
		r = newRig(t, setup{routes: []*otptest.Route{route}})
		p := r.mustStart(r.server(), alice)
		pass(5 * time.Second)
		synctest.Wait()
		if m := r.message(p.Message.ID); m.State != otp.MessageSent || len(route.Given()) != 1 {
			t.Errorf("the message is %s after %d attempts", m.State, len(route.Given()))
		}
	})
}

func TestRouteThatPanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		route.Script(otptest.Turn{During: func(otp.Outgoing) { panic("defect") }})
		r := newRig(t, setup{routes: []*otptest.Route{route}})
		p := r.mustStart(r.server(), alice)
		synctest.Wait()
		if m := r.message(p.Message.ID); m.State != otp.MessageSent || m.MaybeSent != 2 {
			t.Errorf("the message is %s, maybe sent %d", m.State, m.MaybeSent)
		}
	})
}

// A test route carries nothing for an app in production.
func TestNullRouteIsForTestApps(t *testing.T) {
	bubble(t, func(t *testing.T) {
		null := otptest.NewRoute("null")
		s := null.Status()
		s.Test = true
		null.SetStatus(s)
		r := newRig(t, setup{routes: []*otptest.Route{null}})
		_, err := r.start(r.server(), alice)
		wantCode(t, err, otp.ChannelUnavailable)
	})
}

func TestSlowRouteRefusesInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		r := newRig(t, setup{routes: []*otptest.Route{route}, limits: bare})
		for range 40 {
			route.Script(otptest.Turn{Takes: 10 * time.Second})
		}
		r.mustStart(r.server(), "+41791110000")
		pass(11 * time.Second) // the pace is measured now
		var refused *otp.Error
		n := 0
		for ; refused == nil && n < 40; n++ {
			_, err := r.start(r.server(), "+4179111"+string(rune('1'+n/10))+string(rune('0'+n%10))+"00")
			refused = otp.AsError(err)
			synctest.Wait()
		}
		if refused == nil || refused.Code != otp.Busy || n < 4 || n > 8 {
			t.Fatalf("refusal %v at the start number %d of ten seconds each", refused, n)
		}
		pass(refused.RetryAfter)
		synctest.Wait()
		r.mustStart(r.server(), "+41791119999")
	})
}
