package otp

import (
	"context"
	"errors"
)

// Store keeps records durably. It is the one contract between the rules and a
// storage engine; the suite in otp/otptest is its full meaning.
//
// A refusal is a result, not an error: a closure that refuses something writes
// what must be remembered, keeps its verdict in a captured variable and
// returns nil. Only faults return errors, because an error drops every write
// of the closure, and a counter lost that way can be guessed past.
type Store interface {
	// Update runs fn exactly once, alone among all writers. When fn returns nil
	// its writes are durable before Update returns. When fn returns an error,
	// or panics, none of its writes is left and Update returns that error (a
	// panic becomes an [Error] with [Internal]). A context ends the wait for
	// fn's turn; it cannot interrupt fn, and Update returns only after fn was
	// answered or removed unrun.
	//
	// fn must not do I/O, sign, parse or call the store again.
	Update(ctx context.Context, fn func(Tx) error) error

	// View runs fn over a snapshot of what is durable. Put and Delete in a
	// View panic.
	View(ctx context.Context, fn func(Tx) error) error
}

// Tx is what a closure sees. It must not be kept after the closure returned.
type Tx interface {
	// Get returns the row at k. Writes of the same closure are seen, then those
	// of closures that ran earlier. The bytes belong to the caller. An engine
	// that cannot read makes the whole closure fail after it returns.
	Get(k Key) ([]byte, bool)

	// Put writes v at k. until feeds the sweep, never validity: at some time
	// after until the row may vanish, and until then a Get still finds it. 0
	// keeps the row for ever. The store copies v.
	Put(k Key, v []byte, until Time)

	// Delete removes the row at k, if there is one.
	Delete(k Key)

	// Scan calls fn with each row of prefix.Kind whose Part begins with
	// prefix.Part and sorts after after.Part (the zero after begins at the
	// first), in byte order, at most limit rows (0: no bound), until fn returns
	// false. It sees what was durable and what earlier closures wrote, not the
	// writes of its own closure: it returns [ErrScanDirty] if the closure wrote
	// into that range. Keys and values must not be kept after fn returned.
	Scan(prefix, after Key, limit int, fn func(Key, []byte) bool) error
}

// Key names a row: its kind, and what Part is for that kind (see [Kind]).
type Key struct {
	Kind Kind
	Part string
}

// ErrScanDirty says that a closure scanned a range that it had written into.
var ErrScanDirty = errors.New("scan of a range that this closure wrote into")
