package kv

import (
	"bytes"
	"context"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/pinferry/pinferry/otp"
)

// sweepStep is how many rows one closure of the sweep removes, give or take an
// expiry row: it shares the writer with requests.
const sweepStep = 256

// expiryRow lists the keys that one commit put into a slot.
type expiryRow struct {
	key     []byte
	slot    uint32
	targets [][]byte
	partial bool // more targets of the row follow
}

// Sweep removes the rows whose until has passed and returns how many there
// were. It looks for them outside the writer and removes them a step at a time
// inside ordinary batches. Run calls it; a test or a command may.
//
// Every row with a slot is listed in an expiry row of that slot. The reverse
// need not be true: a row that was deleted, or put again with another slot,
// stays listed where it was, and the sweep passes over it. An expiry row goes
// when all it lists have been seen to; if that is cut short, it is read again.
func (db *DB) Sweep(ctx context.Context) (removed int, err error) {
	start := []byte{expiryPrefix}
	for {
		due, err := db.due(start)
		if err != nil {
			return removed, fmt.Errorf("sweep: %w", err)
		}
		if len(due) == 0 {
			return removed, nil
		}
		for len(due) > 0 {
			var step []expiryRow
			step, due = cut(due)
			count := 0
			if err := db.Update(ctx, func(t otp.Tx) error {
				count = t.(*tx).expire(step)
				return nil
			}); err != nil {
				return removed, fmt.Errorf("sweep: %w", err)
			}
			removed += count
			start = append(bytes.Clone(step[len(step)-1].key), 0)
		}
	}
}

// cut takes the first sweepStep targets off. An expiry row that has more is cut
// in two, of which only the second removes it.
func cut(due []expiryRow) (step, rest []expiryRow) {
	room := sweepStep
	for i, row := range due {
		if len(row.targets) > room {
			first, second := row, row
			first.targets, second.targets = row.targets[:room], row.targets[room:]
			first.partial = true
			return append(due[:i:i], first), append([]expiryRow{second}, due[i+1:]...)
		}
		room -= len(row.targets)
	}
	return due, nil
}

// due returns the next expiry rows whose slot has ended, from start on, with
// sweepStep targets or a few more.
func (db *DB) due(start []byte) (due []expiryRow, err error) {
	now := db.now()
	count := 0
	err = db.read(func(snapshot *badger.Txn) error {
		t := &tx{snapshot: snapshot}
		return t.walk([]byte{expiryPrefix}, start, nil, func(key, value []byte) (bool, error) {
			slot, ok := expirySlot(key)
			list, ok2 := targets(bytes.Clone(value))
			if !ok || !ok2 {
				return false, fmt.Errorf("read an expiry row: %w", ErrDamaged)
			}
			if !ended(slot, now) {
				return false, nil
			}
			due = append(due, expiryRow{key: bytes.Clone(key), slot: slot, targets: list})
			count += len(list)
			return count < sweepStep, nil
		})
	})
	return due, err
}

// expire removes the rows that expiry rows list, if they still have that slot,
// and the expiry rows.
func (t *tx) expire(step []expiryRow) (removed int) {
	for _, due := range step {
		for _, target := range due.targets {
			if row, _, ok := t.find(target); ok && rowSlot(row) == due.slot {
				t.put(target, nil)
				removed++
			}
		}
		if !due.partial {
			t.put(due.key, nil)
		}
	}
	return removed
}
