package relay

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// How a server that takes events is treated. A server that is down is left
// alone as a whole: its events would else come to it one by one, each by its own
// plan, and all at once when it is back.
const (
	noticesAtOnce = 4 // deliveries to one server at a time
	restAfter     = 3 // failures in a row: fewer may be the fault of an event
	firstRest     = 5 * time.Second
	longestRest   = 5 * time.Minute
)

// recipient is the server of an app while it is served. The goroutine that
// serves it owns it.
type recipient struct {
	flying map[otp.ID]bool // deliveries under way
	done   chan landing
	row    int              // failures in a row
	length time.Duration    // of the last rest; 0: the server is well
	rest   <-chan time.Time // ends the rest; nil: there is none
}

// landing is a delivery that has ended.
type landing struct {
	event otp.ID
	taken bool
	fault bool // the queue could not be written
}

func newRecipient() *recipient {
	return &recipient{flying: map[otp.ID]bool{}, done: make(chan landing, noticesAtOnce)}
}

// room is how many deliveries may begin now. After a rest there is one, which
// tells whether the server is back.
func (r *recipient) room() int {
	switch {
	case r.rest != nil:
		return 0
	case r.length > 0:
		return max(0, 1-len(r.flying))
	}
	return noticesAtOnce - len(r.flying)
}

// landed takes the outcome of a delivery.
func (r *recipient) landed(l landing) {
	delete(r.flying, l.event)
	switch {
	case l.fault:
		r.rest = time.After(faultPause)
	case l.taken:
		r.row, r.length = 0, 0
	case r.rest != nil: // begun before it
	case r.length > 0:
		r.pause(min(2*r.length, longestRest))
	default:
		if r.row++; r.row >= restAfter {
			r.pause(firstRest)
		}
	}
}

// pause leaves the server alone for a while, and for a tenth more or less: those
// of several boxes must not come back to it in one moment.
func (r *recipient) pause(length time.Duration) {
	r.length = length
	r.rest = time.After(length - length/10 + rand.N(length/5))
}

// serve delivers the events of one app.
func (n *Notifier) serve(ctx context.Context, t *target) {
	r := newRecipient()
	for ctx.Err() == nil {
		news := n.queue.News() // before the look, or what comes meanwhile would be missed
		if err := n.queue.Tidy(ctx, t.app); err != nil && ctx.Err() == nil {
			n.log.Error().Err(err).Str("app", t.app).Msg("the queue of events could not be tidied")
		}
		later := n.begin(ctx, t, r)
		select {
		case <-ctx.Done():
		case <-news:
		case <-later:
		case l := <-r.done:
			r.landed(l)
		case <-r.rest:
			r.rest = nil
		}
	}
	for len(r.flying) > 0 { // they end with ctx
		r.landed(<-r.done)
	}
}

// begin sets off as many deliveries as there is room for. What it returns can be
// read when another is due.
func (n *Notifier) begin(ctx context.Context, t *target, r *recipient) (later <-chan time.Time) {
	room := r.room()
	if room == 0 {
		return nil
	}
	// What is under way stands in the queue still.
	due, wait, err := n.queue.Due(ctx, t.app, len(r.flying)+room)
	if err != nil {
		if ctx.Err() == nil {
			n.log.Error().Err(err).Str("app", t.app).Msg("the events could not be read")
		}
		r.rest = time.After(faultPause)
		return nil
	}
	for _, e := range due {
		if r.flying[e.ID] || room == 0 {
			continue
		}
		room--
		r.flying[e.ID] = true
		go func() { r.done <- n.handle(ctx, t, e) }()
	}
	if wait > 0 {
		later = time.After(wait)
	}
	return later
}
