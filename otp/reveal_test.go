package otp_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// A door whose vendor tells at once does so, and nothing is sent.
func TestRevealingStart(t *testing.T) {
	for _, test := range []struct {
		purpose otp.Purpose
		wish    otp.Wish
		before  func(r *rig)
		want    otp.Code
	}{
		{otp.PurposeSignIn, otp.Wish{}, nil, otp.NotRegistered},
		{otp.PurposeSignIn, otp.Wish{}, register, ""},
		{otp.PurposeSignIn, otp.Wish{}, disable, otp.UserDisabled},
		{otp.PurposeSignUp, otp.Wish{}, nil, ""},
		{otp.PurposeSignUp, otp.Wish{}, register, otp.AlreadyRegistered},
		{otp.PurposeSignUp, otp.Wish{}, disable, otp.AlreadyRegistered},
		{otp.PurposeSignUp, otp.Wish{Name: "Bob"}, nil, otp.AlreadyRegistered},
		{otp.PurposeSignUpOrIn, otp.Wish{}, nil, ""},
		{otp.PurposeSignUpOrIn, otp.Wish{}, disable, otp.UserDisabled},
		{otp.PurposeSignUpOrIn, otp.Wish{Name: "Bob"}, nil, otp.AlreadyRegistered},
		{otp.PurposeSignUpOrIn, otp.Wish{Name: "Bob"}, register, ""},
		{otp.PurposeVerify, otp.Wish{}, disable, ""},
	} {
		bubble(t, func(t *testing.T) {
			r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
			_, err := r.prove(r.at("descope"), otp.StartRequest{To: bob, Purpose: otp.PurposeSignUp, Wish: otp.Wish{Name: "bob"}})
			must(t, err)
			if test.before != nil {
				test.before(r)
			}
			_, err = r.v.Start(t.Context(), r.at("passage"), otp.StartRequest{To: alice, Purpose: test.purpose, Reveal: true, Wish: test.wish})
			synctest.Wait()
			sent := len(r.routes[0].Given()) - 1
			if e := otp.AsError(err); test.want == "" && (err != nil || sent != 1) || test.want != "" && (e == nil || e.Code != test.want || sent != 0) {
				t.Errorf("%s: %v, want %q; %d messages", test.purpose, err, test.want, sent)
			}
		})
	}
}

// whether a number is registered, or a name is anybody's, makes no
// difference to when a limit refuses, and how.
func TestLimitsDoNotTellWhoIsRegistered(t *testing.T) {
	// positions tells what each of twelve starts in six hours met, and the words of
	// its 429.
	positions := func(t *testing.T, private, registered, slot bool, address string, request otp.StartRequest) (out []string) {
		bubble(t, func(t *testing.T) {
			app := openApp("demo")
			app.Private, app.CodeTTL = private, 10*time.Minute
			r := newRig(t, setup{apps: []otp.App{app}})
			if registered {
				_, err := r.prove(r.at("descope"), otp.StartRequest{To: alice, Purpose: otp.PurposeSignUp, Wish: otp.Wish{Name: "alice"}})
				must(t, err)
			}
			r.measure()
			pass(24 * time.Hour) // its own sends are no longer counted
			c := r.from(address)
			c.Door = "descope"
			if slot && request.Slot.Door == "" {
				request.Slot = otp.Slot{Door: "strike", Login: request.To}
			}
			for n := range 12 {
				p, err := r.v.Start(t.Context(), c, request)
				e := otp.AsError(err)
				switch {
				case err == nil:
					out = append(out, fmt.Sprint("sent ", p.Verification.Status, p.Message.State, p.ETA, p.ResendAfter, p.Verification.Sends))
				case e.RetryAfter > 0:
					out = append(out, e.Error()+fmt.Sprint(e.RetryAfter))
				case private:
					t.Errorf("a private app says %v", err)
				default:
					out = append(out, "told")
				}
				synctest.Wait()
				if n >= 5 {
					pass(time.Hour)
				} else {
					pass(2*time.Minute + time.Duration(n)*time.Second)
				}
			}
		})
		return out
	}
	phone := otp.StartRequest{To: alice, Purpose: otp.PurposeSignIn, Reveal: true}
	name := otp.StartRequest{Purpose: otp.PurposeSignIn, Reveal: true, Slot: otp.Slot{Door: "descope", Login: "alice", Named: true}}
	for _, address := range []string{"", "192.0.2.1"} {
		for _, slot := range []bool{false, true} {
			for _, request := range []otp.StartRequest{phone, name} {
				for _, private := range []bool{false, true} {
					known := positions(t, private, true, slot, address, request)
					unknown := positions(t, private, false, slot, address, request)
					refused := 0
					for n := range known {
						was, is := known[n], unknown[n]
						if !private && is == "told" && was[:4] == "sent" {
							continue
						}
						if was[:4] != "sent" {
							refused++
						}
						// The back-off of a name is jittered by another subject than that
						// of its phone.
						if was != is && !(request.To == "" && was[:4] != "sent" && is[:4] != "sent" && is != "told") {
							t.Errorf("private %v, slot %v, from %q, start %d: %q for one who is registered, %q for nobody", private, slot, address, n, was, is)
						}
					}
					if refused == 0 {
						t.Error("no limit was met")
					}
				}
			}
		}
	}
}

