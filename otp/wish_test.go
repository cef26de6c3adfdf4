package otp_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

// a start fills the placeholders that the app has named, once, in the
// app's own text, and can put nothing else there.
func TestOptionsOfAStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := openApp("demo")
		app.Name, app.Options = "{order}", []string{"order", "table"}
		app.Texts = map[string]string{"en": "{code} {app} [{order}]", "de": "{code} {table}"}
		r := newRig(t, setup{limits: bare, apps: []otp.App{app}})
		start := func(options map[string]string) (otp.Progress, error) {
			return r.v.Start(t.Context(), r.at("descope"), otp.StartRequest{
				To: alice, Purpose: otp.PurposeSignUpOrIn, Wish: otp.Wish{Options: options},
				Slot: otp.Slot{Door: "descope", Login: alice, Named: true}, Metadata: []byte(`{"table":"{table}"}`),
			})
		}
		for n, test := range []struct {
			options map[string]string
			want    string
		}{
			{nil, " {order} []"},
			{map[string]string{"order": "12.50 CHF"}, " {order} [12.50 CHF]"},
			{map[string]string{"order": "a", "table": "7"}, " {order} [a]"},
		} {
			_, err := start(test.options)
			must(t, err)
			digits := r.sent()
			if got := r.routes[0].Given()[n].Text; got != digits+test.want {
				t.Errorf("options %v: the text is not the wanted one", test.options)
			}
		}
		_, err := r.v.ResendSlot(t.Context(), r.at("descope"), otp.Slot{Door: "descope", Login: alice, Named: true}, "")
		must(t, err)
		if digits, given := r.sent(), r.routes[0].Given(); given[3].Text != digits+" {order} [a]" {
			t.Error("a resend has lost the options")
		}
		for name, options := range map[string]map[string]string{
			"one that is not listed": {"code": "1"}, "metadata": {"user_name": "x"}, "a link": {"order": "https://evil"},
			"a domain": {"order": "evil.tld"}, "an origin": {"order": "@evil #1"}, "a brace": {"order": "{code}"},
			"a line": {"order": "a\nb"}, "33 characters": {"order": strings.Repeat("a", 33)}, "nothing": {"order": ""},
			"a good one with a bad one": {"order": "a", "table": "\x1b"},
		} {
			_, err := start(options)
			e := wantCode(t, err, otp.InvalidRequest)
			for _, value := range options {
				if len(value) > 2 && strings.Contains(e.Error(), value) {
					t.Errorf("%s: the error repeats the value", name)
				}
			}
		}
	})
}

func TestLoginNamesThatAreNone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		for _, name := range []string{" ", alice, "+41 79 123 45 67", "+41900123456", "a\nb", "a\x00b", "a\u202eb", "\xff", strings.Repeat("a", 129)} {
			_, err := r.v.Start(t.Context(), r.at("descope"), otp.StartRequest{To: alice, Purpose: otp.PurposeSignUp, Wish: otp.Wish{Name: name}})
			if e := otp.AsError(err); e == nil || e.Code != otp.InvalidRequest {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
}

// What looks like a challenge and is none could never be redeemed: it is told
// before a message leaves.
func TestChallengesThatAreNone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		good := challenge(verifier)
		for _, bad := range []string{good[:42], good + "A", good[:20] + "\n" + good[20:], good + "\r\n", good[:42] + "=", good[:42] + "!", verifier} {
			_, err := r.v.Start(t.Context(), r.at("descope"), otp.StartRequest{To: alice, Purpose: otp.PurposeSignUpOrIn, Wish: otp.Wish{Challenge: bad}})
			if e := otp.AsError(err); e == nil || e.Code != otp.InvalidRequest {
				t.Errorf("%q: %v", bad, err)
			}
		}
	})
}

func TestUnknownPurpose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		for _, purpose := range []otp.Purpose{"", "login", "Verify"} {
			_, err := r.v.Start(t.Context(), r.server(), otp.StartRequest{To: alice, Purpose: purpose})
			wantCode(t, err, otp.InvalidRequest)
		}
	})
}
