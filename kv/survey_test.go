package kv_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pinferry/pinferry/kv"
)

func TestLook(t *testing.T) {
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	if seen, err := kv.Look(dir); err != nil || len(seen.Loose) > 0 || seen.Free == 0 {
		t.Errorf("before the first start: got %+v, %v", seen, err)
	}
	if _, err := kv.BoxKey(dir, ""); err != nil {
		t.Fatal(err)
	}
	if seen, err := kv.Look(dir); err != nil || len(seen.Loose) > 0 {
		t.Errorf("as the box makes it: got %+v, %v", seen, err)
	}
	box, app := filepath.Join(keys, "box.key"), filepath.Join(keys, "shop-es256-1.pem")
	if err := errors.Join(
		os.Chmod(keys, 0o750), os.Chmod(box, 0o604), os.WriteFile(app, nil, 0o600), os.Chmod(app, 0o640),
	); err != nil {
		t.Fatal(err)
	}
	if seen, err := kv.Look(dir); err != nil || !slices.Equal(seen.Loose, []string{keys, box, app}) {
		t.Errorf("got %+v, %v", seen, err)
	}
	if _, err := kv.BoxKey(dir, ""); err == nil {
		t.Error("the box takes a key that others may read")
	}
	if err := kv.Tighten(dir); err != nil {
		t.Fatal(err)
	}
	if seen, err := kv.Look(dir); err != nil || len(seen.Loose) > 0 {
		t.Errorf("after Tighten: got %+v, %v", seen, err)
	}
	for path, want := range map[string]fs.FileMode{keys: 0o700, box: 0o600, app: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v", path, info.Mode(), err)
		}
	}
	if _, err := kv.BoxKey(dir, ""); err != nil {
		t.Errorf("the box still refuses its key: %v", err)
	}
	if _, err := kv.Look(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestTightenStaysInside has the owner of the data lay a link for root.
func TestTightenStaysInside(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	precious := filepath.Join(outside, "passwd")
	if err := errors.Join(
		os.WriteFile(precious, nil, 0o644), os.Chmod(precious, 0o644),
		os.Symlink(outside, filepath.Join(dir, "keys")),
	); err != nil {
		t.Fatal(err)
	}
	if err := kv.Tighten(dir); err == nil {
		t.Error("Tighten says that it closed what is not in the directory")
	}
	if info, err := os.Stat(precious); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
}
