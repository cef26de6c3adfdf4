package otp

import "time"

// crowdedRows is how many quota rows there may be before new subjects share a
// coarse row: never "refuse all", never "allow all".
const crowdedRows = 1_000_000

// crowdHours is how long a quota row can live after its last event, and so how
// far back the count of rows must reach.
const crowdHours = 25

// crowd counts the quota rows made in each of the last hours. Their sum is
// about the number of rows there are: one that is used for longer than a day
// is not counted any more.
type crowd struct {
	_     struct{} `cbor:",toarray"`
	Hour  uint32   // of the last entry
	Rows  [crowdHours]uint32
	Total uint32
}

var crowdKey = Key{KindMeta, "quotas"}

// rows returns the count of rows, with the hours that have passed cleared.
func (l *ledger) rows() *crowd {
	if l.crowd != nil {
		return l.crowd
	}
	c := new(crowd)
	if _, err := load(l.tx, crowdKey, c); err != nil && l.err == nil {
		l.err = err
	}
	hour := uint32(int64(l.now) / time.Hour.Milliseconds())
	c.Hour = max(c.Hour, hour-min(hour, crowdHours)) // what lies further back is cleared in one turn
	for c.Hour < hour {
		c.Hour++
		slot := &c.Rows[c.Hour%crowdHours]
		c.Total -= *slot
		*slot = 0
	}
	l.crowd = c
	return c
}

// countRow counts a row that is about to be made.
func (l *ledger) countRow() {
	c := l.rows()
	c.Rows[c.Hour%crowdHours]++
	c.Total++
	save(l.tx, crowdKey, c, 0)
}
