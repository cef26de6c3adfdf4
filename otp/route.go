package otp

import (
	"context"
	"reflect"
	"slices"
	"time"
)

// Route is a way out for messages: a modem, a relay, the null route.
type Route interface {
	// Name is the configured name, unique on the box.
	Name() string
	// Status tells how the route is now. It never blocks.
	Status() RouteStatus
	// Send carries one message and tells the outcome. The dispatcher calls it
	// only after it saw Status().Free > 0, and never more often at once than
	// Slots. ctx ends at the message's deadline; a modem
	// that has begun a dialogue finishes it all the same. Send returns within
	// 35 s, with Unknown if it cannot tell by then; the slot may stay taken for
	// longer, which Status().Free shows.
	Send(ctx context.Context, out Outgoing) Verdict
	// Run keeps the route alive until ctx ends, then lets go of its device. It
	// tells the sink about every change of Status and every report. It returns
	// an error only for what no waiting can cure.
	Run(ctx context.Context, sink RouteSink) error
}

// RouteSink hears what routes tell on their own account. Its methods never
// block for long and may be called from any goroutine.
type RouteSink interface {
	// Changed says that Status of this route is no longer what it was.
	Changed(route string)
	// Reported hands over a delivery report.
	Reported(r Report)
	// Confirmed says that a message whose verdict was Unknown has in fact been
	// sent, under this reference.
	Confirmed(route string, message ID, ref Reference)
	// Received hands over an SMS that came in. It is durable when it returns
	// nil; only then may the stick forget it. Unlike the others it waits for
	// the store.
	Received(ctx context.Context, in Incoming) error
}

// Incoming is an SMS that a route has received.
type Incoming struct {
	Route string
	From  string // digits without plus, or an alphanumeric sender
	// Local says that From is no international number: a short code, a name, or
	// digits that mean something in the network only that they came from.
	Local bool
	// National says that the network has called From a number of its country.
	National bool
	Text     string
	At       Time // the service centre's, 0 if unknown
	Parts    int
}

// RouteState says whether a route can carry messages.
type RouteState uint8

// The states of a route.
const (
	RouteDown   RouteState = iota // cannot send; Reason says why
	RouteComing                   // is being opened or recovered; expected back within seconds
	RouteReady                    // can send
)

// String returns "down", "coming" or "ready".
func (s RouteState) String() string { return [...]string{"down", "coming", "ready"}[s] }

// RouteStatus is a moment's view of a route.
type RouteStatus struct {
	State RouteState
	// Reason is a word of the closed list of reasons when the route is not
	// ready ("starting", "absent", "storage_mode", "busy", "permission", "no_answer", "no_sim",
	// "sim_pin", "sim_puk", "sim_refused", "no_network", "hung", "stopped", "unauthorized", "throttled"), and Detail a sentence
	// that tells the operator what to do.
	Reason, Detail string
	// Free is how many messages the route can take now, of Slots in all.
	Free, Slots int
	// Reports tells whether delivery reports come back.
	Reports bool
	// Test marks a route that reaches no handset: test-mode apps only.
	Test bool
	// Channels are the channels that it carries, never another; nil is
	// [ChannelSMS] alone. They do not change while the route lives.
	Channels []string
	// Pace is the time one message takes, as configured or measured; 0 is
	// unknown.
	Pace time.Duration
	// Kind is "modem", "simulator", "relay" or "null".
	Kind string
	// What a modem knows of itself; empty elsewhere.
	Device, Operator, Registration string
	// Technology is "2g", "3g", "4g" or "5g", the radio that the SIM is
	// registered by; empty is unknown.
	Technology string
	// SignalDBm is 0 when unknown.
	SignalDBm int
	// IMEI names the stick, ICCID and IMSI its SIM, in digits; empty is unknown.
	// A log shows no more than the last 4 digits of the latter two.
	IMEI, IMSI, ICCID string
	// SMSC is the number of the SIM's service centre; empty is unknown.
	SMSC string
	// PINTries is how many tries the SIM's PIN has left; 0 is unknown.
	PINTries int
	// Stored is how many messages the modem's memory holds, of StoreSize; a
	// StoreSize of 0 is unknown.
	Stored, StoreSize int
	// Balance is the SIM's credit at BalanceAt as its operator tells it, such as
	// "10.50"; empty is unknown. BalanceLow: it is below what the config wants.
	Balance    string
	BalanceAt  Time
	BalanceLow bool
}

// Carries tells whether messages of that channel can go this way.
func (s RouteStatus) Carries(channel string) bool {
	if s.Channels == nil {
		return channel == ChannelSMS
	}
	return slices.Contains(s.Channels, channel)
}

// Equal tells whether s and t show the same.
func (s RouteStatus) Equal(t RouteStatus) bool { return reflect.DeepEqual(s, t) }

// Outgoing is one message on its way to a route. It exists while the message
// is being encoded and is never stored or logged.
type Outgoing struct {
	Message ID
	// Dial is the number in digits without a plus sign, or the email address.
	Dial string
	// Subject heads a mail; it is empty on other channels.
	Subject string
	// Text is what the handset shows.
	Text string
	// Code is the digits alone if the message carries a code: some networks take
	// nothing else.
	Code string
	// Deadline is the time from which the message is worth nothing.
	Deadline Time
}

// Outcome says what became of an attempt.
type Outcome uint8

// The outcomes of an attempt.
const (
	Refused Outcome = 1 + iota // certainly not sent
	Sent                       // certainly handed to the network
	Unknown                    // may have been sent: at most one repeat
)

// String returns "refused", "sent" or "unknown".
func (o Outcome) String() string { return [...]string{"", "refused", "sent", "unknown"}[o] }

// Reference is what a network calls a message: a modem's TP-MR in decimal, a
// provider's id. Empty: no report can come.
type Reference string

// Verdict is the outcome of an attempt with its reason.
type Verdict struct {
	Outcome Outcome
	// Reason is a word of the closed list in message.go.
	Reason Reason
	// Detail is for the log and the operator: "+CMS ERROR: 38 (network out of
	// order)". It holds no text and no number.
	Detail string
	Ref    Reference
	// Retry says what may be tried after Refused. After Unknown, a relay that
	// knows repeats by their id says RetryHere; without it nothing is repeated
	// at a relay that may have it.
	Retry Retry
}

// Retry says what a refusal leaves to try.
type Retry uint8

// What is left to try after a refusal.
const (
	RetryNever     Retry = iota // no other route helps: the number or the text is at fault
	RetryElsewhere              // another route, not this one
	RetryHere                   // once more here after a pause, then another route
	RetryOnce                   // one other route, then no more
)

// Report is a delivery report.
type Report struct {
	Route string
	Ref   Reference
	// Dial is the recipient in digits without a plus sign; empty from a relay,
	// whose references name a message by themselves.
	Dial string
	// Delivered is false when the network gave up. Reports of a network that is
	// still trying are not handed over.
	Delivered bool
	// Status is the network's own word, for the log: "TP-ST 0x41".
	Status string
}
