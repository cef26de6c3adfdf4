package kv_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/otp"
)

func TestRunEnds(t *testing.T) {
	db := open(t, kv.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- db.Run(ctx) }()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run at the end of its context: %v", err)
	}
	go func() { ended <- db.Run(t.Context()) }()
	shut(t, db)
	if err := <-ended; err != nil {
		t.Errorf("Run at Close: %v", err)
	}
}

// The rounds of Run sweep when a slot has passed, and not oftener.
func TestRoundsSweep(t *testing.T) {
	clock := newBoxClock()
	db := open(t, kv.Config{Now: clock.now})
	round := kv.Rounds(db)
	round(t.Context())
	putUntil(t, db, "a", clock.now().Add(time.Minute))
	for range 3 * 60 * 6 {
		clock.advance(10 * time.Second)
		round(t.Context())
	}
	if get(t, db, "a") != "" {
		t.Error("three hours of rounds have not swept a row of a minute")
	}
	if n := db.Stats().Commits; n != 3 { // the first, the row, the sweep
		t.Errorf("idle rounds made %d commits, want 3", n)
	}
}

// What was swept is given back once a day, when the box is quiet.
func TestRoundsFlatten(t *testing.T) {
	clock := newBoxClock()
	dir := t.TempDir()
	tables := func() int {
		found, err := filepath.Glob(filepath.Join(dir, "db", "*.sst"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	for range 3 { // each leaves a table
		db := open(t, kv.Config{Dir: dir, Now: clock.now})
		putUntil(t, db, fmt.Sprint(clock.now()), clock.now())
		shut(t, db)
	}
	db := open(t, kv.Config{Dir: dir, Now: clock.now})
	round := kv.Rounds(db)
	clock.advance(23 * time.Hour)
	round(t.Context())
	if n := tables(); n != 3 {
		t.Fatalf("before a day has passed there are %d tables, want 3", n)
	}
	clock.advance(2 * time.Hour)
	for range 20 {
		put(t, db, "busy", "1")
	}
	round(t.Context())
	if n := tables(); n != 3 {
		t.Errorf("a busy box was flattened: %d tables", n)
	}
	round(t.Context())
	if n := tables(); n > 1 {
		t.Errorf("a day has passed and the box is quiet, but there are %d tables", n)
	}
}

func TestRoundsTellOfLowSpace(t *testing.T) {
	var log syncBuffer
	d := newFakeDisk(100*mib, 192*mib)
	db := open(t, kv.Config{Space: d.space, Log: zerolog.New(&log)})
	round := kv.Rounds(db)
	for _, free := range []uint64{100, 50, 40, 30, 100, 100} {
		d.free.Store(free * mib)
		round(t.Context())
	}
	if text := log.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "low") || !strings.Contains(text, "back") {
		t.Errorf("the log should have one line for each change: %s", text)
	}
}

// Gathering makes callers that come together share a commit, and does not
// hold up one who is alone.
func TestGather(t *testing.T) {
	clock := newBoxClock()
	db := open(t, kv.Config{Now: clock.now, Gather: time.Hour})
	before := db.Stats().Commits
	var wg sync.WaitGroup
	for i := range kv.MaxCalls { // right after another commit; a full batch ends the wait
		wg.Go(func() { put(t, db, fmt.Sprint(i), "1") })
	}
	wg.Wait()
	if n := db.Stats().Commits - before; n != 1 {
		t.Errorf("%d callers made %d commits, want 1", kv.MaxCalls, n)
	}
	// Somebody waits for the crowd that does not come, until Close.
	alone := make(chan error)
	go func() {
		alone <- db.Update(t.Context(), func(tx otp.Tx) error { tx.Put(row("last"), nil, 0); return nil })
	}()
	wg.Go(func() { shut(t, db) })
	if err := <-alone; err != nil && otp.AsError(err).Code != otp.ShuttingDown {
		t.Errorf("the waiting caller was answered with %v", err)
	}
	wg.Wait()

	db = open(t, kv.Config{Now: clock.now, Gather: time.Hour})
	for i := range 3 {
		clock.advance(2 * time.Hour) // idle since the last commit
		put(t, db, fmt.Sprint("alone", i), "1")
	}
}

func TestTuneMemory(t *testing.T) {
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	t.Cleanup(func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	})
	for name, c := range map[string]struct {
		limit, gc string
		wantLimit int64
		wantGC    int
	}{
		"nothing set": {"", "", 48 * mib, 50},
		"limit set":   {"100MiB", "", limit, 50},
		"GOGC set":    {"", "80", 48 * mib, 100},
	} {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(100)
		for key, value := range map[string]string{"GOMEMLIMIT": c.limit, "GOGC": c.gc} {
			t.Setenv(key, value)
			if value == "" {
				os.Unsetenv(key)
			}
		}
		kv.TuneMemory()
		gotGC := debug.SetGCPercent(100)
		if got := debug.SetMemoryLimit(-1); got != c.wantLimit || gotGC != c.wantGC {
			t.Errorf("%s: limit %d and %d %%, want %d and %d", name, got, gotGC, c.wantLimit, c.wantGC)
		}
	}
}
