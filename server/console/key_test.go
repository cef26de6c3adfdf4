package console_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/server/console"
	"github.com/pinferry/pinferry/server/token"
)

func TestKeyNew(t *testing.T) {
	var failure error
	keyNew := func(in *console.Invocation) error {
		return console.KeyNew(in, func(app string, keys ...string) (string, error) {
			return "keys of " + app + " " + strings.Join(keys, " "), failure
		})
	}
	b := newBox(t)
	var before []string
	for range 2 {
		code, stdout, _ := b.run(keyNew, "APP", "shop", "--json")
		var got struct{ App, Publishable, Secret, Config string }
		if err := json.Unmarshal([]byte(stdout), &got); code != console.OK || err != nil {
			t.Fatalf("%d %s (%v)", code, stdout, err)
		}
		if got.App != "shop" || !strings.HasPrefix(got.Publishable, "pk_") || !strings.HasPrefix(got.Secret, "sk_") ||
			len(got.Secret) < 26 || len(got.Publishable) < 26 || got.Config != "keys of shop "+got.Publishable+" "+got.Secret {
			t.Errorf("got %+v", got)
		}
		for _, earlier := range before {
			if strings.Contains(stdout, earlier) || got.Secret[3:] == got.Publishable[3:] {
				t.Errorf("a key was made twice")
			}
		}
		before = []string{got.Publishable[3:], got.Secret[3:]}
	}
	failure = errors.New("no such app can be")
	if code, stdout, stderr := b.run(keyNew, "APP", "a b"); code != console.Usage || stdout != "" || !strings.Contains(stderr, "no such app can be") {
		t.Errorf("%d %s%s", code, stdout, stderr)
	}
}

// TestKeyRotate makes a key where the app's keys are, and only one by which a
// token of the app is signed.
func TestKeyRotate(t *testing.T) {
	b, dir := newBox(t), t.TempDir()
	rotate := func(in *console.Invocation) error {
		return console.KeyRotate(in, func(app string) (console.Signer, error) {
			if app != "shop" {
				return console.Signer{}, console.Fail(console.Usage, "there is no app %q", app)
			}
			return console.Signer{App: app, Dir: dir, Algorithms: []token.Algorithm{token.ES256}}, nil
		})
	}
	for args, want := range map[string]int{
		"shop": console.OK, "shop --alg ES256": console.OK, "shop --alg rs256": console.Usage, "shop --alg hs256": console.Usage, "bank": console.Usage,
	} {
		if code, stdout, stderr := b.run(rotate, "APP", strings.Fields(args)...); code != want || strings.Contains(stdout, "from the next start") != (want == console.OK) {
			t.Errorf("%s: %d %s%s, want %d", args, code, stdout, stderr, want)
		}
	}
	if made, err := filepath.Glob(filepath.Join(dir, "shop-es256-*.pem")); err != nil || len(made) != 2 {
		t.Errorf("there is %v (%v), want two keys", made, err)
	}
	dir = filepath.Join(dir, "none")
	if code, _, stderr := b.run(rotate, "APP", "shop"); code != console.Failed || !strings.Contains(stderr, "first start") {
		t.Errorf("without a folder: %d %s", code, stderr)
	}
}
