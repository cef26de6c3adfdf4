package otp_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// sim gives the route of the rig a SIM.
func (r *rig) sim(imsi string) {
	s := r.routes[0].Status()
	s.IMSI = imsi
	r.routes[0].SetStatus(s)
}

// locally texts the box from a sender that the network has not written in
// international form.
func (r *rig) locally(from, text string, national bool) {
	r.t.Helper()
	must(r.t, r.outbox.Received(context.Background(), otp.Incoming{
		Route: "gsm0", From: from, Local: true, National: national, Text: text, Parts: 1,
	}))
}

const swissSIM, testSIM = "228011234567890", "001010123456789"

// A sender in the form of its country is a number of the SIM's country, or of
// the one that the apps are for: it can leave, and is shown in full.
func TestLocalSenderOptsOut(t *testing.T) {
	for name, test := range map[string]struct {
		sim, from string
		national  bool
		countries []string
		out       bool
	}{
		"SIM":                     {swissSIM, "0791234567", false, []string{"*"}, true},
		"Without0":                {swissSIM, "791234567", true, []string{"*"}, true},
		"SIMBeforeApps":           {swissSIM, "0791234567", false, []string{"DE"}, true},
		"OneCountry":              {testSIM, "0791234567", false, []string{"CH"}, true},
		"NoSIMRead":               {"", "0791234567", false, []string{"CH"}, true},
		"TwoCountries":            {testSIM, "0791234567", false, []string{"CH", "LI"}, false},
		"AllCountries":            {testSIM, "0791234567", false, []string{"*"}, false},
		"NumberOfAnother":         {"262011234567890", "0791234567", false, []string{"CH"}, false},
		"Name":                    {swissSIM, "MyBank", false, []string{"CH"}, false},
		"NameOfDigitsAndAMistake": {swissSIM, "079 1234567", false, []string{"CH"}, false},
		"ShortCode":               {swissSIM, "9222", true, []string{"CH"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				app := listening("demo")
				app.Countries = test.countries
				r := newRig(t, setup{apps: []otp.App{app}})
				r.sim(test.sim)
				r.locally(test.from, "STOP", test.national)
				list, _, err := r.outbox.OptOuts(context.Background(), 10, "")
				must(t, err)
				if out := len(list) == 1 && list[0].Address.Key == alice; out != test.out || !out && len(list) != 0 {
					t.Errorf("opted out: %+v, want %v", list, test.out)
				}
				if from := r.inbox()[0].From; test.out && from != alice || !test.out && from != test.from {
					t.Errorf("it is from %s", from)
				}
			})
		})
	}
}

// A proof needs to know the country from the SIM: that the config has one says
// nothing about where the text came from.
func TestLocalSenderProves(t *testing.T) {
	for name, test := range map[string]struct {
		sim  string
		want otp.Status
	}{
		"SIM":   {swissSIM, otp.Approved},
		"Guess": {testSIM, otp.Pending},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := textBack(t, func(a *otp.App) { a.Countries, a.InboundSignIn = []string{"CH"}, true })
				r.sim(test.sim)
				p, err := r.ask(r.from("192.0.2.1"), alice, otp.PurposeVerify)
				must(t, err)
				r.locally("0791234567", p.TextThis, false)
				if got := r.verification(p.Verification.ID).Verification.Status; got != test.want {
					t.Errorf("it is %s, want %s", got, test.want)
				}
				p, err = r.ask(r.from("192.0.2.1"), alice, otp.PurposeSignUpOrIn)
				must(t, err)
				r.locally("0791234567", p.TextThis, false)
				if err := r.check(r.from("192.0.2.1"), p.Verification.ID, p.TextThis); (err == nil) != (test.want == otp.Approved) {
					t.Errorf("the sign-in: %v", err)
				}
			})
		})
	}
}

// The same SMS handed over again after the SIM was read is the same still.
func TestLocalSenderIsKeptOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := listening("demo")
		app.Countries = []string{"*"}
		r := newRig(t, setup{apps: []otp.App{app}})
		in := otp.Incoming{Route: "gsm0", From: "0791234567", Local: true, Text: "once", At: r.box.Clock.Now(), Parts: 1}
		must(t, r.outbox.Received(context.Background(), in))
		r.sim(swissSIM)
		synctest.Wait()
		pass(time.Second)
		must(t, r.outbox.Received(context.Background(), in))
		if n := len(r.inbox()); n != 1 {
			t.Errorf("%d are kept", n)
		}
	})
}
