package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/twilio/twilio-go"
	"github.com/twilio/twilio-go/client"
	verify "github.com/twilio/twilio-go/rest/verify/v2"
)

// detour sends to the box what the SDK sends to the host that is compiled in.
type detour struct{ box *url.URL }

// RoundTrip implements [http.RoundTripper].
func (d detour) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "verify.twilio.com" {
		return nil, errors.New(r.URL.Host + " is not Verify")
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = d.box.Scheme, d.box.Host, ""
	return http.DefaultTransport.RoundTrip(r)
}

// verifier is the SDK at one app.
type verifier struct {
	*verify.ApiService
	service string
}

const account = "AC00000000000000000000000000000000"

// openTwilio opens the SDK with a key of ours for a password. It refuses one
// with an underscore, so that of sk_ is left out.
func openTwilio(base string, a app, secret string) (verifier, error) {
	box, err := url.Parse(base)
	if err != nil {
		return verifier{}, err
	}
	c := &client.Client{
		Credentials: client.NewCredentials(account, strings.Replace(secret, "_", "", 1)),
		HTTPClient:  &http.Client{Transport: detour{box}},
	}
	c.SetAccountSid(account)
	return verifier{twilio.NewRestClientWithParams(twilio.ClientParams{Client: c}).VerifyV2, a.Service}, nil
}

func (v verifier) send(to string) (*verify.VerifyV2Verification, error) {
	return v.CreateVerification(v.service, (&verify.CreateVerificationParams{}).SetTo(to).SetChannel("sms"))
}

func (v verifier) check(to, code string) (*verify.VerifyV2VerificationCheck, error) {
	return v.CreateVerificationCheck(v.service, (&verify.CreateVerificationCheckParams{}).SetTo(to).SetCode(code))
}

// begin sends and reads the code.
func (v verifier) begin(p *phone) (sid, code string, err error) {
	sent, err := v.send(p.number)
	if err != nil {
		return "", "", err
	}
	code, err = p.code()
	return *sent.Sid, code, err
}

// rest returns an error unless err is the SDK's own with this status and code.
func rest(err error, status, code int) error {
	var e *client.TwilioRestError
	if !errors.As(err, &e) {
		return want(false, "%v, want %d %d", err, status, code)
	}
	return want(e.Status == status && e.Code == code, "%d %d %s, want %d %d", e.Status, e.Code, e.Message, status, code)
}

func runTwilio(s *suite, given given) {
	a, b := given.Apps.A, given.Apps.B
	here, err := openTwilio(given.Base, a, a.Secret)
	there, err2 := openTwilio(given.Base, b, b.Secret)
	stranger, err3 := openTwilio(given.Base, a, b.Secret)
	s.step("start", "the client opens", func() error { return errors.Join(err, err2, err3) })

	s.step("login", "the right code approves", func() error {
		p := s.phone()
		sid, code, err := here.begin(p)
		if err != nil {
			return err
		}
		checked, err := here.check(p.number, code)
		if err != nil {
			return err
		}
		return want(*checked.Sid == sid && *checked.Status == "approved" && *checked.Valid, "status %s", *checked.Status)
	})
	s.step("wrong", "a wrong code is pending", func() error {
		p := s.phone()
		if _, _, err := here.begin(p); err != nil {
			return err
		}
		checked, err := here.check(p.number, p.wrong())
		if err != nil {
			return err
		}
		return want(*checked.Status == "pending" && !*checked.Valid, "status %s", *checked.Status)
	})
	s.step("wrong", "a key that is not the app's is 20003", func() error {
		_, err := stranger.send(s.phone().number)
		return rest(err, 401, 20003)
	})
	s.step("used", "a used code is 20404", func() error {
		p := s.phone()
		_, code, err := here.begin(p)
		if err != nil {
			return err
		}
		if _, err := here.check(p.number, code); err != nil {
			return err
		}
		_, err = here.check(p.number, code)
		return rest(err, 404, 20404)
	})
	s.step("other", "a verification of one app is nothing at another", func() error {
		p := s.phone()
		sid, code, err := here.begin(p)
		if err != nil {
			return err
		}
		_, err = there.check(p.number, code)
		if err := rest(err, 404, 20404); err != nil {
			return err
		}
		_, err = there.FetchVerification(b.Service, sid)
		return rest(err, 404, 20404)
	})
	s.step("limit", "the fourth send is 60203", func() error {
		p := s.phone()
		for range 3 { // one that waits for the modem would be sent but once
			if _, _, err := here.begin(p); err != nil {
				return err
			}
		}
		_, err := here.send(p.number)
		return rest(err, 429, 60203)
	})
	s.step("more", "fetched and canceled by the phone", func() error {
		p := s.phone()
		sid, code, err := here.begin(p)
		if err != nil {
			return err
		}
		fetched, err := here.FetchVerification(a.Service, p.number)
		if err != nil {
			return err
		}
		if *fetched.Sid != sid {
			return errors.New("it is another verification")
		}
		canceled, err := here.UpdateVerification(a.Service, p.number, (&verify.UpdateVerificationParams{}).SetStatus("canceled"))
		if err != nil {
			return err
		}
		if *canceled.Status != "canceled" {
			return errors.New("it is not canceled")
		}
		_, err = here.check(p.number, code)
		return rest(err, 404, 20404)
	})
}
