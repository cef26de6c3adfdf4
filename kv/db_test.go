package kv_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

func TestConformance(t *testing.T) {
	otptest.Conformance(t, func(t *testing.T) otp.Store { return open(t, kv.Config{}) })
}

func TestConformanceGathering(t *testing.T) {
	otptest.Conformance(t, func(t *testing.T) otp.Store { return open(t, kv.Config{Gather: 2 * time.Millisecond}) })
}

// Every kind has a key of its own: none is the beginning of another, and none
// is reserved.
func TestEveryKindHasAPrefix(t *testing.T) {
	seen := map[byte]otp.Kind{0x01: 0, 0x02: 0, '!': 0}
	for _, kind := range otp.Kinds() {
		key := kv.AppendKey(nil, otp.Key{Kind: kind, Part: "part"})
		if other, taken := seen[key[0]]; taken {
			t.Errorf("kinds %d and %d share the prefix %q", kind, other, key[0])
		}
		seen[key[0]] = kind
		if string(key[1:]) != "part" {
			t.Errorf("kind %d: the key is %q", kind, key)
		}
	}
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	for i := range 5 {
		db := open(t, kv.Config{Dir: dir})
		if db.Lost() {
			t.Fatalf("opened %d times: nothing is lost, but Lost says so", i+1)
		}
		for j := range i {
			if got := get(t, db, fmt.Sprint(j)); got != "kept" {
				t.Errorf("opened %d times: row %d is %q", i+1, j, got)
			}
		}
		put(t, db, fmt.Sprint(i), "kept")
		if s := db.Stats(); s.Commits == 0 || s.Sequence < uint64(i) || s.Bytes == 0 || s.Free == 0 || s.Failed {
			t.Errorf("stats %+v", s)
		}
		shut(t, db)
	}
}

func TestSecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, kv.Config{Dir: dir})
	_, err := kv.Open(kv.Config{Dir: dir})
	if !errors.Is(err, kv.ErrLocked) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("the second Open: %v, want ErrLocked, the directory and the process", err)
	}
	if err := kv.Restore(dir, strings.NewReader("")); !errors.Is(err, kv.ErrLocked) {
		t.Errorf("Restore beside an open database: %v, want ErrLocked", err)
	}
}

