package otp_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

var verifier = strings.Repeat("aZ0-._~", 7)

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// exchange proves alice's number with a challenge. It needs a bubble.
func (r *rig) exchange(challenge string) otp.Grant {
	r.t.Helper()
	p, err := r.prove(r.at("descope"), otp.StartRequest{
		To: alice, Purpose: otp.PurposeSignUpOrIn, Wish: otp.Wish{Challenge: challenge, Claims: []byte(`{"a":1}`)},
	})
	must(r.t, err)
	return *p.Grant
}

func (r *rig) redeem(c otp.Caller, code, verifier string) (otp.Grant, error) {
	return r.d.Exchange(context.Background(), c, code, verifier, "")
}

func TestExchange(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
		c := r.at("descope")
		c.As = "alias"
		g := r.exchange(challenge(verifier))
		if raw, err := base64.RawURLEncoding.DecodeString(g.Exchange); err != nil || len(raw) != 32 || g.Session != nil || r.rows(otp.KindSession) != 0 {
			t.Fatalf("the approval gave a session, or no code (%v)", err)
		}
		must(t, r.store.View(t.Context(), func(tx otp.Tx) error {
			return tx.Scan(otp.Key{Kind: otp.KindExchange}, otp.Key{}, 0, func(k otp.Key, row []byte) bool {
				if strings.Contains(k.Part+string(row), g.Exchange) {
					t.Error("the code is stored")
				}
				return true
			})
		}))
		pass(60*time.Second - time.Millisecond)
		got, err := r.redeem(c, g.Exchange, verifier)
		must(t, err)
		if s := got.Session; s.User != g.User.ID || s.As != "alias" || s.Door != "descope" || string(s.Claims) != `{"a":1}` || !got.First || got.User.Logins != 1 || !r.alive(s) {
			t.Errorf("the grant is %+v", got)
		}
		// a second use ends what the first one gave, however late.
		pass(time.Hour)
		r.store.Sweep(r.box.Clock.Now())
		wantCode(t, second(r.redeem(c, g.Exchange, "")), otp.CodeUnknown)
		if r.alive(got.Session) {
			t.Error("the session lives on after a second use of its code")
		}
	})
}

// every way to be wrong is one answer.
func TestExchangeIsRefused(t *testing.T) {
	short, long := strings.Repeat("a", 42), strings.Repeat("a", 129)
	for name, test := range map[string]struct {
		challenge, verifier string
		door                string
		wait                time.Duration
		code                func(string) string
		before              func(r *rig, g otp.Grant)
	}{
		"61 s later":                 {wait: 61 * time.Second},
		"60 s later":                 {wait: 60 * time.Second},
		"another verifier":           {verifier: verifier + "a"},
		"no verifier":                {verifier: " "},
		"plain":                      {verifier: challenge(verifier)},
		"42 characters":              {challenge: challenge(short), verifier: short},
		"129 characters":             {challenge: challenge(long), verifier: long},
		"a character of no verifier": {challenge: challenge(verifier + "+"), verifier: verifier + "+"},
		"another door":               {door: "passage"},
		"another code":               {code: func(c string) string { return "A" + c[1:] + "A" }},
		"a longer code":              {code: func(c string) string { return c + "A" }},
		"no code":                    {code: func(string) string { return "" }},
		"a user who is disabled": {before: func(r *rig, g otp.Grant) {
			off := false
			must(r.t, second(r.d.Change(context.Background(), r.server(), g.User.ID, otp.UserChange{Enabled: &off})))
		}},
		"a user who is removed": {before: func(r *rig, g otp.Grant) { must(r.t, r.d.Remove(context.Background(), r.server(), g.User.ID)) }},
		"a user who logged out everywhere": {before: func(r *rig, g otp.Grant) {
			must(r.t, r.d.RevokeAll(context.Background(), r.server(), g.User.ID, otp.ID{}))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
				if test.challenge == "" {
					test.challenge = challenge(verifier)
				}
				if test.verifier == "" {
					test.verifier = verifier
				}
				if test.door == "" {
					test.door = "descope"
				}
				g := r.exchange(test.challenge)
				if test.before != nil {
					test.before(r, g)
				}
				pass(test.wait)
				code := g.Exchange
				if test.code != nil {
					code = test.code(code)
				}
				wantCode(t, second(r.redeem(r.at(test.door), code, test.verifier)), otp.CodeUnknown)
				if n := r.rows(otp.KindSession); n != 0 {
					t.Errorf("%d sessions", n)
				}
			})
		})
	}
}

