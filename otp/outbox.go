package otp

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// Outbox acts on messages: it queues them, hands them to routes and follows
// each to a terminal state. Its methods may be called from any goroutine; the
// dispatcher behind [Outbox.Run] is the only one that moves a message on.
type Outbox struct {
	box   *Box
	lanes []*lane

	stopping atomic.Bool
	codes    atomic.Int64 // codes that wait
	plain    atomic.Int64 // plain messages that wait behind them
	oldest   atomic.Int64 // the [Time] since when the oldest of all waits, 0 is none
	// entering counts the seats of messages that the dispatcher does not know
	// of yet.
	entering [PriorityCode + 1]atomic.Int64
	tickets  atomic.Int64 // handed out so far
	wake     chan struct{}

	mu       sync.Mutex // guards what follows
	events   events     // what happened since the last round
	promised []Time     // when callers that were refused may come back
}

// NewOutbox returns the outbox of a box whose routes stand in the order in
// which they are tried.
func NewOutbox(box *Box, routes []Route) *Outbox {
	o := &Outbox{box: box, wake: make(chan struct{}, 1)}
	for _, r := range routes {
		o.lanes = append(o.lanes, &lane{route: r, cap: box.Limits.SendsPerRoute[r.Name()], begun: map[ID]Time{}})
	}
	o.measure()
	return o
}

// Stop refuses new verifications and messages from now on; what is queued
// stays.
func (o *Outbox) Stop() { o.stopping.Store(true) }

// The bounds of a plain message.
const (
	minTTL, defaultTTL, maxTTL = time.Minute, time.Hour, 24 * time.Hour
	maxText                    = 1000 // bytes: some seven segments
)

// MessageRequest asks for a plain message.
type MessageRequest struct {
	To, Text string
	Priority Priority // normal or high
	// Route is the only way that it may go, for a test of it; "" is any.
	Route string
	TTL   time.Duration // 1 minute to 24 hours; 0 is one hour
}

// Send queues a plain message. The caller must hold an sk_ key.
func (o *Outbox) Send(ctx context.Context, c Caller, r MessageRequest) (Message, error) {
	if err := o.check(c, &r); err != nil {
		return Message{}, err
	}
	address, err := c.App.parse(r.To, false)
	if err != nil {
		return Message{}, err
	}
	var m Message
	var s seat
	var refusal *Error
	err = o.box.Store.Update(ctx, func(tx Tx) error {
		if c.App.optedOut(tx, address, false) {
			refusal = hasOptedOut()
			return nil
		}
		if refusal = o.admit(tx, demand{c.App, ChannelSMS, r.Priority, r.TTL}, &s); refusal != nil {
			return nil
		}
		l := &ledger{tx: tx, now: o.box.Clock.Now(), mends: true}
		q := quota{class: messagesApp, subject: c.App.ID, rules: o.box.Limits.MessagesPerApp}
		if wait := l.wait(&q); wait > 0 {
			refusal = refuseFor(LimitBox, wait, "This app has sent as many messages as [limits] messages_per_app allows. Wait as long as Retry-After says.")
			return l.err
		}
		l.add(&q)
		m = Message{
			ID: NewID(), App: c.App.ID, Address: address, Channel: ChannelSMS, Priority: r.Priority, State: MessageAccepted,
			Created: l.now, Updated: l.now, Deadline: l.now.Add(r.TTL), Expected: l.now.Add(s.eta),
		}
		m.Barred = o.others(r.Route)
		m.Sealed = o.box.Keys.sealText(m.ID, r.Text)
		createMessage(tx, &m)
		o.box.Clock.Mark(tx)
		if err := o.box.audit(tx, c.By, "message.send", address.Masked()); err != nil {
			return err
		}
		return l.err
	})
	o.enter(s, &m, err == nil && refusal == nil)
	if err != nil {
		return Message{}, err
	}
	if refusal != nil {
		if refusal.Code == LimitBox {
			o.box.Metrics.limited(messagesApp)
		}
		return Message{}, refusal
	}
	return m, nil
}

func (o *Outbox) check(c Caller, r *MessageRequest) error {
	if r.TTL == 0 {
		r.TTL = defaultTTL
	}
	switch {
	case !c.Secret:
		return refuse(Forbidden, "Only a secret key (sk_) may send messages of its own text.")
	case r.TTL < minTTL || r.TTL > maxTTL:
		return refuse(InvalidRequest, "ttl is between 1m and 24h.")
	case r.Route != "" && len(o.others(r.Route)) == len(o.lanes):
		return refuse(InvalidRequest, "There is no route of that name on this box.")
	case r.Route != "" && !o.texts(r.Route):
		return refuse(InvalidRequest, "That route carries no SMS. Name another, or none.")
	case r.Priority > PriorityHigh:
		return refuse(InvalidRequest, "priority is normal or high.")
	case strings.TrimSpace(r.Text) == "":
		return refuse(InvalidRequest, "text is empty.")
	case len(r.Text) > maxText || !utf8.ValidString(r.Text):
		return refuse(InvalidRequest, "text is longer than 1000 bytes of UTF-8.")
	case strings.ContainsFunc(r.Text, func(c rune) bool { return c < ' ' && c != '\n' || c == 0x7f }):
		return refuse(InvalidRequest, "text holds a control character. Only line feeds are allowed.")
	}
	if refusal := o.closed(); refusal != nil {
		return refusal
	}
	return nil
}

// texts tells whether the route of that name carries SMS.
func (o *Outbox) texts(route string) bool {
	return slices.ContainsFunc(o.lanes, func(l *lane) bool {
		return l.route.Name() == route && l.route.Status().Carries(ChannelSMS)
	})
}

// others returns the names of all routes but one; of none if that is "".
func (o *Outbox) others(route string) (names []string) {
	for _, l := range o.lanes {
		if name := l.route.Name(); route != "" && name != route {
			names = append(names, name)
		}
	}
	return names
}

// closed refuses new verifications and messages while the box stops or its
// disk is nearly full.
func (o *Outbox) closed() *Error {
	switch {
	case o.stopping.Load():
		return refuseFor(ShuttingDown, 10*time.Second, "The box is stopping. Try again in a moment.")
	case o.box.low():
		return refuseFor(StorageLow, time.Minute, "The box is short of disk space and starts nothing new. Free some space on it.")
	}
	return nil
}

// Get reads a message of the caller's app; an unknown id is [CodeUnknown].
func (o *Outbox) Get(ctx context.Context, c Caller, id ID) (m Message, err error) {
	var found bool
	err = o.box.Store.View(ctx, func(tx Tx) (err error) {
		m, found, err = loadMessage(tx, id)
		return err
	})
	switch {
	case err != nil:
		return Message{}, err
	case !found || m.App != c.App.ID:
		return Message{}, refuse(CodeUnknown, "There is no such message.")
	}
	return m, nil
}

// List reads the app's messages, newest first. cursor is "" or what the last
// call returned as next; next is "" at the end.
func (o *Outbox) List(ctx context.Context, c Caller, limit int, cursor string) (page []Message, next string, err error) {
	return entries(ctx, o.box.Store, Key{KindMessageList, c.App.ID + "\x00"}, cursor, limit, loadMessage)
}
