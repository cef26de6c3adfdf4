package otp

import (
	"context"
	"encoding/binary"
	"fmt"
)

// DeadReason says why an event was given up.
type DeadReason string

// The reasons.
const (
	DeadTries    DeadReason = "tries"    // its app refused it for as long as it is tried
	DeadOverflow DeadReason = "overflow" // more waited behind it than an app's queue holds
	DeadLate     DeadReason = "late"     // its app's server was not there for days
)

// DeadEvent is an event that its app's server never took.
type DeadEvent struct {
	Event
	Why DeadReason
}

// deadRow is a [DeadEvent] as it is kept.
type deadRow struct {
	_     struct{} `cbor:",toarray"`
	Event Event
	Why   DeadReason
}

func deadEventKey(e *Event) Key {
	part := binary.BigEndian.AppendUint64(nil, ^uint64(e.At))
	return Key{KindDeadEvent, string(append(part, e.ID[:]...))}
}

// bury writes an event among the dead; its row in the queue is the caller's.
func bury(tx Tx, e *Event, why DeadReason, now Time) {
	save(tx, deadEventKey(e), deadRow{Event: *e, Why: why}, now.Add(keepEvent))
}

// Dead lists the events of all apps that were never taken, the newest first, at
// most limit. It is for the operator.
func (q *Events) Dead(ctx context.Context, limit int) (all []DeadEvent, err error) {
	err = q.box.Store.View(ctx, func(tx Tx) error {
		all, err = q.dead(tx, limit, func(*deadRow) bool { return true })
		return err
	})
	return all, err
}

// dead reads the dead that are wanted, at most limit. One that cannot be read is
// passed over: it must not hide the others.
func (q *Events) dead(tx Tx, limit int, wanted func(*deadRow) bool) (all []DeadEvent, err error) {
	err = tx.Scan(Key{Kind: KindDeadEvent}, Key{}, 0, func(_ Key, row []byte) bool {
		var r deadRow
		if decodeRecord(row, &r) != nil {
			q.box.Log.Error().Msg("a dead event cannot be read and is passed over")
		} else if wanted(&r) {
			all = append(all, DeadEvent{r.Event, r.Why})
		}
		return len(all) < limit
	})
	return all, err
}

// Replay has the dead event of this id delivered anew, with all its tries; false:
// none of the dead has it.
func (q *Events) Replay(ctx context.Context, id ID) (found bool, err error) {
	n, err := q.replay(ctx, 1, func(r *deadRow) bool { return r.Event.ID == id })
	return n > 0, err
}

// ReplayAll has the dead events of an app delivered anew, or of all apps for "",
// the newest first and at most as many as one queue holds, and tells how many.
// Refusals: [UnknownApp].
func (q *Events) ReplayAll(ctx context.Context, app string) (n int, err error) {
	if app != "" {
		known, ok := q.box.Apps.ByID(app)
		if !ok {
			return 0, refuse(UnknownApp, "There is no such app.")
		}
		app = known.ID
	}
	return q.replay(ctx, q.most(), func(r *deadRow) bool { return app == "" || r.Event.App == app })
}

// replay moves the dead that are wanted back into the queues. Of an app that
// takes no events any more they stay: nothing would deliver them.
func (q *Events) replay(ctx context.Context, limit int, wanted func(*deadRow) bool) (n int, err error) {
	var dead []DeadEvent
	err = q.box.Store.View(ctx, func(tx Tx) error {
		dead, err = q.dead(tx, limit, func(r *deadRow) bool {
			app, ok := q.box.Apps.ByID(r.Event.App)
			return ok && app.Events && wanted(r)
		})
		return err
	})
	for err == nil && len(dead) > 0 {
		step := dead[:min(len(dead), eventStep)]
		dead = dead[len(step):]
		moved := 0
		err = q.box.Store.Update(ctx, func(tx Tx) error {
			moved = 0
			now := q.box.Clock.Now()
			for i := range step {
				e := step[i].Event
				k := deadEventKey(&e)
				if _, still := tx.Get(k); !still {
					continue
				}
				tx.Delete(k)
				e.Tries, e.due = 0, now
				if e.Type == EventVerificationExpired {
					e.Tries = 1 // it was found to be true, of a verification that may be gone by now
				}
				saveEvent(tx, &e)
				moved++
			}
			return nil
		})
		if err == nil {
			n += moved
			for i := range step {
				q.ring(step[i].App)
			}
		}
	}
	if err != nil {
		return n, fmt.Errorf("replay events: %w", err)
	}
	q.box.Log.Info().Int("events", n).Msg("dead events are delivered anew")
	return n, nil
}
