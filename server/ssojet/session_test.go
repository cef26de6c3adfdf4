package ssojet_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/ssojet"
	"github.com/pinferry/pinferry/server/token"
)

const (
	refresh = "/api/v1/accesstoken/refresh?client_id=" + legacy
	jwks    = "/api/v1/.well-known/jwks.json"
)

func TestRefresh(t *testing.T) {
	d := open(t)
	r := request{method: "GET", path: refresh + "&refresh_token=a%2Bb"}
	a := d.do(r)
	d.want(a, 200, "Refresh")
	golden(t, "refresh", r, a)
	if d.core.shown != "a+b" {
		t.Errorf("%q was shown", d.core.shown)
	}
	if kept := string(a.header.Peek("Cache-Control")); kept != "no-store" {
		t.Errorf("a GET that has tokens may be kept: %s", kept)
	}
}

func TestRefreshRefuses(t *testing.T) {
	d := open(t)
	d.want(d.do(request{method: "GET", path: refresh}), 400)
	d.core.err = &otp.Error{Code: otp.Unauthorized, Detail: "what the mint says"}
	r := request{method: "GET", path: refresh + "&refresh_token=forged"}
	a := d.do(r)
	d.want(a, 401, "Refresh")
	golden(t, "deadrefresh", r, a)
}

// TestKeySet: with a client id the keys are its app's, without one those of the
// app that has this host.
func TestKeySet(t *testing.T) {
	for name, r := range map[string]request{
		"jwks":     {method: "GET", path: jwks + "?client_id=demo", host: "other.example"},
		"jwkshost": {method: "GET", path: jwks, host: "demo.auth.example.com:8443"},
	} {
		d := open(t)
		a := d.do(r)
		d.want(a, 200, "KeySet")
		golden(t, name, r, a)
		// A client may be named by a header alone, which no cache looks at unasked.
		if kept, vary := string(a.header.Peek("Cache-Control")), string(a.header.Peek("Vary")); kept != "public, max-age=300" || vary != "x-client-id, X-Pinferry-Key" {
			t.Errorf("Cache-Control: %s, Vary: %s", kept, vary)
		}
	}
	d := open(t)
	d.want(d.do(request{method: "GET", path: jwks, host: "other.example"}), 400)
}

// TestTokens reads a token that a real mint makes for this door, with the key
// from the door's own key set.
func TestTokens(t *testing.T) {
	k, apps := newCore(), newApps(t)
	mint, err := token.Open(token.Config{
		Dir: t.TempDir(), Apps: apps.All()[:1], Sessions: sessions{k},
		Needs: func(*otp.App) []token.Algorithm { return []token.Algorithm{token.RS256} },
		Seal:  func(string, ...[]byte) [32]byte { return [32]byte{1} },
		Now:   func() otp.Time { return moment },
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &door{ssojet.New(k, k, mint, apps), k, t}
	var verified struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	decode(t, d.do(request{method: "POST", path: verify, body: right}).body, &verified)
	if verified.Refresh == "" {
		t.Error("there is no refresh token")
	}
	var keys token.KeySet
	decode(t, d.do(request{method: "GET", path: jwks + "?client_id=" + legacy}).body, &keys)
	head, claims := read(t, verified.Access, keys)
	if head["alg"] != "RS256" || head["typ"] != "at+jwt" {
		t.Errorf("got %v", head)
	}
	if claims["iss"] != legacy || claims["aud"] != legacy || claims["sub"] != userID || claims["exp"] == nil {
		t.Errorf("got %v", claims)
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

// read checks the signature of a token against the one key of a set.
func read(t *testing.T, text string, keys token.KeySet) (head, claims map[string]any) {
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
