package systemd_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/systemd"
)

// TestJournal asks the machine's own program, for this service alone, and tells a
// journal that is empty from one that cannot be read.
func TestJournal(t *testing.T) {
	dir := t.TempDir()
	program := func(script string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	if _, err := systemd.Journal(t.Context()); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("a machine without a journal: %v", err)
	}
	program(`echo "$@"; echo not this >&2`)
	if lines, err := systemd.Journal(t.Context()); err != nil || !strings.Contains(string(lines), "--unit=pinferry") || strings.Contains(string(lines), "not this") {
		t.Errorf("got %q (%v)", lines, err)
	}
	program("echo half a line; exit 1")
	if lines, err := systemd.Journal(t.Context()); err == nil || lines != nil {
		t.Errorf("a journal that is closed: %q (%v)", lines, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := systemd.Journal(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("after its context: %v", err)
	}
}
