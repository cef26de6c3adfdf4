package passage_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/passage"
	"github.com/pinferry/pinferry/server/token"
)

func TestRefresh(t *testing.T) {
	for _, path := range []string{"/v1/apps/demo/tokens", "/v1/apps/demo/tokens/"} {
		d := open(t)
		r := request{method: "POST", path: path, body: `{"refresh_token":"old"}`}
		a := d.do(r)
		d.want(a, 201, "Refresh")
		if d.core.shown != "old" {
			t.Errorf("%q was shown", d.core.shown)
		}
		golden(t, "refresh"+map[bool]string{true: "slash"}[strings.HasSuffix(path, "/")], r, a)
	}
}

func TestRefreshRefuses(t *testing.T) {
	d := open(t)
	d.core.err = &otp.Error{Code: otp.Unauthorized, Detail: "what the mint says"}
	r := request{method: "POST", path: "/v1/apps/demo/tokens", body: `{"refresh_token":"old"}`}
	a := d.do(r)
	d.want(a, 401, "Refresh")
	golden(t, "deadrefresh", r, a)

	d = open(t)
	d.want(d.do(request{method: "POST", path: "/v1/apps/demo/tokens", body: `{}`}), 400)
}

func TestRevoke(t *testing.T) {
	for _, path := range []string{"/v1/apps/demo/tokens?refresh_token=a%2Bb", "/v1/apps/demo/tokens/?refresh_token=a%2Bb"} {
		d := open(t)
		r := request{method: "DELETE", path: path}
		a := d.do(r)
		d.want(a, 200, "Revoke")
		if a.body != "" || d.core.shown != "a+b" {
			t.Errorf("got %q for %q", a.body, d.core.shown)
		}
		golden(t, "revoke"+map[bool]string{true: "slash"}[strings.Contains(path, "/?")], r, a)
	}
}

func TestRevokeRefuses(t *testing.T) {
	d := open(t)
	d.core.err = &otp.Error{Code: otp.Unauthorized, Detail: "what the mint says"}
	r := request{method: "DELETE", path: "/v1/apps/demo/tokens?refresh_token=forged"}
	a := d.do(r)
	d.want(a, 400, "Revoke")
	golden(t, "forgedrefresh", r, a)

	d = open(t)
	d.want(d.do(request{method: "DELETE", path: "/v1/apps/demo/tokens"}), 400)
}

// TestTokens reads the tokens that a real mint makes for this door, with the key
// from the door's own key set.
func TestTokens(t *testing.T) {
	k, apps := newCore(), newApps(t)
	mint, err := token.Open(token.Config{
		Dir: t.TempDir(), Apps: apps.All()[:2], Sessions: sessions{k},
		Needs: func(*otp.App) []token.Algorithm { return []token.Algorithm{token.RS256} },
		Seal:  func(string, ...[]byte) [32]byte { return [32]byte{1} },
		Now:   func() otp.Time { return moment },
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &door{passage.New(k, k, mint, apps), k, t}
	for app, audience := range map[string][]string{"demo": {"https://shop.example.com", "demo"}, legacy: {"https://shop.example.com", legacy}, "bare": {"bare"}} {
		k.grant.Session.As = app
		k.grant.Session.App = map[bool]string{true: "bare", false: "demo"}[app == "bare"]
		var result struct {
			Result struct {
				Access  string `json:"auth_token"`
				Refresh string `json:"refresh_token"`
				Expires int64  `json:"refresh_token_expiration"`
			} `json:"auth_result"`
		}
		decode(t, d.do(request{method: "POST", path: "/v1/apps/" + app + "/otp/activate", body: right}).body, &result)
		if want := moment.Add(otp.RefreshLife).Std().Unix(); result.Result.Refresh == "" || result.Result.Expires != want {
			t.Errorf("%s: got %+v, want it to expire at %d", app, result, want)
		}
		var keys token.KeySet
		decode(t, d.do(request{method: "GET", path: "/v1/apps/" + app + "/.well-known/jwks.json"}).body, &keys)
		head, claims := verify(t, result.Result.Access, keys)
		if head["alg"] != "RS256" || head["typ"] != "JWT" {
			t.Errorf("%s: got %v", app, head)
		}
		if claims["iss"] != app || claims["sub"] != userID || claims["exp"] == nil {
			t.Errorf("%s: got %v", app, claims)
		}
		// A list, be it of one: an SDK does not look into a string.
		if got := list(t, claims["aud"]); !slices.Equal(got, audience) {
			t.Errorf("%s: aud is %v, want %v", app, got, audience)
		}
	}
}

// sessions is the core as a mint asks it.
type sessions struct{ *core }

func (s sessions) Session(context.Context, otp.Caller, otp.ID) (otp.Grant, error) {
	return s.grant, nil
}
func (s sessions) Refresh(context.Context, otp.Caller, otp.RefreshToken) (otp.Grant, error) {
	return s.grant, nil
}
func (s sessions) Revoke(context.Context, otp.Caller, otp.ID) error { return nil }

// verify checks the signature of a token against the one key of a set.
func verify(t *testing.T, text string, keys token.KeySet) (head, claims map[string]any) {
	t.Helper()
	parts := strings.Split(text, ".")
	if len(parts) != 3 || len(keys.Keys) != 1 {
		t.Fatalf("%d parts, %d keys", len(parts), len(keys.Keys))
	}
	raw := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	decode(t, string(raw(parts[0])), &head)
	decode(t, string(raw(parts[1])), &claims)
	if head["kid"] != keys.Keys[0].Kid {
		t.Errorf("kid is %v", head["kid"])
	}
	key := rsa.PublicKey{N: new(big.Int).SetBytes(raw(keys.Keys[0].N)), E: int(new(big.Int).SetBytes(raw(keys.Keys[0].E)).Int64())}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&key, crypto.SHA256, sum[:], raw(parts[2])); err != nil {
		t.Error(err)
	}
	return head, claims
}

// list returns a claim that is one string or a list of them.
func list(t *testing.T, claim any) (all []string) {
	t.Helper()
	many, ok := claim.([]any)
	if !ok {
		t.Fatalf("%v is no list", claim)
	}
	for _, one := range many {
		all = append(all, one.(string))
	}
	return all
}

func decode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}
