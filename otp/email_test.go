package otp_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

const ann = "ann@example.com"

// mailApp is an app that codes may be mailed for.
func mailApp(id string) otp.App {
	app := openApp(id)
	app.Email, app.Countries = true, []string{"CH"}
	return app
}

// mailRig is a box with a modem and a relay for email, which is the last of its
// routes.
func mailRig(t testing.TB, s setup) *rig {
	t.Helper()
	relay := otptest.NewRoute("mail")
	relay.SetStatus(otp.RouteStatus{State: otp.RouteReady, Free: 8, Slots: 8, Kind: "relay", Channels: []string{otp.ChannelEmail}})
	s.routes = []*otptest.Route{otptest.NewRoute("gsm0"), relay}
	if s.apps == nil {
		s.apps = []otp.App{mailApp("demo")}
	}
	return newRig(t, s)
}

// mailed waits for the dispatcher and returns the newest mail.
func (r *rig) mailed() otp.Outgoing {
	r.t.Helper()
	synctest.Wait()
	given := r.routes[1].Given()
	if len(given) == 0 {
		r.t.Fatal("no mail was sent")
	}
	return given[len(given)-1]
}

// to starts a verification of an address at a door that knows email.
func (r *rig) to(c otp.Caller, to, channel string, purpose otp.Purpose) (otp.Progress, error) {
	return r.v.Start(context.Background(), c, otp.StartRequest{To: to, Email: true, Channel: channel, Purpose: purpose})
}

// proveMail proves an address and returns the user of it.
func (r *rig) proveMail(to string, purpose otp.Purpose) (otp.Progress, error) {
	r.t.Helper()
	p, err := r.to(r.server(), to, "", purpose)
	must(r.t, err)
	return r.v.Check(context.Background(), r.server(), p.Verification.ID, r.mailed().Code)
}

func TestCodeByMail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := mailApp("demo")
		app.WebDomain, app.AndroidHash = "shop.example", "FA+9qCX9VSu"
		r := mailRig(t, setup{apps: []otp.App{app}})
		p, err := r.v.Start(t.Context(), r.server(), otp.StartRequest{To: "Ann@Example.COM", Email: true, Purpose: otp.PurposeVerify, Locale: "de"})
		must(t, err)
		if p.Verification.Channel != otp.ChannelEmail || p.Verification.Address.Masked() != "a***@example.com" {
			t.Errorf("started by %s to %s", p.Verification.Channel, p.Verification.Address.Masked())
		}
		out := r.mailed()
		want := out.Code + "\n\n" + out.Code + " ist Ihr Code für Demo, gültig 5 Min. Geben Sie ihn nicht weiter.\n"
		if out.Dial != "Ann@example.com" || out.Subject != "Ihr Code für Demo" || out.Text != want {
			t.Errorf("mailed to %s under %q", out.Dial, out.Subject)
		}
		if n := len(r.routes[0].Given()); n != 0 {
			t.Errorf("%d SMS", n)
		}
		must(t, r.check(r.server(), p.Verification.ID, out.Code))
		if a := r.verification(p.Verification.ID).Verification.Address; a.Email() != "Ann@example.com" || a.E164() != "" {
			t.Errorf("proven is %q, phone %q", a.Email(), a.E164())
		}
		// A phone goes on as before, from the same app.
		r.mustStart(r.server(), alice)
		synctest.Wait()
		if given := r.routes[0].Given(); len(given) != 1 || given[0].Subject != "" || len(r.routes[1].Given()) != 1 {
			t.Errorf("%d SMS", len(given))
		}
	})
}

