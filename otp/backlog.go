package otp

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"
)

// The bounds of the queues: what apps cannot take must not fill the disk.
const (
	mostEvents  = 10_000         // that wait for one app
	mostDead    = 20_000         // of all apps; the oldest beyond are forgotten
	lateAfter   = 96 * time.Hour // due for so long: longer than all tries of one event take
	tidyEvery   = 500            // events of an app, or
	tidyAtLeast = time.Hour      // since its queue was tidied
	eventStep   = 256            // rows that one closure moves
)

// most is how many events wait for one app.
func (q *Events) most() int {
	if q.Most > 0 {
		return q.Most
	}
	return mostEvents
}

// Tidy keeps the bounds of an app's queue: what is too much, or has been due for
// days, is dead. It looks now and then only, so it may be called at any time,
// and a queue may be longer by some hundreds until then.
func (q *Events) Tidy(ctx context.Context, app string) error {
	now := q.box.Clock.Now()
	q.mu.Lock()
	last, looked := q.tidied[app]
	age := now.Sub(last)
	if looked && q.untidy[app] < tidyEvery && age >= 0 && age < tidyAtLeast {
		q.mu.Unlock()
		return nil
	}
	q.tidied[app], q.untidy[app] = now, 0
	q.mu.Unlock()

	prefix := eventQueue(app)
	var waiting []Key
	late := 0
	err := q.box.Store.View(ctx, func(tx Tx) error {
		return tx.Scan(prefix, Key{}, 0, func(k Key, _ []byte) bool {
			waiting = append(waiting, k)
			if now.Sub(dueOf(prefix, k)) > lateAfter {
				late++
			}
			return true
		})
	})
	if err != nil {
		return fmt.Errorf("look through the events: %w", err)
	}
	over := max(0, len(waiting)-q.most())
	late = max(0, late-over)
	for _, lot := range []struct {
		keys []Key
		why  DeadReason
	}{{waiting[:over], DeadOverflow}, {waiting[over : over+late], DeadLate}} {
		buried, err := q.giveUp(ctx, prefix, lot.keys, lot.why)
		if err != nil {
			return fmt.Errorf("give events up: %w", err)
		}
		if buried > 0 {
			q.box.Log.Warn().Str("app", app).Int("events", buried).Str("why", string(lot.why)).Msg("events were given up: the app's server does not take them")
		}
	}
	if over+late == 0 {
		return nil
	}
	return q.forget(ctx)
}

// dueOf reads since when an event is due from its key.
func dueOf(prefix, k Key) Time {
	return Time(binary.BigEndian.Uint64([]byte(k.Part[len(prefix.Part):])))
}

// giveUp buries the events of an app at these keys that are true still.
func (q *Events) giveUp(ctx context.Context, prefix Key, keys []Key, why DeadReason) (buried int, err error) {
	for len(keys) > 0 {
		step := keys[:min(len(keys), eventStep)]
		keys = keys[len(step):]
		var gone []Event
		err := q.box.Store.Update(ctx, func(tx Tx) error {
			gone = nil
			now := q.box.Clock.Now()
			for _, k := range step {
				row, waits := tx.Get(k)
				if !waits {
					continue
				}
				e := Event{due: dueOf(prefix, k)}
				if decodeRecord(row, &e) != nil {
					tx.Delete(k)
					continue
				}
				q.ripe(tx, &e, now, &gone)
			}
			for i := range gone {
				tx.Delete(eventKey(&gone[i]))
				bury(tx, &gone[i], why, now)
			}
			return nil
		})
		if err != nil {
			return buried, err
		}
		for range gone {
			q.box.Metrics.buried(gone[0].App, why)
		}
		buried += len(gone)
	}
	return buried, nil
}

// forget drops the oldest of the dead beyond their bound.
func (q *Events) forget(ctx context.Context) error {
	var beyond []Key
	err := q.box.Store.View(ctx, func(tx Tx) error {
		n := 0
		return tx.Scan(Key{Kind: KindDeadEvent}, Key{}, 0, func(k Key, _ []byte) bool {
			if n++; n > mostDead {
				beyond = append(beyond, k)
			}
			return true
		})
	})
	for err == nil && len(beyond) > 0 {
		step := beyond[:min(len(beyond), eventStep)]
		beyond = beyond[len(step):]
		err = q.box.Store.Update(ctx, func(tx Tx) error {
			for _, k := range step {
				tx.Delete(k)
			}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("forget the oldest dead events: %w", err)
	}
	return nil
}

// Backlog is how the events of an app stand.
type Backlog struct {
	App string
	// Waiting is how many are due, or wait for another try, and Overdue how long
	// the first of them has been due.
	Waiting int
	Overdue time.Duration
	Dead    int
}

// Backlogs tells how the events of every app that takes events stand.
func (q *Events) Backlogs(ctx context.Context) (all []Backlog, err error) {
	err = q.box.Store.View(ctx, func(tx Tx) error {
		all = nil
		now := q.box.Clock.Now()
		dead := map[string]int{}
		if _, err := q.dead(tx, mostDead, func(r *deadRow) bool { dead[r.Event.App]++; return false }); err != nil {
			return err
		}
		for _, app := range q.box.Apps.All() {
			if !app.Events {
				continue
			}
			b := Backlog{App: app.ID, Dead: dead[app.ID]}
			prefix := eventQueue(app.ID)
			err := tx.Scan(prefix, Key{}, 0, func(k Key, row []byte) bool {
				var e Event
				overdue := now.Sub(dueOf(prefix, k))
				if overdue >= 0 || decodeRecord(row, &e) == nil && e.Tries > 0 {
					b.Waiting++
				}
				b.Overdue = max(b.Overdue, overdue)
				return true
			})
			if err != nil {
				return err
			}
			all = append(all, b)
		}
		return nil
	})
	return all, err
}
