package otp_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// A slot is found again by whatever the door sees at the check.
func TestSlotOfEachForm(t *testing.T) {
	const spelt = "+41 (79) 123-45-67"
	named := func(login string) otp.Slot { return otp.Slot{Door: "descope", Login: login, Named: true} }
	for name, test := range map[string]struct {
		door    string
		request otp.StartRequest
		find    []otp.Slot
		not     []otp.Slot
	}{
		"strike": {"strike", otp.StartRequest{To: alice, Purpose: otp.PurposeSignUpOrIn, Slot: otp.Slot{Door: "strike"}},
			[]otp.Slot{{Door: "strike", Login: spelt}},
			[]otp.Slot{{Door: "strike", Login: bob}, {Door: "strike", Login: "alice"}, {Door: "strike"}, {Door: "gotrue:change", Login: alice}, {}}},
		"twilio": {"twilio", otp.StartRequest{To: alice, Purpose: otp.PurposeVerify, Slot: otp.Slot{Door: "twilio"}},
			[]otp.Slot{{Door: "twilio", Login: spelt}}, []otp.Slot{{Door: "strike", Login: spelt}}},
		"a new phone": {"descope", otp.StartRequest{To: alice, Purpose: otp.PurposeSignUp, Slot: named(spelt)},
			[]otp.Slot{named(alice)}, []otp.Slot{named(bob)}},
		"a new name": {"descope", otp.StartRequest{To: alice, Purpose: otp.PurposeSignUp, Slot: named("Alice"), Wish: otp.Wish{Name: "Alice"}},
			[]otp.Slot{named("alice"), named(" ALICE ")}, []otp.Slot{named(alice), named("bob")}},
		"a user by phone": {"descope", otp.StartRequest{Purpose: otp.PurposeSignIn, Slot: named(bob)},
			[]otp.Slot{named(bob), named("BOB")}, []otp.Slot{named(alice)}},
		"a user by name": {"descope", otp.StartRequest{Purpose: otp.PurposeSignIn, Slot: named("bob")},
			[]otp.Slot{named(bob), named("bob")}, []otp.Slot{named("alice")}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
				_, err := r.prove(r.at("descope"), otp.StartRequest{To: bob, Purpose: otp.PurposeSignUp, Wish: otp.Wish{Name: "Bob"}})
				must(t, err)
				for _, slot := range test.find {
					started, err := r.v.Start(t.Context(), r.at(test.door), test.request)
					must(t, err)
					digits := r.sent()
					for _, wrong := range test.not {
						_, err := r.v.CheckSlot(t.Context(), r.at(test.door), wrong, digits)
						wantCode(t, err, otp.CodeUnknown)
					}
					if p, err := r.v.GetSlot(t.Context(), r.at(test.door), slot); err != nil || p.Verification.ID != started.Verification.ID {
						t.Errorf("%+v finds another (%v)", slot, err)
					}
					if slot != test.find[len(test.find)-1] {
						continue
					}
					p, err := r.v.CheckSlot(t.Context(), r.at(test.door), slot, digits)
					must(t, err)
					if p.Verification.ID != started.Verification.ID {
						t.Error("another verification was approved")
					}
					_, err = r.v.CheckSlot(t.Context(), r.at(test.door), slot, digits)
					wantCode(t, err, otp.CodeUnknown)
				}
			})
		})
	}
}

// Whoever takes a slot cancels who was in it, with what is queued, and nobody
// else.
func TestSlotHoldsOneVerification(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		c, slot := r.at("strike"), otp.Slot{Door: "strike", Login: alice}
		start := func() otp.Progress {
			p, err := r.v.Start(t.Context(), c, otp.StartRequest{To: alice, Purpose: otp.PurposeVerify, Slot: slot})
			must(t, err)
			return p
		}
		bystander := r.mustStart(r.server(), alice)
		r.sent()
		first := start()
		old := r.sent()
		second := start()
		digits := r.sent()
		if s := r.verification(first.Verification.ID).Verification.Status; s != otp.Canceled {
			t.Errorf("the occupant is %s", s)
		}
		if s := r.verification(bystander.Verification.ID).Verification.Status; s != otp.Pending {
			t.Errorf("one without a slot is %s", s)
		}
		_, err := r.v.CheckSlot(t.Context(), c, slot, old)
		wantCode(t, err, otp.CodeWrong)
		if s := r.verification(first.Verification.ID).Verification; s.Tries != 0 {
			t.Error("a check of a slot evaluated two verifications")
		}
		r.routes[0].Down("absent")
		status := r.routes[0].Status()
		status.State, status.Free = otp.RouteComing, 0
		r.routes[0].SetStatus(status)
		queued := start()
		start()
		if m := r.message(queued.Message.ID); m.State != otp.MessageSuperseded {
			t.Errorf("the occupant's message is %s", m.State)
		}
		_, err = r.v.CheckSlot(t.Context(), c, slot, digits)
		wantCode(t, err, otp.CodeWrong)
		if s := r.verification(second.Verification.ID).Verification.Status; s != otp.Canceled {
			t.Errorf("the occupant is %s", s)
		}
	})
}

