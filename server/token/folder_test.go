package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
)

// kids returns the published kids of the shop, in their order.
func kids(b *box, algorithms ...token.Algorithm) (all []string) {
	for _, k := range b.KeySet(b.shop, algorithms...).Keys {
		all = append(all, k.Kid)
	}
	return all
}

func rotate(t *testing.T, b *box) string {
	t.Helper()
	kid, err := token.Rotate(b.dir, "shop", token.ES256)
	if err != nil {
		t.Fatal(err)
	}
	return kid
}

func TestFiles(t *testing.T) {
	b := newBox(t, token.RS256, token.ES256)
	if info, err := os.Stat(b.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(b.dir)
	if err != nil || len(entries) != 3 {
		t.Fatalf("%d files, %v; want those of shop (2) and bank (1)", len(entries), err)
	}
	form := regexp.MustCompile(`^((shop-(es256|rs256))|(bank-es256))-0001[0-9a-f]{20}\.pem$`)
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || info.Mode() != 0o600 || !form.MatchString(entry.Name()) {
			t.Errorf("%s has mode %v, %v", entry.Name(), info.Mode(), err)
		}
	}
	// What is there is kept.
	before := kids(b, token.ES256, token.RS256)
	set := b.issue(t, b.login(""), token.Form{})
	b.reopen(t)
	if after := kids(b, token.ES256, token.RS256); !slices.Equal(after, before) || len(after) != 2 {
		t.Errorf("keys after a restart: %v, before it %v", after, before)
	}
	if _, err := b.Bearer(t.Context(), b.at(""), set.Access); err != nil {
		t.Errorf("a token after a restart: %v", err)
	}
}

