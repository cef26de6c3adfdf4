package kv_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/otp"
)

// The closures of these benchmarks do what a Start does: they read and write a
// counter of 500, and put four new rows.
const counters, newRows = 500, 4

// BenchmarkGroupCommit has callers share the commits of the one writer.
func BenchmarkGroupCommit(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			db := open(b, kv.Config{})
			clock := newBoxClock()
			drive(b, callers, func(n uint64) error {
				return db.Update(b.Context(), func(tx otp.Tx) error {
					counter := otp.Key{Kind: otp.KindQuota, Part: fmt.Sprint(n % counters)}
					count := make([]byte, 8)
					if row, ok := tx.Get(counter); ok {
						copy(count, row)
					}
					binary.BigEndian.PutUint64(count, binary.BigEndian.Uint64(count)+1)
					until := clock.now()
					tx.Put(counter, count, until)
					for i := range uint64(newRows) {
						tx.Put(row(string(binary.BigEndian.AppendUint64(nil, (n*newRows+i)*0x9e3779b97f4a7c15))), make([]byte, 100), until)
					}
					return nil
				})
			})
			b.ReportMetric(float64(db.Stats().Closures)/float64(db.Stats().Commits), "closures/commit")
		})
	}
}

// BenchmarkCommitPerCaller is what it would be without the writer: the engine
// with the same options, a transaction for each caller, conflicts detected.
func BenchmarkCommitPerCaller(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			engine, err := badger.Open(badger.DefaultOptions(filepath.Join(b.TempDir(), "db")).
				WithLogger(nil).WithSyncWrites(true).WithNumGoroutines(2).WithMemTableSize(8 << 20).WithNumMemtables(2).
				WithBaseTableSize(2 << 20).WithBaseLevelSize(8 << 20).WithNumCompactors(2).WithValueLogFileSize(16 << 20).
				WithValueThreshold(1 << 20).WithCompression(options.None).WithBlockCacheSize(0).WithMetricsEnabled(false))
			if err != nil {
				b.Fatal(err)
			}
			defer engine.Close()
			drive(b, callers, func(n uint64) error {
				for {
					err := engine.Update(func(tx *badger.Txn) error {
						counter := fmt.Appendf(nil, "q%d", n%counters)
						count := make([]byte, 8)
						if item, err := tx.Get(counter); err == nil {
							if count, err = item.ValueCopy(count); err != nil {
								return err
							}
						}
						binary.BigEndian.PutUint64(count, binary.BigEndian.Uint64(count)+1)
						if err := tx.Set(counter, count); err != nil {
							return err
						}
						for i := range uint64(newRows) {
							key := binary.BigEndian.AppendUint64([]byte("m"), (n*newRows+i)*0x9e3779b97f4a7c15)
							if err := tx.Set(key, make([]byte, 100)); err != nil {
								return err
							}
						}
						return nil
					})
					if err != badger.ErrConflict {
						return err
					}
				}
			})
		})
	}
}

// drive has so many callers make b.N calls between them, each with a number of
// its own.
func drive(b *testing.B, callers int, call func(n uint64) error) {
	var next atomic.Uint64
	done := make(chan error, callers)
	b.ReportAllocs()
	b.ResetTimer()
	for range callers {
		go func() {
			for {
				n := next.Add(1)
				if n > uint64(b.N) {
					done <- nil
					return
				}
				if err := call(n); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "closures/s")
}
