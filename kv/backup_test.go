package kv_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/otp"
)

func backup(t *testing.T, db *kv.DB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := db.Backup(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A backup under load is one moment: each caller's two rows are equal in it.
// What is restored is that moment, and says that it is no continuation.
func TestBackupUnderLoad(t *testing.T) {
	db := open(t, kv.Config{Build: "1.2.3"})
	filler := strings.Repeat("x", 300)
	for i := range 3000 { // several parts
		put(t, db, fmt.Sprint("still", i), filler)
	}
	var stop atomic.Bool
	var wg sync.WaitGroup
	for caller := range 8 {
		wg.Go(func() {
			for n := 1; !stop.Load(); n++ {
				if err := db.Update(t.Context(), func(tx otp.Tx) error {
					tx.Put(row(fmt.Sprint("a-left", caller)), fmt.Append(nil, n), 0)
					tx.Put(row(fmt.Sprint("z-right", caller)), fmt.Append(nil, n), 1)
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	saved := make([][]byte, 5)
	for i := range saved {
		saved[i] = backup(t, db)
	}
	stop.Store(true)
	wg.Wait()
	for _, content := range saved {
		dir := filepath.Join(t.TempDir(), "new")
		if err := kv.Restore(dir, bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		back := open(t, kv.Config{Dir: dir})
		if !back.Lost() {
			t.Error("a restored database does not say so")
		}
		for i := range 3000 {
			if get(t, back, fmt.Sprint("still", i)) != filler {
				t.Fatalf("row %d is not restored", i)
			}
		}
		for caller := range 8 {
			left, right := get(t, back, fmt.Sprint("a-left", caller)), get(t, back, fmt.Sprint("z-right", caller))
			if left != right {
				t.Errorf("the backup is of two moments: %s and %s", left, right)
			}
		}
		// Rows are restored with their until.
		if _, err := back.Sweep(t.Context()); err != nil || get(t, back, "z-right0") != "" || get(t, back, "still0") == "" {
			t.Errorf("after a restore the sweep does not work: %v", err)
		}
		put(t, back, "epoch", "new")
		shut(t, back)
		if back = open(t, kv.Config{Dir: dir}); back.Lost() {
			t.Error("a restored database says so after a commit")
		}
		shut(t, back)
	}
}

// Whatever is cut off a backup or changed in it, the restore says so and
// leaves nothing behind.
func TestDamagedBackup(t *testing.T) {
	db := open(t, kv.Config{})
	for i := range 40 {
		put(t, db, fmt.Sprint("row", i), strings.Repeat("x", 20))
	}
	whole := backup(t, db)
	refused := func(what string, content []byte, want error) {
		t.Helper()
		dir := t.TempDir()
		if err := kv.Restore(dir, bytes.NewReader(content)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 0 {
			t.Errorf("%s: the restore left %v, %v", what, left, err)
		}
	}
	for n := 0; n < len(whole); n += 1 + len(whole)/40 {
		refused(fmt.Sprintf("cut at %d of %d", n, len(whole)), whole[:n], kv.ErrBackup)
	}
	refused("cut before the last byte", whole[:len(whole)-1], kv.ErrBackup)
	refused("a byte too many", append(bytes.Clone(whole), 0), kv.ErrBackup)
	for n := 0; n < len(whole); n += 1 + len(whole)/40 {
		if n == 15 {
			continue // the format, see below
		}
		changed := bytes.Clone(whole)
		changed[n] ^= 0x40
		refused(fmt.Sprintf("byte %d of %d changed", n, len(whole)), changed, kv.ErrBackup)
	}
	newer := bytes.Clone(whole)
	newer[15]++
	refused("a newer format", newer, kv.ErrNewer)
	fault := errors.New("the stick is gone")
	dir := t.TempDir()
	if err := kv.Restore(dir, io.MultiReader(bytes.NewReader(whole[:200]), failingReader{fault})); !errors.Is(err, fault) {
		t.Errorf("a reader that fails: %v", err)
	}
	if err := kv.Restore(dir, bytes.NewReader(whole)); err != nil {
		t.Errorf("the good backup after a bad one: %v", err)
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// A backup of a newer layout is refused before anything is made.
func TestNewerBackup(t *testing.T) {
	db := open(t, kv.Config{})
	if err := kv.SetLayout(db, 200); err != nil {
		t.Fatal(err)
	}
	// The rows say layout 200 while the frame says what this build writes: Open
	// is the one that refuses.
	dir := t.TempDir()
	if err := kv.Restore(dir, bytes.NewReader(backup(t, db))); err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Open(kv.Config{Dir: dir}); !errors.Is(err, kv.ErrNewer) {
		t.Errorf("Open of what was restored: %v, want ErrNewer", err)
	}
}

func TestRestoreKeepsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	db := open(t, kv.Config{Dir: dir})
	put(t, db, "a", "precious")
	content := backup(t, db)
	shut(t, db)
	if err := kv.Restore(dir, bytes.NewReader(content)); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "db")) {
		t.Errorf("a restore over a database: %v, want an error that names it", err)
	}
	db = open(t, kv.Config{Dir: dir})
	if db.Lost() || get(t, db, "a") != "precious" {
		t.Error("the refused restore has touched the database")
	}
}

func TestBackupEnds(t *testing.T) {
	db := open(t, kv.Config{})
	for i := range 300 {
		put(t, db, fmt.Sprint(i), strings.Repeat("x", 2000))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Backup(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("a backup whose context has ended: %v", err)
	}
	fault := errors.New("the stick is full")
	if err := db.Backup(t.Context(), failingWriter{fault}); !errors.Is(err, fault) {
		t.Errorf("a backup to a writer that fails: %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// FuzzRestore feeds the reader what it may meet: no input ends in a panic, and
// none but a whole backup leaves a database.
func FuzzRestore(f *testing.F) {
	db := open(f, kv.Config{})
	put(f, db, "a", "1")
	var b bytes.Buffer
	if err := db.Backup(context.Background(), &b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:20])
	f.Add(binary.BigEndian.AppendUint32([]byte("pinferry backup\x01A"), 1<<31))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		err := kv.Restore(dir, bytes.NewReader(content))
		_, missing := os.Stat(filepath.Join(dir, "db"))
		if (err == nil) != (missing == nil) {
			t.Errorf("Restore returned %v, and the database: %v", err, missing)
		}
	})
}
