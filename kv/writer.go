package kv

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/otp"
)

// slow is how long a closure may run before its caller is named in the log:
// everybody else waits for it.
const slow = 20 * time.Millisecond

// writer is the one goroutine that writes.
type writer struct {
	*queue
	engine    *badger.DB
	compactor *compactor
	sequence  *sequence
	disk      disk
	now       func() otp.Time
	log       zerolog.Logger
	gather    time.Duration
	stopped   chan struct{} // closed when the goroutine has returned

	// What the goroutine alone touches.
	taken    []*call  // off the queue, not yet run
	batch    []*call  // run, not yet answered
	verdicts []error  // of the batch
	merged   *overlay // writes of the batch
	own      *overlay // writes of the running closure
	quiet    otp.Time // when the last commit ended
	crowded  bool     // the last batch held more than one closure
	fresh    bool     // the database does not know its layout yet

	closures, commits, number atomic.Uint64
	failure                   atomic.Pointer[error]
	failed                    chan struct{} // closed with the first failure
	// inject, if any, replaces the outcome of a commit in a test.
	inject atomic.Pointer[error]
}

func newWriter(db *DB, gather time.Duration, number uint64, fresh bool) *writer {
	w := &writer{
		queue:  newQueue(),
		engine: db.engine, compactor: db.compactor, sequence: db.sequence, disk: db.disk,
		now: db.now, log: db.log, gather: gather, fresh: fresh,
		stopped: make(chan struct{}), failed: make(chan struct{}),
		merged: newOverlay(), own: newOverlay(),
	}
	w.number.Store(number)
	go w.run()
	return w
}

// close refuses further calls and returns when those that had queued are
// answered.
func (w *writer) close() {
	w.queue.close()
	<-w.stopped
}

// run is the writer's goroutine.
func (w *writer) run() {
	defer close(w.stopped)
	for w.await() {
		w.serve()
	}
}

// await returns true when there are calls to serve, false when there will be
// none any more.
func (w *writer) await() bool {
	for len(w.taken) == 0 {
		waiting, closed := w.waiting()
		switch {
		case waiting > 0:
			w.linger()
			w.taken = w.take(w.taken)
		case closed:
			return false
		default:
			<-w.wake
		}
	}
	return true
}

// linger waits for more calls if gathering is on and the box is not idle.
func (w *writer) linger() {
	if w.gather <= 0 || !w.crowded && w.now().Sub(w.quiet) > w.gather {
		return
	}
	timer := time.NewTimer(w.gather)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-w.wake:
			if calls, closed := w.waiting(); closed || calls >= maxCalls {
				return
			}
		}
	}
}

// serve runs one batch, commits it and answers it.
func (w *writer) serve() {
	refusal := w.refusal()
	var snapshot *badger.Txn
	if refusal == nil { // an engine that panicked in a commit might never give one
		snapshot = w.engine.NewTransaction(false)
	}
	begun := w.now()
	left := w.taken
	for len(w.batch) < maxCalls && !w.merged.full() && len(left) > 0 {
		c := left[0]
		left = left[1:]
		if !c.state.CompareAndSwap(queued, running) {
			w.release(c)
			continue
		}
		verdict := refusal
		if refusal == nil {
			verdict = w.attempt(snapshot, c.fn)
			ended := w.now()
			if ended.Sub(begun) > slow {
				w.log.Warn().Str("closure", name(c.fn)).Dur("took", ended.Sub(begun)).Msg("a closure held up every writer")
			}
			begun = ended
		}
		w.batch = append(w.batch, c)
		w.verdicts = append(w.verdicts, verdict)
	}
	if snapshot != nil {
		snapshot.Discard()
	}
	rest := copy(w.taken, left)
	clear(w.taken[rest:])
	w.taken = w.taken[:rest]

	fault := w.commit()
	w.crowded = len(w.batch) > 1
	if w.gather > 0 {
		w.quiet = w.now() // before anybody who was answered can say what time it is
	}
	for i, c := range w.batch {
		verdict := w.verdicts[i]
		if verdict == nil {
			verdict = fault
		}
		c.answer <- verdict
	}
	w.closures.Add(uint64(len(w.batch)))
	clear(w.batch)
	clear(w.verdicts)
	w.batch, w.verdicts = w.batch[:0], w.verdicts[:0]
	w.merged.reset()
}

// refusal returns why no closure may run now.
func (w *writer) refusal() error {
	if cause := w.broken(); cause != nil {
		return storageFault(cause)
	}
	if w.disk.full() || w.compactor.blocked.Load() {
		return storageFault(ErrFull)
	}
	return nil
}

// found commits the first rows of a new database.
func (w *writer) found() error {
	return w.update(context.Background(), func(t otp.Tx) error {
		t.(*tx).put(layoutKey, []byte{layout})
		return nil
	})
}

// commit makes the merged writes durable, all or none.
func (w *writer) commit() error {
	if len(w.merged.writes) == 0 {
		return nil
	}
	if w.fresh {
		w.merged.put(string(layoutKey), []byte{layout})
	}
	number := w.number.Load() + 1
	w.merged.put(string(sequenceKey), binary.BigEndian.AppendUint64(nil, number))
	for slot, list := range w.merged.expiry {
		w.merged.put(string(expiryKey(slot, number)), list)
	}
	if err := w.apply(); err != nil {
		// The engine may hold a part of this commit in memory, and the disk any
		// part of it. Only a fresh Open tells which; nothing may be built upon it.
		err = fmt.Errorf("commit: %w", err)
		w.failure.Store(&err)
		close(w.failed)
		return storageFault(err)
	}
	w.fresh = false
	w.number.Store(number)
	if w.commits.Add(1)%trimEvery == 0 {
		token(w.compactor.grown) // what closures read is mapped too
	}
	w.compactor.extend()
	if err := w.sequence.write(number); err != nil {
		w.log.Error().Err(err).Msg("a loss of data may go unnoticed")
	}
	return nil
}

func (w *writer) apply() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %s", ErrDamaged, mask(fmt.Sprint(p)))
		}
	}()
	if injected := w.inject.Load(); injected != nil {
		return *injected
	}
	commit := w.engine.NewTransaction(true)
	defer commit.Discard()
	for _, wr := range w.merged.writes {
		key := []byte(wr.key)
		if wr.row == nil {
			err = commit.Delete(key)
		} else {
			err = commit.Set(key, wr.row)
		}
		if err != nil {
			return engineError{err}
		}
	}
	if err := commit.Commit(); err != nil {
		return engineError{err}
	}
	return nil
}

// broken returns the failure of an earlier commit, nil if there was none.
func (w *writer) broken() error {
	if cause := w.failure.Load(); cause != nil {
		return *cause
	}
	return nil
}

// storageFault answers a caller whose closure was not run or not kept.
func storageFault(cause error) error {
	return &otp.Error{
		Code: otp.StorageLow, Detail: "The box cannot store anything now. Try again later.",
		RetryAfter: 10 * time.Second, Err: cause,
	}
}
