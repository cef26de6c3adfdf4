package otp

import (
	"context"
	"encoding/binary"
	"sync"
	"time"
)

// EventType says what happened.
type EventType string

// The types. That of a message is "message." and the state that it reached.
const (
	EventVerificationApproved  EventType = "verification.approved"
	EventVerificationCanceled  EventType = "verification.canceled"
	EventVerificationExpired   EventType = "verification.expired"
	EventVerificationExhausted EventType = "verification.exhausted"
	EventInboundReceived       EventType = "inbound.received"
)

// Event is something that an app wants to be told of. It holds no code and no
// text; that of a received SMS is read when the event is handed over.
type Event struct {
	_ struct{} `cbor:",toarray"`

	ID      ID
	App     string
	Type    EventType
	At      Time  // when it happened
	Tries   uint8 // deliveries that failed
	Message ID    // of a message; zero for other events
	// Verification is that of the event, or of the message.
	Verification ID
	Inbound      ID
	// To is a masked number; From is who sent the SMS of an inbound event.
	To, From string
	Route    string
	Reason   Reason
	Purpose  Purpose
	Channel  string
	due      Time // under which it stands in the queue
}

// retries are the pauses before the tries of an event after its first. After
// the last it is dead.
var retries = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// keepEvent is how long an event is kept, dead or alive.
const keepEvent = 168 * time.Hour

func eventQueue(app string) Key { return Key{KindEvent, app + "\x00"} }

func eventKey(e *Event) Key {
	part := binary.BigEndian.AppendUint64([]byte(e.App+"\x00"), uint64(e.due))
	return Key{KindEvent, string(append(part, e.ID[:]...))}
}

func deadEventKey(e *Event) Key {
	part := binary.BigEndian.AppendUint64(nil, ^uint64(e.At))
	return Key{KindDeadEvent, string(append(part, e.ID[:]...))}
}

func saveEvent(tx Tx, e *Event) { save(tx, eventKey(e), e, max(e.At, e.due).Add(keepEvent)) }

// event queues an event for an app that takes events, in the closure of the
// change that it tells of: the one is durable if and only if the other is.
func (b *Box) event(tx Tx, app string, e Event, due Time) {
	if a, ok := b.Apps.ByID(app); !ok || !a.Events || b.Events == nil {
		return
	}
	e.ID, e.App, e.At, e.due = NewID(), app, due, due
	saveEvent(tx, &e)
	b.Events.ring()
}

// verificationEvent queues that a verification has ended, or, for a pending
// one, that it will have expired by then if nothing else ends it.
func (b *Box) verificationEvent(tx Tx, v *Verification, now Time) {
	e := Event{Verification: v.ID, To: v.Address.Masked(), Purpose: v.Purpose, Channel: v.Channel}
	switch v.Status {
	case Approved:
		e.Type = EventVerificationApproved
	case Canceled:
		e.Type = EventVerificationCanceled
	case Exhausted:
		e.Type = EventVerificationExhausted
	case Pending:
		e.Type, now = EventVerificationExpired, v.Expires
	default:
		return
	}
	if !v.Decoy {
		b.event(tx, v.App, e, now)
	}
}

// messageEvent queues that a message has reached a state.
func (b *Box) messageEvent(tx Tx, m *Message, now Time) {
	b.event(tx, m.App, Event{
		Type: EventType("message." + string(m.State)), Message: m.ID, Verification: m.Verification,
		To: m.Address.Masked(), Route: m.Route, Reason: m.Reason,
	}, now)
}

// Events is the queue of what apps are to be told. Its methods may be called
// from any goroutine; the events of one app are for one goroutine to take.
type Events struct {
	box *Box

	mu   sync.Mutex
	news chan struct{} // closed and replaced at each event
}

// NewEvents returns the queue of a box, for its field Events.
func NewEvents(box *Box) *Events { return &Events{box: box, news: make(chan struct{})} }

// News returns a channel that is closed at the next event of any app.
func (q *Events) News() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.news
}

func (q *Events) ring() {
	q.mu.Lock()
	defer q.mu.Unlock()
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
			at := Time(binary.BigEndian.Uint64([]byte(k.Part[len(prefix.Part):])))
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
		if err == nil && len(due) == 0 && len(all)+len(damaged) > 0 {
			wait = time.Millisecond // those were none; there may be more
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
// back for later, and after its last try among the dead. It tells which.
func (q *Events) Settle(ctx context.Context, e Event, delivered bool) (dead bool, err error) {
	err = q.box.Store.Update(ctx, func(tx Tx) error {
		now := q.box.Clock.Now()
		again := e
		tx.Delete(eventKey(&e))
		if delivered {
			return nil
		}
		again.Tries++
		if dead = int(again.Tries) > len(retries); dead {
			save(tx, deadEventKey(&again), again, now.Add(keepEvent))
			return nil
		}
		again.due = now.Add(retries[again.Tries-1])
		saveEvent(tx, &again)
		return nil
	})
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

// Dead lists the events of all apps that were never taken, the newest first, at
// most limit. It is for the operator.
func (q *Events) Dead(ctx context.Context, limit int) (all []Event, err error) {
	err = q.box.Store.View(ctx, func(tx Tx) error {
		var damaged error
		err := tx.Scan(Key{Kind: KindDeadEvent}, Key{}, limit, func(_ Key, row []byte) bool {
			var e Event
			damaged = decodeRecord(row, &e)
			all = append(all, e)
			return damaged == nil
		})
		if err == nil {
			err = damaged
		}
		return err
	})
	return all, err
}
