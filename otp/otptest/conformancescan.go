package otptest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

// scan returns the Parts that a scan meets.
func scan(t *testing.T, tx otp.Tx, prefix string, after otp.Key, limit int) []string {
	t.Helper()
	var parts []string
	err := tx.Scan(key(prefix), after, limit, func(k otp.Key, v []byte) bool {
		if want := "=" + k.Part; k.Kind != otp.KindMessage || string(v) != want {
			t.Errorf("the scan met %q with %q, want %q", k.Part, v, want)
		}
		parts = append(parts, k.Part)
		return true
	})
	if err != nil {
		t.Errorf("Scan: %v", err)
	}
	return parts
}

// fill writes rows as scan wants them.
func fill(t *testing.T, s otp.Store, parts ...string) {
	t.Helper()
	update(t, s, func(tx otp.Tx) {
		for _, part := range parts {
			tx.Put(key(part), []byte("="+part), 0)
		}
	})
}

// both runs a check in a View and in an Update.
func both(t *testing.T, s otp.Store, check func(otp.Tx)) {
	t.Helper()
	view(t, s, check)
	update(t, s, check)
}

func meets(t *testing.T, tx otp.Tx, prefix string, after otp.Key, limit int, want ...string) {
	t.Helper()
	if got := scan(t, tx, prefix, after, limit); !slices.Equal(got, want) {
		t.Errorf("a scan of %q after %q with limit %d met %q, want %q", prefix, after.Part, limit, got, want)
	}
}

func scanOrder(t *testing.T, s otp.Store) {
	both(t, s, func(tx otp.Tx) { meets(t, tx, "", otp.Key{}, 0) })
	fill(t, s, "b", "\xff", "a", "", "\x00", "ab", "B", "a\x00", "\x80")
	both(t, s, func(tx otp.Tx) {
		meets(t, tx, "", otp.Key{}, 0, "", "\x00", "B", "a", "a\x00", "ab", "b", "\x80", "\xff")
	})
}

func scanPrefix(t *testing.T, s otp.Store) {
	fill(t, s, "a", "a\x00", "a\x00x", "a\x01", "a\xff", "a\xff\xff", "a\xff\xffz", "b", "\xff", "\xff\x00", "\xff\xff")
	both(t, s, func(tx otp.Tx) {
		meets(t, tx, "a", otp.Key{}, 0, "a", "a\x00", "a\x00x", "a\x01", "a\xff", "a\xff\xff", "a\xff\xffz")
		meets(t, tx, "a\x00", otp.Key{}, 0, "a\x00", "a\x00x")
		meets(t, tx, "a\xff", otp.Key{}, 0, "a\xff", "a\xff\xff", "a\xff\xffz")
		meets(t, tx, "\xff", otp.Key{}, 0, "\xff", "\xff\x00", "\xff\xff")
		meets(t, tx, "c", otp.Key{}, 0)
	})
}

func scanAfter(t *testing.T, s otp.Store) {
	fill(t, s, "", "a", "a\x00", "a\x00\x00", "ab", "b")
	both(t, s, func(tx otp.Tx) {
		meets(t, tx, "", key("a"), 0, "a\x00", "a\x00\x00", "ab", "b")
		meets(t, tx, "a", key("a\x00"), 0, "a\x00\x00", "ab")
		meets(t, tx, "a", key("aa"), 0, "ab")
		meets(t, tx, "a", key("ab"), 0)
		meets(t, tx, "b", key("a"), 0, "b")
		meets(t, tx, "a", key("c"), 0)
		meets(t, tx, "", key(""), 0, "a", "a\x00", "a\x00\x00", "ab", "b")
		meets(t, tx, "a", key(""), 0, "a", "a\x00", "a\x00\x00", "ab")
	})
}

func scanLimit(t *testing.T, s otp.Store) {
	fill(t, s, "a1", "a2", "a3", "a4")
	both(t, s, func(tx otp.Tx) {
		meets(t, tx, "a", otp.Key{}, 1, "a1")
		meets(t, tx, "a", otp.Key{}, 4, "a1", "a2", "a3", "a4")
		meets(t, tx, "a", otp.Key{}, 9, "a1", "a2", "a3", "a4")
		meets(t, tx, "a", key("a2"), 1, "a3")
	})
}

func scanStops(t *testing.T, s otp.Store) {
	fill(t, s, "a", "b", "c")
	both(t, s, func(tx otp.Tx) {
		calls := 0
		err := tx.Scan(key(""), otp.Key{}, 0, func(k otp.Key, _ []byte) bool {
			calls++
			return k.Part != "b"
		})
		if err != nil || calls != 2 {
			t.Errorf("a scan that was stopped at the second row made %d calls, %v", calls, err)
		}
	})
}

