package otp

import (
	"hash/fnv"
	"time"
)

// quotaClass says what a quota row counts and for what sort of subject.
type quotaClass byte

// The classes.
const (
	sendsPhone        quotaClass = 'p'
	sendsAddressPhone quotaClass = 'a'
	sendsAddress      quotaClass = 'i'
	sendsBlock        quotaClass = 'b'
	sendsLargeBlock   quotaClass = 'B'
	sendsCountry      quotaClass = 'c'
	sendsBox          quotaClass = 'x'
	triesPhone        quotaClass = 't'
	triesAddressPhone quotaClass = 'T'
	triesAddress      quotaClass = 'j'
	triesReserve      quotaClass = 'R'
	refusals          quotaClass = 'r'
	messagesApp       quotaClass = 'm'
	sendsRoute        quotaClass = 'o'
	troublesPhone     quotaClass = 'e'
	inboundSender     quotaClass = 'n'
	inboundBox        quotaClass = 'N'
	operatorAddress   quotaClass = 'O'
	conversionBlock   quotaClass = 'v' // a [conversionRow], and so is the next
	conversionCountry quotaClass = 'V'
	operatorSends     quotaClass = 'S'
	operatorTries     quotaClass = 'W'
)

// coarseMark stands before a subject that neighbours share.
const coarseMark = "~~"

// exactEvents is the largest count that a row keeps event by event; above it
// the longest window is counted in subWindows parts.
const (
	exactEvents = 120
	subWindows  = 60
)

// quotaRow holds the last events of one subject.
type quotaRow struct {
	_ struct{} `cbor:",toarray"`
	// Times are seconds of box time, ascending; each stands for one event, or
	// in a row of sub-windows for as many as Counts says.
	Times  []uint32
	Counts []uint32
}

// quota is one subject under its rules.
type quota struct {
	class   quotaClass
	subject string
	// coarse is the subject that it shares with its neighbours once there are
	// very many rows; "" is itself.
	coarse string
	rules  []Rule
	// keep is what the row must remember: the rules as they are configured, of
	// which rules may be a part or a share; nil is rules.
	keep []Rule
	// backoff applies to the events of the last hour (N8).
	backoff []time.Duration
	// conversion stands in the place of rules where it counts what becomes of
	// the events, else it is nil.
	conversion *conversion
	// code and detail are the refusal.
	code   Code
	detail string

	// The row, once the ledger has opened it.
	opened, found bool
	moved         bool // it had events in the future
	key           Key
	row           quotaRow
}

// retain is how long, and how many of, the events of a quota must be kept.
func (q *quota) retain() (window time.Duration, count int) {
	rules := q.keep
	if rules == nil {
		rules = q.rules
	}
	for _, r := range rules {
		window, count = max(window, r.Window), max(count, r.Count)
	}
	if len(q.backoff) > 0 {
		window, count = max(window, time.Hour), max(count, firstSends+len(q.backoff))
	}
	return window, count
}

func (q *quota) lifted() bool {
	return len(q.rules)+len(q.keep)+len(q.backoff) == 0 && q.conversion == nil
}

// wait returns how long until q, whose row is open, has room for one more event.
func (q *quota) wait(now Time) (longest time.Duration) {
	if q.conversion != nil {
		return q.conversion.wait(now)
	}
	window, _ := q.retain()
	for _, r := range q.rules {
		longest = max(longest, q.row.waitRule(r, q.row.width(window), now))
	}
	return max(longest, q.row.waitBackoff(q, now))
}

// record is the row of q.
func (q *quota) record() any {
	if q.conversion != nil {
		return &q.conversion.row
	}
	return &q.row
}

// clamp moves events in the future to now, and tells whether there were any.
// After an accepted step back of the clock they would lie there for years: they
// count as if they had just happened.
func (q *quota) clamp(second uint32) (moved bool) {
	if q.conversion != nil {
		return q.conversion.row.clamp(second)
	}
	return q.row.clamp(second)
}

