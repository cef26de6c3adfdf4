package otp

import "time"

// ledger reads and charges quotas inside one closure.
type ledger struct {
	tx    Tx
	now   Time
	mends bool // a row whose events lie in the future is written as it counts; not in a view
	crowd *crowd
	err   error // the first row that could not be read: a fault
}

// open reads the row of q: the subject's own if there is one or room for one,
// else the coarse one.
func (l *ledger) open(q *quota) {
	if q.opened {
		return
	}
	q.opened = true
	q.key = Key{KindQuota, string(rune(q.class)) + q.subject}
	q.found = l.read(q)
	if !q.found && q.coarse != "" && l.rows().Total >= crowdedRows {
		q.key.Part = string(rune(q.class)) + coarseMark + q.coarse
		q.found = l.read(q)
	}
}

func (l *ledger) read(q *quota) bool {
	found, err := load(l.tx, q.key, q.record())
	if err != nil && l.err == nil {
		l.err = err
	}
	q.moved = q.clamp(l.now.seconds())
	return found
}

// wait returns how long until q has room for one more event, 0 if it has now.
func (l *ledger) wait(q *quota) time.Duration {
	if q.lifted() {
		return 0
	}
	l.open(q)
	wait := q.wait(l.now)
	if wait > 0 && q.moved && l.mends {
		l.keep(q) // else the wait would begin anew at each look
		q.moved = false
	}
	return wait
}

// add charges one event to q.
func (l *ledger) add(q *quota) {
	if q.lifted() {
		return
	}
	l.open(q)
	if !q.found {
		l.countRow()
		q.found = true
	}
	if q.conversion != nil {
		q.conversion.row.Sends[q.conversion.part(l.now)]++
	} else {
		window, count := q.retain()
		q.row.add(l.now, window, count)
	}
	l.keep(q)
}

// keep writes the row of q.
func (l *ledger) keep(q *quota) {
	window, _ := q.retain()
	if q.conversion != nil {
		long, width := q.conversion.window()
		window = long + width
	}
	save(l.tx, q.key, q.record(), l.now.Add(window))
}

// takeBack undoes one add: what was charged did not happen.
func (l *ledger) takeBack(q *quota) {
	if q.lifted() {
		return
	}
	l.open(q)
	last := len(q.row.Times) - 1
	switch {
	case last < 0:
		return
	case q.row.count(last) > 1:
		q.row.Counts[last]--
	default:
		q.row.Times = q.row.Times[:last]
		q.row.Counts = q.row.Counts[:min(last, len(q.row.Counts))]
	}
	l.keep(q)
}

// first returns the quota that refuses for longest among those that have no
// room, and its wait: after it, all of them have room.
func (l *ledger) first(quotas []quota) (*quota, time.Duration) {
	var worst *quota
	var longest time.Duration
	for i := range quotas {
		if w := l.wait(&quotas[i]); w > longest {
			worst, longest = &quotas[i], w
		}
	}
	return worst, longest
}
