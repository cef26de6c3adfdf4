package otp

import (
	"cmp"
	"slices"
	"time"
)

// demand is what a message needs of the routes.
type demand struct {
	app      *App
	channel  string
	priority Priority
	life     time.Duration // how long the message is worth something
}

// seat is a message's place in the estimates, from its admission inside a
// closure until the dispatcher knows of it: closures of one commit run one
// after the other, and each must see what the earlier ones let in.
type seat struct {
	taken    bool
	priority Priority
	eta      time.Duration // expected until the message is handed over
	ticket   int64         // its place in the queue, which eta is for
}

// patience is how long a message may be expected to wait: half its life, and a
// minute at most.
func patience(life time.Duration) time.Duration { return min(time.Minute, life/2) }

// admit gives a message a seat, or refuses it if no route can carry it in
// time: nothing is accepted to expire in the queue. Whoever gets a seat hands
// it to enter once the closure has ended, however it ended.
func (o *Outbox) admit(tx Tx, d demand, s *seat) *Error {
	now := o.box.Clock.Now()
	views := o.look(tx, o.statuses(), now)
	open, refusal := o.open(views, d)
	if refusal != nil {
		return refusal
	}
	most := patience(d.life)
	turn := int(o.ahead(d.priority)) + 1
	behind := turn // of those who do not fit into the pools so far
	for rest := open; len(rest) > 0; {
		pool := rest
		if i := slices.IndexFunc(rest, func(v *view) bool { return v.pool != rest[0].pool }); i > 0 {
			pool = rest[:i]
		}
		rest = rest[len(pool):]
		eta := handed(pool, behind)
		if eta <= most || slices.ContainsFunc(pool, func(v *view) bool { return !v.known }) {
			*s = seat{true, d.priority, eta, o.tickets.Add(1)}
			o.entering[d.priority].Add(1)
			return nil
		}
		behind -= capacity(pool, most)
	}
	wait := o.promise(now, func(promised int) time.Duration { return handed(open, turn+promised) - most })
	return refuseFor(Busy, wait, "Too many messages are waiting to be sent. Wait as long as Retry-After says.")
}

// open returns the lanes that d may go by, or the refusal if there are none.
func (o *Outbox) open(views []view, d demand) (open []*view, refusal *Error) {
	reason, wait := "This box has no route for messages. Configure a [[modem]].", time.Duration(0)
	for i := range views {
		v := &views[i]
		if !usable(v.status, d.app.Mode == Test) || !v.status.Carries(d.channel) {
			continue
		}
		shut, lasts := v.shut, v.wait
		queue := o.ahead(PriorityNormal)
		switch {
		case shut == "" && int64(v.room) <= queue:
			shut, lasts = reasonCapped, v.pace // until those that wait have gone this way, or another
		case shut == "" && v.breaker == BreakerProbing && queue > 0:
			shut, lasts = reasonFailing, v.pace // one at a time
		}
		if shut == "" {
			open = append(open, v)
			continue
		}
		if lasts == 0 {
			lasts = downPatience
		}
		if wait == 0 || lasts < wait {
			reason, wait = "No route can send now: "+v.route.Name()+" is down ("+shut+").", lasts
		}
	}
	if len(open) > 0 {
		return open, nil
	}
	return nil, refuseFor(ChannelUnavailable, max(cmp.Or(wait, downPatience), time.Second), reason)
}

// downPatience is when to ask again about a route that is down for nobody knows
// how long.
const downPatience = 10 * time.Second

// capacity is how many more messages the lanes hand over within d.
func capacity(lanes []*view, d time.Duration) int {
	n := 0
	for _, v := range lanes {
		for _, taken := range v.slots {
			if d > taken {
				n += int((d - taken) / v.pace)
			}
		}
	}
	return n
}

// handed returns when the lanes have handed over n more messages.
func handed(lanes []*view, n int) time.Duration {
	low, high := time.Duration(0), time.Second
	for capacity(lanes, high) < n {
		low, high = high, 2*high
	}
	for high-low > time.Millisecond {
		if middle := low + (high-low)/2; capacity(lanes, middle) < n {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// longestPromise bounds what a refused caller is told to wait.
const longestPromise = 2 * time.Minute

// promise returns how long a caller that is refused now has to wait. wait says
// so for one behind so many who were refused before and have yet to come back:
// each is told another moment, or they would all come at the first.
func (o *Outbox) promise(now Time, wait func(promised int) time.Duration) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.promised = slices.DeleteFunc(o.promised, func(t Time) bool { return t <= now || t.Sub(now) > longestPromise })
	w := max(wait(len(o.promised)), time.Second)
	if w >= longestPromise {
		return longestPromise
	}
	o.promised = append(o.promised, now.Add(w))
	return w
}

// enter gives the seat of a closure that has ended over to the dispatcher, if
// its message m is durable and fresh, and back otherwise.
func (o *Outbox) enter(s seat, m *Message, fresh bool) {
	switch {
	case fresh && m.State == MessageAccepted:
		o.queued(m, s.ticket)
	case s.taken:
		o.entering[s.priority].Add(-1)
	}
}

// ahead counts the messages that go before a new one of this priority, as far
// as they are counted apart: codes go before everything.
func (o *Outbox) ahead(p Priority) int64 {
	n := o.codes.Load() + o.entering[PriorityCode].Load()
	if p != PriorityCode {
		n += o.plain.Load() + o.entering[PriorityHigh].Load() + o.entering[PriorityNormal].Load()
	}
	return max(n, 0)
}

// expected estimates when a message that waits or is on its way is handed over:
// as was said when it was accepted, or after one more turn if it is late.
func (o *Outbox) expected(m *Message, now Time) time.Duration {
	if left := m.Expected.Sub(now); left > 0 {
		return left
	}
	shortest := time.Duration(0)
	test := o.box.Apps.test(m.App)
	for _, l := range o.lanes {
		s := l.route.Status()
		if s.State == RouteDown || !usable(s, test) || !s.Carries(m.Channel) {
			continue
		}
		if pace := l.view(s, now).pace; shortest == 0 || pace < shortest {
			shortest = pace
		}
	}
	return shortest
}
