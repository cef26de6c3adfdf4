package kv_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pinferry/pinferry/kv"
)

// A database that was put back in time is told from one that was not, and goes
// on being told until a commit has been made upon it.
func TestLoss(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, dir, older string){
		"older database": func(t *testing.T, dir, older string) {
			replace(t, filepath.Join(dir, "db"), filepath.Join(older, "db"))
		},
		"no database": func(t *testing.T, dir, _ string) {
			if err := os.RemoveAll(filepath.Join(dir, "db")); err != nil {
				t.Fatal(err)
			}
		},
		"no sequence": func(t *testing.T, dir, _ string) {
			if err := os.Remove(filepath.Join(dir, "sequence")); err != nil {
				t.Fatal(err)
			}
		},
		"empty sequence": func(t *testing.T, dir, _ string) {
			if err := os.Truncate(filepath.Join(dir, "sequence"), 0); err != nil {
				t.Fatal(err)
			}
		},
		"damaged sequence": func(t *testing.T, dir, _ string) {
			path := filepath.Join(dir, "sequence")
			content, err := os.ReadFile(path)
			if err != nil || len(content) != 16 {
				t.Fatalf("the sequence has %d bytes, %v", len(content), err)
			}
			content[15] ^= 1
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, older := t.TempDir(), t.TempDir()
			db := open(t, kv.Config{Dir: dir})
			put(t, db, "a", "1")
			shut(t, db)
			replace(t, older, dir)
			db = open(t, kv.Config{Dir: dir})
			put(t, db, "a", "2")
			shut(t, db)
			harm(t, dir, older)
			for range 2 { // until a commit, every Open says so
				db = open(t, kv.Config{Dir: dir})
				if !db.Lost() {
					t.Fatal("the loss goes unnoticed")
				}
				shut(t, db)
			}
			db = open(t, kv.Config{Dir: dir})
			put(t, db, "epoch", "new")
			shut(t, db)
			db = open(t, kv.Config{Dir: dir})
			if db.Lost() || get(t, db, "epoch") != "new" {
				t.Error("after a commit the loss is still told")
			}
		})
	}
}

// A sequence file that was not synced in time is behind, and that is no loss.
func TestSequenceBehindIsNoLoss(t *testing.T) {
	dir := t.TempDir()
	db := open(t, kv.Config{Dir: dir})
	put(t, db, "a", "1")
	shut(t, db)
	path := filepath.Join(dir, "sequence")
	behind, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db = open(t, kv.Config{Dir: dir})
	for range 10 {
		put(t, db, "a", "2")
	}
	shut(t, db)
	if err := os.WriteFile(path, behind, 0o600); err != nil {
		t.Fatal(err)
	}
	db = open(t, kv.Config{Dir: dir})
	if db.Lost() {
		t.Error("a sequence that is behind was taken for a loss")
	}
}

// replace makes dir a copy of another directory.
func replace(t *testing.T, dir, by string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(by)); err != nil {
		t.Fatal(err)
	}
}