// email exists where the app says so and a route carries it, and is
// never replaced by another channel, nor replaces one.
func TestEmailIsRefused(t *testing.T) {
	closed, everywhere := mailApp("demo"), mailApp("demo")
	closed.Email = false
	everywhere.Email, everywhere.Countries = false, []string{"*"}
	for name, test := range map[string]struct {
		app         otp.App
		to, channel string
		doorless    bool // the door does not know of email
		want        otp.Code
	}{
		"app":                {app: closed, to: ann, want: otp.InvalidRequest},
		"app of every land":  {app: everywhere, to: ann, want: otp.InvalidRequest},
		"app, named":         {app: everywhere, to: ann, channel: otp.ChannelEmail, want: otp.InvalidRequest},
		"sms":                {app: mailApp("demo"), to: ann, channel: otp.ChannelSMS, want: otp.InvalidRequest},
		"phone by email":     {app: mailApp("demo"), to: alice, channel: otp.ChannelEmail, want: otp.InvalidRequest},
		"no address":         {app: mailApp("demo"), to: "eve@", want: otp.InvalidRequest},
		"another header":     {app: mailApp("demo"), to: ann + "\r\nBcc: bob@example.com", want: otp.InvalidRequest},
		"door":               {app: mailApp("demo"), to: ann, doorless: true, want: otp.InvalidPhone},
		"door, named":        {app: mailApp("demo"), to: ann, channel: otp.ChannelEmail, doorless: true, want: otp.InvalidPhone},
		"phone at that door": {app: mailApp("demo"), to: alice, channel: otp.ChannelEmail, doorless: true, want: otp.InvalidRequest},
		"country":            {app: mailApp("demo"), to: bob, want: otp.CountryRefused},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := mailRig(t, setup{apps: []otp.App{test.app}})
				_, err := r.v.Start(t.Context(), r.server(), otp.StartRequest{
					To: test.to, Email: !test.doorless, Channel: test.channel, Purpose: otp.PurposeVerify,
				})
				if e := wantCode(t, err, test.want); strings.Contains(e.Detail, test.to) || e.RetryAfter != 0 {
					t.Errorf("the refusal is %+v", e)
				}
				synctest.Wait()
				if n := len(r.routes[0].Given()) + len(r.routes[1].Given()); n != 0 {
					t.Errorf("%d messages", n)
				}
			})
		})
	}
}

// Without a route for it, waiting does not help; while the route is down it may.
func TestEmailWithoutItsRoute(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{mailApp("demo")}})
		for _, channel := range []string{"", otp.ChannelEmail} {
			_, err := r.to(r.server(), ann, channel, otp.PurposeVerify)
			if e := wantCode(t, err, otp.ChannelUnavailable); e.RetryAfter != 0 {
				t.Errorf("ask again in %s", e.RetryAfter)
			}
		}
		r = mailRig(t, setup{})
		r.routes[1].Down("stopped")
		_, err := r.to(r.server(), ann, "", otp.PurposeVerify)
		if e := wantCode(t, err, otp.ChannelUnavailable); e.RetryAfter == 0 {
			t.Error("it is never back")
		}
	})
}

func TestResendOfAMail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := mailRig(t, setup{limits: bare})
		p, err := r.to(r.server(), ann, "", otp.PurposeVerify)
		must(t, err)
		first := r.mailed().Code
		for _, channel := range []string{"", otp.ChannelEmail} {
			_, err = r.v.Resend(t.Context(), r.server(), p.Verification.ID, channel)
			must(t, err)
			if r.mailed().Code != first {
				t.Error("the digits have changed")
			}
		}
		_, err = r.v.Resend(t.Context(), r.server(), p.Verification.ID, otp.ChannelSMS)
		wantCode(t, err, otp.InvalidRequest)
		sms := r.mustStart(r.server(), alice)
		_, err = r.v.Resend(t.Context(), r.server(), sms.Verification.ID, otp.ChannelEmail)
		wantCode(t, err, otp.InvalidRequest)
		synctest.Wait()
		if mails, texts := len(r.routes[1].Given()), len(r.routes[0].Given()); mails != 3 || texts != 1 {
			t.Errorf("%d mails, %d SMS", mails, texts)
		}
	})
}