// A crash may leave files that were created and never written to.
func TestEmptyFilesAreRepaired(t *testing.T) {
	dir := t.TempDir()
	db := open(t, kv.Config{Dir: dir})
	put(t, db, "a", "kept")
	shut(t, db)
	for _, name := range []string{"00099.mem", "000099.vlog", "KEYREGISTRY"} {
		if err := os.WriteFile(filepath.Join(dir, "db", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db = open(t, kv.Config{Dir: dir})
	if got := get(t, db, "a"); got != "kept" || db.Lost() {
		t.Errorf("after the repair the row is %q, lost %v", got, db.Lost())
	}
}

func TestNewerLayoutIsRefused(t *testing.T) {
	dir := t.TempDir()
	db := open(t, kv.Config{Dir: dir})
	put(t, db, "a", "kept")
	if err := kv.SetLayout(db, 200); err != nil {
		t.Fatal(err)
	}
	shut(t, db)
	if _, err := kv.Open(kv.Config{Dir: dir}); !errors.Is(err, kv.ErrNewer) {
		t.Errorf("Open of a newer layout: %v, want ErrNewer", err)
	}
	// The refused Open has let go of the directory.
	if _, err := kv.Open(kv.Config{Dir: dir}); !errors.Is(err, kv.ErrNewer) {
		t.Errorf("the second Open of a newer layout: %v, want ErrNewer", err)
	}
}

func TestClosedIsShuttingDown(t *testing.T) {
	db := open(t, kv.Config{})
	put(t, db, "a", "1")
	shut(t, db)
	shut(t, db) // again is no harm
	none := func(otp.Tx) error { return nil }
	for name, err := range map[string]error{
		"Update":  db.Update(t.Context(), none),
		"View":    db.View(t.Context(), none),
		"Backup":  db.Backup(t.Context(), &bytes.Buffer{}),
		"Flatten": db.Flatten(),
	} {
		if e := otp.AsError(err); e == nil || e.Code != otp.ShuttingDown {
			t.Errorf("%s after Close: %v, want %s", name, err, otp.ShuttingDown)
		}
	}
}

// What queued before Close is answered; what comes later is refused; nothing
// hangs.
func TestCloseUnderLoad(t *testing.T) {
	dir := t.TempDir()
	db := open(t, kv.Config{Dir: dir})
	var wg sync.WaitGroup
	var durable sync.Map
	for i := range 50 {
		wg.Go(func() {
			for j := 0; ; j++ {
				part := fmt.Sprint(i, "-", j)
				err := db.Update(t.Context(), func(tx otp.Tx) error {
					tx.Put(row(part), []byte("1"), 0)
					return nil
				})
				if err != nil {
					if e := otp.AsError(err); e.Code != otp.ShuttingDown {
						t.Errorf("Update during Close: %v", err)
					}
					return
				}
				durable.Store(part, true)
				_ = db.View(t.Context(), func(tx otp.Tx) error {
					tx.Get(row(part))
					return nil
				})
			}
		})
	}
	for db.Stats().Closures < 2000 { // the callers drive it there
		put(t, db, "pace", "1")
	}
	shut(t, db)
	wg.Wait()
	db = open(t, kv.Config{Dir: dir})
	durable.Range(func(part, _ any) bool {
		if get(t, db, part.(string)) != "1" {
			t.Errorf("row %s was acknowledged and is gone", part)
		}
		return true
	})
}

// Whatever the size of its rows, a table is what was put in it: Open proves
// every table's checksums.
func TestTablesAreWhole(t *testing.T) {
	for _, size := range []int{0, 100, 1500, 2100, 4400, 8800, 33_000, kv.MaxBytes - 1024} {
		dir := t.TempDir()
		db := open(t, kv.Config{Dir: dir})
		content := func(n int) string { return strings.Repeat(fmt.Sprintf("%08d", n), size/8) }
		rows := 12 << 20 / (size + 600)
		for n := 0; n < rows; {
			if err := db.Update(t.Context(), func(tx otp.Tx) error {
				for weight := 0; n < rows && weight+size+200 < kv.MaxBytes && weight < 64*kv.MaxKeys; n++ {
					tx.Put(row(fmt.Sprint(n)), []byte(content(n)), 0)
					weight += size + 200
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			for n := range rows {
				if get(t, db, fmt.Sprint(n)) != content(n) {
					t.Fatalf("row %d of %d with %d bytes is wrong", n, rows, size)
				}
			}
			if err := db.Flatten(); err != nil {
				t.Fatal(err)
			}
			shut(t, db)
			db = open(t, kv.Config{Dir: dir})
		}
	}
}

// syncBuffer is a log that goroutines share.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// open opens a database, in a directory of its own unless c names one, and
// closes it with the test.
func open(tb testing.TB, c kv.Config) *kv.DB {
	tb.Helper()
	if c.Dir == "" {
		c.Dir = tb.TempDir()
	}
	db, err := kv.Open(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

func shut(tb testing.TB, db *kv.DB) {
	tb.Helper()
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
}

func row(part string) otp.Key { return otp.Key{Kind: otp.KindMessage, Part: part} }

func put(tb testing.TB, db *kv.DB, part, value string) {
	tb.Helper()
	if err := db.Update(tb.Context(), func(tx otp.Tx) error {
		tx.Put(row(part), []byte(value), 0)
		return nil
	}); err != nil {
		tb.Errorf("put %s: %v", part, err)
	}
}

// get returns the value of a row, "" if there is none.
func get(tb testing.TB, db *kv.DB, part string) (value string) {
	tb.Helper()
	if err := db.View(tb.Context(), func(tx otp.Tx) error {
		v, _ := tx.Get(row(part))
		value = string(v)
		return nil
	}); err != nil {
		tb.Errorf("get %s: %v", part, err)
	}
	return value
}
