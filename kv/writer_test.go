package kv_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/otp"
)

// A closure that is too large for a commit, or holds a key that is too long,
// fails alone.
func TestOversizeFailsAlone(t *testing.T) {
	db := open(t, kv.Config{})
	for name, fn := range map[string]func(tx otp.Tx){
		"bytes": func(tx otp.Tx) { tx.Put(row("big"), make([]byte, kv.MaxBytes), 0) },
		"rows": func(tx otp.Tx) {
			for i := range kv.MaxKeys + 1 {
				tx.Put(row(fmt.Sprint("many", i)), nil, 0)
			}
		},
		"key": func(tx otp.Tx) { tx.Put(row(strings.Repeat("k", 5000)), nil, 0) },
	} {
		begun, goOn := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { // holds the writer, so that all below share a batch
			if err := db.Update(t.Context(), func(otp.Tx) error { close(begun); <-goOn; return nil }); err != nil {
				t.Error(err)
			}
		})
		<-begun
		wg.Go(func() {
			err := db.Update(t.Context(), func(tx otp.Tx) error { fn(tx); return nil })
			if e := otp.AsError(err); e == nil || e.Code != otp.Internal {
				t.Errorf("too many %s: %v, want %s", name, err, otp.Internal)
			}
		})
		for i := range 20 {
			wg.Go(func() { put(t, db, fmt.Sprint(name, i), "1") })
		}
		close(goOn)
		wg.Wait()
	}
	if db.Stats().Failed || get(t, db, "big") != "" || get(t, db, "many0") != "" {
		t.Error("an oversize closure left something")
	}
}

// Batches stay clear of the engine's own bound however full their closures
// are, expiry rows included.
func TestFullBatches(t *testing.T) {
	const hour = otp.Time(time.Hour / time.Millisecond)
	for name, fill := range map[string]func(tx otp.Tx, caller int){
		"rows": func(tx otp.Tx, caller int) {
			for i := range kv.MaxKeys - 1 {
				tx.Put(row(fmt.Sprint(caller, " ", i)), nil, hour)
			}
		},
		"slots": func(tx otp.Tx, caller int) {
			for i := range kv.MaxKeys - 1 {
				tx.Put(row(fmt.Sprint(caller, " ", i)), nil, otp.Time(caller*kv.MaxKeys+i)*hour)
			}
		},
		"bytes": func(tx otp.Tx, caller int) {
			tx.Put(row(fmt.Sprint(caller)), make([]byte, kv.MaxBytes-1024), hour)
		},
	} {
		db := open(t, kv.Config{})
		begun, goOn := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { // holds the writer, so that those below share batches
			if err := db.Update(t.Context(), func(otp.Tx) error { close(begun); <-goOn; return nil }); err != nil {
				t.Error(err)
			}
		})
		<-begun
		for caller := range 24 {
			wg.Go(func() {
				if err := db.Update(t.Context(), func(tx otp.Tx) error { fill(tx, caller); return nil }); err != nil {
					t.Errorf("a closure with as many %s as may be: %v", name, err)
				}
			})
		}
		close(goOn)
		wg.Wait()
		if db.Stats().Failed {
			t.Errorf("full batches of %s were more than the engine takes", name)
		}
	}
}

// A commit that fails answers all its callers and changes nothing; then
// nothing is written until the next Open, which Run asks for by its error.
func TestFailedCommit(t *testing.T) {
	dir := t.TempDir()
	db := open(t, kv.Config{Dir: dir})
	put(t, db, "a", "1")
	fault := errors.New("input/output error")
	kv.FailCommits(db, fault)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			err := db.Update(t.Context(), func(tx otp.Tx) error {
				tx.Put(row("a"), []byte(fmt.Sprint("changed", i)), 0)
				return nil
			})
			if e := otp.AsError(err); e == nil || e.Code != otp.StorageLow || e.RetryAfter == 0 || !errors.Is(err, fault) {
				t.Errorf("a failed commit was answered with %v, want %s", err, otp.StorageLow)
			}
		})
	}
	wg.Wait()
	if got := get(t, db, "a"); got != "1" || !db.Stats().Failed {
		t.Errorf("after a failed commit the row is %q, stats %+v", got, db.Stats())
	}
	if err := db.Run(t.Context()); !errors.Is(err, fault) {
		t.Errorf("Run returned %v, want the fault", err)
	}
	shut(t, db)
	db = open(t, kv.Config{Dir: dir})
	put(t, db, "b", "2")
	if get(t, db, "a") != "1" || get(t, db, "b") != "2" || db.Lost() {
		t.Error("the database does not go on after a failed commit")
	}
}

func TestSlowClosureIsNamed(t *testing.T) {
	var log syncBuffer
	var now atomic.Int64
	db := open(t, kv.Config{Log: zerolog.New(&log), Now: func() otp.Time { return otp.Time(now.Load()) }})
	put(t, db, "a", "1")
	if text := log.String(); text != "" {
		t.Errorf("a quick closure was logged: %s", text)
	}
	if err := db.Update(t.Context(), func(otp.Tx) error { now.Add(21); return nil }); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); !strings.Contains(text, "TestSlowClosureIsNamed") {
		t.Errorf("the log does not name the slow closure: %s", text)
	}
}

func TestPanicIsPlaced(t *testing.T) {
	db := open(t, kv.Config{})
	err := db.Update(t.Context(), func(otp.Tx) error { panic("+41791234567") })
	if err == nil || !strings.Contains(err.Error(), "writer_test.go:") || strings.Contains(err.Error(), "1234567") {
		t.Errorf("the panic was answered with %v; want its place and no number", err)
	}
}
