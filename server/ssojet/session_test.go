package ssojet_test

import (
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/ssojet"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web/webtest"
)

const (
	refresh = "/api/v1/accesstoken/refresh?client_id=" + legacy
	jwks    = "/api/v1/.well-known/jwks.json"
)

func TestRefresh(t *testing.T) {
	d := open(t)
	r := webtest.Request{Method: "GET", Target: refresh + "&refresh_token=a%2Bb"}
	a := d.do(r)
	d.want(a, 200, "Refresh")
	webtest.Exchange(t, "refresh", r, a)
	if d.core.Token != "a+b" {
		t.Errorf("%q was shown", d.core.Token)
	}
	if kept := a.Header("Cache-Control"); kept != "no-store" {
		t.Errorf("a GET that has tokens may be kept: %s", kept)
	}
}

func TestRefreshRefuses(t *testing.T) {
	d := open(t)
	d.want(d.do(webtest.Request{Method: "GET", Target: refresh}), 400)
	d.core.Err = &otp.Error{Code: otp.Unauthorized, Detail: "what the mint says"}
	r := webtest.Request{Method: "GET", Target: refresh + "&refresh_token=forged"}
	a := d.do(r)
	d.want(a, 401, "Refresh")
	webtest.Exchange(t, "deadrefresh", r, a)
}

// TestKeySet: with a client id the keys are its app's, without one those of the
// app that has this host.
func TestKeySet(t *testing.T) {
	for name, r := range map[string]webtest.Request{
		"jwks":     {Method: "GET", Target: jwks + "?client_id=demo", Host: "other.example"},
		"jwkshost": {Method: "GET", Target: jwks, Host: "demo.auth.example.com:8443"},
	} {
		d := open(t)
		a := d.do(r)
		d.want(a, 200, "KeySet")
		webtest.Exchange(t, name, r, a)
		// A client may be named by a header alone, which no cache looks at unasked.
		if kept, vary := a.Header("Cache-Control"), a.Header("Vary"); kept != "public, max-age=300" || vary != "x-client-id, X-Pinferry-Key" {
			t.Errorf("Cache-Control: %s, Vary: %s", kept, vary)
		}
	}
	d := open(t)
	d.want(d.do(webtest.Request{Method: "GET", Target: jwks, Host: "other.example"}), 400)
}

// TestTokens reads a token that a real mint makes for this door, with the key
// from the door's own key set.
func TestTokens(t *testing.T) {
	k, apps := newCore(), newApps(t)
	mint := webtest.OpenMint(t, k, apps.All()[:1]...)
	d := &door{ssojet.New(k, k, mint, apps), k, t}
	var verified struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	webtest.Decode(t, d.do(webtest.Request{Method: "POST", Target: verify, Body: right}).Body, &verified)
	if verified.Refresh == "" {
		t.Error("there is no refresh token")
	}
	var keys token.KeySet
	webtest.Decode(t, d.do(webtest.Request{Method: "GET", Target: jwks + "?client_id=" + legacy}).Body, &keys)
	head, claims := webtest.Read(t, verified.Access, keys)
	if head["alg"] != "RS256" || head["typ"] != "at+jwt" {
		t.Errorf("got %v", head)
	}
	if claims["iss"] != legacy || claims["aud"] != legacy || claims["sub"] != userID || claims["exp"] == nil {
		t.Errorf("got %v", claims)
	}
}
