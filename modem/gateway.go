// Package modem sends messages through a GSM modem on a serial port.
//
// A [Gateway] is the owner of one stick: it opens the port, brings the modem
// to PDU mode, watches over it, reopens it after every fault, and carries one
// message at a time. [OpenTTY] opens the ports of the box; any other [Port]
// will do as well. [Null] is the route that reaches nobody.
//
// What a modem says is hostile input, and what it does not say is taken for
// nothing: a message is sent when its reference and the final OK have come,
// may have been sent from its Ctrl-Z on, and was certainly not sent before.
package modem

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/otp"
)

// Times of Send.
const (
	takeLimit = 2 * time.Second  // for the owner to take a message
	sendLimit = 34 * time.Second // for the verdict
)

// Config is what a gateway may be told. The zero value will do.
type Config struct {
	// SMSC is the number of the service centre; "" leaves it to the SIM.
	SMSC string
	// Roaming allows to send in a foreign network.
	Roaming bool
	// Kind is what Status shows: "modem" (also for "") or "simulator".
	Kind string
	// Device is what Status shows as the device.
	Device string
	// Wake hurries the next opening, as after a stick was plugged in; nil: nothing
	// does.
	Wake <-chan struct{}
	// Now is box time, to measure how long a message takes; nil: it is unknown.
	Now func() otp.Time
	// Log is the gateway's logger.
	Log zerolog.Logger
}

// Gateway is the owner of one modem. It implements [otp.Route].
type Gateway struct {
	name  string
	open  func(ctx context.Context) (Port, error)
	cfg   Config
	board *board    // guards itself
	jobs  chan *job // from Send to the owner

	// Run's goroutine owns all below.
	sink      otp.RouteSink
	submitter *submitter
	smsc      string // the service centre that the SIM had last
	current   *job   // the message in hand, or nil
	silent    int    // messages in a row without a prompt
}

// job is a message on its way through the owner.
type job struct {
	ctx     context.Context
	out     otp.Outgoing
	verdict chan otp.Verdict // holds one
	given   atomic.Bool      // verdict has been filled
}

// answer gives the verdict, and tells whether it was the first.
func (j *job) answer(v otp.Verdict) bool {
	if j.given.Swap(true) {
		return false
	}
	j.verdict <- v
	return true
}

// New returns the gateway of the modem behind open, which is called anew after
// every fault, never while an earlier port is open.
func New(name string, open func(ctx context.Context) (Port, error), cfg Config) *Gateway {
	return &Gateway{
		name: name, open: open, cfg: cfg, board: newBoard(name, cfg),
		jobs: make(chan *job), submitter: newSubmitter(),
	}
}

// Name is the configured name.
func (g *Gateway) Name() string { return g.name }

// Status tells how the modem is now. Free stays 0 while a message is in hand,
// and after an unknown outcome for up to 60 s from its Ctrl-Z.
func (g *Gateway) Status() otp.RouteStatus { return g.board.read() }

// Send carries one message. It returns within 35 s; see [otp.Route].
func (g *Gateway) Send(ctx context.Context, out otp.Outgoing) otp.Verdict {
	if !g.board.take() {
		return refused(otp.ReasonRouteGone, otp.RetryElsewhere, "the modem is not ready")
	}
	limit, take := time.NewTimer(sendLimit), time.NewTimer(takeLimit)
	defer limit.Stop()
	defer take.Stop()
	j := &job{ctx: ctx, out: out, verdict: make(chan otp.Verdict, 1)}
	select {
	case g.jobs <- j:
	case <-ctx.Done():
		g.board.release()
		return overdue(ctx)
	case <-take.C: // the owner has lost its modem meanwhile
		g.board.release()
		return refused(otp.ReasonRouteGone, otp.RetryElsewhere, "the modem has gone")
	}
	select {
	case v := <-j.verdict:
		return v
	case <-limit.C:
		j.answer(unknown(otp.ReasonNoAnswer, "no result in time"))
		return <-j.verdict
	}
}
