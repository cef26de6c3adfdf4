package token_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
)

// newFixedBox is a box whose shop has a key and a session that are the same in
// every process, so that a corpus of one run means something to the next.
func newFixedBox(f *testing.F) (*box, otp.Grant) {
	f.Helper()
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	sum := sha256.Sum256(spki(f, private))
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		f.Fatal(err)
	}
	b := newBox(f)
	name := fmt.Sprintf("shop-es256-9000%x.pem", sum[:10])
	if err := os.WriteFile(filepath.Join(b.dir, name), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		f.Fatal(err)
	}
	b.reopen(f)
	return b, fixed(b)
}

// No text but the one that was issued is an access token.
func FuzzAccess(f *testing.F) {
	b, g := newFixedBox(f)
	set := b.issue(f, g, token.Form{Refresh: map[string]any{}})
	for _, seed := range []string{set.Access, set.Refresh, "..", "e30.e30.AA", "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := b.Bearer(t.Context(), b.at(""), text)
		switch {
		case err == nil && text != set.Access:
			t.Error("a token that nobody made is accepted")
		case err != nil && (text == set.Access || !isCode(err, otp.Unauthorized)):
			t.Errorf("%v, want unauthorized", err)
		}
	})
}

// Even under the box's own signature nothing passes whose claims are not what
// another reader sees in them.
func FuzzClaims(f *testing.F) {
	b, g := newFixedBox(f)
	forger := newForger(f, b, g)
	for _, seed := range []string{
		forger.payload(), forger.payload("exp"), forger.with("ctr", "0"), forger.with("exp", "1e30"), forger.with("aud", `["shop","x"]`),
		forger.with("EXP", "1"), `{"exp":1,"exp":2}`, `null`, `{"nbf":{}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		_, err := b.Bearer(t.Context(), b.at(""), forge(t, forger.private, forger.header(), payload))
		if err != nil {
			if !isCode(err, otp.Unauthorized) {
				t.Errorf("%v, want unauthorized", err)
			}
			return
		}
		var seen map[string]any
		if err := json.Unmarshal([]byte(payload), &seen); err != nil {
			t.Fatalf("accepted, and not JSON: %v", err)
		}
		now := float64(b.clock()) / 1000
		expires, _ := seen["exp"].(float64)
		issued, _ := seen["iat"].(float64)
		_, refresh := seen["ctr"]
		if refresh && seen["ctr"] != nil || expires <= now || issued <= 0 || issued > now+30 || seen["sid"] != g.Session.ID.String() {
			t.Errorf("accepted, though another reader sees exp %v, iat %v, sid %v", seen["exp"], seen["iat"], seen["sid"])
		}
		for _, name := range []string{"iss", "sub"} {
			if text, _ := seen[name].(string); text == "" {
				t.Errorf("accepted without %s", name)
			}
		}
	})
}

// No text but the one that was issued is a refresh token.
func FuzzRefresh(f *testing.F) {
	b, g := newFixedBox(f)
	opaque := b.issue(f, g, token.Form{}).Refresh
	signed := b.issue(f, g, token.Form{Refresh: map[string]any{"drn": "DSR"}})
	for _, seed := range []string{opaque, signed.Refresh, signed.Access, "", "A", "....", opaque[:60] + "\r\n\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := b.Show(t.Context(), b.at(""), text)
		good := text == opaque || text == signed.Refresh
		switch {
		case err == nil && (!good || got.Session.ID != g.Session.ID):
			t.Error("a token that nobody made is accepted")
		case err != nil && (good || !isCode(err, otp.Unauthorized)):
			t.Errorf("%v, want unauthorized", err)
		}
	})
}
