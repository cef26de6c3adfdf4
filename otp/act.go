package otp

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

var errTodo = errors.New("not built yet")

// Caller is who asks: the app, by which kind of key, and from where.
type Caller struct {
	App *App
	// Secret is true for an sk_ key and for the admin socket.
	Secret bool
	// Address is the end user's address, IPv4 unmapped. The zero Addr means that
	// there is none to be had, and per-address rules do not apply.
	Address netip.Addr
}

// StartRequest asks for a verification.
type StartRequest struct {
	To       string // as typed
	Channel  string // "" is sms
	Purpose  Purpose
	Locale   string // BCP 47; "" is the app's or English
	Metadata []byte // a JSON object, or nil
	Slot     string // only for doors without a handle
	// IdempotencyKey makes a repeat of the same Body within ten minutes answer
	// with the first verification; "" is none.
	IdempotencyKey string
	Body           []byte
}

// Progress is a verification with its newest message.
type Progress struct {
	Verification Verification
	Message      Message
	// ETA is the expected time until the message is handed to the network, 0
	// when it has been.
	ETA time.Duration
	// ResendAfter is how long a page should wait before it offers a resend.
	ResendAfter time.Duration
}

// Verifications acts on verifications.
type Verifications struct{}

// Start begins a verification and queues its message.
func (v *Verifications) Start(ctx context.Context, c Caller, r StartRequest) (Progress, error) {
	return Progress{}, errTodo
}

// Get reads a verification of the caller's app. An unknown id is [CodeUnknown].
func (v *Verifications) Get(ctx context.Context, c Caller, id ID) (Progress, error) {
	return Progress{}, errTodo
}

// Check compares digits with the live code, and approves at most once.
func (v *Verifications) Check(ctx context.Context, c Caller, id ID, digits string) (Progress, error) {
	return Progress{}, errTodo
}

// CheckSlot is Check for the one verification that occupies a slot.
func (v *Verifications) CheckSlot(ctx context.Context, c Caller, slot, digits string) (Progress, error) {
	return Progress{}, errTodo
}

// Resend sends the code again, by the policy of the verification.
func (v *Verifications) Resend(ctx context.Context, c Caller, id ID, channel string) (Progress, error) {
	return Progress{}, errTodo
}

// Cancel ends a pending verification. Canceling one that has been canceled
// changes nothing; one that ended otherwise is a [Conflict].
func (v *Verifications) Cancel(ctx context.Context, c Caller, id ID) error { return errTodo }

// MessageRequest asks for a plain message.
type MessageRequest struct {
	To, Text string
	Priority Priority      // normal or high
	TTL      time.Duration // 0 is one hour
}

// Outbox acts on messages.
type Outbox struct{}

// Send queues a plain message. The caller must hold an sk_ key.
func (o *Outbox) Send(ctx context.Context, c Caller, r MessageRequest) (Message, error) {
	return Message{}, errTodo
}

// Get reads a message of the caller's app; an unknown id is [CodeUnknown].
func (o *Outbox) Get(ctx context.Context, c Caller, id ID) (Message, error) {
	return Message{}, errTodo
}

// List reads the app's messages, newest first. cursor is "" or what the last
// call returned as next; next is "" at the end.
func (o *Outbox) List(ctx context.Context, c Caller, limit int, cursor string) (page []Message, next string, err error) {
	return nil, "", errTodo
}

// RouteReport is a route as an operator sees it.
type RouteReport struct {
	Name string
	RouteStatus
	Queue int           // messages that wait, for all routes together
	Wait  time.Duration // expected until a message queued now is sent
}

// Routes returns every route in configured order.
func (o *Outbox) Routes() []RouteReport { return nil }

// Run dispatches until ctx ends, then waits for the attempts under way.
func (o *Outbox) Run(ctx context.Context) error { return errTodo }

// Apps is the closed set of apps on the box.
type Apps struct{}

// NewApps checks the apps together and one by one; the error names the app and
// the key at fault. segments counts the SMS segments of a text.
func NewApps(apps []App, segments func(string) int) (*Apps, error) { return nil, errTodo }

// ByKey returns the app that accepts this key string, and whether it is an
// sk_ key.
func (a *Apps) ByKey(key string) (app *App, secret, ok bool) { return nil, false, false }

// ByID returns the app with this id or alias.
func (a *Apps) ByID(id string) (*App, bool) { return nil, false }

// All returns the apps in the order of the file.
func (a *Apps) All() []*App { return nil }
