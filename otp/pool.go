package otp

import (
	"slices"
	"time"
)

// choice gives the messages that wait to the lanes, in the order in which they
// wait. It goes through those that have to wait on as well, for they take the
// next turn of the lane that they wait for.
//
// Lanes stand in the order of the routes. Modems that stand next to each other
// are one pool, in which the shortest way goes first; any other route is a pool
// of its own. A message goes to the first pool that hands it over in time, and
// if none does, to the one that does so first: what is free of charge stands
// first, and what costs money helps out when that is down or too slow.
type choice struct {
	now   Time
	views []view
	free  int // attempts that may begin now, over all lanes
	// again is when another choice may differ from this one though nothing has
	// happened, 0 for never.
	again Time
}

func newChoice(views []view, now Time) choice {
	c := choice{now: now, views: views}
	for i := range views {
		if views[i].shut == "" {
			c.free += views[i].free
		}
	}
	return c
}

// leastPatience keeps a lane that is late from being asked all the time whether
// it is too late.
const leastPatience = 250 * time.Millisecond

// pick returns the lane that takes e now, nil if e has to wait. more is false
// if nobody after e could go either.
func (c *choice) pick(e *entry) (l *lane, more bool) {
	if c.free == 0 {
		return nil, false
	}
	var v *view
	if e.here != "" {
		v = c.best(e, func(v *view) bool { return v.route.Name() == e.here })
	}
	if v == nil {
		v = c.best(e, func(v *view) bool { return !slices.Contains(e.avoid, v.route.Name()) })
	}
	if v == nil && len(e.avoid) > 0 {
		v = c.best(e, func(*view) bool { return true })
	}
	if v == nil {
		return nil, true
	}
	slot, end := v.turn()
	now := v.slots[slot] == 0 && v.free > 0
	v.slots[slot] = end
	v.room--
	switch {
	case v.breaker == BreakerProbing:
		v.shut = reasonFailing // to all but this one
	case v.room <= 0:
		v.shut = reasonCapped
	}
	if !now {
		c.recall(e.due.Sub(c.now) - end)
		return nil, true
	}
	v.free--
	c.free--
	if v.shut != "" {
		c.free -= v.free
	}
	return v.lane, true
}

// recall makes the choice again when a message that waits has run out of
// slack: the lane that it waits for may be too late by then.
func (c *choice) recall(slack time.Duration) {
	if at := c.now.Add(max(slack, leastPatience)); c.again == 0 || at < c.again {
		c.again = at
	}
}

// best returns the lane for e among those that fit, nil if there is none.
func (c *choice) best(e *entry, fits func(*view) bool) *view {
	var earliest *view
	left := e.due.Sub(c.now)
	for i := 0; i < len(c.views); {
		var first *view
		guess := false
		for pool := c.views[i].pool; i < len(c.views) && c.views[i].pool == pool; i++ {
			if v := &c.views[i]; v.takes(e) && fits(v) {
				guess = guess || !v.known
				if first == nil || v.before(first) {
					first = v
				}
			}
		}
		switch {
		case first == nil:
		case guess, first.end() <= left:
			return first
		case earliest == nil || first.end() < earliest.end():
			earliest = first
		}
	}
	return earliest
}

// takes tells whether e may go this way.
func (v *view) takes(e *entry) bool {
	return v.shut == "" && v.status.State == RouteReady && usable(v.status, e.test) && v.status.Carries(e.channel) &&
		!slices.Contains(e.barred, v.route.Name())
}

// before tells whether a message goes by v rather than by w of the same pool.
// One that has to be probed goes first, or it would never be found to be well.
func (v *view) before(w *view) bool {
	if probing := v.breaker == BreakerProbing; probing != (w.breaker == BreakerProbing) {
		return probing
	}
	return v.end() < w.end()
}

// end returns when one more message is handed over by v.
func (v *view) end() time.Duration {
	_, end := v.turn()
	return end
}

// usable tells whether messages of an app in that mode may go this way.
func usable(s RouteStatus, test bool) bool { return !s.Test || test }
