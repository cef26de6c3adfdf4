package otptest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

func writes(t *testing.T, s otp.Store) {
	update(t, s, func(tx otp.Tx) { tx.Put(key("a"), []byte("1"), 0) })
	expect(t, s, "a", "1")
	update(t, s, func(tx otp.Tx) { tx.Put(key("a"), []byte("2"), 0) })
	expect(t, s, "a", "2")
	expectNone(t, s, "b")
}

func deletes(t *testing.T, s otp.Store) {
	update(t, s, func(tx otp.Tx) {
		tx.Put(key("a"), []byte("1"), 0)
		tx.Put(key("b"), []byte("2"), 0)
	})
	update(t, s, func(tx otp.Tx) {
		tx.Delete(key("a"))
		tx.Delete(key("never there"))
	})
	expectNone(t, s, "a")
	expect(t, s, "b", "2")
	update(t, s, func(tx otp.Tx) { tx.Put(key("a"), []byte("3"), 0) })
	expect(t, s, "a", "3")
}

func faults(t *testing.T, s otp.Store) {
	update(t, s, func(tx otp.Tx) { tx.Put(key("a"), []byte("1"), 0) })
	fault := errors.New("a fault")
	err := s.Update(t.Context(), func(tx otp.Tx) error {
		tx.Put(key("a"), []byte("2"), 0)
		tx.Put(key("b"), []byte("2"), 0)
		tx.Delete(key("a"))
		return fault
	})
	if !errors.Is(err, fault) {
		t.Errorf("Update returned %v, want the closure's error", err)
	}
	expect(t, s, "a", "1")
	expectNone(t, s, "b")
}

func panics(t *testing.T, s otp.Store) {
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			err := s.Update(t.Context(), func(tx otp.Tx) error {
				tx.Put(key(fmt.Sprint("row", i)), []byte("1"), 0)
				if i%2 == 0 {
					panic("a defect")
				}
				return nil
			})
			var e *otp.Error
			if i%2 == 0 && (!errors.As(err, &e) || e.Code != otp.Internal) {
				t.Errorf("a panic was answered with %v, want %s", err, otp.Internal)
			}
			if i%2 != 0 && err != nil {
				t.Errorf("a neighbour of a panic was answered with %v", err)
			}
		})
	}
	wg.Wait()
	for i := range 20 {
		if i%2 == 0 {
			expectNone(t, s, fmt.Sprint("row", i))
		} else {
			expect(t, s, fmt.Sprint("row", i), "1")
		}
	}
}

func ownWrites(t *testing.T, s otp.Store) {
	update(t, s, func(tx otp.Tx) { tx.Put(key("old"), []byte("0"), 0) })
	update(t, s, func(tx otp.Tx) {
		tx.Put(key("a"), []byte("1"), 0)
		expectIn(t, tx, "a", "1")
		tx.Put(key("a"), []byte("2"), 0)
		expectIn(t, tx, "a", "2")
		tx.Delete(key("a"))
		expectNoneIn(t, tx, "a")
		tx.Put(key("a"), []byte("3"), 0)
		expectIn(t, tx, "a", "3")
		expectIn(t, tx, "old", "0")
		tx.Delete(key("old"))
		expectNoneIn(t, tx, "old")
	})
	expect(t, s, "a", "3")
	expectNone(t, s, "old")
}

