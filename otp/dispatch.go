package otp

import (
	"context"
	"slices"
	"sync"
	"time"
)

// events is what the dispatcher hears of between two rounds.
type events struct {
	queued    []*entry
	verdicts  []verdictEvent
	confirmed []confirmedEvent
	reports   []reportEvent
}

type verdictEvent struct {
	lane    *lane
	message ID
	dial    string
	verdict Verdict
	took    time.Duration
}

type confirmedEvent struct {
	route   string
	message ID
	ref     Reference
}

type reportEvent struct {
	Report
	// until is how long the report waits for its message: it can overtake the
	// verdict of the attempt that it reports on.
	until Time
}

// reportPatience is how long an unmatched report is kept, and patientReports
// how many are.
const (
	reportPatience = 30 * time.Second
	patientReports = 256
)

// recoverAfter is how long a message that was found in `sending` at start
// waits for a delivery report before it is repeated.
const recoverAfter = 10 * time.Second

// retryHereAfter is the pause before a second attempt on the same route (F11),
// and reachAgainAfter the mean one before a provider is looked for again that
// was not reached (F17). The latter differs by half of it either way, or all
// that was refused by a provider in one moment would come back to it in one.
const (
	retryHereAfter  = 2 * time.Second
	reachAgainAfter = time.Second
)

// faultPause is the pause after the store failed a round.
const faultPause = time.Second

// queued tells the dispatcher of a message that is durable as accepted.
func (o *Outbox) queued(m *Message, ticket int64) {
	e := newEntry(m, o.box.Apps.test(m.App), ticket)
	o.tell(func(ev *events) { ev.queued = append(ev.queued, e) })
}

// Changed, Reported and Confirmed make the outbox the [RouteSink] of its
// routes.

// Changed implements [RouteSink].
func (o *Outbox) Changed(string) { o.tell(func(*events) {}) }

// Reported implements [RouteSink].
func (o *Outbox) Reported(r Report) {
	until := o.box.Clock.Now().Add(reportPatience)
	o.tell(func(ev *events) {
		if len(ev.reports) < patientReports {
			ev.reports = append(ev.reports, reportEvent{r, until})
		}
	})
}

// Confirmed implements [RouteSink].
func (o *Outbox) Confirmed(route string, message ID, ref Reference) {
	o.tell(func(ev *events) { ev.confirmed = append(ev.confirmed, confirmedEvent{route, message, ref}) })
}

func (o *Outbox) tell(add func(*events)) {
	o.mu.Lock()
	add(&o.events)
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Run takes up the messages that an earlier process left, runs the routes and
// dispatches until ctx ends. Then it begins no more attempts, waits for those
// under way, writes their outcome and lets the routes go.
func (o *Outbox) Run(ctx context.Context) error {
	d := &dispatcher{o: o}
	if err := d.recover(); err != nil {
		return err
	}
	routes, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	for _, l := range o.lanes {
		running.Go(func() {
			if err := l.route.Run(routes, o); err != nil && routes.Err() == nil {
				o.box.Log.Error().Err(err).Str("route", l.route.Name()).Msg("route has ended")
			}
		})
	}
	d.run(ctx)
	stop()
	running.Wait()
	return nil
}

// dispatcher is the one goroutine that moves messages on. It is woken, never
// polls, and does all it has to do in one closure a round.
type dispatcher struct {
	o       *Outbox
	queue   queue
	pending events                  // not yet written
	flying  int                     // attempts under way
	heard   [PriorityCode + 1]int64 // messages whose seats tally has to take
	// held are messages found in `sending` at start, each with its lane if that
	// still exists, until heldUntil.
	held      []verdictEvent
	heldDials map[ID]string
	heldUntil Time
}

func (d *dispatcher) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	done, stopping := ctx.Done(), false
	for {
		select {
		case <-d.o.wake:
		case <-timer.C:
		case <-done:
			done, stopping = nil, true
		}
		pause := d.round(stopping)
		if stopping && d.flying == 0 && len(d.pending.verdicts) == 0 {
			return
		}
		timer.Reset(pause)
	}
}

// round hears the news, writes what follows from it and launches what can go.
// It returns how long the dispatcher may sleep if nothing wakes it.
func (d *dispatcher) round(stopping bool) time.Duration {
	o := d.o
	now := o.box.Clock.Now()
	// The routes are asked before the news is heard: a slot that was freed by a
	// late confirmation must not be seen before the confirmation.
	statuses := o.statuses()
	d.hear(now)
	d.tally()
	for i, l := range o.lanes {
		l.seen(statuses[i])
		l.announce(statuses[i], o.box)
	}
	d.release(now)
	d.queue.ripen(now)
	w := work{d: d, now: now, expired: d.queue.expired(now)}
	again := Time(0)
	if !stopping {
		var err error
		if again, err = d.claim(&w, statuses); err != nil {
			o.box.Log.Error().Err(err).Msg("the outbox could not read the counts of its routes; it tries again")
			w.undo()
			return faultPause
		}
	}
	if !w.empty() {
		// A context without end: the outcome of an attempt must be written.
		if err := o.box.Store.Update(context.Background(), w.write); err != nil {
			o.box.Log.Error().Err(err).Msg("the outbox could not write; it tries again")
			w.undo()
			return faultPause
		}
		w.done()
	}
	d.tally()
	next := time.Hour
	for _, t := range []Time{d.queue.next(), d.heldUntil, again} {
		if t != 0 {
			next = min(next, max(t.Sub(o.box.Clock.Now()), time.Millisecond))
		}
	}
	return next
}