// N4, N7: a mailbox is counted under all its spellings, tags and dots; what numbers
// share by block and country is not its own.
func TestLimitsOfAMailbox(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := mailRig(t, setup{})
		for _, spelling := range []string{ann, "ANN@example.com", "ann+1@example.com"} {
			_, err := r.to(r.server(), spelling, "", otp.PurposeVerify)
			must(t, err)
			synctest.Wait()
		}
		for _, spelling := range []string{"Ann+2@Example.com", "a.n.n@example.com", "an-n+3@example.com"} {
			_, err := r.to(r.server(), spelling, "", otp.PurposeVerify)
			if e := wantCode(t, err, otp.LimitPhone); e.RetryAfter != 5*time.Minute {
				t.Errorf("%s: ask again in %s", spelling, e.RetryAfter)
			}
		}
		_, err := r.to(r.server(), "ann@example.org", "", otp.PurposeVerify)
		must(t, err)
	})
	bubble(t, func(t *testing.T) {
		r := mailRig(t, setup{limits: func(l *otp.Limits) {
			bare(l)
			l.SendsPerBlock, l.SendsPerLargeBlock = []otp.Rule{{Count: 1, Window: time.Hour}}, []otp.Rule{{Count: 1, Window: time.Hour}}
			l.SendsPerCountry = []otp.Rule{{Count: 1, Window: time.Hour}}
			l.TriesPerPhone = []otp.Rule{{Count: 2, Window: time.Hour}}
		}})
		for _, to := range []string{"ann1@example.com", "ann2@example.com", "ann3@example.com"} {
			_, err := r.to(r.from("192.0.2.7"), to, "", otp.PurposeVerify)
			must(t, err)
		}
		for i, tag := range []string{"+a", "+b", "+c"} {
			p, err := r.to(r.server(), "bob"+tag+"@example.com", "", otp.PurposeVerify)
			must(t, err)
			want := otp.CodeWrong
			if i == 2 {
				want = otp.LimitPhone
			}
			wantCode(t, r.check(r.server(), p.Verification.ID, wrong(r.mailed().Code, 0)), want)
		}
	})
	bubble(t, func(t *testing.T) { // the rules by address and of the box hold for all
		r := mailRig(t, setup{limits: func(l *otp.Limits) {
			bare(l)
			l.SendsPerAddress, l.SendsPerBox = []otp.Rule{{Count: 2, Window: time.Hour}}, []otp.Rule{{Count: 5, Window: time.Hour}}
		}})
		for i, want := range []otp.Code{"", "", otp.LimitAddress} {
			if _, err := r.to(r.from("192.0.2.7"), string(rune('a'+i))+"@example.com", "", otp.PurposeVerify); want != "" {
				wantCode(t, err, want)
			} else {
				must(t, err)
			}
		}
		_, err := r.to(r.from("192.0.2.8"), "d@example.com", "", otp.PurposeVerify)
		must(t, err)
		_, err = r.to(r.from("192.0.2.9"), "e@example.com", "", otp.PurposeVerify)
		wantCode(t, err, otp.LimitBox) // 30 % are kept for those who verified here
	})
}

