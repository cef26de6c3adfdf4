package kv

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dgraph-io/badger/v4"

	"github.com/pinferry/pinferry/otp"
)

// tx is what a closure sees: its own writes, then those of closures that ran
// earlier in the batch, then a snapshot of the engine. In a View it is the
// snapshot alone.
type tx struct {
	snapshot     *badger.Txn
	own, earlier *overlay // nil in a View
	scratch      []byte   // for keys
	err          error    // the first fault; it fails the closure after it returned
	over         bool     // the closure has returned
}

var _ otp.Tx = (*tx)(nil)

// Get implements [otp.Tx].
func (t *tx) Get(k otp.Key) ([]byte, bool) {
	t.mustLive()
	t.scratch = appendKey(t.scratch[:0], k)
	row, shared, ok := t.find(t.scratch)
	if !ok {
		return nil, false
	}
	if len(row) < rowHeader {
		t.fail(fmt.Errorf("read a row of kind %d: %w", k.Kind, ErrDamaged))
		return nil, false
	}
	if shared {
		return append([]byte{}, row[rowHeader:]...), true
	}
	return row[rowHeader:], true
}

// Put implements [otp.Tx].
func (t *tx) Put(k otp.Key, v []byte, until otp.Time) {
	t.mustWrite(k)
	t.scratch = appendKey(t.scratch[:0], k)
	t.put(t.scratch, newRow(slotOf(until), v))
}

// Delete implements [otp.Tx].
func (t *tx) Delete(k otp.Key) {
	t.mustWrite(k)
	t.scratch = appendKey(t.scratch[:0], k)
	t.put(t.scratch, nil)
}

// Scan implements [otp.Tx].
func (t *tx) Scan(prefix, after otp.Key, limit int, fn func(otp.Key, []byte) bool) error {
	t.mustLive()
	first := appendKey(nil, prefix)
	start := first
	if after != (otp.Key{}) {
		// The least key behind after's, but never one before the range.
		behind := append(appendKey(nil, otp.Key{Kind: prefix.Kind, Part: after.Part}), 0)
		if bytes.Compare(behind, start) > 0 {
			start = behind
		}
	}
	if t.own != nil && len(t.own.within(first, start)) > 0 {
		return otp.ErrScanDirty
	}
	var pending []write
	if t.earlier != nil {
		pending = t.earlier.within(first, start)
	}
	seen := 0
	return t.walk(first, start, pending, func(key, row []byte) (bool, error) {
		if len(row) < rowHeader {
			return false, fmt.Errorf("scan rows of kind %d: %w", prefix.Kind, ErrDamaged)
		}
		seen++
		more := fn(otp.Key{Kind: prefix.Kind, Part: string(key[1:])}, row[rowHeader:])
		return more && seen != limit, nil
	})
}

// walk calls fn with each row of the snapshot from start on whose key begins
// with first, in order, with the pending writes in front of it, until fn
// returns false or an error.
func (t *tx) walk(first, start []byte, pending []write, fn func(key, row []byte) (bool, error)) error {
	options := badger.DefaultIteratorOptions
	options.PrefetchValues = false // values lie beside their keys: fetching ahead only costs goroutines
	options.Prefix = first
	rows := t.snapshot.NewIterator(options)
	defer rows.Close()
	for rows.Seek(start); ; {
		stored := rows.ValidForPrefix(first)
		if len(pending) > 0 {
			order := -1
			if stored {
				order = bytes.Compare([]byte(pending[0].key), rows.Item().Key())
			}
			if order <= 0 {
				if order == 0 {
					rows.Next() // a newer write hides the stored row
				}
				w := pending[0]
				pending = pending[1:]
				if w.row == nil {
					continue
				}
				if more, err := fn([]byte(w.key), w.row); err != nil || !more {
					return err
				}
				continue
			}
		}
		if !stored {
			return nil
		}
		var more bool
		var verdict error
		if err := rows.Item().Value(func(row []byte) error {
			more, verdict = fn(rows.Item().Key(), row)
			return nil
		}); err != nil {
			return fmt.Errorf("read a row: %w", engineError{err})
		}
		if verdict != nil || !more {
			return verdict
		}
		rows.Next()
	}
}

// find returns the row at an engine's key. A shared row is not the caller's to
// keep or change.
func (t *tx) find(key []byte) (row []byte, shared, ok bool) {
	if t.own != nil {
		if row, ok := t.own.find(key); ok {
			return row, true, row != nil
		}
		if row, ok := t.earlier.find(key); ok {
			return row, true, row != nil
		}
	}
	row, err := stored(t.snapshot, key)
	if err != nil {
		t.fail(err)
	}
	return row, false, row != nil && err == nil
}

// put records a write of an engine's key.
func (t *tx) put(key, row []byte) {
	t.own.put(string(key), row)
	if t.own.bytes > maxBytes || t.own.keys > maxKeys {
		t.fail(errors.New("one closure writes more than a commit carries"))
	}
}

func (t *tx) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

func (t *tx) mustLive() {
	if t.over {
		panic("use of a transaction after its closure returned")
	}
}

func (t *tx) mustWrite(k otp.Key) {
	t.mustLive()
	if t.own == nil {
		panic("write in a View")
	}
	if len(k.Part) > maxPart {
		t.fail(fmt.Errorf("a key of kind %d has %d bytes, %d are allowed", k.Kind, len(k.Part), maxPart))
	}
}

// within returns the writes from start on whose key begins with first, in
// order.
func (o *overlay) within(first, start []byte) []write {
	var found []write
	for _, w := range o.writes {
		if strings.HasPrefix(w.key, string(first)) && w.key >= string(start) {
			found = append(found, w)
		}
	}
	slices.SortFunc(found, func(a, b write) int { return strings.Compare(a.key, b.key) })
	return found
}

// stored returns a copy of the row at a key of the engine, nil if there is
// none.
func stored(snapshot *badger.Txn, key []byte) ([]byte, error) {
	item, err := snapshot.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err == nil {
		row := []byte{} // an empty row is not an absent one
		if row, err = item.ValueCopy(row); err == nil {
			return row, nil
		}
	}
	return nil, fmt.Errorf("read a row: %w", engineError{err})
}