func TestKeySet(t *testing.T) {
	b := newBox(t, token.RS256)
	text, err := json.Marshal(b.KeySet(b.shop, token.ES256, token.RS256))
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`^\{"keys":\[` +
		`\{"kid":"0001[0-9a-f]{20}","kty":"EC","alg":"ES256","use":"sig","crv":"P-256","x":"[A-Za-z0-9_-]{43}","y":"[A-Za-z0-9_-]{43}"\},` +
		`\{"kid":"0001[0-9a-f]{20}","kty":"RSA","alg":"RS256","use":"sig","n":"[A-Za-z0-9_-]{342}","e":"AQAB"\}\]\}$`)
	if !want.Match(text) {
		t.Errorf("the key set is %s", text)
	}
	for name, app := range map[string]*otp.App{"no RSA": b.bank, "unknown app": {ID: "mall"}} {
		if text, err := json.Marshal(b.KeySet(app, token.RS256)); err != nil || string(text) != `{"keys":[]}` {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
}

// An app without sessions gets no keys, whatever its doors ask for.
func TestNoSessions(t *testing.T) {
	b := newBox(t)
	c := b.config()
	c.Dir = t.TempDir()
	c.Apps = []*otp.App{{ID: "plain"}}
	c.Needs = func(*otp.App) []token.Algorithm { return []token.Algorithm{token.RS256} }
	if _, err := token.Open(c); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(c.Dir); err != nil || len(entries) != 0 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

func TestRotate(t *testing.T) {
	b := newBox(t)
	sets := []token.Set{b.issue(t, b.login(""), token.Form{})}
	all := kids(b, token.ES256)
	path := keyPath(t, b)
	oldest, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		kid := rotate(t, b)
		if slices.Contains(kids(b, token.ES256), kid) {
			t.Fatal("a key came into use without a restart")
		}
		b.reopen(t)
		all = slices.Insert(all, 0, kid)
		want := all[:min(3, len(all))]
		if got := kids(b, token.ES256); !slices.Equal(got, want) {
			t.Fatalf("key set %v, want %v", got, want)
		}
		sets = append(sets, b.issue(t, b.login(""), token.Form{}))
		for i, set := range sets {
			_, err := b.Bearer(t.Context(), b.at(""), set.Access)
			if alive := len(sets)-i <= 3; (err == nil) != alive {
				t.Errorf("after rotation %d the token of key %d: %v", len(sets)-1, i, err)
			}
		}
		if header, _ := parts(t, sets[len(sets)-1].Access); !strings.Contains(header, `"kid":"`+kid+`"`) {
			t.Errorf("the new key does not sign: %s", header)
		}
	}
	if all[0][:4] != "0004" {
		t.Errorf("the fourth key is %s", all[0])
	}
	files, err := filepath.Glob(filepath.Join(b.dir, "shop-*"))
	if err != nil || len(files) != 3 {
		t.Errorf("%d files of the shop, %v; the oldest key should be gone", len(files), err)
	}
	// Nor does a restored file bring it back.
	if err := os.WriteFile(path, oldest, 0o600); err != nil {
		t.Fatal(err)
	}
	b.reopen(t)
	if got := kids(b, token.ES256); !slices.Equal(got, all[:3]) {
		t.Errorf("with the oldest key restored the key set is %v, want %v", got, all[:3])
	}
	if len(b.KeySet(b.bank, token.ES256).Keys) != 1 {
		t.Error("the bank's key was rotated too")
	}
}

func TestRotateRefuses(t *testing.T) {
	b := newBox(t)
	missing := filepath.Join(t.TempDir(), "keys")
	for name, err := range map[string]error{
		"a way out of the folder": second(token.Rotate(b.dir, "../shop", token.ES256)),
		"no app":                  second(token.Rotate(b.dir, "", token.ES256)),
		"no algorithm":            second(token.Rotate(b.dir, "shop", "")),
		"an unknown algorithm":    second(token.Rotate(b.dir, "shop", "HS256")),
		"no folder":               second(token.Rotate(missing, "shop", token.ES256)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a folder was made")
	}
	old := keyPath(t, b)
	if err := os.Rename(old, strings.Replace(old, "-0001", "-9999", 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := token.Rotate(b.dir, "shop", token.ES256); err == nil || !strings.Contains(err.Error(), "9999") {
		t.Errorf("a 10,000th key: %v", err)
	}
	if os.Geteuid() == 0 { // who could leave a key that the box cannot read
		if err := os.Chown(b.dir, 65534, -1); err != nil {
			t.Fatal(err)
		}
		if _, err := token.Rotate(b.dir, "shop", token.ES256); !errors.Is(err, token.ErrOwner) || !strings.Contains(err.Error(), "#65534") {
			t.Errorf("another's folder: %v, want ErrOwner", err)
		}
	}
}

func second(_ string, err error) error { return err }

// Dashes in ids do not make one app's keys another's.
func TestDashes(t *testing.T) {
	b := newBox(t)
	b.bank = &otp.App{ID: "shop-es256", Sessions: true}
	third := &otp.App{ID: "-_-", Sessions: true}
	c := b.config()
	c.Apps = append(c.Apps, third)
	mint, err := token.Open(c)
	if err == nil {
		_, err = token.Rotate(b.dir, "shop-es256", token.ES256)
	}
	if err == nil {
		mint, err = token.Open(c)
	}
	if err != nil {
		t.Fatal(err)
	}
	for app, want := range map[*otp.App]int{b.shop: 1, b.bank: 2, third: 1} {
		if got := mint.KeySet(app, token.ES256).Keys; len(got) != want {
			t.Errorf("app %s has %d keys, want %d", app.ID, len(got), want)
		}
	}
}

// keyPath returns the one key file of the shop.
func keyPath(t *testing.T, b *box) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(b.dir, "shop-es256-*.pem"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files[0]
}

func TestBadFiles(t *testing.T) {
	encode := func(private any, kind string) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	large, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	modern, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(content []byte) func(string) error {
		return func(path string) error { return os.WriteFile(path, content, 0o600) }
	}
	for name, test := range map[string]struct {
		spoil func(path string) error
		says  string
	}{
		"readable to the group": {func(path string) error { return os.Chmod(path, 0o640) }, "chmod it to 0600"},
		"readable to all":       {func(path string) error { return os.Chmod(path, 0o604) }, "chmod it to 0600"},
		"empty":                 {replace(nil), "PEM"},
		"no PEM":                {replace([]byte("a key")), "PEM"},
		"a damaged key":         {replace(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{0x30, 0}})), "damaged"},
		"an old form":           {replace(encode(other, "EC PRIVATE KEY")), "PKCS #8"},
		"two keys":              {replace(append(encode(other, "PRIVATE KEY"), encode(other, "PRIVATE KEY")...)), "one private key"},
		"another key":           {replace(encode(other, "PRIVATE KEY")), "not the key that its name says"},
		"another curve":         {replace(encode(large, "PRIVATE KEY")), "no key for ES256"},
		"another kind":          {replace(encode(modern, "PRIVATE KEY")), "no key for ES256"},
		"too long":              {replace(make([]byte, 1<<20)), "no key file"},
		"a folder": {func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Mkdir(path, 0o700)
		}, "no key file"},
		"a lost name": {func(path string) error { return os.Rename(path, filepath.Join(filepath.Dir(path), "shop.pem")) }, "name"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			path := keyPath(t, b)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := test.spoil(path); err != nil {
				t.Fatal(err)
			}
			_, err = token.Open(b.config())
			switch {
			case err == nil:
				t.Error("the box starts")
			case !strings.Contains(err.Error(), b.dir) || !strings.Contains(err.Error(), test.says):
				t.Errorf("the error does not tell what is wrong with which file: %v", err)
			case strings.Contains(err.Error(), strings.Split(string(content), "\n")[1]):
				t.Error("the error tells the key")
			}
		})
	}
}

// What a crash leaves half written is no key, and does no harm.
func TestLeftovers(t *testing.T) {
	b := newBox(t)
	before := kids(b, token.ES256)
	if err := os.WriteFile(keyPath(t, b)+".new", []byte("-----BEGIN"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "box.key"), make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	b.reopen(t)
	if after := kids(b, token.ES256); !slices.Equal(before, after) {
		t.Errorf("keys %v, before %v", after, before)
	}
}

func TestOpenNeeds(t *testing.T) {
	b := newBox(t)
	for name, spoil := range map[string]func(*token.Config){
		"Dir":      func(c *token.Config) { c.Dir = "" },
		"Sessions": func(c *token.Config) { c.Sessions = nil },
		"Seal":     func(c *token.Config) { c.Seal = nil },
		"Now":      func(c *token.Config) { c.Now = nil },
		"a known algorithm": func(c *token.Config) {
			c.Needs = func(*otp.App) []token.Algorithm { return []token.Algorithm{"none"} }
		},
		"a folder that can be one": func(c *token.Config) { c.Dir = keyPath(t, b) },
	} {
		c := b.config()
		spoil(&c)
		if _, err := token.Open(c); err == nil {
			t.Errorf("open without %s", name)
		}
	}
}
