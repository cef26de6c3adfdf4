package token_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/rs/zerolog"
)

// start is when every test begins, by box time.
var start = otp.TimeOf(time.Date(2026, 11, 22, 9, 30, 0, 700_000_000, time.UTC))

// box is a mint with its keys on disk, over sessions that a test can look into.
type box struct {
	*token.Mint
	dir      string
	shop     *otp.App // with the alias P2shop
	bank     *otp.App
	needs    []token.Algorithm // of the shop, beside ES256
	sessions *sessions
	log      bytes.Buffer
	now      atomic.Int64
}

// clock returns box time.
func (b *box) clock() otp.Time { return otp.Time(b.now.Load()) }

func (b *box) pass(d time.Duration) { b.now.Add(d.Milliseconds()) }

// config returns what the box's mint is made of.
func (b *box) config() token.Config {
	return token.Config{
		Dir: b.dir, Apps: []*otp.App{b.shop, b.bank}, Sessions: b.sessions, Seal: seal, Now: b.clock,
		Needs: func(app *otp.App) []token.Algorithm {
			if app != b.shop {
				return nil
			}
			return b.needs
		},
		Build: start.Add(-time.Hour), Log: zerolog.New(&b.log),
	}
}

func seal(label string, parts ...[]byte) [32]byte {
	mac := hmac.New(sha256.New, []byte(label))
	for _, p := range parts {
		mac.Write([]byte{byte(len(p))})
		mac.Write(p)
	}
	return [32]byte(mac.Sum(nil))
}

// newBox opens a box whose shop needs some algorithms beside ES256.
func newBox(t testing.TB, needs ...token.Algorithm) *box {
	t.Helper()
	b := &box{
		needs: needs,
		dir:   filepath.Join(t.TempDir(), "keys"),
		shop:  &otp.App{ID: "shop", Aliases: []string{"P2shop"}, Sessions: true},
		bank:  &otp.App{ID: "bank", Sessions: true},
	}
	b.now.Store(int64(start))
	b.sessions = &sessions{now: b.clock, live: map[otp.ID]otp.Session{}}
	b.reopen(t)
	return b
}

// reopen is what a start of the box does.
func (b *box) reopen(t testing.TB) {
	t.Helper()
	mint, err := token.Open(b.config())
	if err != nil {
		t.Fatal(err)
	}
	b.Mint = mint
}

// at is a caller at the shop.
func (b *box) at(door string) otp.Caller { return otp.Caller{App: b.shop, Door: door} }

// login opens a session of the shop at a door.
func (b *box) login(door string) otp.Grant {
	user := otp.User{App: b.shop.ID}
	for i := range user.ID {
		user.ID[i] = byte(0xa0 + i)
	}
	now := b.clock()
	s := otp.Session{
		ID: otp.NewID(), App: b.shop.ID, User: user.ID, Door: door, Created: now, Rotated: now,
		Expires: now.Add(otp.RefreshLife),
	}
	b.sessions.put(s)
	return otp.Grant{User: user, Session: &s}
}

func (b *box) issue(t testing.TB, g otp.Grant, f token.Form) token.Set {
	t.Helper()
	set, err := b.Issue(&g, f)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// sessions keeps sessions as the core does: a use of a refresh token raises the
// counter, its parent gets the same for ten seconds, anything else ends it.
type sessions struct {
	mu    sync.Mutex
	now   func() otp.Time
	live  map[otp.ID]otp.Session
	calls int
}

var errDead = &otp.Error{Code: otp.Unauthorized, Detail: "no such session"}

func (s *sessions) put(session otp.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[session.ID] = session
}

// find returns the session if the caller may know it; s.mu is held.
func (s *sessions) find(c otp.Caller, family otp.ID) (otp.Session, bool) {
	s.calls++
	session, ok := s.live[family]
	return session, ok && session.App == c.App.ID && session.Door == c.Door && s.now() < session.Expires
}

func grant(session otp.Session) otp.Grant {
	return otp.Grant{User: otp.User{ID: session.User, App: session.App}, Session: &session}
}

func (s *sessions) Session(_ context.Context, c otp.Caller, family otp.ID) (otp.Grant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session, ok := s.find(c, family)
	if !ok {
		return otp.Grant{}, errDead
	}
	return grant(session), nil
}

func (s *sessions) Refresh(_ context.Context, c otp.Caller, t otp.RefreshToken) (otp.Grant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session, ok := s.find(c, t.Family)
	switch {
	case !ok:
		return otp.Grant{}, errDead
	case t.Counter == session.Counter:
		session.Counter, session.Rotated = session.Counter+1, s.now()
		s.live[t.Family] = session
	case t.Counter+1 != session.Counter || s.now().Sub(session.Rotated) >= 10*time.Second:
		delete(s.live, t.Family)
		return otp.Grant{}, errDead
	}
	return grant(session), nil
}

func (s *sessions) Revoke(_ context.Context, c otp.Caller, family otp.ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.find(c, family); ok {
		delete(s.live, family)
	}
	return nil
}

// counter returns the present counter of a session.
func (s *sessions) counter(family otp.ID) uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[family].Counter
}

// asked returns how often the mint has asked for a session.
func (s *sessions) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func isCode(err error, code otp.Code) bool {
	var e *otp.Error
	return errors.As(err, &e) && e.Code == code
}

// parts returns the header and the payload of a token as text.
func parts(t testing.TB, signed string) (header, payload string) {
	t.Helper()
	three := strings.Split(signed, ".")
	if len(three) != 3 {
		t.Fatalf("a token of %d parts", len(three))
	}
	return string(unbase64(t, three[0])), string(unbase64(t, three[1]))
}

func rebase64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func unbase64(t testing.TB, s string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// verify checks a token by a published key, with nothing of the mint's.
func verify(t testing.TB, k token.Key, signed string) bool {
	t.Helper()
	dot := strings.LastIndexByte(signed, '.')
	digest, signature := sha256.Sum256([]byte(signed[:dot])), unbase64(t, signed[dot+1:])
	if k.Kty == "RSA" {
		public := rsa.PublicKey{N: new(big.Int).SetBytes(unbase64(t, k.N)), E: int(new(big.Int).SetBytes(unbase64(t, k.E)).Int64())}
		return rsa.VerifyPKCS1v15(&public, crypto.SHA256, digest[:], signature) == nil
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, unbase64(t, k.X)...), unbase64(t, k.Y)...))
	if err != nil {
		t.Fatal(err)
	}
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	return len(signature) == 64 && ecdsa.Verify(public, digest[:], r, s)
}

// privateKey reads the key of a kid off the disk.
func privateKey(t testing.TB, dir, kid string) crypto.Signer {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*-"+kid+".pem"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("%d files for the kid: %v", len(paths), err)
	}
	content, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(content)
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return private.(crypto.Signer)
}

// forge signs any header and payload with a key of the box.
func forge(t testing.TB, private any, header, payload string) string {
	t.Helper()
	text := rebase64([]byte(header)) + "." + rebase64([]byte(payload))
	digest := sha256.Sum256([]byte(text))
	var signature []byte
	switch private := private.(type) {
	case *rsa.PrivateKey:
		var err error
		if signature, err = rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:]); err != nil {
			t.Fatal(err)
		}
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		signature = make([]byte, 64)
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
	case []byte: // an HMAC
		mac := hmac.New(sha256.New, private)
		mac.Write([]byte(text))
		signature = mac.Sum(nil)
	}
	return text + "." + rebase64(signature)
}
