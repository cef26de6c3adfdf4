package otp

import (
	"encoding/binary"
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

// keepEvent is how long an event is kept, dead or alive.
const keepEvent = 168 * time.Hour

func eventQueue(app string) Key { return Key{KindEvent, app + "\x00"} }

func eventKey(e *Event) Key {
	part := binary.BigEndian.AppendUint64([]byte(e.App+"\x00"), uint64(e.due))
	return Key{KindEvent, string(append(part, e.ID[:]...))}
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
	b.Events.ring(app)
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
