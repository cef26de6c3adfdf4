package webtest

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
	"github.com/pinferry/pinferry/server/token"
)

// OpenMint opens a real mint with RSA keys of its own, over the sessions of a
// core, at [Moment].
func OpenMint(t testing.TB, k *Core, apps ...*otp.App) *token.Mint {
	t.Helper()
	mint, err := token.Open(token.Config{
		Dir: t.TempDir(), Apps: apps, Sessions: sessions{k},
		Needs: func(*otp.App) []token.Algorithm { return []token.Algorithm{token.RS256} },
		Seal:  func(string, ...[]byte) [32]byte { return [32]byte{1} },
		Now:   func() otp.Time { return Moment },
	})
	if err != nil {
		t.Fatal(err)
	}
	return mint
}

// sessions is a core as a mint asks it.
type sessions struct{ core *Core }

func (s sessions) Session(context.Context, otp.Caller, otp.ID) (otp.Grant, error) {
	return s.core.Grant, nil
}

func (s sessions) Refresh(context.Context, otp.Caller, otp.RefreshToken) (otp.Grant, error) {
	return s.core.Grant, nil
}

func (s sessions) Revoke(context.Context, otp.Caller, otp.ID) error { return nil }

// Read checks the signature of an RS256 token against the one key of a set, and
// returns what it says.
func Read(t testing.TB, text string, keys token.KeySet) (head, claims map[string]any) {
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
	Decode(t, string(raw(parts[0])), &head)
	Decode(t, string(raw(parts[1])), &claims)
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
