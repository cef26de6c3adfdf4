package otp

import (
	"encoding/binary"
	"time"
)

// MessageState says how far a message has come.
type MessageState string

// The states of a message. All but accepted and sending are terminal, though
// sent may still become delivered or undelivered.
const (
	MessageAccepted    MessageState = "accepted"
	MessageSending     MessageState = "sending"
	MessageSent        MessageState = "sent"
	MessageDelivered   MessageState = "delivered"
	MessageUndelivered MessageState = "undelivered"
	MessageSuperseded  MessageState = "superseded"
	MessageUnknown     MessageState = "unknown"
	MessageFailed      MessageState = "failed"
	MessageExpired     MessageState = "expired"
)

// Reason says why a message is in its state. The list is closed.
type Reason string

// The reasons.
const (
	ReasonNone       Reason = ""
	ReasonRecipient  Reason = "recipient_refused" // the network will not reach this number
	ReasonSIM        Reason = "sim_refused"       // the SIM may not send: credit, barring, no service
	ReasonEncoding   Reason = "encoding"          // the modem refused the PDU: our fault
	ReasonRoute      Reason = "route_refused"     // the provider will not: the request, the account, an answer that proves nothing
	ReasonStorage    Reason = "storage_full"      // the SIM's or the modem's memory is full
	ReasonTemporary  Reason = "network_temporary" // congestion, out of order for now
	ReasonModemBusy  Reason = "modem_busy"        // the modem cannot now
	ReasonNoAnswer   Reason = "no_answer"         // silence after the message was handed over
	ReasonRouteGone  Reason = "route_gone"        // the port or the provider went away
	ReasonNoRoute    Reason = "no_route"          // no route was ready in time
	ReasonRestart    Reason = "restart"           // the box stopped during the attempt
	ReasonResent     Reason = "resent"            // a newer message replaced it
	ReasonApproved   Reason = "approved"          // the code had been verified already
	ReasonCanceled   Reason = "canceled"
	ReasonTooLate    Reason = "too_late"     // the code's or the message's life ended first
	ReasonReport     Reason = "not_received" // the network reported that the handset did not get it
	ReasonApp        Reason = "app_removed"  // the configuration no longer knows the app
	ReasonRouteFault Reason = "route_fault"  // a defect in the route's own code
	ReasonOptedOut   Reason = "opted_out"    // the number has texted STOP meanwhile
	ReasonTestNumber Reason = "test_number"  // nothing is sent to a test number
)

// Priority orders the queue: no plain message is ever ahead of a code.
type Priority uint8

// The priorities.
const (
	PriorityNormal Priority = iota
	PriorityHigh
	PriorityCode
)

// keepMessage is how long a message can be read, from its creation.
const keepMessage = 168 * time.Hour

// Message is one outgoing message, an SMS for the most part.
type Message struct {
	_ struct{} `cbor:",toarray"`

	ID       ID
	App      string
	Address  Address
	Channel  string // never another than was asked for
	Priority Priority

	State  MessageState
	Reason Reason
	Route  string // of the last attempt
	// Tries counts attempts; MaybeSent those of them that may have reached the
	// handset. MaybeSent never passes 2.
	Tries, MaybeSent uint8
	// MaybeRoute is the route of the last attempt whose outcome is not known.
	MaybeRoute string
	// Avoid names routes that are tried last, or (Barred) not at all.
	Avoid, Barred []string
	// Here is the route whose refusal allows one more attempt there before
	// another route makes one.
	Here string
	// PossibleDuplicate marks a repeat after an unknown outcome.
	PossibleDuplicate bool
	// Resend marks a message that a resend made.
	Resend bool

	Created  Time
	Updated  Time
	Deadline Time // from it on the message is not sent any more
	// Expected is when it was to be handed over, as estimated on acceptance.
	Expected Time

	// Of a code: the verification and generation whose digits it carries. The
	// digits themselves are derived when it is sent.
	Verification ID
	Generation   uint32
	// Of a plain message: its text, sealed; gone when the message has ended.
	Sealed []byte

	// Steps are what became of it since it was accepted, for the operator.
	Steps []Step
}

// Step is one change of a message's state.
type Step struct {
	_ struct{} `cbor:",toarray"`

	At     Time
	State  MessageState
	Reason Reason
	Route  string
}

// maxSteps bounds the steps of one message: two an attempt, and its end.
const maxSteps = 2*maxAttempts + 4

// move changes the state of a message, and notes the step.
func (m *Message) move(state MessageState, reason Reason, now Time) {
	m.State, m.Reason, m.Updated = state, reason, now
	if len(m.Steps) < maxSteps {
		m.Steps = append(m.Steps, Step{At: now, State: state, Reason: reason, Route: m.Route})
	}
}

func messageKey(id ID) Key { return Key{KindMessage, id.key()} }

func outboxKey(id ID) Key { return Key{KindOutbox, id.key()} }

func saveMessage(tx Tx, m *Message) {
	save(tx, messageKey(m.ID), m, m.Created.Add(keepMessage))
}

func loadMessage(tx Tx, id ID) (m Message, found bool, err error) {
	found, err = load(tx, messageKey(id), &m)
	return m, found, err
}

// createMessage writes a new message with its place in the app's list and,
// unless it has ended already, in the outbox.
func createMessage(tx Tx, m *Message) {
	saveMessage(tx, m)
	tx.Put(listKey(m), nil, m.Created.Add(keepMessage))
	if m.State == MessageAccepted {
		tx.Put(outboxKey(m.ID), nil, 0)
	}
}

// endMessage writes a message that is not sent any more. Its text is gone in
// the same commit.
func endMessage(tx Tx, m *Message, state MessageState, reason Reason, now Time) {
	m.move(state, reason, now)
	m.Sealed = nil
	saveMessage(tx, m)
	tx.Delete(outboxKey(m.ID))
}

// supersede takes back a message that is still queued; one that is on its way
// or has ended is left alone. It returns the message as it stands then.
func supersede(tx Tx, id ID, reason Reason, now Time) (Message, error) {
	m, found, err := loadMessage(tx, id)
	if err == nil && found && m.State == MessageAccepted {
		endMessage(tx, &m, MessageSuperseded, reason, now)
	}
	return m, err
}

// listKey sorts an app's messages with the newest first.
func listKey(m *Message) Key {
	part := append([]byte(m.App), 0)
	part = binary.BigEndian.AppendUint64(part, ^uint64(m.Created))
	return Key{KindMessageList, string(append(part, m.ID[:]...))}
}

// IsCode tells whether the message carries a code.
func (m *Message) IsCode() bool { return m.Priority == PriorityCode }
