package api_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/api"
	"github.com/pinferry/pinferry/server/web"
)

// tokenOf is an access token that names an app and proves nothing.
func tokenOf(app string) string {
	claims := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"iss":%q,"sub":"x"}`, app))
	return "e30." + claims + ".AAAA"
}

// signIn gives the core a session that its tokens stand for.
func (k *core) signIn() *otp.Grant {
	k.Grant.Session, k.Grant.First = &otp.Session{ID: otp.NewID(), App: "demo", User: k.Grant.User.ID}, true
	k.Fail = nil
	return &k.Grant
}

func TestSignIn(t *testing.T) {
	for _, purpose := range []otp.Purpose{otp.PurposeSignIn, otp.PurposeSignUp, otp.PurposeSignUpOrIn} {
		d := open(t)
		status, body := d.do(d.Start, request{key: publishable, body: `{"to":"` + phone + `","purpose":"` + string(purpose) + `"}`})
		if r := d.core.Started; status != 201 || r.Purpose != purpose || r.Reveal || r.Slot != (otp.Slot{}) {
			t.Errorf("%s: got %d %s, asked %+v", purpose, status, body, r)
		}
	}
	d := open(t)
	v := &d.core.Progress.Verification
	v.Status, v.Purpose = otp.Approved, otp.PurposeSignUpOrIn
	grant := d.core.signIn()
	d.core.Progress.Grant, d.core.Progress.ResendAfter, d.core.Progress.ETA = grant, 0, 0
	status, body := d.do(d.Check, request{key: publishable, param: id, body: `{"code":"493827"}`})
	if status != 200 || d.core.Issued != grant {
		t.Errorf("got %d, issued %v", status, d.core.Issued)
	}
	golden(t, "session", body)

	d.core.Issued, grant.Session = nil, nil // an app without sessions
	if status, body := d.do(d.Check, request{key: publishable, param: id, body: `{"code":"493827"}`}); status != 200 || d.core.Issued != nil || strings.Contains(body, "session") {
		t.Errorf("without sessions: got %d %s", status, body)
	}
}

// TestTruthAfterTheCode shows what whoever proved a number is told.
func TestTruthAfterTheCode(t *testing.T) {
	for code, want := range map[otp.Code]int{otp.NotRegistered: 422, otp.AlreadyRegistered: 409, otp.UserDisabled: 403} {
		d := open(t)
		d.core.Err = &otp.Error{Code: code, Detail: "Why."}
		status, body := d.do(d.Check, request{key: publishable, param: id, body: `{"code":"493827"}`})
		if status != want || !strings.Contains(body, `"code":"`+string(code)+`"`) || strings.Contains(body, "session") {
			t.Errorf("%s: got %d %s", code, status, body)
		}
	}
}

func TestStepUp(t *testing.T) {
	d := open(t)
	const body = `{"purpose":"step_up","access_token":"a.b.c"}`
	if status, answer := d.do(d.Start, request{key: publishable, body: body}); status != 401 || d.core.called() != "Bearer" {
		t.Errorf("without a session: got %d %s; core: %q", status, answer, d.core.called())
	}
	grant := d.core.signIn()
	status, answer := d.do(d.Start, request{key: publishable, body: body})
	if status != 201 || d.core.Started.Family != grant.Session.ID || d.core.Started.To != "" || d.core.Token != "a.b.c" {
		t.Errorf("got %d %s, asked %+v", status, answer, d.core.Started)
	}
}

// tokenCalls are those that are about a refresh token.
func tokenCalls(d *door) map[string]web.Handler {
	return map[string]web.Handler{"Refresh": d.Refresh, "Revoke": d.Revoke}
}

func TestRefresh(t *testing.T) {
	d := open(t)
	d.core.signIn()
	for _, k := range []string{publishable, secret} {
		status, body := d.do(d.Refresh, request{key: k, body: `{"refresh_token":"old"}`})
		if status != 200 || d.core.called() != "Refresh" || d.core.Token != "old" || d.core.Caller.App.ID != "demo" {
			t.Errorf("got %d %s; core: %q of %q", status, body, d.core.called(), d.core.Token)
		}
		golden(t, "refreshed", body)
		if status, body := d.do(d.Revoke, request{key: k, body: `{"refresh_token":"old"}`}); status != 204 || body != "" || d.core.called() != "Revoke" {
			t.Errorf("got %d %s", status, body)
		}
	}
}

func TestTokenCallsRefuse(t *testing.T) {
	for name, test := range map[string]struct {
		request request
		status  int
		asked   bool
	}{
		"NoKey":     {request{body: `{"refresh_token":"old"}`}, 401, false},
		"NoToken":   {request{key: publishable, body: `{}`}, 400, false},
		"Empty":     {request{key: publishable, body: `{"refresh_token":""}`}, 400, false},
		"Number":    {request{key: publishable, body: `{"refresh_token":7}`}, 400, false},
		"Misspelt":  {request{key: publishable, body: `{"refreshToken":"old"}`}, 400, false},
		"DeadToken": {request{key: publishable, body: `{"refresh_token":"old"}`}, 401, true},
	} {
		d := open(t)
		for call, handler := range tokenCalls(d) {
			d.core.Called = nil
			status, body := d.do(handler, test.request)
			if status != test.status || (d.core.called() != "") != test.asked || strings.Contains(body, "old") {
				t.Errorf("%s %s: got %d %s; core: %q", call, name, status, body, d.core.called())
			}
		}
	}
}

func TestMe(t *testing.T) {
	d := open(t)
	d.core.signIn()
	access := tokenOf("demo")
	status, body := d.do(d.Me, request{key: access})
	if status != 200 || d.core.Token != access || d.core.Caller.App.ID != "demo" || d.core.Caller.Secret || d.core.Caller.Address.String() != "203.0.113.9" {
		t.Errorf("got %d %s, asked as %+v", status, body, d.core.Caller)
	}
	golden(t, "me", body)
}

// TestMeRefuses shows everything that is no access token of an app with this
// door, to a core that would take any.
func TestMeRefuses(t *testing.T) {
	d := open(t)
	d.core.signIn()
	for name, shown := range map[string]string{
		"Nothing": "", "APublishableKey": publishable, "ASecretKey": secret, "AnOpaqueToken": strings.Repeat("A", 70),
		"OfNoApp": tokenOf("nobody"), "NoIssuer": "e30.e30.AAAA", "NoClaims": "e30..AAAA", "NoJSON": "e30.AAAA.AAAA",
		"IssuerOfAnotherType": "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":["demo"]}`)) + ".AAAA",
		"IssuerTwice":         "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"demo","iss":"demo"}`)) + ".AAAA",
		"Padded":              "e30." + base64.URLEncoding.EncodeToString([]byte(`{"iss":"demo"}`)) + "=.AAAA",
		"Dots":                strings.Repeat(".", 100_000), "TooLong": tokenOf("demo") + strings.Repeat("A", 5000),
	} {
		if status, body := d.do(d.Me, request{headers: map[string]string{"Authorization": "Bearer " + shown}}); status != 401 || d.core.called() != "" {
			t.Errorf("%s: got %d %s; core: %q", name, status, body, d.core.called())
		}
	}
	shut := &door{api.New(d.core.all(), closed{}, api.Keys(closed{})), d.core, t}
	if status, body := shut.do(shut.Me, request{key: tokenOf("closed")}); status != 401 || d.core.called() != "" {
		t.Errorf("a closed door: got %d %s", status, body)
	}
}

