package otp

import (
	"context"
	"encoding/binary"
	"sync"
	"time"
)

// ChartStep is the length of a slot of the chart.
const ChartStep = 15 * time.Minute

// keepChart is how far back the chart goes.
const keepChart = 168 * time.Hour

// chartEvery is how often the chart is written: at a crash so much of it is
// lost, and the requests that it counts pay nothing for it.
const chartEvery = time.Minute

// Tally is what was counted in some time.
type Tally struct {
	_ struct{} `cbor:",toarray"`

	Sent      uint32 // messages that a network or provider took
	Delivered uint32 // of which the handset said so
	Approved  uint32 // verifications
	Refused   uint32 // starts that a limit, a list or a lack of routes refused
}

func (t *Tally) add(u Tally) {
	t.Sent, t.Delivered = t.Sent+u.Sent, t.Delivered+u.Delivered
	t.Approved, t.Refused = t.Approved+u.Approved, t.Refused+u.Refused
}

// chartLast is when each was counted last, 0 for never.
type chartLast struct {
	_              struct{} `cbor:",toarray"`
	Sent, Approved Time
}

// Chart counts what the box does, slot by slot. It is counted in memory and
// written now and then by [Chart.Run]. The nil Chart counts nothing. Its
// methods may be called from any goroutine.
type Chart struct {
	store Store
	clock *Clock

	// writing is held while what was counted moves into the store, and while both
	// are read: nobody must see it in neither, or in both.
	writing sync.Mutex

	mu    sync.Mutex
	slots map[Time]Tally // counted and not yet written, by their beginning
	last  chartLast
	dirty bool // last is not what the store has
}

// NewChart returns the chart of a store. [Chart.Open] reads what it holds.
func NewChart(store Store, clock *Clock) *Chart {
	return &Chart{store: store, clock: clock, slots: map[Time]Tally{}}
}

var chartLastKey = Key{Kind: KindChart}

func chartKey(slot Time) Key {
	return Key{KindChart, string(binary.BigEndian.AppendUint64(nil, uint64(slot)))}
}

// slotOf returns the beginning of the slot that t lies in.
func slotOf(t Time) Time { return t - t%Time(ChartStep/time.Millisecond) }

// Open reads when something was counted last.
func (c *Chart) Open(ctx context.Context) error {
	return c.store.View(ctx, func(tx Tx) error {
		_, err := load(tx, chartLastKey, &c.last)
		return err
	})
}

// count adds to the slot of now.
func (c *Chart) count(t Tally) {
	if c == nil {
		return
	}
	now := c.clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	slot := c.slots[slotOf(now)]
	slot.add(t)
	c.slots[slotOf(now)] = slot
	if t.Sent > 0 {
		c.last.Sent, c.dirty = now, true
	}
	if t.Approved > 0 {
		c.last.Approved, c.dirty = now, true
	}
}

// Run writes the chart every minute in which something was counted, and once
// more when ctx ends.
func (c *Chart) Run(ctx context.Context) error {
	ticker := time.NewTicker(chartEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return c.write(context.WithoutCancel(ctx))
		case <-ticker.C:
		}
		if err := c.write(ctx); err != nil && ctx.Err() == nil && AsError(err).Code == Internal {
			return err // a full disk passes; this does not
		}
	}
}

// write adds what was counted to what is stored. What cannot be written is
// counted on.
func (c *Chart) write(ctx context.Context) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	slots, last, dirty := c.slots, c.last, c.dirty
	c.slots, c.dirty = map[Time]Tally{}, false
	c.mu.Unlock()
	if len(slots) == 0 && !dirty {
		return nil
	}
	err := c.store.Update(ctx, func(tx Tx) error {
		for slot, more := range slots {
			var t Tally
			if _, err := load(tx, chartKey(slot), &t); err != nil {
				return err
			}
			t.add(more)
			save(tx, chartKey(slot), t, slot.Add(ChartStep+keepChart))
		}
		save(tx, chartLastKey, last, 0)
		return nil
	})
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for slot, t := range slots {
		more := c.slots[slot]
		more.add(t)
		c.slots[slot] = more
	}
	c.dirty = true
	return err
}

// Slots returns the tallies of the last span, which is at most a week: the
// first begins at from, each lasts [ChartStep], and the last is under way.
func (c *Chart) Slots(ctx context.Context, span time.Duration) (from Time, slots []Tally, err error) {
	n := max(int(min(span, keepChart)/ChartStep), 1)
	from = slotOf(c.clock.Now()).Add(-time.Duration(n-1) * ChartStep)
	slots = make([]Tally, n)
	place := func(at Time) int { return int(at.Sub(from) / ChartStep) }
	c.writing.Lock()
	defer c.writing.Unlock()
	err = c.store.View(ctx, func(tx Tx) error {
		var damaged error
		err := tx.Scan(Key{Kind: KindChart}, chartKey(from-1), 0, func(k Key, row []byte) bool {
			at := Time(binary.BigEndian.Uint64([]byte(k.Part)))
			if i := place(at); i < n { // a slot may lie ahead after a step back of the clock
				damaged = decodeRecord(row, &slots[i])
			}
			return damaged == nil
		})
		if err == nil {
			err = damaged
		}
		return err
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	for at, t := range c.slots {
		if i := place(at); at >= from && i < n {
			slots[i].add(t)
		}
	}
	return from, slots, err
}

// Last returns when a message was sent and a verification approved last, 0 for
// never.
func (c *Chart) Last() (sent, approved Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last.Sent, c.last.Approved
}
