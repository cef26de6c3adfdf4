package otp

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// lane is a route as the dispatcher sees it. The dispatcher changes it, and
// whoever estimates reads it.
type lane struct {
	route Route
	cap   []Rule // how many messages it may carry; nil is as many as there are

	mu      sync.Mutex    // guards what follows
	pace    time.Duration // measured time of an attempt, smoothed; 0 before the first
	paced   Time          // when that was measured
	begun   map[ID]Time   // attempts under way, and since when
	breaker breaker
	away    bool // was not ready when last looked at
	// announced is the state that the operator was shown last, and shown tells
	// whether there was one.
	announced RouteState
	shown     bool
}

// typicalPace is what a modem takes about, for an estimate before the first
// message has been measured.
const typicalPace = 3 * time.Second

// paceShare is the weight of a new measurement: one part in so many. leastPace
// is the time below which none is told from another.
const (
	paceShare = 4
	leastPace = time.Millisecond
)

// A pace above the typical one is believed for paceStays, in which a lane that
// is used is measured again and callers are promised a turn; then half of what
// is above is forgotten in each paceFades. A slow lane gets few messages, so that
// nothing would ever put right what one mishap has measured; one that is slow
// indeed costs one message in half an hour or so its time, not each. What was
// measured as fast stays: the next message puts it right, and comes.
const (
	paceStays = time.Minute
	paceFades = 10 * time.Minute
)

// begin notes an attempt that is about to be made.
func (l *lane) begin(id ID, now Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun[id] = now
}

// ended notes what became of an attempt. Only a success measures the pace: a
// refusal is quick, and silence says nothing about the next one.
func (l *lane) ended(v verdictEvent, now Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.begun, v.message)
	l.breaker.heard(now, v.dial, v.verdict)
	if v.verdict.Outcome != Sent {
		return
	}
	took := max(v.took, leastPace)
	if l.pace == 0 {
		l.pace, l.paced = took, now
	}
	l.pace = l.recent(now)
	l.pace += (took - l.pace) / paceShare
	l.paced = now
}

// recent returns the measured pace as far as it is believed still, 0 before the
// first. The caller has the lock.
func (l *lane) recent(now Time) time.Duration {
	over := l.pace - typicalPace
	if over <= 0 {
		return l.pace
	}
	age := max(now.Sub(l.paced)-paceStays, 0) // and after an accepted step back of the clock
	return typicalPace + time.Duration(float64(over)*math.Exp2(-age.Seconds()/paceFades.Seconds()))
}

// seen notes how the route is now.
func (l *lane) seen(s RouteStatus) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.State == RouteReady && l.away {
		l.breaker.returned()
	}
	l.away = s.State != RouteReady
}

// announce shows the operator that the state of the route has changed.
func (l *lane) announce(s RouteStatus, box *Box) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shown && s.State == l.announced {
		return
	}
	l.announced, l.shown = s.State, true
	box.Feed.tell(Notice{At: box.Clock.Now(), Type: "route." + s.State.String(), Route: l.route.Name(), Reason: s.Reason})
}

// view is a lane at one moment: what the choice of a route goes by.
type view struct {
	*lane
	status RouteStatus
	// pool counts the pools: lanes of one number share their load.
	pool int
	pace time.Duration
	// known is false while the pace is a guess: nothing is refused, and nothing
	// paid for, on a guess.
	known bool
	// slots holds how long each slot stays taken; 0 is free.
	slots []time.Duration
	// free is how many attempts may begin now.
	free    int
	breaker BreakerState
	// shut is the reason why nothing goes this way, "" for none, and wait how
	// long that lasts, 0 if nobody knows.
	shut string
	wait time.Duration
	// used is how many messages count against the cap, and room how many more
	// it allows. Without a cap room is out of reach.
	used, room int
}

const noCap = int(^uint(0) >> 1)

