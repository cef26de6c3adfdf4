package otp_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// textBack is a box with an app that takes SMS as a proof.
func textBack(t *testing.T, change func(*otp.App)) *rig {
	t.Helper()
	app := listening("demo")
	if change != nil {
		change(&app)
	}
	r := newRig(t, setup{apps: []otp.App{app}})
	r.box.Numbers = map[string]string{"gsm0": "+41790000000"}
	return r
}

// ask starts a verification that waits for an SMS.
func (r *rig) ask(c otp.Caller, to string, purpose otp.Purpose) (otp.Progress, error) {
	return r.v.Start(context.Background(), c, otp.StartRequest{To: to, Channel: otp.ChannelInbound, Purpose: purpose})
}

var textForm = regexp.MustCompile(`^[A-Z2-7]{8}$`)

func TestTextBackProvesTheSender(t *testing.T) {
	for name, form := range map[string]func(string) string{
		"AsIs":   func(s string) string { return s },
		"Lower":  strings.ToLower,
		"Spaced": func(s string) string { return " " + s[:4] + " " + s[4:] + ".\n" },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := textBack(t, nil)
				p, err := r.ask(r.from("192.0.2.1"), alice, otp.PurposeVerify)
				must(t, err)
				if !textForm.MatchString(p.TextThis) || p.TextTo != "+41790000000" || !p.Message.ID.IsZero() {
					t.Fatalf("text %q to %q, message %v", p.TextThis, p.TextTo, p.Message.ID)
				}
				if left := p.Verification.Expires.Sub(p.Verification.Created); left != 120*time.Second {
					t.Errorf("it lives %v", left)
				}
				r.texted(alice, form(p.TextThis))
				if got := r.verification(p.Verification.ID); got.Verification.Status != otp.Approved || got.TextThis != "" {
					t.Errorf("it is %s", got.Verification.Status)
				}
				if len(r.routes[0].Given()) != 0 {
					t.Error("something was sent")
				}
				if n := len(r.inbox()); n != 0 {
					t.Errorf("%d such SMS are kept for anybody to read", n)
				}
			})
		})
	}
}

// Nobody but the holder of the number can prove it, and only once and in time.
func TestTextBackRefusesTheRest(t *testing.T) {
	for name, do := range map[string]func(t *testing.T, r *rig, text string){
		"OtherSender": func(_ *testing.T, r *rig, text string) { r.texted(bob, text) },
		"Name":        func(_ *testing.T, r *rig, text string) { r.texted("41791234567", text) },
		"Late":        func(_ *testing.T, r *rig, text string) { pass(120 * time.Second); r.texted(alice, text) },
		"OtherText":   func(_ *testing.T, r *rig, text string) { r.texted(alice, "AAAAAAAA") },
		"PartOfText":  func(_ *testing.T, r *rig, text string) { r.texted(alice, text[:7]) },
		"AfterRestore": func(t *testing.T, r *rig, text string) {
			_, err := r.box.Open(context.Background(), true)
			must(t, err)
			r.texted(alice, text)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := textBack(t, nil)
				p, err := r.ask(r.server(), alice, otp.PurposeVerify)
				must(t, err)
				do(t, r, p.TextThis)
				got := r.verification(p.Verification.ID).Verification
				if got.Status == otp.Approved || got.Tries != 0 {
					t.Errorf("it is %s after %d tries", got.Status, got.Tries)
				}
			})
		})
	}
}

// The text is no code, and there is no code.
func TestTextBackIsNeverAcceptedByCheck(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := textBack(t, nil)
		p, err := r.ask(r.server(), alice, otp.PurposeVerify)
		must(t, err)
		var digits string
		must(t, r.store.View(context.Background(), func(tx otp.Tx) (err error) {
			digits, err = r.box.Keys.Derive(tx, &p.Verification)
			return err
		}))
		for _, typed := range []string{p.TextThis, digits, ""} {
			wantCode(t, r.check(r.server(), p.Verification.ID, typed), otp.CodeWrong)
		}
		_, err = r.v.Resend(context.Background(), r.server(), p.Verification.ID, "")
		wantCode(t, err, otp.InvalidRequest)
	})
}

func TestTextBackIsOffUnlessAsked(t *testing.T) {
	off := func(a *otp.App) { a.Inbound = false }
	signIn := func(a *otp.App) { a.InboundSignIn = true }
	for name, test := range map[string]struct {
		change  func(*otp.App)
		purpose otp.Purpose
		refused bool
	}{
		"Off":          {off, otp.PurposeVerify, true},
		"On":           {nil, otp.PurposeVerify, false},
		"SignIn":       {nil, otp.PurposeSignIn, true},
		"SignUp":       {nil, otp.PurposeSignUp, true},
		"SignUpOrIn":   {nil, otp.PurposeSignUpOrIn, true},
		"ChangePhone":  {nil, otp.PurposeChangePhone, true},
		"StepUp":       {nil, otp.PurposeStepUp, true},
		"SignInOn":     {signIn, otp.PurposeSignIn, false},
		"SignUpOrInOn": {signIn, otp.PurposeSignUpOrIn, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := textBack(t, test.change)
			_, err := r.ask(r.server(), alice, test.purpose)
			if test.refused {
				wantCode(t, err, otp.InvalidRequest)
			} else {
				must(t, err)
			}
		})
	}
	t.Run("NoModem", func(t *testing.T) {
		r := textBack(t, nil)
		r.routes[0].SetStatus(otp.RouteStatus{State: otp.RouteReady, Free: 8, Slots: 8, Kind: "relay"})
		_, err := r.ask(r.server(), alice, otp.PurposeVerify)
		wantCode(t, err, otp.ChannelUnavailable)
	})
}

// A session is for who holds the id, once, and only after the SMS has come.
func TestTextBackSession(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := textBack(t, func(a *otp.App) { a.InboundSignIn = true })
		p, err := r.ask(r.server(), alice, otp.PurposeSignUpOrIn)
		must(t, err)
		wantCode(t, r.check(r.server(), p.Verification.ID, p.TextThis), otp.CodeWrong)
		r.texted(alice, p.TextThis)
		if got := r.verification(p.Verification.ID); got.Verification.Status != otp.Pending || !got.Texted {
			t.Fatalf("after the SMS it is %s, texted %v", got.Verification.Status, got.Texted)
		}
		wantCode(t, r.check(r.server(), p.Verification.ID, "AAAAAAAA"), otp.CodeWrong)
		got, err := r.v.Check(context.Background(), r.server(), p.Verification.ID, strings.ToLower(p.TextThis))
		must(t, err)
		if got.Grant == nil || got.Grant.Session == nil || got.Grant.User.Address.E164() != alice {
			t.Fatalf("grant %+v", got.Grant)
		}
		wantCode(t, r.check(r.server(), p.Verification.ID, p.TextThis), otp.CodeUsed)
		if n := r.rows(otp.KindKnown); n != 0 {
			t.Error("a sender that can be spoofed is known as one that verified here")
		}
	})
}

// A start on this channel comes under the limits of any start.
func TestTextBackIsLimited(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := textBack(t, nil)
		for range 3 {
			_, err := r.ask(r.from("192.0.2.1"), alice, otp.PurposeVerify)
			must(t, err)
		}
		_, err := r.ask(r.from("192.0.2.1"), alice, otp.PurposeVerify)
		wantCode(t, err, otp.LimitAddress)
	})
}
