package console_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pinferry/pinferry/server/console"
)

// TestBackupKeys writes the sealed keys beside a backup, and neither of the two
// when they cannot be sealed.
func TestBackupKeys(t *testing.T) {
	b := newBox(t)
	b.on("GET /admin/backup", text("the database"))
	dir := t.TempDir()
	saved, phrase := filepath.Join(dir, "box.backup"), filepath.Join(t.TempDir(), "phrase")
	if err := os.WriteFile(phrase, []byte("a long phrase\nand a note"), 0o600); err != nil {
		t.Fatal(err)
	}
	var failure error
	backup := func(in *console.Invocation) error {
		return console.Backup(in, func(passphrase string) ([]byte, error) { return []byte("keys for " + passphrase), failure })
	}
	failure = errors.New("the keys are closed to this user")
	if code, _, stderr := b.run(backup, "[FILE]", saved, "--with-keys", "--passphrase-file", phrase); code != console.Failed || !strings.Contains(stderr, "closed to this user") {
		t.Errorf("without keys: %d %s", code, stderr)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("without keys it left %v", left)
	}
	failure = nil
	if code, _, stderr := b.run(backup, "[FILE]", saved, "--with-keys", "--passphrase-file", phrase); code != console.OK {
		t.Fatalf("backup: %d %s", code, stderr)
	}
	for path, want := range map[string]string{saved: "the database", saved + ".keys": "keys for a long phrase"} {
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s has %q (%v), want %q", path, got, err, want)
		}
	}
	if code, _, _ := b.run(backup, "[FILE]", "-", "--with-keys", "--passphrase-file", phrase); code != console.Usage {
		t.Errorf("keys beside stdout: %d", code)
	}
}

// TestBackupSchedule stays until a signal, also past a backup that fails.
func TestBackupSchedule(t *testing.T) {
	b := newBox(t)
	b.on("GET /admin/backup", text("the database"))
	b.on("GET /admin/clock", object{"now": time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)})
	dir := t.TempDir()
	for _, says := range []string{"", "is there already"} {
		signals := make(chan os.Signal, 1)
		signals <- syscall.SIGTERM
		var out, errs bytes.Buffer
		code := b.at(console.Terminal{Stdout: &out, Stderr: &errs, Signals: func() <-chan os.Signal { return signals }},
			func(in *console.Invocation) error { return console.Backup(in, nil) }, "[FILE]", "--to", dir, "--schedule", "24h")
		if code != console.OK || !strings.Contains(errs.String(), says) || (says == "") != strings.Contains(out.String(), ".backup") {
			t.Errorf("%q: %d %s%s", says, code, &out, &errs)
		}
	}
}
