package otp

import (
	"slices"
)

// claim is a message that gets a slot of a route.
type claim struct {
	entry *entry
	lane  *lane
	// What the closure read and decided; launched is false if the message was
	// not to be sent after all.
	launched     bool
	message      Message
	verification Verification
	app          *App
	digits       string
}

// work is what one round of the dispatcher writes, and what follows once it is
// durable.
type work struct {
	d       *dispatcher
	now     Time
	expired []*entry
	claims  []claim

	epoch epoch // once a code needed it

	// What the closure found; void until it is durable.
	requeue []*entry
	matched []int // indexes of reports that found their message
	told    []outcome
}

// outcome is a message that reached a state in this round, for log and
// metrics.
type outcome struct {
	message Message
	detail  string
}

// empty tells whether there is nothing to look at. Reports that wait for their
// message are looked at each time, for a verdict may have brought it.
func (w *work) empty() bool {
	p := &w.d.pending
	return len(w.expired) == 0 && len(w.claims) == 0 && len(p.verdicts) == 0 && len(p.confirmed) == 0 && len(p.reports) == 0
}

// write is the closure of the round.
func (w *work) write(tx Tx) error {
	w.epoch, w.requeue, w.matched, w.told = epoch{}, nil, nil, nil
	p := &w.d.pending
	for _, v := range p.verdicts {
		w.damaged(v.message, w.settle(tx, v))
	}
	for _, c := range p.confirmed {
		w.damaged(c.message, w.confirm(tx, c))
	}
	for i, r := range p.reports {
		ok, err := w.report(tx, r.Report)
		w.damaged(ID{}, err)
		if ok || err != nil {
			w.matched = append(w.matched, i)
		}
	}
	for _, e := range w.expired {
		w.damaged(e.id, w.expire(tx, e))
	}
	for i := range w.claims {
		w.damaged(w.claims[i].entry.id, w.begin(tx, &w.claims[i]))
	}
	w.d.o.box.Clock.Mark(tx)
	return nil
}

// damaged logs a row that cannot be read: a message that nothing can be done
// about must not keep the others from being sent. A fault of the store itself
// fails the closure all the same.
func (w *work) damaged(id ID, err error) {
	if err != nil {
		w.d.o.box.Log.Error().Err(err).Str("message", id.String()).Msg("a message cannot be read and is passed over")
	}
}

// done carries out what is durable now.
func (w *work) done() {
	d := w.d
	d.pending.verdicts, d.pending.confirmed = nil, nil
	for _, i := range slices.Backward(w.matched) {
		d.pending.reports = slices.Delete(d.pending.reports, i, i+1)
	}
	for _, e := range w.requeue {
		d.queue.push(e, w.now)
	}
	for _, o := range w.told {
		w.log(o)
	}
	again := len(w.requeue) > 0 // another route may take them at once
	for _, c := range w.claims {
		if c.launched {
			d.launch(c)
		} else {
			again = true // its slot is free for another message
		}
	}
	if again {
		d.o.tell(func(*events) {})
	}
}

// undo puts back what was taken out of the queue: nothing was written.
func (w *work) undo() {
	back := w.expired
	for _, c := range w.claims {
		back = append(back, c.entry)
	}
	for _, e := range back {
		e.gone = false
		w.d.queue.push(e, w.now)
	}
}

func (w *work) log(o outcome) {
	m := &o.message
	box := w.d.o.box
	if m.State != MessageAccepted {
		box.Metrics.message(m.Route, m.State)
		box.moved(m, w.now)
	}
	switch m.State {
	case MessageSent:
		box.Metrics.handed(m.Route, w.now.Sub(m.Created))
	case MessageDelivered:
		box.Metrics.delivered(m.Route, w.now.Sub(m.Created))
	}
	event := box.Log.Info()
	if m.State == MessageFailed || m.State == MessageUnknown || m.State == MessageUndelivered {
		event = box.Log.Warn()
	}
	event.Str("message", m.ID.String()).Str("app", m.App).Str("to", m.Address.Masked()).Str("route", m.Route).
		Str("state", string(m.State)).Str("reason", string(m.Reason)).Uint8("tries", m.Tries).Str("detail", o.detail).
		Msg("message")
}

// begin marks a claimed message as sending, if it is still to be sent.
func (w *work) begin(tx Tx, c *claim) error {
	c.launched = false
	m, found, err := loadMessage(tx, c.entry.id)
	if err != nil || !found || m.State != MessageAccepted {
		return err
	}
	app, ok := w.d.o.box.Apps.ByID(m.App)
	switch {
	case !ok:
		w.end(tx, &m, MessageFailed, ReasonApp, "")
		return nil
	case w.now >= m.Deadline:
		w.end(tx, &m, MessageExpired, ReasonTooLate, "")
		return nil
	case app.optedOut(tx, m.Address, m.IsCode()):
		w.end(tx, &m, MessageSuperseded, ReasonOptedOut, "")
		return nil
	}
	if m.IsCode() {
		v, live, err := w.live(tx, &m)
		if err != nil {
			return err
		}
		if !live {
			w.end(tx, &m, MessageSuperseded, ReasonTooLate, "")
			return nil
		}
		c.verification = v
		if w.epoch == (epoch{}) {
			if w.epoch, err = loadEpoch(tx); err != nil {
				return err
			}
		}
		c.digits = w.d.o.box.Keys.derive(w.epoch, &v)
	}
	m.Route = c.lane.route.Name()
	m.move(MessageSending, ReasonNone, w.now)
	m.Tries++
	m.MaybeSent++
	if c.lane.cap != nil {
		l, q := &ledger{tx: tx, now: w.now}, c.lane.quota()
		l.add(&q)
	}
	saveMessage(tx, &m)
	c.message, c.app, c.launched = m, app, true
	return nil
}

// live reads the verification of a code and tells whether the message still
// carries its live digits.
func (w *work) live(tx Tx, m *Message) (Verification, bool, error) {
	v, found, err := loadVerification(tx, m.Verification)
	return v, found && v.StatusAt(w.now) == Pending && v.Generation == m.Generation, err
}

func (w *work) end(tx Tx, m *Message, state MessageState, reason Reason, detail string) {
	endMessage(tx, m, state, reason, w.now)
	w.damaged(m.ID, w.unsent(tx, m))
	w.d.o.box.messageEvent(tx, m, w.now)
	w.told = append(w.told, outcome{*m, detail})
}

// unsent takes back the count of a code that has never left the box: an outage
// must not look like fraud. A number that the network refuses stays counted.
func (w *work) unsent(tx Tx, m *Message) error {
	app, known := w.d.o.box.Apps.ByID(m.App)
	if !known || !m.IsCode() || m.MaybeSent > 0 || m.State != MessageFailed && m.State != MessageExpired || m.Reason == ReasonRecipient {
		return nil
	}
	return w.d.o.box.unsent(tx, app, m.Address, w.now)
}

// expire ends a message whose deadline passed in the queue.
func (w *work) expire(tx Tx, e *entry) error {
	m, found, err := loadMessage(tx, e.id)
	if err != nil || !found || m.State != MessageAccepted {
		return err
	}
	state, reason := MessageExpired, ReasonTooLate
	switch {
	case m.MaybeSent > 0:
		state = MessageUnknown
	case m.Tries == 0:
		reason = ReasonNoRoute
	}
	w.end(tx, &m, state, reason, "")
	return nil
}
