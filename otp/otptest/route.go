package otptest

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// Turn is what a [Route] does with one message.
type Turn struct {
	// Verdict is what Send returns. The zero Verdict stands for a success under
	// a fresh reference.
	Verdict otp.Verdict
	// Takes is how long Send lasts, whatever becomes of its context: a modem
	// that has begun a dialogue finishes it.
	Takes time.Duration
	// During, if any, runs inside Send before Takes has passed: a place to
	// cancel, to report, to panic.
	During func(otp.Outgoing)
}

// Route is an [otp.Route] that follows a script and remembers what it was
// given. Without a script every message is sent at once. The zero value is
// not usable; see [NewRoute].
type Route struct {
	name string
	up   chan struct{} // closed when Run has its sink

	mu     sync.Mutex // guards what follows
	status otp.RouteStatus
	script []Turn
	given  []otp.Outgoing
	sink   otp.RouteSink
	busy   int // Sends under way
	peak   int
	refs   int
}

var _ otp.Route = (*Route)(nil)

// NewRoute returns a route that is ready, has one slot and gives reports.
func NewRoute(name string) *Route {
	return &Route{
		name:   name,
		up:     make(chan struct{}),
		status: otp.RouteStatus{State: otp.RouteReady, Free: 1, Slots: 1, Reports: true, Kind: "modem"},
	}
}

// Name implements [otp.Route].
func (r *Route) Name() string { return r.name }

// Status implements [otp.Route]. Free is what SetStatus said less the messages
// under way.
func (r *Route) Status() otp.RouteStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.status
	s.Free = max(0, s.Free-r.busy)
	return s
}

// SetStatus changes the status and tells the sink, if Run has one.
func (r *Route) SetStatus(s otp.RouteStatus) {
	r.mu.Lock()
	r.status = s
	sink := r.sink
	r.mu.Unlock()
	if sink != nil {
		sink.Changed(r.name)
	}
}

// Down takes the route down with a reason of the closed list.
func (r *Route) Down(reason string) {
	s := r.Status()
	s.State, s.Reason, s.Free = otp.RouteDown, reason, 0
	r.SetStatus(s)
}

// Ready brings the route back with all its slots.
func (r *Route) Ready() {
	s := r.Status()
	s.State, s.Reason, s.Free = otp.RouteReady, "", s.Slots
	r.SetStatus(s)
}

// Script appends turns; each Send takes the next one.
func (r *Route) Script(turns ...Turn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script = append(r.script, turns...)
}

// Verdicts appends a turn for each verdict.
func (r *Route) Verdicts(verdicts ...otp.Verdict) {
	for _, v := range verdicts {
		r.Script(Turn{Verdict: v})
	}
}

// Given returns what Send was called with, in order.
func (r *Route) Given() []otp.Outgoing {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.given)
}

// Peak returns the largest number of Sends that were under way at once.
func (r *Route) Peak() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.peak
}

// Sink returns the sink that Run was given; it waits for Run to begin.
func (r *Route) Sink() otp.RouteSink {
	<-r.up
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sink
}

// Send implements [otp.Route].
func (r *Route) Send(ctx context.Context, out otp.Outgoing) otp.Verdict {
	turn := r.begin(out)
	defer r.end()
	if turn.During != nil {
		turn.During(out)
	}
	if turn.Takes > 0 {
		time.Sleep(turn.Takes)
	}
	return turn.Verdict
}

func (r *Route) begin(out otp.Outgoing) Turn {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.given = append(r.given, out)
	r.busy++
	r.peak = max(r.peak, r.busy)
	var turn Turn
	if len(r.script) > 0 {
		turn, r.script = r.script[0], r.script[1:]
	}
	if turn.Verdict == (otp.Verdict{}) {
		r.refs++
		turn.Verdict = otp.Verdict{Outcome: otp.Sent, Ref: otp.Reference(strconv.Itoa(r.refs))}
	}
	return turn
}

func (r *Route) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy--
}

// Run implements [otp.Route]: it keeps the sink until ctx ends.
func (r *Route) Run(ctx context.Context, sink otp.RouteSink) error {
	r.mu.Lock()
	first := r.sink == nil
	r.sink = sink
	r.mu.Unlock()
	if first {
		close(r.up)
	}
	sink.Changed(r.name)
	<-ctx.Done()
	return nil
}
