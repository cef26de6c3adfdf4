// Package otptest holds what tests of the rules need from outside them: a
// store in memory ([Memory]), a scripted route ([Route]), and [Conformance],
// the suite that is the full meaning of [otp.Store].
package otptest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pinferry/pinferry/otp"
)

// Memory is an [otp.Store] that lives and dies with the test. It keeps the
// whole contract, durability excepted, and may be used in a synctest bubble if
// it was made there.
type Memory struct {
	turn chan struct{} // holds one token while a closure of Update runs

	mu   sync.Mutex
	now  *table // what is committed; guarded by mu, as is readers of each table
	fail error  // what the next commit fails with; guarded by mu
}

// table is a state of the store. It does not change while it has readers.
type table struct {
	rows    map[otp.Key]row
	readers int
}

// row is a value with the time after which a sweep may take it.
type row struct {
	value []byte
	until otp.Time
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{turn: make(chan struct{}, 1), now: &table{rows: map[otp.Key]row{}}}
}

// FailNext makes the next commit fail: Update returns err and nothing is
// changed. Closures that write nothing have no commit to fail.
func (m *Memory) FailNext(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// Sweep removes every row whose until has passed at now and returns how many
// there were. Rules must hold just the same whether or not it ever runs.
func (m *Memory) Sweep(now otp.Time) int {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	overlay := map[otp.Key]*row{}
	for k, r := range m.now.rows {
		if r.until != 0 && r.until < now {
			overlay[k] = nil
		}
	}
	m.apply(overlay)
	return len(overlay)
}

// Update implements [otp.Store].
func (m *Memory) Update(ctx context.Context, fn func(otp.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-m.turn }()
	// The turn is held, so the committed table cannot change under the closure.
	tx := &memoryTx{rows: m.now.rows, overlay: map[otp.Key]*row{}}
	if err := contain(tx, fn); err != nil {
		return err
	}
	if len(tx.overlay) == 0 {
		return nil
	}
	m.mu.Lock()
	err := m.fail
	m.fail = nil
	m.mu.Unlock()
	if err != nil {
		return err
	}
	m.apply(tx.overlay)
	return nil
}

// View implements [otp.Store].
func (m *Memory) View(ctx context.Context, fn func(otp.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	seen := m.now
	seen.readers++
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		seen.readers--
		m.mu.Unlock()
	}()
	return fn(&memoryTx{rows: seen.rows})
}

// apply makes an overlay part of the committed table. The caller holds the
// turn.
func (m *Memory) apply(overlay map[otp.Key]*row) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now.readers > 0 {
		m.now = &table{rows: maps.Clone(m.now.rows)}
	}
	for k, r := range overlay {
		if r == nil {
			delete(m.now.rows, k)
		} else {
			m.now.rows[k] = *r
		}
	}
}

// contain runs a closure and turns its panic into the error the contract asks
// for.
func contain(tx otp.Tx, fn func(otp.Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &otp.Error{Code: otp.Internal, Detail: "The box could not do this.", Err: fmt.Errorf("run closure: panic: %v", p)}
		}
	}()
	return fn(tx)
}

// memoryTx is a closure's view: its own writes in front of a table. The
// overlay of a View is nil.
type memoryTx struct {
	rows    map[otp.Key]row
	overlay map[otp.Key]*row // nil values are deletes
}

func (tx *memoryTx) Get(k otp.Key) ([]byte, bool) {
	if own, ok := tx.overlay[k]; ok {
		if own == nil {
			return nil, false
		}
		return slices.Clone(own.value), true
	}
	r, ok := tx.rows[k]
	return slices.Clone(r.value), ok
}

func (tx *memoryTx) Put(k otp.Key, v []byte, until otp.Time) {
	tx.mustWrite(k)
	tx.overlay[k] = &row{value: append([]byte{}, v...), until: until}
}

func (tx *memoryTx) Delete(k otp.Key) {
	tx.mustWrite(k)
	tx.overlay[k] = nil
}

func (tx *memoryTx) mustWrite(k otp.Key) {
	if tx.overlay == nil {
		panic("write in a View")
	}
	if k.Kind == 0 || int(k.Kind) > len(otp.Kinds()) {
		panic(fmt.Sprintf("kind %d is not in the list of kinds", k.Kind))
	}
}

func (tx *memoryTx) Scan(prefix, after otp.Key, limit int, fn func(otp.Key, []byte) bool) error {
	within := func(k otp.Key) bool {
		return k.Kind == prefix.Kind && strings.HasPrefix(k.Part, prefix.Part) && (after == otp.Key{} || k.Part > after.Part)
	}
	for k := range tx.overlay {
		if within(k) {
			return otp.ErrScanDirty
		}
	}
	var found []otp.Key
	for k := range tx.rows {
		if within(k) {
			found = append(found, k)
		}
	}
	slices.SortFunc(found, func(a, b otp.Key) int { return strings.Compare(a.Part, b.Part) })
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	for _, k := range found {
		value := bytes.Clone(tx.rows[k].value)
		more := fn(k, value)
		for i := range value {
			value[i] = '#' // whoever keeps it finds out
		}
		if !more {
			break
		}
	}
	return nil
}