// A name that nobody has looks, at a private app, as one that somebody has: at
// the start, at each wrong try, and at a resend. Nothing is sent, and no code
// is right.
func TestDecoy(t *testing.T) {
	slot := otp.Slot{Door: "descope", Login: "alice", Named: true}
	tries := func(t *testing.T, registered bool) (out []string) {
		bubble(t, func(t *testing.T) {
			app := openApp("demo")
			app.Private = true
			r := newRig(t, setup{apps: []otp.App{app}})
			messages := 1
			if registered {
				_, err := r.prove(r.at("descope"), otp.StartRequest{To: alice, Purpose: otp.PurposeSignUp, Wish: otp.Wish{Name: "alice"}})
				must(t, err)
				messages = 4
			}
			r.measure()
			pass(24 * time.Hour)
			note := func(p otp.Progress, err error) {
				if err != nil {
					out = append(out, fmt.Sprint(otp.AsError(err).Code, otp.AsError(err).RetryAfter))
					return
				}
				out = append(out, fmt.Sprint(p.Verification.Status, p.Verification.AttemptsLeft(), p.Message.State, p.ResendAfter, p.ETA, p.Verification.ID.IsZero()))
			}
			start := func() {
				note(r.v.Start(t.Context(), r.at("descope"), otp.StartRequest{Purpose: otp.PurposeSignIn, Slot: slot}))
			}
			c := r.from("192.0.2.1")
			c.Door = "descope"
			start()
			synctest.Wait()
			for range 5 {
				note(r.v.CheckSlot(t.Context(), c, slot, "x"))
			}
			note(r.v.ResendSlot(t.Context(), r.at("descope"), slot, ""))
			synctest.Wait()
			note(r.v.CheckSlot(t.Context(), r.at("descope"), slot, "x"))
			note(r.v.CheckSlot(t.Context(), r.at("descope"), slot, "x"))
			pass(10 * time.Minute)
			note(r.v.CheckSlot(t.Context(), r.at("descope"), slot, "x"))
			if n := len(r.routes[0].Given()); n != messages {
				t.Errorf("%d messages, want %d", n, messages)
			}
		})
		return out
	}
	known, unknown := tries(t, true), tries(t, false)
	for n := range known {
		if known[n] != unknown[n] {
			t.Errorf("step %d: %q for one who is registered, %q for nobody", n, known[n], unknown[n])
		}
	}
}

// No digits approve a decoy, those that it would have had among them.
func TestNoCodeApprovesADecoy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := openApp("demo")
		app.Private = true
		r := newRig(t, setup{apps: []otp.App{app}})
		p, err := r.v.Start(t.Context(), r.at("descope"), otp.StartRequest{Purpose: otp.PurposeSignIn, Slot: otp.Slot{Door: "descope", Login: "alice", Named: true}})
		must(t, err)
		var digits string
		must(t, r.store.View(t.Context(), func(tx otp.Tx) (err error) {
			digits, err = r.box.Keys.Derive(tx, &p.Verification)
			return err
		}))
		_, err = r.v.Check(t.Context(), r.at("descope"), p.Verification.ID, digits)
		wantCode(t, err, otp.CodeWrong)
	})
}

func TestUnknownNameIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
		for _, purpose := range []otp.Purpose{otp.PurposeSignIn, otp.PurposeSignUp, otp.PurposeSignUpOrIn, otp.PurposeVerify} {
			_, err := r.v.Start(t.Context(), r.at("descope"), otp.StartRequest{
				Purpose: purpose, Reveal: true, Slot: otp.Slot{Door: "descope", Login: fmt.Sprint("nobody ", purpose), Named: true},
			})
			wantCode(t, err, otp.NotRegistered)
		}
		_, err := r.v.Start(t.Context(), r.at("strike"), otp.StartRequest{Purpose: otp.PurposeSignIn, Slot: otp.Slot{Door: "strike", Login: "alice"}})
		wantCode(t, err, otp.InvalidPhone)
	})
}

// A start that reveals is a look-up, whatever it finds: where sends are not
// limited, look-ups are.
func TestRevealingStartsAreChargedAsLookUps(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, registered := range []bool{true, false} {
			r := newRig(t, setup{apps: []otp.App{openApp("demo")}, limits: func(l *otp.Limits) {
				*l = otp.Limits{RefusalsPerAddress: l.RefusalsPerAddress}
			}})
			if registered {
				register(r)
			}
			c := r.from("192.0.2.1")
			c.Door = "strike"
			request := otp.StartRequest{To: alice, Purpose: otp.PurposeSignIn, Reveal: true, Slot: otp.Slot{Door: "strike"}}
			for range 60 {
				if e := otp.AsError(second(r.v.Start(t.Context(), c, request))); registered && e != nil || !registered && e.Code != otp.NotRegistered {
					t.Fatal(e)
				}
			}
			wantCode(t, second(r.v.Start(t.Context(), c, request)), otp.LimitAddress)
			r.stop()
		}
	})
}

// What nobody has is in no country and no block, and uses up none.
func TestDecoysUseUpNoCountry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := openApp("demo")
		app.Private = true
		r := newRig(t, setup{apps: []otp.App{app}, limits: func(l *otp.Limits) {
			one := []otp.Rule{{Count: 1, Window: time.Hour}}
			*l = otp.Limits{SendsPerBlock: one, SendsPerLargeBlock: one, SendsPerCountry: one, SendsPerBox: one}
		}})
		for n := range 5 {
			_, err := r.v.Start(t.Context(), r.at("descope"), otp.StartRequest{
				Purpose: otp.PurposeSignIn, Slot: otp.Slot{Door: "descope", Login: fmt.Sprint("nobody", n), Named: true},
			})
			must(t, err)
		}
		r.mustStart(r.server(), alice)
		wantCode(t, second(r.start(r.server(), bob)), otp.LimitBox)
	})
}

// A user whose country the app no longer sends to is, at a private app, nobody
// to a stranger: the number was not typed, so its country must not be told.
func TestCountryOfAUserIsNotTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := openApp("demo")
		app.Private = true
		r := newRig(t, setup{apps: []otp.App{app}})
		must(t, second(r.prove(r.at("descope"), otp.StartRequest{To: bob, Purpose: otp.PurposeSignUp, Wish: otp.Wish{Name: "bob"}})))
		synctest.Wait()
		r.stop()
		app.Countries = []string{"CH"}
		after := newRig(t, setup{apps: []otp.App{app}, store: r.store})
		for _, name := range []string{"bob", "nobody"} {
			slot := otp.Slot{Door: "descope", Login: name, Named: true}
			p, err := after.v.Start(t.Context(), after.at("descope"), otp.StartRequest{Purpose: otp.PurposeSignIn, Slot: slot})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if p.Verification.Status != otp.Pending || p.Message.State != otp.MessageAccepted {
				t.Errorf("%s: got %s, %s", name, p.Verification.Status, p.Message.State)
			}
			wantCode(t, second(after.v.CheckSlot(t.Context(), after.at("descope"), slot, "x")), otp.CodeWrong)
		}
		synctest.Wait()
		if n := len(after.routes[0].Given()); n != 0 {
			t.Errorf("%d messages left", n)
		}
		// What was typed is judged as ever.
		_, err := after.v.Start(t.Context(), after.at("descope"), otp.StartRequest{To: bob, Purpose: otp.PurposeSignIn})
		wantCode(t, err, otp.CountryRefused)
	})
}
