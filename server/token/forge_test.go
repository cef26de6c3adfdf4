package token_test

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
)

// forger makes tokens that differ from a good one in one respect.
type forger struct {
	t       testing.TB
	private crypto.Signer
	kid     string
	claims  map[string]string // as they stand in the payload
}

func newForger(t testing.TB, b *box, g otp.Grant) forger {
	kid := b.KeySet(b.shop, token.ES256).Keys[0].Kid
	now := int64(b.clock()) / 1000
	return forger{t: t, private: privateKey(t, b.dir, kid), kid: kid, claims: map[string]string{
		"iss": `"shop"`, "aud": `"shop"`, "sub": `"usr_1"`, "sid": `"` + g.Session.ID.String() + `"`,
		"iat": fmt.Sprint(now), "nbf": fmt.Sprint(now), "exp": fmt.Sprint(now + 900),
	}}
}

func (f forger) header() string { return `{"alg":"ES256","kid":"` + f.kid + `","typ":"JWT"}` }

// payload returns the good claims without some.
func (f forger) payload(without ...string) string {
	var members []string
	for _, name := range []string{"iss", "aud", "sub", "sid", "iat", "nbf", "exp"} {
		if !slices.Contains(without, name) {
			members = append(members, `"`+name+`":`+f.claims[name])
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

// with returns the good claims with one replaced, or added.
func (f forger) with(name, value string) string {
	return strings.TrimSuffix(f.payload(name), "}") + `,"` + name + `":` + value + "}"
}

func (f forger) sign(header, payload string) string { return forge(f.t, f.private, header, payload) }

// good is the control: were it refused, the forgeries would prove nothing.
func (f forger) good() string { return f.sign(f.header(), f.payload()) }

//
func TestForgedAccess(t *testing.T) {
	b := newBox(t, token.RS256)
	g := b.login("")
	f := newForger(t, b, g)
	good := f.good()
	if _, err := b.Bearer(t.Context(), b.at(""), good); err != nil {
		t.Fatalf("the token that all forgeries start from is refused: %v", err)
	}
	later := func(d time.Duration) string { return fmt.Sprint(int64(b.clock().Add(d)) / 1000) }
	three := strings.Split(good, ".")
	header := func(members string) string {
		return f.sign(`{"alg":"ES256","typ":"JWT","kid":"`+f.kid+`",`+members+`}`, f.payload())
	}
	kid := func(kid string) string {
		return f.sign(`{"alg":"ES256","kid":"`+kid+`","typ":"JWT"}`, f.payload())
	}
	alg := func(alg string, key any) string {
		return forge(t, key, `{"alg":"`+alg+`","kid":"`+f.kid+`","typ":"JWT"}`, f.payload())
	}
	public := b.KeySet(b.shop, token.ES256).Keys[0]
	jwk, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	der := spki(t, f.private)
	flip := func(part int) string {
		out := strings.Split(good, ".")
		raw := unbase64(t, out[part])
		raw[len(raw)/2] ^= 1
		out[part] = rebase64(raw)
		return strings.Join(out, ".")
	}
	rsaKid := b.KeySet(b.shop, token.RS256).Keys[0].Kid

	tokens := map[string]string{
		"nothing": "", "a word": "token", "two parts": three[0] + "." + three[1], "four parts": good + "." + three[2],
		"alg none": alg("none", f.private), "alg None": alg("None", f.private), "alg nOnE": alg("nOnE", f.private),
		"alg none, signature cut": alg("none", f.private)[:strings.LastIndexByte(alg("none", f.private), '.')+1],
		"HS256 by the PEM":        alg("HS256", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"HS256 by the DER":        alg("HS256", der),
		"HS256 by the JWK":        alg("HS256", jwk),
		"RS256 with an EC kid":    alg("RS256", privateKey(t, b.dir, rsaKid)),
		"ES256 with an RSA kid":   kid(rsaKid),
		"ES384":                   alg("ES384", f.private),
		"no alg":                  f.sign(`{"kid":"`+f.kid+`","typ":"JWT"}`, f.payload()),

		"kid of a path": kid("../../dev/null"), "kid 0": kid("0"), "kid of SQL": kid("' OR 1=1"),
		"kid of 4 KiB": kid(strings.Repeat("k", 4<<10)), "kid unknown": kid("0009" + f.kid[4:]),
		"no kid":       f.sign(`{"alg":"ES256","typ":"JWT"}`, f.payload()),
		"kid a number": f.sign(`{"alg":"ES256","kid":1,"typ":"JWT"}`, f.payload()),
		"kid twice":    header(`"kid":"` + f.kid + `"`),

		"jku": header(`"jku":"https://evil.example/keys"`), "x5u": header(`"x5u":"https://evil.example/c"`),
		"jwk": header(`"jwk":` + string(jwk)), "x5c": header(`"x5c":["MIIB"]`), "crit": header(`"crit":["exp"]`),
		"b64": header(`"b64":false`), "cty": header(`"cty":"JWT"`),

		"a bit of the header": flip(0), "a bit of the payload": flip(1), "a bit of the signature": flip(2),
		"no signature": three[0] + "." + three[1] + ".", "half a signature": good[:len(good)-43],
		"a letter with bits to spare": good[:len(good)-1] + next(good[len(good)-1]),
		"padding":                     good + "==", "a line break": good + "\n", "a line break inside": three[0] + "." + three[1] + ".\r\n" + three[2],
		"a space before": " " + good, "standard base64": three[0] + "." + three[1] + "." + strings.Repeat("+/", 43),
		"100,000 dots": strings.Repeat(".", 100_000), "3,000 dots": strings.Repeat(".", 3000),
		"1 MiB": three[0] + "." + strings.Repeat("A", 1<<20) + "." + three[2],

		"exp twice":              f.sign(f.header(), strings.TrimSuffix(f.payload(), "}")+`,"exp":`+later(time.Hour)+`}`),
		"exp a string":           f.sign(f.header(), f.with("exp", `"`+later(time.Hour)+`"`)),
		"exp negative":           f.sign(f.header(), f.with("exp", "-1")),
		"exp 0":                  f.sign(f.header(), f.with("exp", "0")),
		"exp 1e30":               f.sign(f.header(), f.with("exp", "1e30")),
		"exp 1e18":               f.sign(f.header(), f.with("exp", "1000000000000000000")),
		"exp a fraction":         f.sign(f.header(), f.with("exp", later(time.Hour)+".5")),
		"exp null":               f.sign(f.header(), f.with("exp", "null")),
		"EXP":                    f.sign(f.header(), strings.Replace(f.payload(), `"exp"`, `"EXP"`, 1)),
		"exp now":                f.sign(f.header(), f.with("exp", later(0))),
		"iat in 31 s":            f.sign(f.header(), f.with("iat", later(32*time.Second))),
		"nbf in 31 s":            f.sign(f.header(), f.with("nbf", later(32*time.Second))),
		"iat a string":           f.sign(f.header(), f.with("iat", `"1"`)),
		"nbf negative":           f.sign(f.header(), f.with("nbf", "-5")),
		"sid of no form":         f.sign(f.header(), f.with("sid", `"`+strings.ToUpper(g.Session.ID.String())+`A"`)),
		"sid of nobody":          f.sign(f.header(), f.with("sid", `"`+otp.NewID().String()+`"`)),
		"iss of the bank":        f.sign(f.header(), f.with("iss", `"bank"`)),
		"iss empty":              f.sign(f.header(), f.with("iss", `""`)),
		"sub empty":              f.sign(f.header(), f.with("sub", `""`)),
		"sub a list":             f.sign(f.header(), f.with("sub", `["usr_1"]`)),
		"aud empty":              f.sign(f.header(), f.with("aud", `[]`)),
		"aud of nothing":         f.sign(f.header(), f.with("aud", `["shop",""]`)),
		"aud a number":           f.sign(f.header(), f.with("aud", "7")),
		"a payload of no object": f.sign(f.header(), "null"), "a list": f.sign(f.header(), "[]"),
		"a deep payload":    f.sign(f.header(), f.with("x", strings.Repeat("[", 900))),
		"two payloads":      f.sign(f.header(), f.payload()+f.payload()),
		"a counter":         f.sign(f.header(), f.with("ctr", "0")),
		"a counter of text": f.sign(f.header(), f.with("ctr", `"0"`)),
	}
	for _, name := range []string{"exp", "iss", "aud", "sub", "sid", "iat"} {
		tokens["without "+name] = f.sign(f.header(), f.payload(name))
	}
	words := ""
	for name, forged := range tokens {
		_, err := b.Bearer(t.Context(), b.at(""), forged)
		if !isCode(err, otp.Unauthorized) {
			t.Errorf("%s: %v, want unauthorized", name, err)
			continue
		}
		// What is refused before the session is looked up is told apart by nothing.
		if name != "sid of nobody" {
			if words == "" {
				words = err.Error()
			}
			if err.Error() != words {
				t.Errorf("%s: is told in words of its own: %s", name, err)
			}
		}
		if name == "a counter" { // it makes a refresh token, and that a good one
			continue
		}
		if _, err := b.Show(t.Context(), b.at(""), forged); !isCode(err, otp.Unauthorized) {
			t.Errorf("%s: shown as a refresh token: %v, want unauthorized", name, err)
		}
	}
	if log := b.log.String(); strings.Contains(log, three[1]) || strings.Count(log, "\n") != 3 {
		t.Errorf("the log has more than the keys that were made:\n%s", log)
	}
}

// What is too long is not looked at: it costs no memory.
func TestLongTokens(t *testing.T) {
	b := newBox(t)
	c := b.at("")
	header, _, _ := strings.Cut(b.issue(t, b.login(""), token.Form{}).Access, ".")
	for name, text := range map[string]string{
		"1 MiB": strings.Repeat("A", 1<<20), "100,000 dots": strings.Repeat(".", 100_000),
		"1 MiB in three parts": header + "." + strings.Repeat("A", 1<<20) + ".AA", "4 KiB of dots": strings.Repeat(".", 4<<10),
	} {
		for call, read := range map[string]func() error{
			"Bearer": func() error { _, err := b.Bearer(t.Context(), c, text); return err },
			"Show":   func() error { _, err := b.Show(t.Context(), c, text); return err },
			"Revoke": func() error { return b.Revoke(t.Context(), c, text) },
		} {
			if err := read(); !isCode(err, otp.Unauthorized) {
				t.Errorf("%s of %s: %v, want unauthorized", call, name, err)
			}
			if n := testing.AllocsPerRun(5, func() { _ = read() }); n > 2 {
				t.Errorf("%s of %s allocates %v times", call, name, n)
			}
		}
	}
	if n := b.sessions.asked(); n != 0 {
		t.Errorf("sessions were asked %d times", n)
	}
}

// A token dated up to 30 s ahead is good, for two boxes of one clock differ.
func TestDatedAhead(t *testing.T) {
	b := newBox(t)
	f := newForger(t, b, b.login(""))
	ahead := fmt.Sprint(int64(b.clock())/1000 + 29)
	for _, name := range []string{"iat", "nbf"} {
		if _, err := b.Bearer(t.Context(), b.at(""), f.sign(f.header(), f.with(name, ahead))); err != nil {
			t.Errorf("%s 29 s ahead: %v", name, err)
		}
	}
}

//
func TestTokensElsewhere(t *testing.T) {
	b := newBox(t)
	g := b.login("descope")
	jwts := b.issue(t, g, token.Form{Refresh: map[string]any{"drn": "DSR"}})
	opaque := b.issue(t, g, token.Form{})
	bank := otp.Caller{App: b.bank, Door: "descope"}
	here, native := b.at("descope"), b.at("")
	access := func(c otp.Caller, text string) error { _, err := b.Bearer(t.Context(), c, text); return err }
	show := func(c otp.Caller, text string) error { _, err := b.Show(t.Context(), c, text); return err }
	refresh := func(c otp.Caller, text string) error {
		_, _, err := b.Refresh(t.Context(), c, text, func(*otp.Grant) token.Form { return token.Form{} })
		return err
	}
	for name, err := range map[string]error{
		"access token": access(here, jwts.Access), "refresh JWT": show(here, jwts.Refresh), "opaque token": show(here, opaque.Refresh),
	} {
		if err != nil {
			t.Errorf("%s at home: %v", name, err)
		}
	}
	asked := b.sessions.asked()
	for name, text := range map[string]string{"opaque token": opaque.Refresh, "refresh JWT": jwts.Refresh} {
		if err := show(bank, text); !isCode(err, otp.Unauthorized) || b.sessions.asked() != asked {
			t.Errorf("%s at another app: %v; sessions were asked %d times", name, err, b.sessions.asked()-asked)
		}
	}
	if err := show(native, opaque.Refresh); !isCode(err, otp.Unauthorized) || b.sessions.asked() != asked {
		t.Errorf("opaque token at another door: %v; sessions were asked %d times", err, b.sessions.asked()-asked)
	}
	for name, err := range map[string]error{
		"access at another app":          access(bank, jwts.Access),
		"access at another door":         access(native, jwts.Access),
		"access at no app":               access(otp.Caller{}, jwts.Access),
		"refresh JWT as access":          access(here, jwts.Refresh),
		"opaque refresh as access":       access(here, opaque.Refresh),
		"access as refresh":              refresh(here, jwts.Access),
		"access shown as refresh":        show(here, jwts.Access),
		"access revoked as refresh":      b.Revoke(t.Context(), here, jwts.Access),
		"refresh JWT at another app":     refresh(bank, jwts.Refresh),
		"refresh JWT at another door":    refresh(native, jwts.Refresh),
		"opaque refresh at another app":  refresh(bank, opaque.Refresh),
		"opaque refresh at another door": refresh(native, opaque.Refresh),
		"opaque refresh at no app":       refresh(otp.Caller{}, opaque.Refresh),
		"opaque revoked at another door": b.Revoke(t.Context(), native, opaque.Refresh),
	} {
		if !isCode(err, otp.Unauthorized) {
			t.Errorf("%s: %v, want unauthorized", name, err)
		}
	}
	if b.sessions.counter(g.Session.ID) != 0 {
		t.Error("a refused token has raised the counter")
	}
}

// Two apps with one key, as an operator may copy files, still tell their tokens
// apart.
func TestCopiedKey(t *testing.T) {
	b := newBox(t)
	kid := b.KeySet(b.shop, token.ES256).Keys[0].Kid
	content, err := os.ReadFile(filepath.Join(b.dir, "shop-es256-"+kid+".pem"))
	if err == nil {
		err = os.WriteFile(filepath.Join(b.dir, "bank-es256-"+kid+".pem"), content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.reopen(t)
	set := b.issue(t, b.login(""), token.Form{})
	asked := b.sessions.asked()
	if _, err := b.Bearer(t.Context(), otp.Caller{App: b.bank}, set.Access); !isCode(err, otp.Unauthorized) {
		t.Errorf("the shop's token at the bank: %v, want unauthorized", err)
	}
	if b.sessions.asked() != asked {
		t.Error("its session was looked up")
	}
}

// spki is the public half of a private key in DER.
func spki(t testing.TB, private crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// next returns the letter behind one in the alphabet of base64url: at the end of
// a signature it stands for the same bytes, and is misspelt.
func next(letter byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, letter)+1])
}