// Three wrong verifiers burn a code, two do not; another app's or door's do
// not count.
func TestWrongVerifiersBurnACode(t *testing.T) {
	for tries, burnt := range map[int]bool{2: false, 3: true} {
		bubble(t, func(t *testing.T) {
			r := newRig(t, setup{apps: []otp.App{openApp("demo"), openApp("other")}})
			g := r.exchange(challenge(verifier))
			other := r.at("descope")
			other.App = r.box.Apps.All()[1]
			for range 5 {
				wantCode(t, second(r.redeem(other, g.Exchange, "x")), otp.CodeUnknown)
				wantCode(t, second(r.redeem(r.at("passage"), g.Exchange, "x")), otp.CodeUnknown)
			}
			for range tries {
				wantCode(t, second(r.redeem(r.at("descope"), g.Exchange, verifier+"x")), otp.CodeUnknown)
			}
			if _, err := r.redeem(r.at("descope"), g.Exchange, verifier); (err != nil) != burnt {
				t.Errorf("after %d wrong verifiers: %v", tries, err)
			}
		})
	}
}

// A code that was handed to a place is redeemed by who names that place; three
// others burn it.
func TestExchangeIsBoundToItsRedirect(t *testing.T) {
	const place = "https://shop.example/welcome?from=login"
	bound := func(t *testing.T) (*rig, func(redirect string) error) {
		app := openApp("demo")
		app.Redirects = []string{"https://shop.example/", place}
		r := newRig(t, setup{apps: []otp.App{app}})
		p, err := r.prove(r.at("descope"), otp.StartRequest{
			To: alice, Purpose: otp.PurposeSignUpOrIn, Wish: otp.Wish{Challenge: challenge(verifier), Redirect: place},
		})
		must(t, err)
		return r, func(redirect string) error {
			return second(r.d.Exchange(context.Background(), r.at("descope"), p.Grant.Exchange, verifier, redirect))
		}
	}
	bubble(t, func(t *testing.T) {
		_, redeem := bound(t)
		wantCode(t, redeem(""), otp.CodeUnknown)
		wantCode(t, redeem("https://shop.example/"), otp.CodeUnknown)
		must(t, redeem(place))
	})
	bubble(t, func(t *testing.T) {
		_, redeem := bound(t)
		for range 3 {
			wantCode(t, redeem(place+"x"), otp.CodeUnknown)
		}
		wantCode(t, redeem(place), otp.CodeUnknown)
	})
	bubble(t, func(t *testing.T) {
		r, _ := bound(t)
		for name, wish := range map[string]otp.Wish{
			"not registered": {Challenge: challenge(verifier), Redirect: "https://shop.example/welcome"},
			"no challenge":   {Redirect: place},
		} {
			err := second(r.v.Start(t.Context(), r.at("descope"), otp.StartRequest{To: bob, Purpose: otp.PurposeSignUpOrIn, Wish: wish}))
			if otp.AsError(err) == nil || otp.AsError(err).Code != otp.InvalidRequest {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

// fifty at once get one session between them.
func TestParallelExchangesGiveOneSession(t *testing.T) {
	r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
	c := r.at("descope")
	for round := range 20 {
		p, err := r.v.Start(t.Context(), c, otp.StartRequest{To: alice, Purpose: otp.PurposeSignUpOrIn, Wish: otp.Wish{Challenge: challenge(verifier)}})
		must(t, err)
		p, err = r.v.Check(t.Context(), c, p.Verification.ID, eventually(t, r, round))
		must(t, err)
		var granted atomic.Int32
		var opened atomic.Pointer[otp.Session]
		barrier := make(chan struct{})
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				<-barrier
				if g, err := r.redeem(c, p.Grant.Exchange, verifier); err == nil {
					granted.Add(1)
					opened.Store(g.Session)
				}
			})
		}
		close(barrier)
		all.Wait()
		if n := granted.Load(); n != 1 {
			t.Fatalf("round %d: %d grants", round, n)
		}
		if _, err := r.d.Session(t.Context(), c, opened.Load().ID); err != nil {
			t.Fatalf("round %d: the session of the one is dead: %v", round, err)
		}
	}
}

func TestChallengeOfAStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		good := challenge(verifier)
		for _, bad := range []string{"plain", good[1:], good + "A", good + "=", strings.Repeat("+", 43), good[:42] + "_", strings.Repeat("a", 4096)} {
			_, err := r.v.Start(t.Context(), r.at("descope"), otp.StartRequest{To: alice, Purpose: otp.PurposeSignUpOrIn, Wish: otp.Wish{Challenge: bad}})
			wantCode(t, err, otp.InvalidRequest)
		}
	})
}
