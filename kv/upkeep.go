package kv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// The pace of the upkeep.
const (
	upkeepEvery  = 10 * time.Second
	flattenEvery = 24 * time.Hour
	quietCalls   = 10 // closures in one upkeepEvery of a box that is quiet
)

// upkeep is what Run remembers from one round to the next.
type upkeep struct {
	slot      uint32   // that the last sweep began in
	low       bool     // free space was below the soft mark
	closures  uint64   // at the last round
	removed   int      // rows swept since the last flatten
	flattened otp.Time // when that was
}

// Run keeps the database in order until ctx ends or it is closed: it syncs the
// sequence file, sweeps, flattens once a day when the box is quiet, and tells
// the log when space becomes low. It returns an error when a commit has failed
// so that nothing can be written until the database is opened again.
func (db *DB) Run(ctx context.Context) error {
	u := &upkeep{flattened: db.now()}
	tick := time.NewTicker(upkeepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-db.closing:
			return nil
		case <-db.writer.failed:
			return fmt.Errorf("store: %w", db.writer.broken())
		case <-db.compactor.grown:
			db.mapped()
		case <-tick.C:
			db.round(ctx, u)
			db.mapped()
		}
	}
}

// round does what is due. What fails is tried again in a later round.
func (db *DB) round(ctx context.Context, u *upkeep) {
	if err := db.sequence.sync(); err != nil {
		db.log.Error().Err(err).Msg("a loss of data may go unnoticed")
	}
	if low := db.Low(); low != u.low {
		u.low = low
		if low {
			db.log.Error().Msg("free space is low: no new verifications and messages are taken")
		} else {
			db.log.Info().Msg("free space is back")
		}
	}
	db.compactor.signal() // space may be back
	if slot := slotOf(db.now()); slot != u.slot {
		removed, err := db.Sweep(ctx)
		u.removed += removed
		if err == nil {
			u.slot = slot
		} else if !passing(err) && ctx.Err() == nil {
			db.log.Error().Err(err).Msg("expired rows stay for now")
		}
	}
	closures := db.writer.closures.Load()
	quiet := closures-u.closures < quietCalls
	u.closures = closures
	if quiet && u.removed > 0 && db.now().Sub(u.flattened) >= flattenEvery {
		u.flattened = db.now()
		if err := db.Flatten(); err == nil {
			u.removed = 0
		} else if !passing(err) {
			db.log.Error().Err(err).Msg("the database stays larger than it need be")
		}
	}
}

// mapped keeps the tables from counting as resident memory.
func (db *DB) mapped() {
	if err := db.trim(); err != nil && !passing(err) {
		db.log.Debug().Err(err).Msg("more memory stays mapped than need be")
	}
}

// Flatten gives the space of removed rows back to the disk; writes go on
// meanwhile. It refuses a disk without room for it.
func (db *DB) Flatten() error {
	db.guard.RLock()
	defer db.guard.RUnlock()
	if db.closed {
		return errClosed()
	}
	_, need := db.compactor.state()
	return db.compactor.merge(need)
}

// passing tells whether an error of the upkeep will mend itself.
func passing(err error) bool {
	var e *otp.Error
	return errors.Is(err, ErrFull) || errors.As(err, &e) && (e.Code == otp.StorageLow || e.Code == otp.ShuttingDown)
}
