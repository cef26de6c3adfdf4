package otp

import (
	"sync/atomic"
	"time"
)

// lane is a route as the dispatcher sees it.
type lane struct {
	route Route
	busy  int          // attempts under way; owned by the dispatcher
	pace  atomic.Int64 // measured time per message, smoothed; 0 before the first
}

// RouteReport is a route as an operator sees it.
type RouteReport struct {
	Name string
	RouteStatus
	Queue int           // messages that wait, for all routes together
	Wait  time.Duration // expected until a message queued now is handed over here
}

// Routes returns every route in configured order.
func (o *Outbox) Routes() []RouteReport {
	out := make([]RouteReport, 0, len(o.lanes))
	for _, l := range o.lanes {
		s := l.route.Status()
		waiting := o.waiting(PriorityNormal)
		w, _ := l.wait(s, waiting)
		out = append(out, RouteReport{Name: l.route.Name(), RouteStatus: s, Queue: int(waiting), Wait: w})
	}
	return out
}

// measured smooths the pace with a new attempt.
func (l *lane) measured(took time.Duration) {
	old := l.pace.Load()
	if old == 0 {
		old = int64(took)
	}
	l.pace.Store(old + (int64(took)-old)/8)
}

// typicalPace is what a modem takes about, for an estimate before the first
// message has been measured.
const typicalPace = 3 * time.Second

// wait estimates how long a message queued behind waiting others takes to be
// handed over. known is false while the pace is a guess: nothing is refused
// for a guess.
func (l *lane) wait(s RouteStatus, waiting int64) (w time.Duration, known bool) {
	pace := time.Duration(l.pace.Load())
	if pace == 0 {
		pace = s.Pace
	}
	known = pace > 0
	if !known {
		pace = typicalPace
	}
	turns := (waiting + int64(s.Slots-s.Free)) / int64(max(s.Slots, 1))
	return pace * time.Duration(turns+1), known
}

// usable tells whether messages of an app in that mode may go this way.
func usable(s RouteStatus, test bool) bool { return !s.Test || test }

// admit refuses a message that no route can carry in time: nothing is accepted
// to expire in the queue.
func (o *Outbox) admit(app *App, priority Priority, life time.Duration) *Error {
	reason := "This box has no route for messages. Configure a [[modem]]."
	shortest := time.Duration(-1)
	for _, l := range o.lanes {
		s := l.route.Status()
		switch {
		case !usable(s, app.Mode == Test):
		case s.State == RouteDown:
			reason = "No route can send now: " + l.route.Name() + " is down (" + s.Reason + ")."
		default:
			w, known := l.wait(s, o.waiting(priority))
			if !known {
				w = 0
			}
			if shortest < 0 || w < shortest {
				shortest = w
			}
		}
	}
	if shortest < 0 {
		return refuseFor(ChannelUnavailable, 10*time.Second, reason)
	}
	if most := min(time.Minute, life/2); shortest > most {
		return refuseFor(Busy, shortest-most, "Too many messages are waiting to be sent. Wait as long as Retry-After says.")
	}
	return nil
}

// expected estimates when a code queued now is handed over, by the fastest
// route that works for its app.
func (o *Outbox) expected(test bool) time.Duration {
	shortest := time.Duration(-1)
	for _, l := range o.lanes {
		if s := l.route.Status(); s.State != RouteDown && usable(s, test) {
			if w, _ := l.wait(s, max(o.waiting(PriorityCode)-1, 0)); shortest < 0 || w < shortest {
				shortest = w
			}
		}
	}
	return max(shortest, 0)
}