// tally shows how many wait, and takes the seats of those that it has heard of.
func (d *dispatcher) tally() {
	counts := &d.queue.counts
	d.o.codes.Store(int64(counts[PriorityCode]))
	d.o.plain.Store(int64(counts[PriorityHigh] + counts[PriorityNormal]))
	d.o.oldest.Store(int64(d.queue.oldest()))
	for p, n := range d.heard {
		d.o.entering[p].Add(-n)
	}
	d.heard = [PriorityCode + 1]int64{}
}

// hear takes over what was told since the last round.
func (d *dispatcher) hear(now Time) {
	d.o.mu.Lock()
	news := d.o.events
	d.o.events = events{}
	d.o.mu.Unlock()
	for _, e := range news.queued {
		d.queue.push(e, now)
		d.heard[e.priority]++
	}
	for _, v := range news.verdicts {
		d.flying--
		v.lane.ended(v, now)
	}
	d.pending.verdicts = append(d.pending.verdicts, news.verdicts...)
	d.pending.confirmed = append(d.pending.confirmed, news.confirmed...)
	d.pending.reports = append(d.pending.reports, news.reports...)
	d.pending.reports = d.pending.reports[max(0, len(d.pending.reports)-patientReports):]
	d.pending.reports = slices.DeleteFunc(d.pending.reports, func(r reportEvent) bool { return r.until <= now })
}

// claim picks messages for the free slots of the routes, and returns when it
// may pick others though nothing has happened, 0 for never.
func (d *dispatcher) claim(w *work, statuses []RouteStatus) (again Time, err error) {
	if len(d.queue.waiting) == 0 {
		return 0, nil
	}
	views, err := d.o.survey(statuses, w.now)
	if err != nil {
		return 0, err
	}
	c := newChoice(views, w.now)
	d.queue.take(func(e *entry) (taken, more bool) {
		l, more := c.pick(e)
		if l != nil {
			w.claims = append(w.claims, claim{entry: e, lane: l})
		}
		return l != nil, more
	})
	if len(w.claims) < len(d.queue.waiting) {
		for i := range views { // what is shut for a while opens without a word
			if wait := views[i].wait; wait > 0 {
				c.recall(wait)
			}
		}
	}
	return c.again, nil
}

// launch begins an attempt that is durable as `sending`.
func (d *dispatcher) launch(c claim) {
	d.flying++
	o := d.o
	start := o.box.Clock.Now()
	c.lane.begin(c.message.ID, start)
	go func() {
		v := o.send(c)
		took := o.box.Clock.Now().Sub(start)
		o.tell(func(ev *events) {
			ev.verdicts = append(ev.verdicts, verdictEvent{c.lane, c.message.ID, c.message.Address.Dial, v, took})
		})
	}()
}

// send renders the text and hands it to the route. A panic of the route is
// contained: what it had done by then is unknown.
func (o *Outbox) send(c claim) (v Verdict) {
	defer func() {
		if p := recover(); p != nil {
			o.box.Log.Error().Str("route", c.lane.route.Name()).Str("message", c.message.ID.String()).Msg("the route panicked")
			v = Verdict{Outcome: Unknown, Reason: ReasonRouteFault}
		}
	}()
	out, err := o.render(c)
	if err != nil {
		o.box.Log.Error().Err(err).Str("message", c.message.ID.String()).Msg("the message cannot be rendered")
		return Verdict{Outcome: Refused, Reason: ReasonEncoding, Retry: RetryNever}
	}
	left := c.message.Deadline.Sub(o.box.Clock.Now())
	ctx, cancel := context.WithTimeout(context.Background(), left)
	defer cancel()
	return c.lane.route.Send(ctx, out)
}

func (o *Outbox) render(c claim) (out Outgoing, err error) {
	m := &c.message
	out = Outgoing{Message: m.ID, Dial: m.Address.Dial, Code: c.digits, Deadline: m.Deadline}
	switch {
	case !m.IsCode():
		out.Text, err = o.box.Keys.openText(m.ID, m.Sealed)
	case m.Channel == ChannelEmail:
		out.Subject, out.Text = c.app.mail(&c.verification, c.digits)
	default:
		out.Text = c.app.message(&c.verification, c.digits)
	}
	return out, err
}
