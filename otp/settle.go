package otp

import (
	"math/rand/v2"
	"slices"
	"time"
)

// maxAttempts bounds the attempts of one message over all its routes.
const maxAttempts = 6

// maxMaybeSent is how often a message may at most have been transmitted: once,
// and one repeat after an unknown outcome.
const maxMaybeSent = 2

// worthRepeating is the life that a code must have left for a repeat.
const worthRepeating = 60 * time.Second

// reportLife is how long after the hand-over a report can still change a
// message.
const reportLife = 24 * time.Hour

// settle writes the outcome of an attempt.
func (w *work) settle(tx Tx, v verdictEvent) error {
	m, found, err := loadMessage(tx, v.message)
	if err != nil || !found || m.State != MessageSending {
		return err
	}
	switch v.verdict.Outcome {
	case Sent:
		w.sent(tx, &m, v.verdict.Ref, v.verdict.Detail)
		return nil
	case Refused:
		m.MaybeSent--
		if v.lane != nil && v.lane.cap != nil { // it did not cost anything
			l, q := &ledger{tx: tx, now: w.now}, v.lane.quota()
			l.takeBack(&q)
		}
		w.refused(tx, &m, v.verdict)
		return nil
	}
	return w.unknown(tx, &m, v.verdict)
}

// maxReference bounds a reference, in bytes: it stands in a key, and a provider
// may answer with whatever it likes. No report can come for a longer one.
const maxReference = 256

// sent ends a message that the network has, and leaves a mark for its report.
func (w *work) sent(tx Tx, m *Message, ref Reference, detail string) {
	if ref != "" && len(ref) <= maxReference {
		dial := m.Address.Dial
		if w.isRelay(m.Route) {
			dial = "" // as its reports come
		}
		save(tx, referenceKey(m.Route, dial, ref), referenceRow{Message: m.ID, At: w.now}, w.now.Add(reportLife))
	}
	w.end(tx, m, MessageSent, ReasonNone, detail)
}

// refused decides what a definite refusal leaves to try.
func (w *work) refused(tx Tx, m *Message, v Verdict) {
	route, here := m.Route, m.Here
	var pause time.Duration
	m.Here = ""
	switch {
	case v.Retry == RetryNever:
		w.fail(tx, m, v)
		return
	case v.Retry == RetryHere && here != route && w.patient(tx, m, v):
		m.Here, pause = route, pauseHere(v)
	case v.Reason == ReasonRouteGone:
		m.Avoid = appendOnce(m.Avoid, route) // nothing was handed over, and it may come back
		if !w.readyElsewhere(m, route) {
			pause = retryHereAfter
		}
	default:
		m.Barred = appendOnce(m.Barred, route)
	}
	once := v.Retry == RetryOnce && len(m.Barred) > 1
	if once || m.Tries >= maxAttempts || !w.wayLeft(m) {
		w.fail(tx, m, v)
		return
	}
	w.again(tx, m, v.Reason, v.Detail, pause)
}

// pauseHere returns how long a message waits before the route that has refused
// it is asked once more.
func pauseHere(v Verdict) time.Duration {
	if v.Reason == ReasonRouteGone {
		return reachAgainAfter/2 + rand.N(reachAgainAfter)
	}
	return retryHereAfter
}

// fail ends a message that was refused. If an attempt before may have reached
// the handset, nobody knows that it failed.
func (w *work) fail(tx Tx, m *Message, v Verdict) {
	state := MessageFailed
	if m.MaybeSent > 0 {
		state = MessageUnknown
	}
	w.end(tx, m, state, v.Reason, v.Detail)
}

// unknown repeats a message once if it is worth it, and ends it otherwise.
func (w *work) unknown(tx Tx, m *Message, v Verdict) error {
	m.MaybeRoute = m.Route
	if v.Retry != RetryHere && w.isRelay(m.Route) {
		m.Barred = appendOnce(m.Barred, m.Route) // it may have the message, and would send it twice
	}
	worth := m.MaybeSent < maxMaybeSent && m.Deadline.Sub(w.now) >= worthRepeating && w.wayLeft(m)
	if worth && m.IsCode() {
		var err error
		if _, worth, err = w.live(tx, m); err != nil {
			return err
		}
	}
	if !worth {
		w.end(tx, m, MessageUnknown, v.Reason, v.Detail)
		return nil
	}
	m.PossibleDuplicate = true
	m.Here = ""
	m.Avoid = appendOnce(m.Avoid, m.Route)
	w.again(tx, m, v.Reason, v.Detail, 0)
	return nil
}

