package otptest_test

import (
	"errors"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

func TestMemory(t *testing.T) {
	otptest.Conformance(t, func(*testing.T) otp.Store { return otptest.NewMemory() })
}

var row = otp.Key{Kind: otp.KindMeta, Part: "row"}

func TestMemoryFailNext(t *testing.T) {
	m := otptest.NewMemory()
	fault := errors.New("the disk is gone")
	put := func(tx otp.Tx) error {
		tx.Put(row, []byte("1"), 0)
		return nil
	}
	m.FailNext(fault)
	if err := m.Update(t.Context(), func(otp.Tx) error { return nil }); err != nil {
		t.Errorf("a closure without writes has no commit, but Update returned %v", err)
	}
	if err := m.Update(t.Context(), put); !errors.Is(err, fault) {
		t.Errorf("Update returned %v, want the fault", err)
	}
	if has(t, m) {
		t.Error("a failed commit left its row")
	}
	if err := m.Update(t.Context(), put); err != nil || !has(t, m) {
		t.Errorf("the commit after the failed one: %v, row there %v", err, has(t, m))
	}
}

func TestMemorySweep(t *testing.T) {
	m := otptest.NewMemory()
	put := func(until otp.Time) {
		if err := m.Update(t.Context(), func(tx otp.Tx) error {
			tx.Put(row, []byte("1"), until)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	put(1000)
	if n := m.Sweep(1000); n != 0 || !has(t, m) {
		t.Errorf("a sweep at until took %d rows", n)
	}
	put(0)
	if n := m.Sweep(1 << 60); n != 0 || !has(t, m) {
		t.Errorf("a sweep took %d rows that stay for ever", n)
	}
	put(1000)
	if n := m.Sweep(1001); n != 1 || has(t, m) {
		t.Errorf("a sweep after until took %d rows", n)
	}
}

func has(t *testing.T, s otp.Store) (ok bool) {
	t.Helper()
	if err := s.View(t.Context(), func(tx otp.Tx) error {
		_, ok = tx.Get(row)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return ok
}
