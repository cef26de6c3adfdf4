package strike_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web/webtest"
)

const signedIn = "Authorization: Bearer " + access

func TestRefresh(t *testing.T) {
	for door, open := range doors {
		h := open(t)
		a := h.do("POST /token?grant_type=refresh_token", refreshBody)
		a.Golden(t, "session")
		if a.Status != 200 || h.Token != "cmVmcmVzaA" {
			t.Errorf("%s: got %d", door, a.Status)
		}
		h.denied(webtest.Refusal(otp.Unauthorized))
		a = h.do("POST /token?grant_type=refresh_token", `{"refresh_token":"x"}`)
		a.Golden(t, map[string]string{"Strike": "badrefresh", "GoTrue": "gotruebadrefresh"}[door])
		if want := map[string]int{"Strike": 401, "GoTrue": 400}[door]; a.Status != want {
			t.Errorf("%s: got %d", door, a.Status)
		}
		// Only GoTrue has a word for a token that was used before.
		h.denied(&otp.Error{Code: otp.Unauthorized, Err: otp.ErrReused})
		a = h.do("POST /token?grant_type=refresh_token", `{"refresh_token":"x"}`)
		a.Golden(t, map[string]string{"Strike": "badrefresh", "GoTrue": "gotrueusedrefresh"}[door])
		for _, call := range []struct{ path, body string }{
			{"POST /token?grant_type=password", `{"phone":"+12125550100","password":"x"}`}, {"POST /token", `{"refresh_token":"x"}`},
			{"POST /token?grant_type=refresh_token", `{}`}, {"POST /token?grant_type=refresh_token", `{"refresh_token":7}`},
		} {
			h := open(t)
			if a := h.do(call.path, call.body); a.Status != 400 || len(h.Called) > 0 {
				t.Errorf("%s %s: got %d %s", door, call.path, a.Status, a.Body)
			}
		}
	}
}

func TestUser(t *testing.T) {
	for door, open := range doors {
		h := open(t)
		a := h.do("GET /user", "", signedIn, "apikey: "+publishable)
		a.Golden(t, "user")
		if a.Status != 200 || h.Token != access {
			t.Errorf("%s: got %d", door, a.Status)
		}
	}
	h := openGoTrue(t)
	h.Grant.User.Verified, h.Grant.User.LastLogin, h.Grant.User.Metadata = 0, 0, nil
	a := h.do("GET /user", "", signedIn)
	if a.Golden(t, "userunproven"); a.Status != 200 {
		t.Errorf("got %d", a.Status)
	}
}

// TestUserNeedsAToken has the calls in the name of a user. A key of the app is
// no token of a user.
func TestUserNeedsAToken(t *testing.T) {
	calls := map[string][]string{"Strike": {"GET /user", "POST /logout"}, "GoTrue": {"GET /user", "PUT /user", "POST /logout"}}
	for door, open := range doors {
		for _, call := range calls[door] {
			for _, headers := range [][]string{nil, {"Authorization: " + access}, {"Authorization: Bearer " + publishable}, {"Authorization: Basic " + access}} {
				h := open(t)
				if a := h.do(call, "{}", headers...); a.Status != 401 || len(h.Called) > 0 {
					t.Errorf("%s %s %v: got %d %s", door, call, headers, a.Status, a.Body)
				}
			}
			h := open(t)
			h.denied(webtest.Refusal(otp.Unauthorized))
			a := h.do(call, "{}", signedIn)
			a.Golden(t, map[string]string{"Strike": "badtoken", "GoTrue": "gotruebadtoken"}[door])
			if want := map[string]int{"Strike": 401, "GoTrue": 403}[door]; a.Status != want || len(h.Called) != 1 {
				t.Errorf("%s %s: got %d, the core was asked to %v", door, call, a.Status, h.Called)
			}
		}
	}
	openGoTrue(t).do("GET /user", "").Golden(t, "gotruenotoken")
}

