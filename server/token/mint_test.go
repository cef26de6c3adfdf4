package token_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
)

// fixed is a session of which every part is known.
func fixed(b *box) otp.Grant {
	g := b.login("")
	for i := range g.Session.ID {
		g.Session.ID[i] = byte(i)
	}
	g.Session.Claims = []byte(`{"plan":"gold","n":12345678901234567890,"roles":["admin"],"Phone_Verified":true,"sub":"usr_x","exp":1}`)
	b.sessions.put(*g.Session)
	return g
}

const (
	sid     = "000102030405060708090a0b0c0d0e0f"
	subject = "usr_a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
)

// A code by mail proves no phone, and no token says that it did.
func TestMethodOfAMail(t *testing.T) {
	b := newBox(t, token.ES256)
	g := fixed(b)
	g.User.Address.Kind = otp.Email
	_, claims := parts(t, b.issue(t, g, token.Form{}).Access)
	if !strings.HasPrefix(claims, `{"amr":["otp"],`) {
		t.Errorf("got %s", claims)
	}
}

func TestShapes(t *testing.T) {
	for name, test := range map[string]struct {
		as                      string
		stepUp                  otp.Time
		form                    token.Form
		header, access, refresh string
	}{
		"the default": {
			header: `{"alg":"ES256","kid":"KID","typ":"JWT"}`,
			access: `{"amr":["sms"],"aud":"shop","auth_time":1795339800,"exp":1795340700,"iat":1795339800,"iss":"shop","nbf":1795339800,` +
				`"pinferry_claims":{"n":12345678901234567890,"plan":"gold"},"sid":"` + sid + `","sub":"` + subject + `"}`,
		},
		"addressed by an alias, as Descope has it": {
			as: "P2shop", stepUp: start.Add(2 * time.Second),
			form: token.Form{
				Claims: map[string]any{"drn": "DS"}, ClaimsName: "nsec", Refresh: map[string]any{"drn": "DSR"},
			},
			header: `{"alg":"ES256","kid":"KID","typ":"JWT"}`,
			access: `{"amr":["sms"],"aud":"P2shop","auth_time":1795339802,"drn":"DS","exp":1795340700,"iat":1795339800,"iss":"P2shop","nbf":1795339800,` +
				`"nsec":{"n":12345678901234567890,"plan":"gold"},"sid":"` + sid + `","sub":"` + subject + `"}`,
			refresh: `{"aud":"P2shop","ctr":0,"drn":"DSR","exp":1797931800,"iat":1795339800,"iss":"P2shop","sid":"` + sid + `","sub":"` + subject + `"}`,
		},
		"RSA, with all names given": {
			form: token.Form{
				Algorithm: token.RS256, Type: "at+jwt", Issuer: "https://otp.example/auth/v1", Subject: "42", Audiences: []string{"https://example.org", "shop"},
				Claims: map[string]any{"amr": []map[string]any{{"method": "otp"}}},
			},
			header: `{"alg":"RS256","kid":"KID","typ":"at+jwt"}`,
			access: `{"amr":[{"method":"otp"}],"aud":["https://example.org","shop"],"auth_time":1795339800,"exp":1795340700,"iat":1795339800,` +
				`"iss":"https://otp.example/auth/v1","nbf":1795339800,"pinferry_claims":{"n":12345678901234567890,"plan":"gold"},"sid":"` + sid + `","sub":"42"}`,
		},
		"a list of one, as Passage has it": {
			form:   token.Form{Audience: "not this", Audiences: []string{"shop"}},
			header: `{"alg":"ES256","kid":"KID","typ":"JWT"}`,
			access: `{"amr":["sms"],"aud":["shop"],"auth_time":1795339800,"exp":1795340700,"iat":1795339800,"iss":"shop","nbf":1795339800,` +
				`"pinferry_claims":{"n":12345678901234567890,"plan":"gold"},"sid":"` + sid + `","sub":"` + subject + `"}`,
		},
		"a name, as GoTrue has it": {
			form:   token.Form{Audience: "authenticated"},
			header: `{"alg":"ES256","kid":"KID","typ":"JWT"}`,
			access: `{"amr":["sms"],"aud":"authenticated","auth_time":1795339800,"exp":1795340700,"iat":1795339800,"iss":"shop","nbf":1795339800,` +
				`"pinferry_claims":{"n":12345678901234567890,"plan":"gold"},"sid":"` + sid + `","sub":"` + subject + `"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, token.RS256)
			g := fixed(b)
			g.Session.As, g.Session.StepUp = test.as, test.stepUp
			set := b.issue(t, g, test.form)
			algorithm := test.form.Algorithm
			if algorithm == "" {
				algorithm = token.ES256
			}
			keys := b.KeySet(b.shop, algorithm).Keys
			if len(keys) != 1 {
				t.Fatalf("%d keys", len(keys))
			}
			compare := func(what, signed, payload string) {
				header, claims := parts(t, signed)
				if want := strings.Replace(test.header, "KID", keys[0].Kid, 1); header != want {
					t.Errorf("%s: header %s, want %s", what, header, want)
				}
				if claims != payload {
					t.Errorf("%s: payload\n%s, want\n%s", what, claims, payload)
				}
				if !verify(t, keys[0], signed) {
					t.Errorf("%s: the published key does not verify it", what)
				}
			}
			compare("access", set.Access, test.access)
			if test.refresh != "" {
				compare("refresh", set.Refresh, test.refresh)
			} else if len(unbase64(t, set.Refresh)) != 48 {
				t.Errorf("an opaque token of %d letters", len(set.Refresh))
			}
			if set.ExpiresIn != 900 || set.AccessExpires != 1795340700_000 || set.RefreshExpires != 1797931800_000 {
				t.Errorf("expires in %d s, at %d and %d", set.ExpiresIn, set.AccessExpires, set.RefreshExpires)
			}
			if got, err := b.Bearer(t.Context(), b.at(""), set.Access); err != nil || got.Session.ID != g.Session.ID {
				t.Errorf("the token is not read back: %v", err)
			}
			if got, err := b.Show(t.Context(), b.at(""), set.Refresh); err != nil || got.Session.ID != g.Session.ID {
				t.Errorf("the refresh token is not read back: %v", err)
			}
		})
	}
}

// One signature in 128 has a half that begins with a zero, and is as long as
// all others.
func TestShortHalves(t *testing.T) {
	b := newBox(t)
	key := b.KeySet(b.shop, token.ES256).Keys[0]
	for short := [2]bool{}; !short[0] || !short[1]; {
		access := b.issue(t, b.login(""), token.Form{}).Access
		signature := unbase64(t, access[strings.LastIndexByte(access, '.')+1:])
		if len(signature) != 64 {
			t.Fatalf("a signature of %d bytes", len(signature))
		}
		if signature[0] != 0 && signature[32] != 0 {
			continue
		}
		short[0], short[1] = short[0] || signature[0] == 0, short[1] || signature[32] == 0
		if !verify(t, key, access) {
			t.Error("a signature with a short half is wrong")
			return
		}
	}
}

// What a client says of itself stands in its own corner, or nowhere.
func TestClientClaims(t *testing.T) {
	b := newBox(t)
	reserved := []string{
		"sub", "iss", "aud", "exp", "nbf", "iat", "jti", "amr", "AMR", "roles", "Roles", "permissions", "tenants",
		"phone_verified", "app_metadata", "sid", "ctr",
	}
	g := b.login("")
	theirs := map[string]any{}
	for _, name := range reserved {
		theirs[name] = "evil"
	}
	g.Session.Claims, _ = json.Marshal(theirs)
	if _, payload := parts(t, b.issue(t, g, token.Form{}).Access); strings.Contains(payload, "evil") || strings.Contains(payload, "pinferry_claims") {
		t.Errorf("a reserved name came through: %s", payload)
	}

	for name, claims := range map[string]string{
		"no object": `["a"]`, "no JSON": `{"a":`, "twice": `{"a":1,"a":2}`, "too long": `{"a":"` + strings.Repeat("x", token.MaxClaims) + `"}`,
	} {
		g.Session.Claims = []byte(claims)
		if _, err := b.Issue(&g, token.Form{}); err == nil || strings.Contains(err.Error(), claims) {
			t.Errorf("%s: %v, want an error that does not repeat it", name, err)
		}
	}
	g.Session.Claims = []byte(`{"a":"` + strings.Repeat("x", token.MaxClaims-8) + `"}`)
	if set := b.issue(t, g, token.Form{}); len(set.Access) > 4<<10 {
		t.Errorf("with the most claims a token has %d bytes", len(set.Access))
	}
}

// A form that asks for what it may not have is a fault, not a token.
func TestWrongForms(t *testing.T) {
	b := newBox(t)
	g := b.login("")
	g.Session.Claims = []byte(`{"plan":"gold"}`)
	forms := map[string]token.Form{
		"no key for it":        {Algorithm: token.RS256},
		"no such algorithm":    {Algorithm: "HS256"},
		"client claims as sub": {ClaimsName: "sub"},
		"client claims as drn": {ClaimsName: "drn", Claims: map[string]any{"drn": "DS"}},
		"a nameless audience":  {Audiences: []string{"shop", ""}},
		"no audience":          {Audiences: []string{}},
		"more than fits":       {Claims: map[string]any{"x": strings.Repeat("x", 4<<10)}},
		"no JSON":              {Claims: map[string]any{"x": make(chan int)}},
	}
	for _, name := range []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "ctr"} {
		forms["claim "+name] = token.Form{Claims: map[string]any{name: "x"}}
		forms["refresh claim "+name] = token.Form{Refresh: map[string]any{name: "x"}}
	}
	for name, form := range forms {
		if set, err := b.Issue(&g, form); err == nil || otp.AsError(err).Code != otp.Internal || set != (token.Set{}) {
			t.Errorf("%s: %v, want a fault and no token", name, err)
		}
	}
	g.Session = nil
	if _, err := b.Issue(&g, token.Form{}); err == nil {
		t.Error("tokens were made for a grant without a session")
	}
}

func TestLife(t *testing.T) {
	b := newBox(t)
	g := b.login("")
	set := b.issue(t, g, token.Form{Refresh: map[string]any{}})
	b.pass(otp.AccessLife - time.Second)
	if _, err := b.Bearer(t.Context(), b.at(""), set.Access); err != nil {
		t.Errorf("one second before its end: %v", err)
	}
	b.pass(time.Second)
	if _, err := b.Bearer(t.Context(), b.at(""), set.Access); !isCode(err, otp.Unauthorized) {
		t.Errorf("at its end: %v, want unauthorized", err)
	}

	// The last access token ends with its session.
	b.now.Store(int64(g.Session.Expires.Add(-time.Minute)))
	last := b.issue(t, g, token.Form{})
	if last.ExpiresIn != 60 || last.AccessExpires > g.Session.Expires {
		t.Errorf("one minute before the session's end a token lives %d s", last.ExpiresIn)
	}
	b.pass(time.Minute)
	for name, form := range map[string]token.Form{"opaque": {}, "JWT": {Refresh: map[string]any{}}} {
		if _, err := b.Issue(&g, form); !isCode(err, otp.Unauthorized) {
			t.Errorf("%s: tokens for a session that has ended: %v", name, err)
		}
	}
	if _, err := b.Show(t.Context(), b.at(""), set.Refresh); !isCode(err, otp.Unauthorized) {
		t.Errorf("refresh token on the 31st day: %v, want unauthorized", err)
	}
	// To log out of what has ended is no error; of what never was it is.
	if err := b.Revoke(t.Context(), b.at(""), set.Refresh); err != nil {
		t.Errorf("revoke after the end: %v", err)
	}
	if err := b.Revoke(t.Context(), b.at(""), set.Access); !isCode(err, otp.Unauthorized) {
		t.Errorf("revoke by an access token after the end: %v, want unauthorized", err)
	}
}

func TestRevoke(t *testing.T) {
	b := newBox(t)
	for name, form := range map[string]token.Form{"opaque": {}, "JWT": {Refresh: map[string]any{}}} {
		set := b.issue(t, b.login(""), form)
		for range 2 {
			if err := b.Revoke(t.Context(), b.at(""), set.Refresh); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := b.Bearer(t.Context(), b.at(""), set.Access); !isCode(err, otp.Unauthorized) {
				t.Errorf("%s: an access token after log-out: %v", name, err)
			}
		}
	}
}

// A box that knows its clock to be wrong makes no token, and uses up none.
func TestClockBehindBuild(t *testing.T) {
	b := newBox(t)
	g := b.login("")
	set := b.issue(t, g, token.Form{})
	b.pass(-time.Hour - time.Millisecond)
	_, err := b.Issue(&g, token.Form{})
	if !isCode(err, otp.Internal) || !strings.Contains(err.Error(), "clock is behind the build date") {
		t.Errorf("issue: %v", err)
	}
	_, _, err = b.Refresh(t.Context(), b.at(""), set.Refresh, func(*otp.Grant) token.Form { return token.Form{} })
	if !isCode(err, otp.Internal) {
		t.Errorf("refresh: %v", err)
	}
	if n := b.sessions.counter(g.Session.ID); n != 0 {
		t.Errorf("the counter stands at %d", n)
	}
}

// Many at once share the keys and nothing else.
func TestParallel(t *testing.T) {
	b := newBox(t, token.RS256)
	var all sync.WaitGroup
	for _, algorithm := range []token.Algorithm{token.ES256, token.RS256} {
		for range 4 {
			all.Go(func() {
				for range 5 {
					g := b.login("")
					set, err := b.Issue(&g, token.Form{Algorithm: algorithm, Refresh: map[string]any{}})
					if err != nil {
						t.Error(err)
						return
					}
					got, err := b.Bearer(t.Context(), b.at(""), set.Access)
					if err != nil || got.Session.ID != g.Session.ID {
						t.Errorf("%s: read back: %v", algorithm, err)
					}
				}
			})
		}
	}
	all.Wait()
}