func scanDirty(t *testing.T, s otp.Store) {
	fill(t, s, "a", "b1", "b2", "c")
	never := func(otp.Key, []byte) bool {
		t.Error("a dirty scan met a row")
		return false
	}
	for name, write := range map[string]func(otp.Tx){
		"Put":           func(tx otp.Tx) { tx.Put(key("b1"), nil, 0) },
		"Put of a new":  func(tx otp.Tx) { tx.Put(key("b9"), nil, 0) },
		"Delete":        func(tx otp.Tx) { tx.Delete(key("b2")) },
		"Delete of one": func(tx otp.Tx) { tx.Delete(key("b")) },
	} {
		err := s.Update(t.Context(), func(tx otp.Tx) error {
			write(tx)
			meets(t, tx, "a", otp.Key{}, 0, "a") // beside the range
			meets(t, tx, "c", otp.Key{}, 0, "c")
			if err := tx.Scan(otp.Key{Kind: otp.KindOutbox}, otp.Key{}, 0, never); err != nil {
				t.Errorf("%s, then a scan of another kind: %v", name, err)
			}
			if err := tx.Scan(key(""), key("b9"), 0, func(otp.Key, []byte) bool { return true }); err != nil {
				t.Errorf("%s, then a scan behind it: %v", name, err)
			}
			return tx.Scan(key("b"), otp.Key{}, 0, never)
		})
		if !errors.Is(err, otp.ErrScanDirty) {
			t.Errorf("%s, then a scan over it: %v, want ErrScanDirty", name, err)
		}
	}
	view(t, s, func(tx otp.Tx) { meets(t, tx, "", otp.Key{}, 0, "a", "b1", "b2", "c") })
}

// scanEarlier has closures queue up behind one that is held, so that a store
// which runs them in batches must show a scan what is not durable yet.
func scanEarlier(t *testing.T, s otp.Store) {
	fill(t, s, "b", "d", "f")
	begun, goOn := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		update(t, s, func(otp.Tx) {
			close(begun)
			<-goOn
		})
	})
	<-begun
	const others = 40
	for i := range others {
		wg.Go(func() {
			update(t, s, func(tx otp.Tx) {
				before := scan(t, tx, "", otp.Key{}, 0)
				for j, part := range before {
					if v, ok := tx.Get(key(part)); !ok || string(v) != "="+part {
						t.Errorf("row %d of the scan, %q, is %q, %v to Get", j, part, v, ok)
					}
				}
				if !slices.IsSorted(before) {
					t.Errorf("the scan is out of order: %q", before)
				}
				// Each takes one row away and puts two.
				tx.Delete(key(before[0]))
				for _, part := range []string{fmt.Sprintf("g%02d", i), fmt.Sprintf("h%02d", i)} {
					tx.Put(key(part), []byte("="+part), 0)
				}
				meets(t, tx, "a", otp.Key{}, 0)
			})
		})
	}
	close(goOn)
	wg.Wait()
	view(t, s, func(tx otp.Tx) {
		if left := scan(t, tx, "", otp.Key{}, 0); len(left) != 3+others {
			t.Errorf("%d rows are left, want %d", len(left), 3+others)
		}
	})
}

func scanDeletes(t *testing.T, s otp.Store) {
	fill(t, s, "a", "b", "c")
	update(t, s, func(tx otp.Tx) {
		var met []string
		err := tx.Scan(key(""), otp.Key{}, 0, func(k otp.Key, v []byte) bool {
			met = append(met, k.Part)
			tx.Delete(k)
			tx.Put(otp.Key{Kind: otp.KindOutbox, Part: k.Part}, v, 0)
			return true
		})
		if err != nil || !slices.Equal(met, []string{"a", "b", "c"}) {
			t.Errorf("a scan that moves its rows met %q, %v", met, err)
		}
	})
	view(t, s, func(tx otp.Tx) {
		meets(t, tx, "", otp.Key{}, 0)
		if v, ok := tx.Get(otp.Key{Kind: otp.KindOutbox, Part: "b"}); !ok || string(v) != "=b" {
			t.Errorf("the moved row is %q, %v", v, ok)
		}
	})
}

func scanNested(t *testing.T, s otp.Store) {
	fill(t, s, "a1", "a2", "b1", "b2")
	both(t, s, func(tx otp.Tx) {
		var met []string
		err := tx.Scan(key("a"), otp.Key{}, 0, func(outer otp.Key, _ []byte) bool {
			met = append(met, outer.Part)
			met = append(met, scan(t, tx, "b", otp.Key{}, 0)...)
			return true
		})
		if want := []string{"a1", "b1", "b2", "a2", "b1", "b2"}; err != nil || !slices.Equal(met, want) {
			t.Errorf("a scan within a scan met %q, %v, want %q", met, err, want)
		}
	})
}
