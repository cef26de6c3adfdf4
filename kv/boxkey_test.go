package kv_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/kv"
)

func TestBoxKey(t *testing.T) {
	dir := t.TempDir()
	first := mustKey(t, dir, "")
	if len(first) != 32 || bytes.Equal(first, make([]byte, 32)) {
		t.Errorf("the new key is %d bytes", len(first))
	}
	if !bytes.Equal(mustKey(t, dir, ""), first) {
		t.Error("the key does not last")
	}
	if bytes.Equal(mustKey(t, t.TempDir(), ""), first) {
		t.Error("two boxes have the same key")
	}
	for path, want := range map[string]os.FileMode{"keys": 0o700, "keys/box.key": 0o600} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v, want %v", path, info.Mode().Perm(), err, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "keys", "*.new")); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

func TestBoxKeyCredential(t *testing.T) {
	dir := t.TempDir()
	credential := filepath.Join(t.TempDir(), "box.key")
	own := mustKey(t, dir, credential) // no such file: our own
	given := bytes.Repeat([]byte{7}, 48)
	write(t, credential, given, 0o440)
	if !bytes.Equal(mustKey(t, dir, credential), given) {
		t.Error("the credential does not win")
	}
	if !bytes.Equal(mustKey(t, dir, ""), own) {
		t.Error("the credential has replaced the box's own key")
	}
	write(t, credential, given[:31], 0o440)
	if _, err := kv.BoxKey(dir, credential); err == nil {
		t.Error("a credential that is too short was taken, or passed over in silence")
	}
}

func TestBoxKeyRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys", "box.key")
	key := mustKey(t, dir, "")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := kv.BoxKey(dir, ""); err == nil || !strings.Contains(err.Error(), "0600") {
		t.Errorf("a key that others may read: %v", err)
	}
	write(t, path, key[:16], 0o600)
	if _, err := kv.BoxKey(dir, ""); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a key that is cut short: %v", err)
	}
	// A bad key must never be replaced by a good one: it may be a mistake.
	if content, err := os.ReadFile(path); err != nil || len(content) != 16 {
		t.Errorf("the bad key was replaced: %d bytes, %v", len(content), err)
	}
}

// TestKeyFile makes a key of another kind once, and never in place of one that
// cannot be read.
func TestKeyFile(t *testing.T) {
	dir, made := t.TempDir(), 0
	create := func() ([]byte, error) {
		made++
		return []byte("first"), nil
	}
	for range 2 {
		if got, err := kv.KeyFile(dir, "lan.ca", create); err != nil || string(got) != "first" || made != 1 {
			t.Fatalf("got %q, %v, made %d times", got, err, made)
		}
	}
	path := filepath.Join(dir, "keys", "lan.ca")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info, err)
	}
	if err := os.Chmod(path, 0o604); err != nil {
		t.Fatal(err)
	}
	if got, err := kv.KeyFile(dir, "lan.ca", create); err == nil || got != nil || made != 1 {
		t.Errorf("a file that others may read: got %q, %v, made %d times", got, err, made)
	}
	failure := errors.New("no numbers at random")
	if got, err := kv.KeyFile(dir, "other.ca", func() ([]byte, error) { return nil, failure }); !errors.Is(err, failure) || got != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "keys", "other.ca")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key that was not made has left a file: %v", err)
	}
}

func TestBundle(t *testing.T) {
	const passphrase = "correct horse battery"
	from, to := t.TempDir(), t.TempDir()
	key := mustKey(t, from, "")
	write(t, filepath.Join(from, "keys", "demo-ES256-1.pem"), []byte("a signing key"), 0o600)
	write(t, filepath.Join(from, "keys", "lan.ca"), []byte("an authority"), 0o600)
	write(t, filepath.Join(from, "keys", "notes.txt"), []byte("not a key"), 0o600)
	bundle, err := kv.LoadBundle(from, "")
	if err != nil || len(bundle) != 3 {
		t.Fatalf("the bundle has %d files, %v, want 3", len(bundle), err)
	}
	sealed, err := bundle.Seal(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, key) || bytes.Contains(sealed, []byte("signing")) {
		t.Error("the sealed bundle shows its content")
	}
	if again, err := bundle.Seal(passphrase); err != nil || bytes.Equal(again, sealed) {
		t.Errorf("two seals are equal, %v", err)
	}
	if _, err := bundle.Seal("short"); err == nil {
		t.Error("a short passphrase was taken")
	}
	back, err := kv.OpenBundle(sealed, passphrase)
	if err != nil || !maps.EqualFunc(back, bundle, bytes.Equal) {
		t.Fatalf("what was sealed does not come back: %v", err)
	}
	for range 2 { // the second time everything is there already
		if err := back.Install(to); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(mustKey(t, to, ""), key) {
		t.Error("the installed box key is another one")
	}
	other := t.TempDir()
	own := mustKey(t, other, "")
	if err := back.Install(other); err == nil || !bytes.Equal(mustKey(t, other, ""), own) {
		t.Errorf("a key was replaced by another: %v", err)
	}
	if _, err := os.Stat(filepath.Join(other, "keys", "demo-ES256-1.pem")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused bundle was installed in part: %v", err)
	}
}

func TestBundleRefused(t *testing.T) {
	const passphrase = "correct horse battery"
	sealed, err := kv.Bundle{"box.key": make([]byte, 32)}.Seal(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.OpenBundle(sealed, passphrase+"!"); !errors.Is(err, kv.ErrPassphrase) {
		t.Errorf("a wrong passphrase: %v", err)
	}
	change := func(at int, by byte) []byte {
		changed := bytes.Clone(sealed)
		changed[at] ^= by
		return changed
	}
	for name, c := range map[string]struct {
		content []byte
		want    error
	}{
		"newer format":   {change(0, 0x80), kv.ErrNewer},
		"no iterations":  {append([]byte{1, 0, 0, 0, 0}, sealed[5:]...), kv.ErrBackup},
		"too many":       {change(1, 0x80), kv.ErrBackup},
		"salt":           {change(5, 1), kv.ErrPassphrase},
		"nonce":          {change(21, 1), kv.ErrPassphrase},
		"content":        {change(len(sealed)-1, 1), kv.ErrPassphrase},
		"cut short":      {sealed[:len(sealed)-1], kv.ErrPassphrase},
		"cut in nonce":   {sealed[:25], kv.ErrBackup},
		"cut in head":    {sealed[:20], kv.ErrBackup},
		"nothing at all": {nil, kv.ErrBackup},
	} {
		if _, err := kv.OpenBundle(c.content, passphrase); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	// Whoever knows the passphrase can still not write outside keys/.
	for _, name := range []string{"../box.key", "a/b", ".hidden", ""} {
		sealed, err := kv.Bundle{name: []byte("x")}.Seal(passphrase)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.OpenBundle(sealed, passphrase); !errors.Is(err, kv.ErrBackup) {
			t.Errorf("a file named %q: %v, want ErrBackup", name, err)
		}
	}
}

func mustKey(t *testing.T, dir, credential string) []byte {
	t.Helper()
	key, err := kv.BoxKey(dir, credential)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func write(t *testing.T, path string, content []byte, mode os.FileMode) {
	t.Helper()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