func TestChangePhone(t *testing.T) {
	h := openGoTrue(t)
	next := otp.Address{Kind: otp.Phone, Key: "+41791234567", Dial: "41791234567", Country: "CH", Calling: 41}
	h.Progress.Verification.Address = next
	a := h.do("PUT /user", changePhone, signedIn)
	a.Golden(t, "changephone")
	r := h.Started
	if a.Status != 200 || r.To != "+41791234567" || r.Purpose != otp.PurposeChangePhone || r.Family != familyID || r.Slot != (otp.Slot{Door: "gotrue:change"}) || !r.Reveal {
		t.Errorf("got %d, the core was asked for %+v", a.Status, r)
	}
	for _, same := range []string{phone, phone[1:], ""} {
		h := openGoTrue(t)
		a := h.do("PUT /user", `{"phone":"`+same+`"}`, signedIn)
		if a.Golden(t, "user"); a.Status != 200 || len(h.Called) != 1 {
			t.Errorf("%q: got %d, the core was asked to %v", same, a.Status, h.Called)
		}
	}
}

func TestChangeData(t *testing.T) {
	for body, want := range map[string]string{
		`{"data":{"color":"blue"}}`:           `{"color":"blue","name":"Ada"}`,
		`{"data":{"name":null,"a":{"b":[]}}}`: `{"a":{"b":[]}}`,
		`{"data":{}}`:                         `{"name":"Ada"}`,
	} {
		h := openGoTrue(t)
		if a := h.do("PUT /user", body, signedIn); a.Status != 200 || string(h.Changed.Metadata) != want || !strings.Contains(a.Body, `"user_metadata":`+want) {
			t.Errorf("%s: got %d %s", body, a.Status, a.Body)
		}
	}
	for _, body := range []string{
		`{"data":[]}`, `{"data":{"a":"` + strings.Repeat("x", 1010) + `"}}`,
		`{"phone":"41791234567","data":{"a":"` + strings.Repeat("x", 1010) + `"}}`, // no code has left by then
		`{"email":"a@b.example"}`, `{"password":"secret","data":{}}`,
	} {
		h := openGoTrue(t)
		if a := h.do("PUT /user", body, signedIn); a.Status != 400 || len(h.Called) != 1 {
			t.Errorf("%.20s: got %d %s, the core was asked to %v", body, a.Status, a.Body, h.Called)
		}
	}
}

func TestLogout(t *testing.T) {
	none := otp.ID{}
	for query, want := range map[string]struct {
		call       string
		id, except otp.ID
	}{
		"":              {"RevokeAll", userID, none},
		"?scope=global": {"RevokeAll", userID, none},
		"?scope=others": {"RevokeAll", userID, familyID},
		"?scope=local":  {"Revoke", familyID, none},
	} {
		for door, open := range doors {
			h := open(t)
			a := h.do("POST /logout"+query, "", signedIn)
			if a.Status != 204 || a.Body != "" || h.Called[1] != want.call || h.ID != want.id || h.Except != want.except {
				t.Errorf("%s %q: got %d, the core was asked to %v of %s but %s", door, query, a.Status, h.Called, h.ID, h.Except)
			}
		}
	}
	h := openGoTrue(t)
	if a := h.do("POST /logout?scope=mine", "", signedIn); a.Status != 400 || len(h.Called) != 1 {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
}

func TestOpenPages(t *testing.T) {
	h := openGoTrue(t)
	for name, call := range map[string]string{"settings": "GET /settings", "health": "GET /health", "keyset": "GET /.well-known/jwks.json"} {
		a := h.do(call, "", "apikey: "+publishable)
		if a.Golden(t, name); a.Status != 200 {
			t.Errorf("%s: got %d", name, a.Status)
		}
	}
	// The key set is that of the app whose key came along: no cache may give it
	// to the servers of another.
	a := h.do("GET /.well-known/jwks.json", "")
	if control, vary := a.Header("Cache-Control"), a.Header("Vary"); control != "public, max-age=300" || vary != "Authorization, Apikey, X-Pinferry-Key" {
		t.Errorf("Cache-Control is %q, Vary %q", control, vary)
	}
}
