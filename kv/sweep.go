package kv

import (
	"bytes"
	"context"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/pinferry/pinferry/otp"
)

// sweepStep is how many expiry rows one closure of the sweep handles: it shares
// the writer with requests.
const sweepStep = 256

// Sweep removes the rows whose until has passed and returns how many there
// were. It looks for them outside the writer and removes them a step at a time
// inside ordinary batches. Run calls it; a test or a command may.
//
// For every row with a slot there is an expiry row under that slot. The
// reverse need not be true: a row that was deleted, or put again with another
// slot, leaves its old expiry row behind, which the sweep meets and drops
// without touching the row.
func (db *DB) Sweep(ctx context.Context) (removed int, err error) {
	start := []byte{expiryPrefix}
	for {
		step, err := db.due(start)
		if err == nil && len(step) == 0 {
			return removed, nil
		}
		count := 0
		if err == nil {
			err = db.Update(ctx, func(t otp.Tx) error {
				count = t.(*tx).expire(step)
				return nil
			})
		}
		if err != nil {
			return removed, fmt.Errorf("sweep: %w", err)
		}
		removed += count
		start = append(step[len(step)-1], 0)
	}
}

// due returns the next expiry rows, from start on, whose slot has ended.
func (db *DB) due(start []byte) (step [][]byte, err error) {
	now := db.now()
	err = db.read(func(snapshot *badger.Txn) error {
		t := &tx{snapshot: snapshot}
		return t.walk([]byte{expiryPrefix}, start, nil, func(key, _ []byte) (bool, error) {
			slot, _, ok := parseExpiryKey(key)
			if !ok {
				return false, fmt.Errorf("read an expiry row: %w", ErrDamaged)
			}
			if !ended(slot, now) {
				return false, nil
			}
			step = append(step, bytes.Clone(key))
			return len(step) < sweepStep, nil
		})
	})
	return step, err
}

// expire removes the rows that expiry rows lead to, if they still have that
// slot, and the expiry rows.
func (t *tx) expire(step [][]byte) (removed int) {
	for _, key := range step {
		slot, target, _ := parseExpiryKey(key)
		if row, ok := t.row(target); ok && rowSlot(row) == slot {
			t.put(target, nil)
			removed++
		}
		t.put(key, nil)
	}
	return removed
}