// TestMeOfADeadSession shows a token whose session has ended.
func TestMeOfADeadSession(t *testing.T) {
	d := open(t)
	if status, body := d.do(d.Me, request{key: tokenOf("demo")}); status != 401 || d.core.called() != "Bearer" || strings.Contains(body, phone[1:]) {
		t.Errorf("got %d %s", status, body)
	}
}

func TestKeySet(t *testing.T) {
	d := open(t)
	handler := d.KeySet("native", "strike")
	for name, headers := range map[string]map[string]string{
		"ByKey": {"Authorization": "Bearer " + publishable}, "BySecretKey": {"Authorization": "Bearer " + secret}, "TheOnlyApp": nil,
		"ByAPIKey": {"apikey": publishable, "Authorization": "Bearer " + tokenOf("demo")}, "ForeignAPIKey": {"apikey": "anon"},
	} {
		c := newCall(request{headers: headers})
		if err := handler(c); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden(t, "jwks", string(c.HTTP.Response.Body()))
		if h := &c.HTTP.Response.Header; string(h.Peek("Cache-Control")) != "public, max-age=300" || string(h.Peek("Vary")) != "Authorization, Apikey, X-Pinferry-Key" {
			t.Errorf("%s: got %s", name, h)
		}
	}
	for name, headers := range map[string]map[string]string{
		"UnknownKey": {"Authorization": "Bearer pk_unknown"}, "UnknownAPIKey": {"apikey": "pk_unknown"},
	} {
		if status, body := d.do(handler, request{headers: headers}); status != 401 || strings.Contains(body, "keys\":[") {
			t.Errorf("%s: got %d %s", name, status, body)
		}
	}
	shut := &door{api.New(d.core.all(), closed{}, api.Keys(closed{})), d.core, t}
	if status, body := shut.do(shut.KeySet("native"), request{}); status != 404 {
		t.Errorf("no app: got %d %s", status, body)
	}
}

// TestLoggedInLately shows a time that only some users have.
func TestLoggedInLately(t *testing.T) {
	d := open(t)
	d.core.Grant.User.LastLogin, d.core.Grant.User.Logins = created.Add(time.Hour), 3
	_, body := d.do(d.User, request{key: secret, param: userID})
	if !strings.Contains(body, `"last_login_at":"2026-11-22T10:30:00.007Z","logins":3`) {
		t.Errorf("got %s", body)
	}
}
