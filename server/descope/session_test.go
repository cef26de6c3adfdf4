package descope_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

func TestVerify(t *testing.T) {
	for _, login := range []string{phone, "anna"} {
		d := open(t)
		a := d.do(post("/v1/auth/otp/verify/sms", `{"loginId":"`+login+`","code":"493827"}`))
		if a.Status != 200 || a.member("sessionJwt") != d.core.Set.Access || a.member("refreshJwt") != d.core.Set.Refresh {
			t.Fatalf("got %d %s", a.Status, a.Body)
		}
		if want := (otp.Slot{Door: "descope", Login: login, Named: true}); d.core.Slot != want || d.core.Digits != "493827" {
			t.Errorf("slot is %+v", d.core.Slot)
		}
	}
}

// TestTokens: each token says which it is, for the Go SDK gives neither without
// drn; and nothing stands in them that a client could have sent.
func TestTokens(t *testing.T) {
	for name, r := range map[string]request{
		"Verify":   post("/v1/auth/otp/verify/sms", `{"loginId":"anna","code":"493827"}`),
		"Refresh":  post("/v1/auth/refresh", "").as(project + ":" + refreshToken),
		"Exchange": post("/v1/auth/exchange", `{"code":"b25jZQ","codeVerifier":"`+verifier+`"}`),
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			d.core.Grant.Session.Claims = []byte(`{"order":17}`)
			if a := d.do(r); a.Status != 200 {
				t.Fatalf("got %d %s", a.Status, a.Body)
			}
			f := d.core.Form
			if len(f.Claims) != 2 || f.Claims["drn"] != "DS" || f.Claims["rexp"] != "2026-12-22T09:30:00Z" {
				t.Errorf("claims of the session token: %v", f.Claims)
			}
			if amr, _ := f.Refresh["amr"].([]string); len(f.Refresh) != 2 || f.Refresh["drn"] != "DSR" || !slices.Equal(amr, []string{"sms"}) {
				t.Errorf("claims of the refresh token: %v", f.Refresh)
			}
			if f.Issuer != "" || f.Subject != "" || f.Audience != "" || f.Audiences != nil || f.ClaimsName != "nsec" {
				t.Errorf("form is %+v; issuer, subject and audience are those of the session", f)
			}
		})
	}
}

// TestStepUpMarkFades: a session is marked while its step-up is fresh, no
// longer.
func TestStepUpMarkFades(t *testing.T) {
	for name, test := range map[string]struct {
		since time.Duration
		want  any
	}{
		"AtOnce": {0, true}, "InTime": {10*time.Minute - time.Millisecond, true}, "Late": {10 * time.Minute, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			d.core.Grant.Session.StepUp = begun
			d.core.Grant.Session.Rotated = begun.Add(test.since)
			d.core.Progress.Verification.Approved = begun.Add(test.since)
			for _, r := range []request{
				post("/v1/auth/refresh", "").as(project + ":" + refreshToken),
				post("/v1/auth/otp/verify/sms", `{"loginId":"anna","code":"493827"}`),
			} {
				d.do(r)
				if got := d.core.Form.Claims["su"]; got != test.want {
					t.Errorf("%s: su is %v, want %v", r.Path, got, test.want)
				}
			}
		})
	}
}