// An occupant with another address leaves its place among the live ones of
// that address.
func TestOccupantOfAnotherAddressLeavesNoTrace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		c, slot := r.at("descope"), otp.Slot{Door: "descope", Login: "alice", Named: true}
		for _, to := range []string{alice, bob} {
			_, err := r.v.Start(t.Context(), c, otp.StartRequest{To: to, Purpose: otp.PurposeSignUp, Slot: slot})
			must(t, err)
		}
		for range 3 {
			r.mustStart(r.server(), alice)
		}
		_, err := r.start(r.server(), alice)
		wantCode(t, err, otp.LimitAddress)
	})
}

// With Again a start on an occupied slot is a resend of the occupant.
func TestStartAgainIsAResend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := openApp("demo")
		app.Resend = otp.ResendNew // which Again overrules
		r := newRig(t, setup{apps: []otp.App{app}})
		request := otp.StartRequest{To: alice, Purpose: otp.PurposeVerify, Slot: otp.Slot{Door: "twilio"}, Again: true}
		start := func() otp.Progress {
			p, err := r.v.Start(t.Context(), r.at("twilio"), request)
			must(t, err)
			return p
		}
		first := start()
		digits := r.sent()
		second := start()
		if r.sent() != digits || second.Verification.ID != first.Verification.ID || second.Verification.Sends != 2 {
			t.Error("the second start is not a resend of the first")
		}
		synctest.Wait()
		if n := len(r.routes[0].Given()); n != 2 {
			t.Errorf("%d messages, want 2", n)
		}
		start()
		r.sent() // a resend that waits is not made twice
		_, err := r.v.Start(t.Context(), r.at("twilio"), request)
		wantCode(t, err, otp.LimitPhone)
		p, err := r.v.CheckSlot(t.Context(), r.at("twilio"), otp.Slot{Door: "twilio", Login: alice}, digits)
		must(t, err)
		if p.Grant != nil {
			t.Error("purpose verify gives a grant")
		}
		pass(10 * time.Minute)
		if start().Verification.ID == first.Verification.ID {
			t.Error("one that has ended is sent again")
		}
	})
}

// What is asked for differs: it is no resend.
func TestStartAgainOfSomethingElse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		request := otp.StartRequest{To: alice, Purpose: otp.PurposeSignUp, Slot: otp.Slot{Door: "descope", Login: "alice", Named: true}, Again: true}
		last, err := r.v.Start(t.Context(), r.at("descope"), request)
		must(t, err)
		for name, differ := range map[string]func(){
			"another phone":   func() { request.To = bob },
			"another purpose": func() { request.Purpose = otp.PurposeSignUpOrIn },
			"not again":       func() { request.Again = false },
		} {
			r.sent()
			before := request
			differ()
			p, err := r.v.Start(t.Context(), r.at("descope"), request)
			must(t, err)
			if p.Verification.ID == last.Verification.ID || p.Verification.Address.Key != request.To {
				t.Errorf("%s: the occupant is sent again", name)
			}
			request = before
			last, err = r.v.Start(t.Context(), r.at("descope"), request)
			must(t, err)
		}
	})
}

// At a private app anybody may start a sign-up under a name that somebody has,
// and is told so only after the right code. It must not cost the holder of the
// name the code under way.
func TestSlotOfAUserIsNotTakenByOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := openApp("demo")
		app.Private = true
		r := newRig(t, setup{limits: bare, apps: []otp.App{app}})
		c, slot := r.at("descope"), otp.Slot{Door: "descope", Login: "alice", Named: true}
		g, err := r.prove(c, otp.StartRequest{To: alice, Purpose: otp.PurposeSignUp, Wish: otp.Wish{Name: "alice"}})
		must(t, err)
		start := func(request otp.StartRequest) string {
			t.Helper()
			request.Slot, request.Reveal = slot, true
			must(t, second(r.v.Start(t.Context(), c, request)))
			return r.sent()
		}
		stranger := otp.StartRequest{To: bob, Purpose: otp.PurposeSignUp, Wish: otp.Wish{Name: "alice"}}
		for name, hers := range map[string]otp.StartRequest{
			"a login":           {Purpose: otp.PurposeSignIn},
			"a step-up":         {Purpose: otp.PurposeStepUp, Family: g.Grant.Session.ID},
			"a change of phone": {To: "+41791112233", Purpose: otp.PurposeChangePhone, Family: g.Grant.Session.ID},
		} {
			start(stranger)
			digits := start(hers)
			theirs := start(stranger)
			wantCode(t, second(r.v.CheckSlot(t.Context(), c, slot, theirs)), otp.CodeWrong)
			p, err := r.v.CheckSlot(t.Context(), c, slot, digits)
			if err != nil || p.Grant.User.ID != g.Grant.User.ID {
				t.Fatalf("%s: %v", name, err)
			}
			// With nobody waiting the stranger proves a number and learns the truth.
			wantCode(t, second(r.v.CheckSlot(t.Context(), c, slot, start(stranger))), otp.AlreadyRegistered)
		}
		// Her own newer start takes the place of the one before.
		first, newer := start(otp.StartRequest{Purpose: otp.PurposeSignIn}), start(otp.StartRequest{Purpose: otp.PurposeSignIn})
		wantCode(t, second(r.v.CheckSlot(t.Context(), c, slot, first)), otp.CodeWrong)
		must(t, second(r.v.CheckSlot(t.Context(), c, slot, newer)))
	})
}