// earlierWrites has many closures queue up at once, so that a store which
// runs them in batches must show one the writes of another before they are
// durable.
func earlierWrites(t *testing.T, s otp.Store) {
	const steps = 200
	var wg sync.WaitGroup
	seen := make([]int, steps) // seen[n] is how many closures found n before them
	for range steps {
		wg.Go(func() {
			err := s.Update(t.Context(), func(tx otp.Tx) error {
				before, _ := tx.Get(key("chain"))
				if len(before) >= steps {
					return fmt.Errorf("%d closures ran before this one", len(before))
				}
				seen[len(before)]++
				tx.Put(key("chain"), append(before, '.'), 0)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for n, times := range seen {
		if times != 1 {
			t.Errorf("%d closures found %d before them, want 1", times, n)
		}
	}
	expect(t, s, "chain", strings.Repeat(".", steps))
}

func runsOnce(t *testing.T, s otp.Store) {
	var wg sync.WaitGroup
	runs := make([]int, 50)
	for i := range runs {
		wg.Go(func() {
			err := s.Update(t.Context(), func(tx otp.Tx) error {
				runs[i]++
				tx.Put(key("same"), []byte{byte(i)}, 0)
				if i%5 == 0 {
					return errors.New("a fault")
				}
				return nil
			})
			if (err != nil) != (i%5 == 0) {
				t.Errorf("closure %d was answered with %v", i, err)
			}
		})
	}
	wg.Wait()
	for i, n := range runs {
		if n != 1 {
			t.Errorf("closure %d ran %d times", i, n)
		}
	}
}

func runsAlone(t *testing.T, s otp.Store) {
	var wg sync.WaitGroup
	inside := 0 // unguarded: the race detector sees a store that runs two at once
	for range 50 {
		wg.Go(func() {
			err := s.Update(t.Context(), func(tx otp.Tx) error {
				inside++
				defer func() { inside-- }()
				if inside != 1 {
					return fmt.Errorf("%d closures at once", inside)
				}
				tx.Put(key("a"), nil, 0)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func counts(t *testing.T, s otp.Store) {
	const callers, each = 100, 20
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				err := s.Update(t.Context(), func(tx otp.Tx) error {
					count, _ := tx.Get(key("count"))
					var n int
					fmt.Sscan(string(count), &n)
					tx.Put(key("count"), []byte(fmt.Sprint(n+1)), 0)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	expect(t, s, "count", fmt.Sprint(callers*each))
}

func copies(t *testing.T, s otp.Store) {
	value := []byte("kept")
	update(t, s, func(tx otp.Tx) {
		tx.Put(key("a"), value, 0)
		copy(value, "####")
		mine, _ := tx.Get(key("a"))
		copy(mine, "####")
		expectIn(t, tx, "a", "kept")
	})
	expect(t, s, "a", "kept")
	view(t, s, func(tx otp.Tx) {
		mine, _ := tx.Get(key("a"))
		copy(mine, "####")
		_ = append(mine, "####"...)
		expectIn(t, tx, "a", "kept")
	})
	update(t, s, func(tx otp.Tx) {
		mine, _ := tx.Get(key("a"))
		copy(mine, "####")
	})
	expect(t, s, "a", "kept")
}

func emptyValue(t *testing.T, s otp.Store) {
	update(t, s, func(tx otp.Tx) {
		tx.Put(key("nil"), nil, 0)
		tx.Put(key("empty"), []byte{}, 0)
		tx.Put(key(""), []byte("no part"), 0)
		expectIn(t, tx, "nil", "")
		expectIn(t, tx, "empty", "")
	})
	expect(t, s, "nil", "")
	expect(t, s, "empty", "")
	expect(t, s, "", "no part")
}

func kindsApart(t *testing.T, s otp.Store) {
	update(t, s, func(tx otp.Tx) {
		for _, kind := range otp.Kinds() {
			tx.Put(otp.Key{Kind: kind, Part: "a"}, []byte{byte(kind)}, 0)
			tx.Put(otp.Key{Kind: kind, Part: "b"}, []byte{byte(kind)}, 0)
		}
	})
	view(t, s, func(tx otp.Tx) {
		for _, kind := range otp.Kinds() {
			if row, ok := tx.Get(otp.Key{Kind: kind, Part: "a"}); !ok || len(row) != 1 || row[0] != byte(kind) {
				t.Errorf("kind %d: the row is %v, %v", kind, row, ok)
			}
			var found []string
			err := tx.Scan(otp.Key{Kind: kind}, otp.Key{}, 0, func(k otp.Key, v []byte) bool {
				if k.Kind != kind || v[0] != byte(kind) {
					t.Errorf("a scan of kind %d met kind %d with the row of %d", kind, k.Kind, v[0])
				}
				found = append(found, k.Part)
				return true
			})
			if err != nil || !slices.Equal(found, []string{"a", "b"}) {
				t.Errorf("kind %d: the scan met %q, %v", kind, found, err)
			}
		}
	})
}

func unknownKind(t *testing.T, s otp.Store) {
	for _, kind := range []otp.Kind{0, otp.Kind(len(otp.Kinds()) + 1), 255} {
		err := s.Update(t.Context(), func(tx otp.Tx) error {
			tx.Put(otp.Key{Kind: kind, Part: "a"}, nil, 0)
			return nil
		})
		if e := otp.AsError(err); e == nil || e.Code != otp.Internal {
			t.Errorf("a row of kind %d was answered with %v, want %s", kind, err, otp.Internal)
		}
	}
}

func anyByte(t *testing.T, s otp.Store) {
	parts := []string{"\x00", "\x00\x00", "\xff", "\xff\xff", "a\x00b", "a\xffb", "\x80\x81", "!badger!", strings.Repeat("x", 1024)}
	update(t, s, func(tx otp.Tx) {
		for _, part := range parts {
			tx.Put(key(part), []byte("<"+part+">"), 0)
		}
	})
	for _, part := range parts {
		expect(t, s, part, "<"+part+">")
	}
	expectNone(t, s, "a")
	expectNone(t, s, "\xff\xff\xff")
}

func untilKeeps(t *testing.T, s otp.Store) {
	const never = otp.Time(1) << 62 // far in the future
	update(t, s, func(tx otp.Tx) {
		tx.Put(key("a"), []byte("1"), never)
		expectIn(t, tx, "a", "1")
	})
	expect(t, s, "a", "1")
	for _, until := range []otp.Time{0, 1, never} {
		update(t, s, func(tx otp.Tx) {
			tx.Put(key("b"), []byte(fmt.Sprint(until)), until)
			expectIn(t, tx, "b", fmt.Sprint(until))
		})
	}
	expect(t, s, "b", fmt.Sprint(never))
}