// A user is who holds the very address. A tag makes another, however much the
// limits count them together: a server may give them to two people.
func TestUsersByEmail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := mailRig(t, setup{limits: bare})
		p, err := r.proveMail(ann, otp.PurposeSignUp)
		must(t, err)
		first := p.Grant.User
		if first.Address.Email() != ann || first.Verified == 0 || p.Grant.Session == nil {
			t.Errorf("signed up as %q, verified %d", first.Address.Email(), first.Verified)
		}
		for to, same := range map[string]bool{"ANN@example.com": true, "ann+1@example.com": false, "ann@example.org": false} {
			p, err := r.proveMail(to, otp.PurposeSignUpOrIn)
			must(t, err)
			if (p.Grant.User.ID == first.ID) != same {
				t.Errorf("%s: the same user is %v, want %v", to, !same, same)
			}
		}
		_, err = r.proveMail(ann, otp.PurposeSignUp)
		wantCode(t, err, otp.AlreadyRegistered)
		_, err = r.proveMail("eve@example.com", otp.PurposeSignIn)
		wantCode(t, err, otp.NotRegistered)
		found, err := r.d.Find(t.Context(), r.server(), "Ann@Example.com")
		must(t, err)
		if found.ID != first.ID {
			t.Error("another is found")
		}
		made, err := r.d.Create(t.Context(), r.server(), otp.UserRequest{To: "zoe@example.com"})
		must(t, err)
		if made.Address.Email() != "zoe@example.com" || made.Verified != 0 {
			t.Errorf("made %q, verified %d", made.Address.Email(), made.Verified)
		}
		_, err = r.d.Create(t.Context(), r.server(), otp.UserRequest{To: "zoe@"})
		wantCode(t, err, otp.InvalidRequest)
		must(t, r.d.Remove(t.Context(), r.server(), first.ID))
		_, err = r.d.Find(t.Context(), r.server(), ann)
		wantCode(t, err, otp.NotRegistered)
	})
}

// Who takes somebody's email address as a login name, without a proof of it, is
// not found under it.
func TestLoginNameIsNoEmail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := mailRig(t, setup{limits: bare})
		_, err := r.v.Start(t.Context(), r.at("descope"), otp.StartRequest{
			To: alice, Purpose: otp.PurposeSignUp, Slot: otp.Slot{Door: "descope", Login: ann, Named: true}, Wish: otp.Wish{Name: ann},
		})
		must(t, err)
		_, err = r.v.CheckSlot(t.Context(), r.at("descope"), otp.Slot{Door: "descope", Login: ann, Named: true}, r.sent())
		must(t, err)
		_, err = r.d.Find(t.Context(), r.server(), ann)
		wantCode(t, err, otp.NotRegistered)
		p, err := r.proveMail(ann, otp.PurposeSignUp)
		must(t, err)
		if p.Grant.User.Address.Kind != otp.Email {
			t.Error("the holder of the address is the one of the name")
		}
	})
}

// A step-up goes to where the user can be reached, by the channel that leads
// there; an app that has done with email sends none to who is registered either.
func TestStepUpByMail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := otptest.NewMemory()
		r := mailRig(t, setup{limits: bare, store: store})
		p, err := r.proveMail(ann, otp.PurposeSignUp)
		must(t, err)
		session := p.Grant.Session
		stepUp := func(r *rig, channel string) (otp.Progress, error) {
			return r.v.Start(t.Context(), r.server(), otp.StartRequest{Purpose: otp.PurposeStepUp, Email: true, Channel: channel, Family: session.ID})
		}
		_, err = stepUp(r, otp.ChannelSMS)
		wantCode(t, err, otp.InvalidRequest)
		p, err = stepUp(r, "")
		must(t, err)
		if p.Verification.Channel != otp.ChannelEmail {
			t.Errorf("it goes by %s", p.Verification.Channel)
		}
		must(t, r.check(r.server(), p.Verification.ID, r.mailed().Code))
		r.stop()
		without := newRig(t, setup{limits: bare, store: store, apps: []otp.App{mailApp("demo")}})
		_, err = stepUp(without, "")
		wantCode(t, err, otp.ChannelUnavailable)
		without.stop()
		closed := mailApp("demo")
		closed.Email = false
		_, err = stepUp(mailRig(t, setup{limits: bare, store: store, apps: []otp.App{closed}}), "")
		wantCode(t, err, otp.InvalidRequest)
	})
}

// Only codes are mailed: what an app writes itself goes to phones.
func TestPlainMessageByMail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := mailRig(t, setup{limits: bare})
		_, err := r.outbox.Send(t.Context(), r.server(), otp.MessageRequest{To: ann, Text: "hello"})
		wantCode(t, err, otp.InvalidPhone)
	})
}
