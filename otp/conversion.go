package otp

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp/phone"
)

// Conversion shuts a block of numbers, or a country, that much is sent to and
// little comes back from: somebody earns by the messages, and nobody types the
// codes in (N12).
type Conversion struct {
	Sends   int           // how many make it worth looking
	Window  time.Duration // in which they are counted, and how long it stays shut
	Percent int           // of the sends, that must verify
}

// A code may still be on its way, or before somebody's eyes: for that long a
// send is not held against anybody. It holds for no more sends than one part in
// so many of those that the rule asks for, or a flood would be over before it
// counts.
const (
	onTheWay   = 5 * time.Minute
	onTheWayOf = 4
)

// conversionRow holds what was sent to a subject and what of it verified.
type conversionRow struct {
	_ struct{} `cbor:",toarray"`
	// Starts are seconds of box time, ascending, one for each part of the window
	// in which there was something; Sends and Verified are as long as it.
	Starts, Sends, Verified []uint32
	// Shut is the second of box time from which it is shut, 0 if it is open. What
	// is left of that time is worked out from the counts, so that codes which are
	// typed in late open it again.
	Shut uint32
}

// conversion is one subject under its rules, as the quota that stands for it
// has it.
type conversion struct {
	rules []Conversion
	row   conversionRow
	shuts bool // whether a look at the row has shut the subject
}

// closing tells that a subject has been shut.
type closing struct {
	prefix          string // what its numbers begin with
	sends, verified uint32
}

// conversions lists the subjects that an address counts for: none, for what is
// no number or is one that the app or the caller vouches for.
func (b *Box) conversions(app *App, c Caller, a Address) []quota {
	limits := &b.Limits
	if a.Kind != Phone || app.safe(a.Key) || contains(limits.Exempt, c.Address) {
		return nil
	}
	var quotas []quota
	for _, q := range []quota{
		{class: conversionBlock, subject: phone.Block(a.Key, 3), conversion: &conversion{rules: limits.ConversionPerBlock}},
		{class: conversionCountry, subject: strconv.Itoa(int(a.Calling)), conversion: &conversion{rules: limits.ConversionPerCountry}},
	} {
		if len(q.conversion.rules) > 0 {
			q.code, q.detail = LimitBox, tooMany
			quotas = append(quotas, q)
		}
	}
	return quotas
}

// window is how long the row must remember, and width how exactly.
func (c *conversion) window() (window, width time.Duration) {
	for _, r := range c.rules {
		window = max(window, r.Window)
	}
	return window, max(window/subWindows, time.Second)
}

// count returns what lies in a window that ends at a moment.
func (c *conversion) count(window time.Duration, at Time) (sends, verified uint32) {
	_, width := c.window()
	row := &c.row
	for i := len(row.Starts) - 1; i >= 0 && secondsTime(row.Starts[i]).Add(width+window) > at; i-- {
		sends += row.Sends[i]
		verified += row.Verified[i]
	}
	return sends, verified
}

// poor tells whether too little has verified of what was sent by a moment.
func (c *conversion) poor(r Conversion, at Time) bool {
	sends, verified := c.count(r.Window, at)
	young, _ := c.count(onTheWay, at)
	counted := int(sends) - min(int(young), r.Sends/onTheWayOf)
	return counted >= r.Sends && int(verified)*100 < int(sends)*r.Percent
}

// until returns when the time is over that the subject has been shut for; 0 if
// there is no reason any more, for enough has verified since.
func (c *conversion) until() (end Time) {
	shut := secondsTime(c.row.Shut)
	for _, r := range c.rules {
		if c.poor(r, shut) {
			end = max(end, shut.Add(r.Window))
		}
	}
	return end
}

// wait returns how long the subject stays shut, 0 if it is open, and shuts it if
// that is due.
func (c *conversion) wait(now Time) time.Duration {
	if c.row.Shut != 0 {
		end := c.until()
		if end > now {
			return end.Sub(now)
		}
		if end != 0 {
			c.row = conversionRow{} // what it was shut for is paid
		}
	}
	c.row.Shut = uint32(now / 1000) // rounded up, it would be more than the window
	end := c.until()
	if c.shuts = end > now; !c.shuts {
		c.row.Shut = 0
	}
	return max(end.Sub(now), 0)
}

// part returns the index of the part of the window that a moment is in, and
// drops those that no rule can see any more.
func (c *conversion) part(now Time) int {
	window, width := c.window()
	row, seen := &c.row, now
	if row.Shut != 0 {
		seen = min(seen, secondsTime(row.Shut)) // what it was shut for must stay
	}
	gone := 0
	for gone < len(row.Starts) && secondsTime(row.Starts[gone]).Add(window+width) <= seen {
		gone++
	}
	row.Starts, row.Sends, row.Verified = row.Starts[gone:], row.Sends[gone:], row.Verified[gone:]
	start := now.seconds()
	start -= start % uint32(width/time.Second)
	if last := len(row.Starts) - 1; last >= 0 && row.Starts[last] >= start {
		return last
	}
	row.Starts, row.Sends, row.Verified = append(row.Starts, start), append(row.Sends, 0), append(row.Verified, 0)
	return len(row.Starts) - 1
}

// clamp moves what lies in the future to now, and tells whether anything did.
// What a damaged row has too much of is dropped.
func (row *conversionRow) clamp(second uint32) (moved bool) {
	n := min(len(row.Starts), len(row.Sends), len(row.Verified))
	row.Starts, row.Sends, row.Verified = row.Starts[:n], row.Sends[:n], row.Verified[:n]
	moved = row.Shut > second
	row.Shut = min(row.Shut, second)
	for i := range row.Starts {
		moved = moved || row.Starts[i] > second
		row.Starts[i] = min(row.Starts[i], second)
	}
	return moved
}

// closings writes and returns what a look at the quotas of a refused send has
// shut.
func (l *ledger) closings(quotas []quota) (all []closing) {
	for i := range quotas {
		q := &quotas[i]
		if q.conversion == nil || !q.conversion.shuts {
			continue
		}
		l.keep(q)
		window, _ := q.conversion.window()
		sends, verified := q.conversion.count(window, l.now)
		all = append(all, closing{"+" + strings.TrimPrefix(q.subject, "+"), sends, verified})
	}
	return all
}

// tellClosings logs what a refusal has shut, once it is durable.
func (b *Box) tellClosings(refusal *Error) {
	for _, c := range refusal.closings {
		b.Log.Warn().Str("prefix", c.prefix).Uint32("sends", c.sends).Uint32("verified", c.verified).
			Msg("fraud.prefix")
	}
}

// verified counts an approval for the block and the country of a number that
// never verified here before.
func (b *Box) verified(tx Tx, app *App, c Caller, a Address, now Time) error {
	l := &ledger{tx: tx, now: now}
	for _, q := range b.conversions(app, c, a) {
		if l.open(&q); q.found {
			q.conversion.row.Verified[q.conversion.part(now)]++
			l.keep(&q)
		}
	}
	return l.err
}

// unsent takes back a send that was counted and has not left the box.
func (b *Box) unsent(tx Tx, app *App, a Address, now Time) error {
	known, err := loadKnown(tx, a)
	if err != nil || known.recent(now) {
		return err
	}
	l := &ledger{tx: tx, now: now}
	for _, q := range b.conversions(app, Caller{}, a) {
		l.open(&q)
		sends := q.conversion.row.Sends
		for i, n := range slices.Backward(sends) {
			if n > 0 {
				sends[i]--
				l.keep(&q)
				break
			}
		}
	}
	return l.err
}
