package kv

import (
	"context"

	"github.com/pinferry/pinferry/otp"
)

// FailCommits makes every commit of db fail with err, as a disk that returns
// an error does; no file system at hand can be made to.
func FailCommits(db *DB, err error) { db.writer.inject.Store(&err) }

// AppendKey appends the engine's key of a row.
var AppendKey = appendKey

// SetLayout writes another version of the layout into the database.
func SetLayout(db *DB, version byte) error {
	return db.writer.update(context.Background(), func(t otp.Tx) error {
		t.(*tx).put(layoutKey, []byte{version})
		return nil
	})
}

// The bounds of a closure.
const (
	MaxBytes = maxBytes
	MaxKeys  = maxKeys
)

// MaxCalls bounds the closures of a batch.
const MaxCalls = maxCalls

// Rounds returns what Run does every ten seconds.
func Rounds(db *DB) func(context.Context) {
	u := &upkeep{flattened: db.now()}
	return func(ctx context.Context) { db.round(ctx, u) }
}

// AppendTarget and Targets write and read what an expiry row lists.
var (
	AppendTarget = appendTarget
	Targets      = targets
)

// Trim lets the pages of tables go, as Run does.
func Trim(db *DB) error { return db.trim() }

// Grown holds a token when Run is asked to trim.
func Grown(db *DB) <-chan struct{} { return db.compactor.grown }
