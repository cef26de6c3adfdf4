package kv_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/otp"
)

// boxClock is box time that a test moves.
type boxClock struct{ at atomic.Int64 }

func newBoxClock() *boxClock {
	c := &boxClock{}
	c.at.Store(1_800_000_000_000)
	return c
}

func (c *boxClock) now() otp.Time           { return otp.Time(c.at.Load()) }
func (c *boxClock) advance(d time.Duration) { c.at.Add(d.Milliseconds()) }

func sweep(t *testing.T, db *kv.DB, want int) {
	t.Helper()
	if n, err := db.Sweep(t.Context()); err != nil || n != want {
		t.Errorf("the sweep removed %d rows, %v, want %d", n, err, want)
	}
}

func putUntil(t *testing.T, db *kv.DB, part string, until otp.Time) {
	t.Helper()
	if err := db.Update(t.Context(), func(tx otp.Tx) error {
		tx.Put(row(part), []byte("1"), until)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A row outlives its until and is gone within a slot of it.
func TestSweep(t *testing.T) {
	clock := newBoxClock()
	dir := t.TempDir()
	db := open(t, kv.Config{Dir: dir, Now: clock.now})
	for minutes := range 60 {
		putUntil(t, db, fmt.Sprint(minutes), clock.now().Add(time.Duration(minutes)*time.Minute))
	}
	putUntil(t, db, "for ever", 0)
	begun := clock.now()
	for range 80 {
		if _, err := db.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for minutes := range 60 {
			until := begun.Add(time.Duration(minutes) * time.Minute)
			there := get(t, db, fmt.Sprint(minutes)) != ""
			if !there && clock.now() < until {
				t.Errorf("row %d is gone %v before its until", minutes, until.Sub(clock.now()))
			}
			if there && clock.now() > until.Add(10*time.Minute) {
				t.Errorf("row %d is there %v after its until", minutes, clock.now().Sub(until))
			}
		}
		clock.advance(time.Minute)
	}
	if get(t, db, "for ever") == "" {
		t.Error("the sweep took a row that stays for ever")
	}
	clock.advance(100 * 365 * 24 * time.Hour)
	sweep(t, db, 0)
	if get(t, db, "for ever") == "" {
		t.Error("the sweep took a row that stays for ever")
	}
}

// What the sweep knows of a row's past must never cost the row its present.
func TestSweepOfRowsThatChanged(t *testing.T) {
	const hour = time.Hour
	type step func(t *testing.T, db *kv.DB, now otp.Time)
	keep := func(d time.Duration) step {
		return func(t *testing.T, db *kv.DB, now otp.Time) { putUntil(t, db, "a", now.Add(d)) }
	}
	forEver := step(func(t *testing.T, db *kv.DB, _ otp.Time) { putUntil(t, db, "a", 0) })
	remove := step(func(t *testing.T, db *kv.DB, _ otp.Time) {
		if err := db.Update(t.Context(), func(tx otp.Tx) error { tx.Delete(row("a")); return nil }); err != nil {
			t.Fatal(err)
		}
	})
	for name, c := range map[string]struct {
		steps []step
		lasts time.Duration // 0: for ever
	}{
		"later":               {[]step{keep(hour), keep(5 * hour)}, 5 * hour},
		"earlier":             {[]step{keep(5 * hour), keep(hour)}, hour},
		"there and back":      {[]step{keep(hour), keep(5 * hour), keep(hour)}, hour},
		"for ever at last":    {[]step{keep(hour), forEver}, 0},
		"for ever at first":   {[]step{forEver, keep(hour)}, hour},
		"for ever in between": {[]step{keep(hour), forEver, keep(hour)}, hour},
		"removed and new":     {[]step{keep(hour), remove, keep(5 * hour)}, 5 * hour},
		"removed and same":    {[]step{keep(hour), remove, keep(hour)}, hour},
		"removed and lasting": {[]step{keep(hour), remove, forEver}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			clock := newBoxClock()
			db := open(t, kv.Config{Now: clock.now})
			begun := clock.now()
			for _, step := range c.steps {
				step(t, db, begun)
			}
			for clock.now() < begun.Add(10*hour) {
				if _, err := db.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
				there := get(t, db, "a") != ""
				age := clock.now().Sub(begun)
				if !there && (c.lasts == 0 || age < c.lasts) || there && c.lasts != 0 && age > c.lasts+10*time.Minute {
					t.Fatalf("after %v the row is there: %v, it should last %v", age, there, c.lasts)
				}
				clock.advance(10 * time.Minute)
			}
			sweep(t, db, 0)
		})
	}
}

// Many rows go in many steps, in between which requests are served, and a
// flatten gives their space back.
func TestSweepMany(t *testing.T) {
	clock := newBoxClock()
	dir := t.TempDir()
	db := open(t, kv.Config{Dir: dir, Now: clock.now})
	const rows, each = 60_000, 500
	for i := range rows / each {
		if err := db.Update(t.Context(), func(tx otp.Tx) error {
			for j := range each {
				tx.Put(row(fmt.Sprintf("short-lived %d %d", j, i)), make([]byte, 150), clock.now().Add(time.Duration(j)*time.Second))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	putUntil(t, db, "kept", 0)
	clock.advance(time.Hour)
	sweep(t, db, rows)
	sweep(t, db, 0)
	if get(t, db, "kept") != "1" || get(t, db, "short-lived 0 0") != "" {
		t.Error("the sweep took the wrong rows")
	}
	// What is in the log counts in full until it is a table.
	shut(t, db)
	db = open(t, kv.Config{Dir: dir, Now: clock.now})
	putUntil(t, db, "kept too", 0)
	shut(t, db)
	db = open(t, kv.Config{Dir: dir, Now: clock.now})
	if err := db.Flatten(); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, "db", "*.sst"))
	if err != nil || len(tables) != 1 {
		t.Errorf("%d tables are left, %v, want 1", len(tables), err)
	}
	if get(t, db, "kept") != "1" || get(t, db, "kept too") != "1" {
		t.Error("the flatten lost a row")
	}
}

// A full disk stops the sweep without harm, and the next one goes on.
func TestSweepOnFullDisk(t *testing.T) {
	clock := newBoxClock()
	d := newFakeDisk(100*mib, 192*mib)
	db := open(t, kv.Config{Now: clock.now, Space: d.space})
	putUntil(t, db, "a", clock.now())
	clock.advance(time.Hour)
	d.free.Store(mib)
	if n, err := db.Sweep(t.Context()); n != 0 || otp.AsError(err).Code != otp.StorageLow {
		t.Errorf("on a full disk the sweep removed %d rows, %v", n, err)
	}
	d.free.Store(100 * mib)
	sweep(t, db, 1)
}