// TestChallengeHoldsTheTokensBack: with PKCE a right code alone opens nothing.
func TestChallengeHoldsTheTokensBack(t *testing.T) {
	d := open(t)
	d.core.Grant.Session, d.core.Grant.Exchange = nil, "b25jZQ"
	a := d.do(post("/v1/auth/otp/verify/sms", `{"loginId":"anna","code":"493827"}`))
	if a.Status != 200 || a.member("code") != "b25jZQ" || a.member("sessionJwt") != "" || a.member("refreshJwt") != "" {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
	d = open(t)
	a = d.do(post("/v1/auth/exchange", `{"code":"b25jZQ","codeVerifier":"`+verifier+`"}`))
	if a.Status != 200 || d.core.Redeemed[0] != "b25jZQ" || d.core.Redeemed[1] != verifier || a.member("sessionJwt") == "" {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
}

// TestExchangeRefusalIsNoWrongCode: SDKs would ask the user to type again.
func TestExchangeRefusalIsNoWrongCode(t *testing.T) {
	for _, bearer := range []string{project, private} {
		d := open(t)
		d.core.Err = &otp.Error{Code: otp.CodeUnknown, Detail: "No such code."}
		a := d.do(post("/v1/auth/exchange", `{"code":"b25jZQ","codeVerifier":"`+verifier+`"}`).as(bearer))
		if a.Status != 400 || a.member("errorCode") != "E011003" {
			t.Errorf("got %d %s", a.Status, a.Body)
		}
	}
}

// TestTryRefresh: that there is no session is an answer, that the box cannot
// say is an error.
func TestTryRefresh(t *testing.T) {
	none := map[string]request{
		"None":    post("/v1/auth/try-refresh", `{}`),
		"Dead":    post("/v1/auth/try-refresh", `{}`).as(project + ":head.dead.seal"),
		"Garbage": post("/v1/auth/try-refresh", ``).as(project + ":garbage"),
	}
	for name, r := range none {
		if a := open(t).do(r); a.Status != 200 || string(a.Body) != "{}" {
			t.Errorf("%s: got %d %s", name, a.Status, a.Body)
		}
	}
	for code, status := range map[otp.Code]int{otp.UserDisabled: 200, otp.Busy: 429, otp.Internal: 500} {
		d := open(t)
		d.core.Err = &otp.Error{Code: code, Detail: "What to do."}
		if a := d.do(none["None"].as(project + ":" + refreshToken)); a.Status != status {
			t.Errorf("%s: got %d %s", code, a.Status, a.Body)
		}
	}
	if a := open(t).do(none["None"].as(project + ":" + refreshToken)); a.member("refreshJwt") != "head.successor.seal" {
		t.Errorf("with a session: %s", a.Body)
	}
}

func TestRefreshGivesTheSuccessor(t *testing.T) {
	d := open(t)
	a := d.do(post("/v1/auth/refresh", `{"externalToken":"x"}`).as(project + ":" + refreshToken + ":" + secret))
	if a.Status != 200 || d.core.Token != refreshToken || a.member("refreshJwt") != "head.successor.seal" {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
}

func TestLogOut(t *testing.T) {
	d := open(t)
	if a := d.do(post("/v1/auth/logout", "").as(project + ":" + refreshToken)); string(a.Body) != "{}" || !slices.Equal(d.core.Called, []string{"Revoke"}) || d.core.Token != refreshToken {
		t.Errorf("got %d %s by %v", a.Status, a.Body, d.core.Called)
	}
	if a := d.do(post("/v1/auth/logoutall", "").as(project + ":" + refreshToken)); string(a.Body) != "{}" || !slices.Equal(d.core.Called, []string{"Revoke", "RevokeAll"}) {
		t.Errorf("got %d %s by %v", a.Status, a.Body, d.core.Called)
	}
	if d.core.ID != d.core.Grant.User.ID || !d.core.Except.IsZero() {
		t.Errorf("sessions of %s but %s were ended", d.core.ID, d.core.Except)
	}
}

// TestUser: what SDKs decode strictly, and what may never be claimed.
func TestUser(t *testing.T) {
	d := open(t)
	for name, metadata := range map[string]string{"Profile": `{"name":"Anna"}`, "AppsOwn": `{"name":17}`, "None": ``} {
		d.core.Grant.User.Metadata = []byte(metadata)
		a := d.do(request{Method: "GET", Path: "/v1/auth/me", Bearer: project + ":" + refreshToken})
		var user struct {
			LoginIDs      []string `json:"loginIds"`
			UserID        string
			Name, Phone   string
			VerifiedEmail bool
			VerifiedPhone bool
			Status        string
			CreatedTime   int32
		}
		if err := json.Unmarshal(a.Body, &user); err != nil {
			t.Fatal(err)
		}
		if strings.Join(user.LoginIDs, " ") != phone+" Anna" || user.UserID != "usr_"+d.core.Grant.User.ID.String() ||
			user.Phone != phone || user.VerifiedEmail || !user.VerifiedPhone || user.Status != "enabled" || int64(user.CreatedTime) != begun.Std().Unix() {
			t.Errorf("%s: %s", name, a.Body)
		}
		if (name == "Profile") != (user.Name == "Anna") {
			t.Errorf("%s: name is %q", name, user.Name)
		}
	}
	d.core.Grant.User.Disabled, d.core.Grant.User.Verified = true, 0
	a := d.do(request{Method: "GET", Path: "/v1/auth/me", Bearer: project + ":" + refreshToken})
	if a.member("status") != "disabled" || !strings.Contains(string(a.Body), `"verifiedPhone":false`) {
		t.Errorf("disabled and unproven: %s", a.Body)
	}
}

func TestHistoryIsAnArray(t *testing.T) {
	d := open(t)
	r := request{Method: "GET", Path: "/v1/auth/me/history", Bearer: project + ":" + refreshToken}
	var logins []map[string]any
	if a := d.do(r); json.Unmarshal(a.Body, &logins) != nil || len(logins) != 1 {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
	d.core.Grant.User.LastLogin = 0
	if a := d.do(r); string(a.Body) != "[]" {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
}

// TestTimesFitInto32Bits, for the Go SDK decodes nothing larger.
func TestTimesFitInto32Bits(t *testing.T) {
	d := open(t)
	far := otp.TimeOf(time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC))
	d.core.Set.AccessExpires, d.core.Set.RefreshExpires = far, far.Add(otp.RefreshLife)
	d.core.Grant.User.Created = far
	a := d.do(post("/v1/auth/otp/verify/sms", `{"loginId":"anna","code":"493827"}`))
	var wire struct {
		CookieMaxAge, CookieExpiration, SessionExpiration int32
		User                                              struct{ CreatedTime int32 }
	}
	if err := json.Unmarshal(a.Body, &wire); err != nil {
		t.Fatal(err)
	}
	if wire.CookieMaxAge <= 0 || wire.CookieExpiration <= 0 || wire.SessionExpiration <= 0 || wire.User.CreatedTime <= 0 {
		t.Errorf("%+v", wire)
	}
}

// TestKeySetHasNothingElse, for one more member breaks the Go SDK. It is public,
// and of the app that the path names, whoever asks.
func TestKeySetHasNothingElse(t *testing.T) {
	for _, bearer := range []string{project, "-", private, project + ":K2foreign"} {
		a := open(t).do(request{Method: "GET", Path: "/v2/keys/" + project, Bearer: bearer})
		var members map[string][]map[string]string
		if err := json.Unmarshal(a.Body, &members); err != nil || a.Status != 200 {
			t.Fatalf("%s: got %d %s", bearer, a.Status, a.Body)
		}
		if len(members) != 1 || len(members["keys"]) != 1 || members["keys"][0]["kid"] != "0001demo" || members["keys"][0]["alg"] != "ES256" {
			t.Errorf("%s: %s", bearer, a.Body)
		}
	}
}

// TestBodiesUnderAnyType: one SDK sends a content type and no body, another a
// body and no type that means anything.
func TestBodiesUnderAnyType(t *testing.T) {
	for _, contentType := range []string{"", "text/plain", "application/json; charset=latin1"} {
		r := post("/v1/auth/otp/signin/sms", `{"loginId":"anna"}`)
		r.headers = map[string]string{"Content-Type": contentType}
		if a := open(t).do(r); a.Status != 200 {
			t.Errorf("%q: got %d %s", contentType, a.Status, a.Body)
		}
	}
}
