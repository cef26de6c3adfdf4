package otp

import (
	"context"
	"sync"
	"time"
)

// Events is the queue of what apps are to be told. Its methods may be called
// from any goroutine; the events of one app are for one goroutine to take, and
// to tidy.
type Events struct {
	// Most is how many events wait for one app; 0 is 10,000. Beyond it the
	// longest due are dead.
	Most int

	box *Box

	mu     sync.Mutex      // guards what follows
	news   chan struct{}   // closed and replaced at each event
	untidy map[string]int  // events since the queue of an app was tidied
	tidied map[string]Time // and when that was
}

// retries are the pauses before the tries of an event after its first. After
// the last it is dead.
var retries = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// NewEvents returns the queue of a box, for its field Events.
func NewEvents(box *Box) *Events {
	return &Events{box: box, news: make(chan struct{}), untidy: map[string]int{}, tidied: map[string]Time{}}
}

// News returns a channel that is closed at the next event of any app.
func (q *Events) News() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.news
}

func (q *Events) ring(app string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.untidy[app]++
	close(q.news)
	q.news = make(chan struct{})
}

// Due returns at most limit events of an app that are to be delivered now, the
// longest due first, and how long there is no other then; 0 is until there is
// news. An event stays in the queue until [Events.Settle].
func (q *Events) Due(ctx context.Context, app string, limit int) (due []Event, wait time.Duration, err error) {
	prefix := eventQueue(app)
	// In the line of writers: it sees what was written before the news came.
	err = q.box.Store.Update(ctx, func(tx Tx) error {
		now := q.box.Clock.Now()
		due, wait = nil, 0
		var all []Event
		var damaged []Key
		err := tx.Scan(prefix, Key{}, limit, func(k Key, row []byte) bool {
			at := dueOf(prefix, k)
			if at > now {
				wait = at.Sub(now)
				return false
			}
			e := Event{due: at}
			if decodeRecord(row, &e) != nil {
				damaged = append(damaged, k)
				return true
			}
			all = append(all, e)
			return true
		})
		for _, k := range damaged { // it would stand before all others for ever
			q.box.Log.Error().Str("app", app).Msg("an event cannot be read and is dropped")
			tx.Delete(k)
		}
		for i := range all {
			q.ripe(tx, &all[i], now, &due)
		}
		if err == nil && len(due) < len(all)+len(damaged) {
			wait = time.Millisecond // some were none; there may be more
		}
		return err
	})
	return due, wait, err
}

// ripe adds an event to due if it is still true: a verification that was to
// expire may have ended otherwise, or lives longer by a resend.
func (q *Events) ripe(tx Tx, e *Event, now Time, due *[]Event) {
	if e.Type != EventVerificationExpired || e.Tries > 0 {
		*due = append(*due, *e)
		return
	}
	v, found, err := loadVerification(tx, e.Verification)
	switch {
	case err != nil:
		q.box.Log.Error().Err(err).Str("app", e.App).Msg("an event is of a verification that cannot be read and is dropped")
		tx.Delete(eventKey(e))
	case found && v.Status == Pending && v.StatusAt(now) == Expired:
		*due = append(*due, *e)
	case found && v.Status == Pending:
		tx.Delete(eventKey(e))
		e.At, e.due = v.Expires, v.Expires
		saveEvent(tx, e)
	default:
		tx.Delete(eventKey(e))
	}
}

// Settle takes a delivered event out of the queue, puts one that was not taken
// back for later, and after its last try among the dead. It tells which. One
// that was given up meanwhile stays dead, unless it was taken.
func (q *Events) Settle(ctx context.Context, e Event, delivered bool) (dead bool, err error) {
	err = q.box.Store.Update(ctx, func(tx Tx) error {
		dead = false
		now := q.box.Clock.Now()
		again := e
		_, waits := tx.Get(eventKey(&e))
		tx.Delete(eventKey(&e))
		switch {
		case delivered:
			tx.Delete(deadEventKey(&e))
			return nil
		case !waits:
			return nil
		}
		again.Tries++
		if dead = int(again.Tries) > len(retries); dead {
			bury(tx, &again, DeadTries, now)
			return nil
		}
		again.due = now.Add(retries[again.Tries-1])
		saveEvent(tx, &again)
		return nil
	})
	if dead && err == nil {
		q.box.Metrics.buried(e.App, DeadTries)
	}
	return dead, err
}

// Text reads the text of the SMS of an inbound event; "" if it is kept no more
// or cannot be read.
func (q *Events) Text(ctx context.Context, e Event) (text string, err error) {
	err = q.box.Store.View(ctx, func(tx Tx) error {
		row, found, err := loadInbound(tx, e.Inbound)
		if err == nil && found {
			text = q.box.openInbound(&row).Text
		}
		return err
	})
	return text, err
}
