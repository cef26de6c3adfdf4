package kv

import (
	"context"
	"encoding/binary"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/otp"
)

// slow is how long a closure may run before its caller is named in the log:
// everybody else waits for it.
const slow = 20 * time.Millisecond

// writer is the one goroutine that writes, and the queue before it.
type writer struct {
	engine    *badger.DB
	compactor *compactor
	sequence  *sequence
	disk      disk
	now       func() otp.Time
	log       zerolog.Logger
	gather    time.Duration

	mu     sync.Mutex
	queue  []*call // guarded by mu
	closed bool    // guarded by mu; nothing queues any more
	calls  sync.Pool

	wake    chan struct{} // holds a token when the queue may have grown
	stopped chan struct{} // closed when the goroutine has returned

	// What the goroutine alone touches.
	taken    []*call  // off the queue, not yet run
	batch    []*call  // run, not yet answered
	verdicts []error  // of the batch
	merged   *overlay // writes of the batch
	own      *overlay // writes of the running closure
	quiet    otp.Time // when the last commit ended
	crowded  bool     // the last batch held more than one closure

	closures, commits, number atomic.Uint64
	failure                   atomic.Pointer[error]
	failed                    chan struct{} // closed with the first failure
	// inject, if any, replaces the outcome of a commit in a test.
	inject atomic.Pointer[error]
}

// call is one Update on its way.
type call struct {
	fn     func(otp.Tx) error
	state  atomic.Int32
	answer chan error // holds one
}

// The states of a call. Whoever moves it out of queued decides its fate: the
// writer runs it, its caller removes it.
const (
	queued int32 = iota
	running
	removed
)

func newWriter(db *DB, gather time.Duration, number uint64) *writer {
	w := &writer{
		engine: db.engine, compactor: db.compactor, sequence: db.sequence, disk: db.disk,
		now: db.now, log: db.log, gather: gather,
		wake: make(chan struct{}, 1), stopped: make(chan struct{}), failed: make(chan struct{}),
		merged: newOverlay(), own: newOverlay(),
		calls: sync.Pool{New: func() any { return &call{answer: make(chan error, 1)} }},
	}
	w.number.Store(number)
	go w.run()
	return w
}

// update queues fn and waits for its answer.
func (w *writer) update(ctx context.Context, fn func(otp.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := w.calls.Get().(*call)
	c.fn = fn
	c.state.Store(queued)
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return errClosed()
	}
	w.queue = append(w.queue, c)
	w.mu.Unlock()
	w.signal()
	select {
	case err := <-c.answer:
		w.release(c)
		return err
	case <-ctx.Done():
	}
	if c.state.CompareAndSwap(queued, removed) {
		return ctx.Err() // the writer releases the call when it meets it
	}
	err := <-c.answer
	w.release(c)
	return err
}

func (w *writer) release(c *call) {
	c.fn = nil
	w.calls.Put(c)
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// close refuses further calls and returns when those that had queued are
// answered.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
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
			w.take()
		case closed:
			return false
		default:
			<-w.wake
		}
	}
	return true
}

func (w *writer) waiting() (calls int, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue), w.closed
}

// take moves the queue to the goroutine's own list, which is empty.
func (w *writer) take() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken, w.queue = w.queue, w.taken[:0]
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
	snapshot := w.engine.NewTransaction(false)
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
	snapshot.Discard()
	rest := copy(w.taken, left)
	clear(w.taken[rest:])
	w.taken = w.taken[:rest]

	fault := w.commit()
	for i, c := range w.batch {
		verdict := w.verdicts[i]
		if verdict == nil {
			verdict = fault
		}
		c.answer <- verdict
	}
	w.closures.Add(uint64(len(w.batch)))
	w.crowded = len(w.batch) > 1
	clear(w.batch)
	clear(w.verdicts)
	w.batch, w.verdicts = w.batch[:0], w.verdicts[:0]
	w.merged.reset()
	if w.gather > 0 {
		w.quiet = w.now()
	}
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

// attempt runs one closure and merges its writes if it succeeds.
func (w *writer) attempt(snapshot *badger.Txn, fn func(otp.Tx) error) (err error) {
	t := &tx{snapshot: snapshot, own: w.own, earlier: w.merged}
	defer func() {
		t.over = true
		if p := recover(); p != nil {
			err = fault(fmt.Errorf("run closure: panic at %s: %s", culprit(), mask(fmt.Sprint(p))))
		}
		w.own.reset()
	}()
	if err := fn(t); err != nil {
		return err
	}
	if t.err == nil {
		t.merge()
	}
	if t.err != nil {
		return fault(fmt.Errorf("run closure: %w", t.err))
	}
	return nil
}

// merge moves a closure's writes into the batch, each with the expiry row that
// leads to it, unless the row that it replaces had the same one.
func (t *tx) merge() {
	slots := make([]bool, len(t.own.writes)) // which need an expiry row
	for i, wr := range t.own.writes {
		if slot := rowSlot(wr.row); slot != 0 {
			before, ok := t.earlier.find(wr.key)
			if !ok {
				var err error
				if before, err = stored(t.snapshot, wr.key); err != nil {
					t.fail(err)
					return
				}
			}
			slots[i] = rowSlot(before) != slot
		}
	}
	for i, wr := range t.own.writes {
		t.earlier.put(wr.key, wr.row)
		if slots[i] {
			t.earlier.put(expiryKey(rowSlot(wr.row), wr.key), []byte{})
		}
	}
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
	number := w.number.Load() + 1
	w.merged.put(sequenceKey, binary.BigEndian.AppendUint64(nil, number))
	if err := w.apply(); err != nil {
		// The engine may hold a part of this commit in memory, and the disk any
		// part of it. Only a fresh Open tells which; nothing may be built upon it.
		err = fmt.Errorf("commit: %w", err)
		w.failure.Store(&err)
		close(w.failed)
		return storageFault(err)
	}
	w.number.Store(number)
	w.commits.Add(1)
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
		if wr.row == nil {
			err = commit.Delete(wr.key)
		} else {
			err = commit.Set(wr.key, wr.row)
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

// fault answers a caller whose closure is at fault.
func fault(cause error) error {
	return &otp.Error{Code: otp.Internal, Detail: "The box could not do this. Its log has the reason.", Err: cause}
}

// name returns the function that a closure was written in, "otp.(*Outbox).Send.func1".
func name(fn func(otp.Tx) error) string {
	f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer())
	return f.Name()[strings.LastIndexByte(f.Name(), '/')+1:]
}

// culprit returns the file and line that panicked. It is called by a deferred
// function while the panic unwinds.
func culprit() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for unwinding := false; ; {
		frame, more := frames.Next()
		if inside := strings.HasPrefix(frame.Function, "runtime."); inside {
			unwinding = true
		} else if unwinding {
			return fmt.Sprintf("%s:%d", frame.File[strings.LastIndexByte(frame.File, '/')+1:], frame.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}
