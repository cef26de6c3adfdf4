package strike_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

const signedIn = "Authorization: Bearer " + access

func TestRefresh(t *testing.T) {
	for door, open := range doors {
		h := open(t)
		a := h.do("POST /token?grant_type=refresh_token", refreshBody)
		golden(t, "session", a)
		if a.status != 200 || h.token != "cmVmcmVzaA" {
			t.Errorf("%s: got %d", door, a.status)
		}
		h.tokenErr = refusal(otp.Unauthorized)
		a = h.do("POST /token?grant_type=refresh_token", `{"refresh_token":"x"}`)
		golden(t, map[string]string{"Strike": "badrefresh", "GoTrue": "gotruebadrefresh"}[door], a)
		if want := map[string]int{"Strike": 401, "GoTrue": 400}[door]; a.status != want {
			t.Errorf("%s: got %d", door, a.status)
		}
		// Only GoTrue has a word for a token that was used before.
		h.tokenErr = &otp.Error{Code: otp.Unauthorized, Err: otp.ErrReused}
		a = h.do("POST /token?grant_type=refresh_token", `{"refresh_token":"x"}`)
		golden(t, map[string]string{"Strike": "badrefresh", "GoTrue": "gotrueusedrefresh"}[door], a)
		for _, call := range []struct{ path, body string }{
			{"POST /token?grant_type=password", `{"phone":"+12125550100","password":"x"}`}, {"POST /token", `{"refresh_token":"x"}`},
			{"POST /token?grant_type=refresh_token", `{}`}, {"POST /token?grant_type=refresh_token", `{"refresh_token":7}`},
		} {
			h := open(t)
			if a := h.do(call.path, call.body); a.status != 400 || len(h.called) > 0 {
				t.Errorf("%s %s: got %d %s", door, call.path, a.status, a.body)
			}
		}
	}
}

func TestUser(t *testing.T) {
	for door, open := range doors {
		h := open(t)
		a := h.do("GET /user", "", signedIn, "apikey: "+publishable)
		golden(t, "user", a)
		if a.status != 200 || h.token != access {
			t.Errorf("%s: got %d", door, a.status)
		}
	}
	h := openGoTrue(t)
	h.grant.User.Verified, h.grant.User.LastLogin, h.grant.User.Metadata = 0, 0, nil
	a := h.do("GET /user", "", signedIn)
	if golden(t, "userunproven", a); a.status != 200 {
		t.Errorf("got %d", a.status)
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
				if a := h.do(call, "{}", headers...); a.status != 401 || len(h.called) > 0 {
					t.Errorf("%s %s %v: got %d %s", door, call, headers, a.status, a.body)
				}
			}
			h := open(t)
			h.tokenErr = refusal(otp.Unauthorized)
			a := h.do(call, "{}", signedIn)
			golden(t, map[string]string{"Strike": "badtoken", "GoTrue": "gotruebadtoken"}[door], a)
			if want := map[string]int{"Strike": 401, "GoTrue": 403}[door]; a.status != want || len(h.called) != 1 {
				t.Errorf("%s %s: got %d, the core was asked to %v", door, call, a.status, h.called)
			}
		}
	}
	golden(t, "gotruenotoken", openGoTrue(t).do("GET /user", ""))
}

func TestChangePhone(t *testing.T) {
	h := openGoTrue(t)
	next := otp.Address{Kind: otp.Phone, Key: "+41791234567", Dial: "41791234567", Country: "CH", Calling: 41}
	h.progress.Verification.Address = next
	a := h.do("PUT /user", changePhone, signedIn)
	golden(t, "changephone", a)
	r := h.start
	if a.status != 200 || r.To != "+41791234567" || r.Purpose != otp.PurposeChangePhone || r.Family != familyID || r.Slot != (otp.Slot{Door: "gotrue:change"}) || !r.Reveal {
		t.Errorf("got %d, the core was asked for %+v", a.status, r)
	}
	for _, same := range []string{phone, phone[1:], ""} {
		h := openGoTrue(t)
		a := h.do("PUT /user", `{"phone":"`+same+`"}`, signedIn)
		if golden(t, "user", a); a.status != 200 || len(h.called) != 1 {
			t.Errorf("%q: got %d, the core was asked to %v", same, a.status, h.called)
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
		if a := h.do("PUT /user", body, signedIn); a.status != 200 || string(h.change.Metadata) != want || !strings.Contains(a.body, `"user_metadata":`+want) {
			t.Errorf("%s: got %d %s", body, a.status, a.body)
		}
	}
	for _, body := range []string{
		`{"data":[]}`, `{"data":{"a":"` + strings.Repeat("x", 1010) + `"}}`,
		`{"phone":"41791234567","data":{"a":"` + strings.Repeat("x", 1010) + `"}}`, // no code has left by then
		`{"email":"a@b.example"}`, `{"password":"secret","data":{}}`,
	} {
		h := openGoTrue(t)
		if a := h.do("PUT /user", body, signedIn); a.status != 400 || len(h.called) != 1 {
			t.Errorf("%.20s: got %d %s, the core was asked to %v", body, a.status, a.body, h.called)
		}
	}
}

func TestLogout(t *testing.T) {
	none := otp.ID{}
	for query, want := range map[string]struct {
		call    string
		revoked [2]otp.ID
	}{
		"":              {"RevokeAll", [2]otp.ID{userID, none}},
		"?scope=global": {"RevokeAll", [2]otp.ID{userID, none}},
		"?scope=others": {"RevokeAll", [2]otp.ID{userID, familyID}},
		"?scope=local":  {"Revoke", [2]otp.ID{familyID, none}},
	} {
		for door, open := range doors {
			h := open(t)
			a := h.do("POST /logout"+query, "", signedIn)
			if a.status != 204 || a.body != "" || h.called[1] != want.call || h.revoked != want.revoked {
				t.Errorf("%s %q: got %d, the core was asked to %v of %v", door, query, a.status, h.called, h.revoked)
			}
		}
	}
	h := openGoTrue(t)
	if a := h.do("POST /logout?scope=mine", "", signedIn); a.status != 400 || len(h.called) != 1 {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

func TestOpenPages(t *testing.T) {
	h := openGoTrue(t)
	for name, call := range map[string]string{"settings": "GET /settings", "health": "GET /health", "keyset": "GET /.well-known/jwks.json"} {
		a := h.do(call, "", "apikey: "+publishable)
		if golden(t, name, a); a.status != 200 {
			t.Errorf("%s: got %d", name, a.status)
		}
	}
	// The key set is that of the app whose key came along: no cache may give it
	// to the servers of another.
	a := h.do("GET /.well-known/jwks.json", "")
	if control, vary := string(a.head.Peek("Cache-Control")), string(a.head.Peek("Vary")); control != "public, max-age=300" || vary != "Authorization, Apikey, X-Pinferry-Key" {
		t.Errorf("Cache-Control is %q, Vary %q", control, vary)
	}
}