// statuses asks every route how it is.
func (o *Outbox) statuses() []RouteStatus {
	all := make([]RouteStatus, len(o.lanes))
	for i, l := range o.lanes {
		all[i] = l.route.Status()
	}
	return all
}

// look returns every lane under its status. tx may be nil if no lane has a cap.
func (o *Outbox) look(tx Tx, statuses []RouteStatus, now Time) []view {
	views := make([]view, len(o.lanes))
	for i, l := range o.lanes {
		v := &views[i]
		*v = l.view(statuses[i], now)
		if i > 0 {
			v.pool = views[i-1].pool
			if !v.isModem() || !views[i-1].isModem() {
				v.pool++
			}
		}
		if v.room = noCap; l.cap != nil {
			v.count(tx, now)
		}
	}
	return views
}

// survey is look outside of a closure.
func (o *Outbox) survey(statuses []RouteStatus, now Time) (views []view, err error) {
	if !slices.ContainsFunc(o.lanes, func(l *lane) bool { return l.cap != nil }) {
		return o.look(nil, statuses, now), nil
	}
	err = o.box.Store.View(context.Background(), func(tx Tx) error {
		views = o.look(tx, statuses, now)
		return nil
	})
	return views, err
}

// count looks at the cap. What cannot be read counts as full: it must not cost
// anybody money, and the row is swept within a day.
func (v *view) count(tx Tx, now Time) {
	l := &ledger{tx: tx, now: now}
	q := v.quota()
	wait := l.wait(&q)
	for _, rule := range v.cap {
		used := q.row.within(rule, now)
		v.used = max(v.used, used)
		v.room = min(v.room, max(rule.Count-used, 0))
	}
	if wait == 0 && l.err == nil {
		return
	}
	v.room = 0
	if v.shut == "" {
		v.shut, v.wait = reasonCapped, wait
	}
}

// view returns the lane under a status, before its cap is looked at.
func (l *lane) view(s RouteStatus, now Time) view {
	l.mu.Lock()
	defer l.mu.Unlock()
	slots := max(s.Slots, 1)
	v := view{lane: l, status: s, pace: l.recent(now), breaker: l.breaker.state(now), slots: make([]time.Duration, 0, slots)}
	if v.pace == 0 && s.Pace > 0 {
		v.pace = max(s.Pace, leastPace)
	}
	if v.known = v.pace > 0; !v.known {
		v.pace = typicalPace
	}
	for _, since := range l.begun {
		v.slots = append(v.slots, max(v.pace-now.Sub(since), v.pace/4))
	}
	busy := len(v.slots)
	for range slots - s.Free - busy { // taken by what the route does on its own account
		v.slots = append(v.slots, v.pace)
	}
	if s.State == RouteReady {
		v.free = max(min(s.Free, slots-busy), 0)
	}
	for len(v.slots) < slots {
		v.slots = append(v.slots, 0)
	}
	switch {
	case s.State == RouteDown:
		v.shut = s.Reason
	case v.breaker == BreakerOpen:
		v.shut, v.wait = l.breaker.reason, l.breaker.until.Sub(now)
	case v.breaker == BreakerProbing && busy > 0:
		v.shut, v.wait = l.breaker.reason, v.pace
	case v.breaker == BreakerProbing:
		v.free = min(v.free, 1)
	}
	return v
}

// isModem tells whether the route can share a load with its neighbours.
func (v *view) isModem() bool { return v.status.Kind == "modem" || v.status.Kind == "simulator" }

// turn returns the slot that is free first, and when it has carried one more
// message.
func (v *view) turn() (slot int, end time.Duration) {
	for i, taken := range v.slots {
		if taken < v.slots[slot] {
			slot = i
		}
	}
	return slot, v.slots[slot] + v.pace
}

// quota is the count that the cap is held against.
func (l *lane) quota() quota {
	return quota{class: sendsRoute, subject: l.route.Name(), rules: l.cap}
}