// again puts a message back into the queue.
func (w *work) again(tx Tx, m *Message, reason Reason, detail string, pause time.Duration) {
	m.move(MessageAccepted, reason, w.now)
	saveMessage(tx, m)
	w.told = append(w.told, outcome{*m, detail})
	e := newEntry(m, w.d.o.box.Apps.test(m.App), w.d.o.tickets.Add(1))
	if pause > 0 {
		e.notBefore = w.now.Add(pause)
	}
	w.requeue = append(w.requeue, e)
}

// wayLeft tells whether any configured route is open to the message.
func (w *work) wayLeft(m *Message) bool {
	return w.anyWay(m, func(string, RouteStatus) bool { return true })
}

// readyElsewhere tells whether another route than this one could take the
// message now.
func (w *work) readyElsewhere(m *Message, route string) bool {
	return w.anyWay(m, func(name string, s RouteStatus) bool { return name != route && s.State == RouteReady })
}

func (w *work) anyWay(m *Message, want func(name string, s RouteStatus) bool) bool {
	app, ok := w.d.o.box.Apps.ByID(m.App)
	return ok && slices.ContainsFunc(w.d.o.lanes, func(l *lane) bool {
		name, s := l.route.Name(), l.route.Status()
		return !slices.Contains(m.Barred, name) && usable(s, app.Mode == Test) && s.Carries(m.Channel) && want(name, s)
	})
}

// isRelay tells whether a route hands messages to somebody who may have taken
// one whose answer was lost. A modem forgets what it did not send.
func (w *work) isRelay(route string) bool {
	return slices.ContainsFunc(w.d.o.lanes, func(l *lane) bool { return l.route.Name() == route && l.route.Status().Kind == "relay" })
}

// troubles is how often a number may get a second attempt on the same route:
// some networks call a dead number a trouble of their own, and each attempt
// holds up a modem.
var troubles = []Rule{{3, time.Hour}}

// patient tells whether a number has second attempts left, and takes one.
func (w *work) patient(tx Tx, m *Message, v Verdict) bool {
	if v.Reason != ReasonTemporary {
		return true
	}
	l := &ledger{tx: tx, now: w.now, mends: true}
	q := quota{class: troublesPhone, subject: m.Address.bucket(), rules: troubles}
	if l.wait(&q) > 0 {
		return false
	}
	l.add(&q)
	return true
}

// confirm turns an unknown outcome into sent, if no repeat has begun.
func (w *work) confirm(tx Tx, c confirmedEvent) error {
	m, found, err := loadMessage(tx, c.message)
	if err != nil || !found || m.MaybeRoute != c.route {
		return err
	}
	if m.State == MessageUnknown || m.State == MessageAccepted && m.MaybeSent > 0 {
		m.Route = c.route
		w.sent(tx, &m, c.ref, "confirmed late")
	}
	return nil
}

// referenceRow names the message that a network's reference stands for.
type referenceRow struct {
	_       struct{} `cbor:",toarray"`
	Message ID
	At      Time
}

func referenceKey(route, dial string, ref Reference) Key {
	return Key{KindReference, route + "\x00" + dial + "\x00" + string(ref)}
}

// report matches a delivery report to the one message with the same reference,
// recipient and route that was sent within reportLife. It can only move that
// message from sent, or from an outcome that is not known, to delivered or
// undelivered.
func (w *work) report(tx Tx, r Report) (matched bool, err error) {
	k := referenceKey(r.Route, r.Dial, r.Ref)
	var row referenceRow
	found, err := load(tx, k, &row)
	if err != nil {
		return false, err
	}
	id, uncertain := row.Message, false
	if !found || w.now.Sub(row.At) >= reportLife {
		if id, uncertain = w.d.uncertain(r); !uncertain {
			return false, nil
		}
	}
	tx.Delete(k)
	m, found, err := loadMessage(tx, id)
	if err != nil || !found {
		return true, err
	}
	sent := m.State == MessageSent || uncertain && (m.State == MessageAccepted || m.State == MessageSending)
	if uncertain && m.State == MessageAccepted {
		m.Route = m.MaybeRoute
	}
	if !sent || m.Route != r.Route {
		return true, nil
	}
	if r.Delivered {
		w.end(tx, &m, MessageDelivered, ReasonNone, r.Status)
	} else if !uncertain {
		w.end(tx, &m, MessageUndelivered, ReasonReport, r.Status)
	}
	return true, nil
}

func appendOnce(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
