package modem

import (
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/otp"
)

// Times of a route's state.
const (
	comingFor = 10 * time.Second // an outage is expected to pass within this
	logEvery  = 10 * time.Second // a flapping network must not fill the log
)

// board shows the state of a gateway to other goroutines, and tells the sink
// and the log of its changes. Its methods may be called from any goroutine.
type board struct {
	log zerolog.Logger

	mu      sync.Mutex // guards all below
	sink    otp.RouteSink
	name    string
	status  otp.RouteStatus // Free is kept in ready and taken
	taken   bool
	outage  *time.Timer // runs for the first comingFor of an outage, else nil
	quiet   *time.Timer // runs for logEvery after a line of the log, else nil
	logged  string      // the state and reason that the log has last
	stopped bool
}

func newBoard(name string, cfg Config) *board {
	kind := cfg.Kind
	if kind == "" {
		kind = "modem"
	}
	b := &board{log: cfg.Log, name: name, status: otp.RouteStatus{
		State: otp.RouteComing, Reason: "starting", Slots: 1, Kind: kind, Device: cfg.Device,
	}}
	b.logged = b.word() // that a gateway starts is no news
	return b
}

// read returns the status of this moment.
func (b *board) read() otp.RouteStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shown()
}

// shown returns the status with Free set. mu is held.
func (b *board) shown() otp.RouteStatus {
	status := b.status
	if status.State == otp.RouteReady && !b.taken {
		status.Free = 1
	}
	return status
}

// change lets edit alter the board, and tells of it if it shows.
func (b *board) change(edit func()) {
	b.mu.Lock()
	before := b.shown()
	edit()
	after, sink := b.shown(), b.sink
	changed := !after.Equal(before)
	if changed {
		b.note()
	}
	b.mu.Unlock()
	if changed && sink != nil {
		sink.Changed(b.name)
	}
}

// start begins the first outage: the route is on its way up.
func (b *board) start(sink otp.RouteSink) {
	b.change(func() {
		b.sink, b.stopped = sink, false
		b.begin()
		b.status.State, b.status.Reason, b.status.Detail = otp.RouteComing, "starting", ""
	})
}

// begin starts the time in which an outage counts as passing. mu is held.
func (b *board) begin() {
	var outage *time.Timer
	outage = time.AfterFunc(comingFor, func() {
		b.change(func() {
			if b.outage != outage {
				return // it passed at this very moment
			}
			b.outage = nil
			if b.status.State == otp.RouteComing {
				b.status.State = otp.RouteDown
			}
		})
	})
	b.outage = outage
}

// lost says that there is no working port.
func (b *board) lost(reason, detail string) {
	b.change(func() {
		if b.status.State == otp.RouteReady {
			b.begin()
		}
		b.set(reason, detail, true)
	})
}

// unfit says that the port works and the modem cannot send. soon: it may pass
// by itself, as when a modem that was just plugged in looks for its network.
func (b *board) unfit(reason, detail string, soon bool) {
	b.change(func() { b.set(reason, detail, soon) })
}

// set takes a reason for not being ready. mu is held.
func (b *board) set(reason, detail string, soon bool) {
	b.status.State, b.status.Reason, b.status.Detail = otp.RouteDown, reason, detail
	if soon && b.outage != nil {
		b.status.State = otp.RouteComing
	}
}

// ready says that the modem can send.
func (b *board) ready() {
	b.change(func() {
		b.end()
		b.status.State, b.status.Reason, b.status.Detail = otp.RouteReady, "", ""
	})
}

// end stops the time of an outage. mu is held.
func (b *board) end() {
	if b.outage != nil {
		b.outage.Stop()
		b.outage = nil
	}
}

// stop says that the gateway has let go of its device. Nothing changes any
// more until the next start.
func (b *board) stop() {
	b.change(func() {
		b.end()
		b.set("stopped", "", false)
		b.taken, b.stopped = false, true
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.quiet != nil {
		b.quiet.Stop()
		b.quiet = nil
	}
}

// take claims the one slot for a message, if it is free.
func (b *board) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.status.State != otp.RouteReady || b.taken {
		return false
	}
	b.taken = true // the sink need not hear: it is the one who sends
	return true
}

// release gives the slot back.
func (b *board) release() { b.change(func() { b.taken = false }) }

// describe takes what the modem knows of itself.
func (b *board) describe(edit func(status *otp.RouteStatus)) {
	b.change(func() { edit(&b.status) })
}

// word is what of the status makes a line of the log. mu is held.
func (b *board) word() string { return b.status.State.String() + " " + b.status.Reason }

// note logs a new state, at most once in logEvery; what a flapping state ends
// at is logged then. mu is held.
func (b *board) note() {
	now := b.word()
	if now == b.logged || b.quiet != nil || b.stopped {
		return
	}
	b.logged = now
	level := zerolog.InfoLevel
	if b.status.State == otp.RouteDown {
		level = zerolog.WarnLevel // somebody must do something
	}
	b.log.WithLevel(level).Str("route", b.name).Str("state", b.status.State.String()).
		Str("reason", b.status.Reason).Str("detail", b.status.Detail).Msg("route changed")
	b.quiet = time.AfterFunc(logEvery, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.stopped {
			b.quiet = nil
			b.note()
		}
	})
}