func (row *quotaRow) clamp(second uint32) (moved bool) {
	for i := range row.Times {
		moved = moved || row.Times[i] > second
		row.Times[i] = min(row.Times[i], second)
	}
	return moved
}

// waitRule returns the time until fewer than r.Count events lie in the window,
// each of which may have happened up to width later than recorded.
func (row *quotaRow) waitRule(r Rule, width time.Duration, now Time) time.Duration {
	room := r.Count
	for i := len(row.Times) - 1; i >= 0; i-- {
		left := secondsTime(row.Times[i]).Add(width + r.Window).Sub(now)
		if left <= 0 {
			return 0
		}
		if room -= row.count(i); room <= 0 {
			return left
		}
	}
	return 0
}

// within counts the events that lie in the window of r.
func (row *quotaRow) within(r Rule, now Time) (n int) {
	for i, t := range row.Times {
		if secondsTime(t).Add(row.width(r.Window)+r.Window) > now {
			n += row.count(i)
		}
	}
	return n
}

// waitBackoff returns the time until the back-off of q allows the next event.
func (row *quotaRow) waitBackoff(q *quota, now Time) time.Duration {
	if len(q.backoff) == 0 || len(row.Times) == 0 {
		return 0
	}
	recent := row.Times
	for len(recent) > 0 && secondsTime(recent[0]).Add(time.Hour) <= now {
		recent = recent[1:]
	}
	// Either the wait after the newest event ends, or so many events leave the
	// hour that a shorter wait, or none, applies.
	for at := now; len(recent) >= firstSends; recent = recent[1:] {
		newest := recent[len(recent)-1]
		step := q.backoff[min(len(recent)-firstSends, len(q.backoff)-1)]
		due := max(at, secondsTime(newest).Add(jitter(step, q.subject, newest)))
		leaves := secondsTime(recent[0]).Add(time.Hour)
		if due <= leaves {
			return due.Sub(now)
		}
		at = leaves
		if len(recent) == firstSends {
			return at.Sub(now)
		}
	}
	return 0
}

// jitter moves d by up to a tenth, the same way each time for one event: the
// Retry-After that was told stays true.
func jitter(d time.Duration, subject string, event uint32) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(subject))
	h.Write([]byte{byte(event >> 24), byte(event >> 16), byte(event >> 8), byte(event)})
	return d + time.Duration(int64(d)/10*(int64(h.Sum32()%2001)-1000)/1000)
}

// add appends an event and drops what no rule can see any more.
func (row *quotaRow) add(now Time, window time.Duration, count int) {
	second := now.seconds()
	for len(row.Times) > 0 && secondsTime(row.Times[0]).Add(window+row.width(window)) <= now {
		row.drop()
	}
	if count <= exactEvents {
		row.Counts = nil // if the limit was larger before
		for len(row.Times) >= max(count, 1) {
			row.drop()
		}
		row.Times = append(row.Times, second)
		return
	}
	for len(row.Counts) < len(row.Times) { // the limit was smaller before
		row.Counts = append(row.Counts, 1)
	}
	width := uint32(max(window/subWindows/time.Second, 1))
	second -= second % width
	if n := len(row.Times); n > 0 && row.Times[n-1] >= second {
		row.Counts[n-1]++
		return
	}
	row.Times, row.Counts = append(row.Times, second), append(row.Counts, 1)
}

func (row *quotaRow) drop() {
	row.Times = row.Times[1:]
	if len(row.Counts) > 0 {
		row.Counts = row.Counts[1:]
	}
}

func (row *quotaRow) count(i int) int {
	if i < len(row.Counts) {
		return int(row.Counts[i])
	}
	return 1
}

// width is how long after its recorded second an event may have happened: one
// sub-window of what the row retains, or nothing where events stand alone. Erring by it delays a
// caller; erring the other way would let one too many through.
func (row *quotaRow) width(window time.Duration) time.Duration {
	if row.Counts == nil {
		return 0
	}
	return max(window/subWindows, time.Second)
}
