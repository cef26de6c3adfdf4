package otp

import (
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
		w.refused(tx, &m, v.verdict)
		return nil
	}
	return w.unknown(tx, &m, v.verdict)
}

// sent ends a message that the network has, and leaves a mark for its report.
func (w *work) sent(tx Tx, m *Message, ref Reference, detail string) {
	if ref != "" {
		save(tx, referenceKey(m.Route, m.Address.Dial, ref), referenceRow{Message: m.ID, At: w.now}, w.now.Add(reportLife))
	}
	w.end(tx, m, MessageSent, ReasonNone, detail)
}

// refused decides what a definite refusal leaves to try.
func (w *work) refused(tx Tx, m *Message, v Verdict) {
	route := m.Route
	var pause time.Duration
	switch {
	case v.Retry == RetryNever:
		w.fail(tx, m, v)
		return
	case v.Retry == RetryHere && !slices.Contains(m.Avoid, route):
		m.Avoid = append(m.Avoid, route) // then elsewhere if there is another, else here again
		pause = retryHereAfter
	case v.Reason == ReasonRouteGone:
		m.Avoid = appendOnce(m.Avoid, route) // nothing was handed over, and it may come back
		pause = retryHereAfter
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
	m.Avoid = appendOnce(m.Avoid, m.Route)
	w.again(tx, m, v.Reason, v.Detail, 0)
	return nil
}

// again puts a message back into the queue.
func (w *work) again(tx Tx, m *Message, reason Reason, detail string, pause time.Duration) {
	m.State, m.Reason, m.Updated = MessageAccepted, reason, w.now
	saveMessage(tx, m)
	w.told = append(w.told, outcome{*m, detail})
	e := newEntry(m, w.d.o.box.Apps.test(m.App))
	if pause > 0 {
		e.notBefore = w.now.Add(pause)
	}
	w.requeue = append(w.requeue, e)
}

// wayLeft tells whether any configured route is open to the app and not barred.
func (w *work) wayLeft(m *Message) bool {
	app, ok := w.d.o.box.Apps.ByID(m.App)
	return ok && slices.ContainsFunc(w.d.o.lanes, func(l *lane) bool {
		return !slices.Contains(m.Barred, l.route.Name()) && usable(l.route.Status(), app.Mode == Test)
	})
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
