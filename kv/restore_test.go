package kv_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/pinferry/pinferry/kv"
)

// TestReplace moves a database aside for one that is whole, puts it back for one
// that is not, and touches nothing while a box has it.
func TestReplace(t *testing.T) {
	source := open(t, kv.Config{})
	put(t, source, "which", "the backup")
	content := backup(t, source)

	dir := t.TempDir()
	db := open(t, kv.Config{Dir: dir})
	put(t, db, "which", "the box")
	if err := kv.Replace(dir, bytes.NewReader(content)); !errors.Is(err, kv.ErrLocked) {
		t.Errorf("beside an open database: %v, want ErrLocked", err)
	}
	shut(t, db)
	if err := kv.Restore(dir, bytes.NewReader(content)); !errors.Is(err, kv.ErrPresent) {
		t.Errorf("Restore: %v, want ErrPresent", err)
	}
	held := func(want string, names ...string) {
		t.Helper()
		db := open(t, kv.Config{Dir: dir})
		if got := get(t, db, "which"); got != want {
			t.Errorf("the database is that of %q, want %q", got, want)
		}
		shut(t, db)
		found, err := filepath.Glob(filepath.Join(dir, "db*"))
		if err != nil || len(found) != 1+len(names) {
			t.Errorf("there is %v (%v)", found, err)
		}
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Error(err)
			}
		}
	}
	if err := kv.Replace(dir, bytes.NewReader(content[:len(content)-7])); !errors.Is(err, kv.ErrBackup) {
		t.Errorf("a backup that is cut short: %v, want ErrBackup", err)
	}
	held("the box")
	for _, aside := range [][]string{{"db.1"}, {"db.1", "db.2"}} {
		if err := kv.Replace(dir, bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		held("the backup", aside...)
	}
}
