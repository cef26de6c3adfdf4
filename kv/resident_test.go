package kv_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/otp"
)

// tablesMapped returns the resident bytes of the maps of dir's tables.
func tablesMapped(t *testing.T, dir string) (sum int) {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skipf("this kernel does not tell what is mapped: %v", err)
	}
	ours := false
	for line := range strings.Lines(string(smaps)) {
		if field, _, _ := strings.Cut(line, " "); !strings.HasSuffix(field, ":") { // the next map
			ours = strings.Contains(line, dir) && strings.HasSuffix(line, ".sst\n")
		}
		var kib int
		if n, _ := fmt.Sscanf(line, "Rss: %d kB", &kib); n == 1 && ours {
			sum += kib << 10
		}
	}
	return sum
}

// fill writes that many MiB and returns a key of each.
func fill(t *testing.T, db *kv.DB, mibs int) (keys []string) {
	t.Helper()
	value := bytes.Repeat([]byte("v"), 64<<10)
	for n := range mibs {
		for part := range 16 {
			put(t, db, fmt.Sprintf("%04d/%d", n, part), string(value))
		}
		keys = append(keys, fmt.Sprintf("%04d/0", n))
	}
	return keys
}

// Tables that have been written do not stay resident, and lose nothing by it.
func TestTablesAreLetGo(t *testing.T) {
	dir := t.TempDir()
	db := open(t, kv.Config{Dir: dir})
	keys := fill(t, db, 64)
	if err := db.Flatten(); err != nil {
		t.Fatal(err)
	}
	if n := tablesMapped(t, dir); n < 40*mib {
		t.Fatalf("%d bytes of tables are mapped: too few to prove anything", n)
	}
	if err := kv.Trim(db); err != nil {
		t.Fatal(err)
	}
	if n := tablesMapped(t, dir); n > 20*mib {
		t.Errorf("%d bytes of tables are still mapped", n)
	}
	for _, key := range keys {
		if got := get(t, db, key); len(got) != 64<<10 || strings.Trim(got, "v") != "" {
			t.Fatalf("row %s has changed", key)
		}
	}
	shut(t, db)
	db = open(t, kv.Config{Dir: dir})
	if got := get(t, db, keys[0]); len(got) != 64<<10 {
		t.Error("a row is gone after the next Open")
	}
}

// Letting tables go beside merges that remove them, and readers that use them,
// disturbs neither: a stale address would end the process.
func TestTablesAreLetGoUnderLoad(t *testing.T) {
	dir := t.TempDir()
	db := open(t, kv.Config{Dir: dir})
	ctx, cancel := context.WithCancel(t.Context())
	var others sync.WaitGroup
	for _, work := range []func() error{
		func() error { return kv.Trim(db) },
		db.Flatten,
		func() error {
			return db.View(ctx, func(tx otp.Tx) error {
				return tx.Scan(row(""), otp.Key{}, 0, func(_ otp.Key, v []byte) bool {
					if strings.Trim(string(v), "v") != "" {
						t.Error("a row has changed")
					}
					return true
				})
			})
		},
	} {
		others.Go(func() {
			for ctx.Err() == nil {
				if err := work(); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	fill(t, db, 24)
	cancel()
	others.Wait()
}

// What closures read is mapped too, so commits have Run look at it long before
// they fill a log.
func TestCommitsAskForATrim(t *testing.T) {
	db := open(t, kv.Config{})
	put(t, db, "first", "1")
	select {
	case <-kv.Grown(db): // of the log that Open has begun
	default:
	}
	for n := range 24 {
		put(t, db, fmt.Sprint(n), "1")
	}
	select {
	case <-kv.Grown(db):
	default:
		t.Error("two dozen commits have not asked for a trim")
	}
}

// Run lets tables go when enough has been written, without waiting for a round.
func TestRunLetsTablesGo(t *testing.T) {
	dir := t.TempDir()
	db := open(t, kv.Config{Dir: dir})
	ended := make(chan error)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() { ended <- db.Run(ctx) }()
	fill(t, db, 64)
	for tablesMapped(t, dir) > 20*mib && ctx.Err() == nil {
		fill(t, db, 1)
	}
	if ctx.Err() != nil {
		t.Errorf("after a minute %d bytes of tables are mapped", tablesMapped(t, dir))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
