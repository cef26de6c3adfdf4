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
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
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
	// PIN opens a locked SIM, 4 to 8 digits; "" leaves it locked. A SIM that
	// refuses it is not asked again, and its last try is never made.
	PIN string
	// Bearer is "packet", "circuit", "packet_preferred" or "circuit_preferred":
	// how messages reach the network. "" leaves it to the modem.
	Bearer string
	// Balance tells how to learn the credit of the SIM; zero: it is not asked.
	Balance Balance
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
	// Memory keeps what must outlive the process; nil: it lives as long as the
	// gateway.
	Memory Memory
	// Seal is a keyed digest, so that no PIN can be read out of the memory; it
	// must be set if Memory is.
	Seal func(label string, parts ...[]byte) [32]byte
	// Reset takes the power from the stick and gives it back; nil: nothing can.
	Reset func(ctx context.Context) error
	// Dropped hears of each received SMS that had to be given up, and why:
	// "unreadable", "incomplete", "overflow" or "full"; nil: nobody does.
	Dropped func(why string)
	// Climbed hears of each measure against a modem that does not answer: "at",
	// "escape", "reopen", "restart", "reset" or "alarm"; nil: nobody does.
	Climbed func(rung string)
	// Heard takes the network's time, unchecked; nil: nobody does.
	Heard func(at otp.Time)
	// Log is the gateway's logger.
	Log zerolog.Logger
}

// Validate refuses what could not work, or would be a command of its own, in
// words for whoever wrote the config.
func (c *Config) Validate() error {
	_, bearer := bearers[c.Bearer]
	switch {
	case c.SMSC != "" && !centre.MatchString(c.SMSC):
		return errors.New("smsc is not a phone number: give its digits, with a + if it is international")
	case c.PIN != "" && !pinForm.MatchString(c.PIN):
		return errors.New("pin_file holds no PIN: write its 4 to 8 digits on the first line")
	case c.Bearer != "" && !bearer:
		return errors.New("bearer is none of packet, circuit, packet_preferred, circuit_preferred")
	case c.Balance.Code != "" && !ussdCode.MatchString(c.Balance.Code):
		return errors.New(`balance is no code that the network could answer: write it as it is dialled, such as "*100#"`)
	case c.Memory != nil && c.Seal == nil:
		return errors.New("a memory needs a seal")
	}
	return nil
}

// seal is Seal, or a digest without a key for what stays in this process.
func (c *Config) seal(label string, parts ...[]byte) [32]byte {
	if c.Seal != nil {
		return c.Seal(label, parts...)
	}
	return sha256.Sum256(bytes.Join(append([][]byte{[]byte(label)}, parts...), []byte{0}))
}

// Gateway is the owner of one modem. It implements [otp.Route].
type Gateway struct {
	name    string
	open    func(ctx context.Context) (Port, error)
	cfg     Config
	board   *board       // guards itself
	jobs    chan *job    // from Send to the owner
	errands chan *errand // from an operator to the owner

	// Run's goroutine owns all below.
	sink       otp.RouteSink
	submitter  *submitter
	memory     Memory
	mail       *mailbox
	ladder     ladder
	current    *job             // the message in hand, or nil
	silent     int              // messages in a row without a prompt
	balanceDue <-chan time.Time // when the balance is asked next; nil: never
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
	g := &Gateway{
		name: name, open: open, cfg: cfg, board: newBoard(name, cfg),
		jobs: make(chan *job), errands: make(chan *errand), submitter: newSubmitter(), memory: cfg.Memory,
	}
	g.mail = &mailbox{take: g.received, dropped: cfg.Dropped, log: cfg.Log.With().Str("route", name).Logger()}
	if g.mail.dropped == nil {
		g.mail.dropped = func(string) {}
	}
	if g.memory == nil {
		g.memory = fleeting{}
	}
	g.mail.hold = newHold(name, g.memory, g.cfg.seal)
	return g
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