func TestCancelAndResendBySlot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
		c, slot := r.at("twilio"), otp.Slot{Door: "twilio", Login: alice}
		_, err := r.v.CancelSlot(t.Context(), c, slot)
		wantCode(t, err, otp.CodeUnknown)
		_, err = r.v.ResendSlot(t.Context(), c, slot, "")
		wantCode(t, err, otp.CodeUnknown)
		started, err := r.v.Start(t.Context(), c, otp.StartRequest{To: alice, Purpose: otp.PurposeVerify, Slot: slot})
		must(t, err)
		digits := r.sent()
		again, err := r.v.ResendSlot(t.Context(), c, slot, "")
		must(t, err)
		if again.Verification.ID != started.Verification.ID || r.sent() != digits {
			t.Error("another code was sent")
		}
		ended, err := r.v.CancelSlot(t.Context(), c, slot)
		must(t, err)
		if ended.Verification.ID != started.Verification.ID || ended.Verification.Status != otp.Canceled {
			t.Errorf("it is %s", ended.Verification.Status)
		}
		_, err = r.v.CheckSlot(t.Context(), c, slot, digits)
		wantCode(t, err, otp.CodeExpired)
	})
}

// An unknown slot is charged like an unknown handle: to the caller, and to no
// phone.
func TestUnknownSlotIsCharged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
		c := r.from("192.0.2.1")
		c.Door = "strike"
		slot := otp.Slot{Door: "strike", Login: alice}
		for range 30 {
			_, err := r.v.CheckSlot(t.Context(), c, slot, "123456")
			wantCode(t, err, otp.CodeUnknown)
		}
		_, err := r.v.CheckSlot(t.Context(), c, slot, "123456")
		wantCode(t, err, otp.LimitAddress)
		_, err = r.v.Start(t.Context(), r.at("strike"), otp.StartRequest{To: alice, Purpose: otp.PurposeVerify, Slot: slot})
		must(t, err)
		_, err = r.v.CheckSlot(t.Context(), r.at("strike"), slot, r.sent())
		must(t, err)
	})
}

// A resend tells whether somebody waits for a code, so asking costs as much as
// any look-up.
func TestResendOfUnknownSlotsIsSlowedDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
		c := r.from("192.0.2.1")
		c.Door = "strike"
		for n := range 60 {
			_, err := r.v.ResendSlot(t.Context(), c, otp.Slot{Door: "strike", Login: fmt.Sprintf("+417911122%02d", n)}, "")
			wantCode(t, err, otp.CodeUnknown)
		}
		_, err := r.v.ResendSlot(t.Context(), c, otp.Slot{Door: "strike", Login: alice}, "")
		if e := wantCode(t, err, otp.LimitAddress); e.RetryAfter <= 0 {
			t.Error("a limit without a wait")
		}
		_, err = r.v.Resend(t.Context(), c, otp.NewID(), "")
		wantCode(t, err, otp.LimitAddress)
	})
}

// all doors share the limits of a number: the fourth send is refused,
// and so is the eleventh wrong try.
func TestDoorsShareTheLimitsOfAPhone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
		request := otp.StartRequest{To: alice, Purpose: otp.PurposeSignUpOrIn}
		for n, door := range []string{"ssojet", "passage", "descope", "strike"} {
			request := request
			if door == "descope" || door == "strike" {
				request.Slot = otp.Slot{Door: door, Login: alice, Named: door == "descope"}
			}
			_, err := r.v.Start(t.Context(), r.at(door), request)
			if n < 3 {
				must(t, err)
			} else {
				wantCode(t, err, otp.LimitPhone)
			}
		}
		r.sent()
		pass(time.Hour)
		tried := 0
		for _, door := range []string{"ssojet", "passage", "gotrue"} {
			p, err := r.v.Start(t.Context(), r.at(door), request)
			must(t, err)
			right := r.sent()
			for range 4 {
				_, err := r.v.Check(context.Background(), r.at(door), p.Verification.ID, wrong(right, 1))
				if tried++; tried <= 10 {
					wantCode(t, err, otp.CodeWrong)
				} else {
					wantCode(t, err, otp.LimitPhone)
				}
			}
			pass(5 * time.Minute)
		}
	})
}
