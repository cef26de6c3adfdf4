package otp

import (
	"context"
	"sync/atomic"
	"time"
)

// Clock tells box time: a time that goes on through suspend, never runs
// backwards through a restart, and does not follow a wall clock that is set
// while the box runs. Every deadline is box time.
type Clock struct {
	start     time.Time
	suspended func() time.Duration
	boot      func() Boot
	build     Time
	anchor    atomic.Int64 // Time at start
	marked    atomic.Int64 // Time of the last mark
	heard     atomic.Pointer[hint]

	slept atomic.Int64 // what suspended said last
	asked atomic.Int64 // when that was, as time since start
}

// hint is a time that somebody outside has told.
type hint struct {
	source string
	at     Time
	since  time.Time
}

// hintAge is how long a hint counts.
const hintAge = time.Hour

// hintNear is how far a hint and box time may lie apart and still agree: a
// network gives its time in whole seconds, late, and once in a while.
const hintNear = 2 * time.Minute

// Boot is where a machine's life stands: which boot it is and how long it has
// lasted, suspend included.
type Boot struct {
	ID      string
	Elapsed time.Duration
}

// ClockSource is what a clock is made of; the zero source runs on the wall
// clock alone.
type ClockSource struct {
	// Suspended returns how long the machine has slept since the process
	// started; nil: never.
	Suspended func() time.Duration
	// Boot returns the present boot; nil: unknown.
	Boot func() Boot
	// Build is the date of this build: no earlier time can be true.
	Build Time
}

// markEvery is how often the clock mark is written, in a closure that runs
// anyway.
const markEvery = 10 * time.Second

// mark is the highest box time that is known to have passed.
type mark struct {
	_       struct{} `cbor:",toarray"`
	At      Time
	BootID  string
	Elapsed int64 // milliseconds of boot time at At
}

var markKey = Key{KindMeta, "clock"}

// NewClock starts a clock at the wall clock's time, or at the build date if
// the wall clock is behind it. [Clock.Restore] moves it on to where the box
// has been.
func NewClock(source ClockSource) *Clock {
	c := &Clock{start: time.Now(), suspended: source.Suspended, boot: source.Boot, build: source.Build}
	c.anchor.Store(int64(max(TimeOf(c.start), source.Build)))
	if c.suspended != nil {
		c.slept.Store(int64(c.suspended()))
	}
	return c
}

// Now returns box time.
func (c *Clock) Now() Time {
	awake := time.Since(c.start)
	return Time(c.anchor.Load()).Add(awake + c.sleep(awake))
}

// askEvery is how long the answer about suspend is good for: time that is told
// some ten times a request need not ask the kernel each time. So long a box may
// take to notice that it has slept.
const askEvery = time.Millisecond

// sleep returns how long the machine has slept when the process has been awake
// for that long.
func (c *Clock) sleep(awake time.Duration) time.Duration {
	if c.suspended == nil {
		return 0
	}
	if awake < time.Duration(c.asked.Load())+askEvery {
		return time.Duration(c.slept.Load())
	}
	for { // of two that ask at once the later answer counts: box time never falls
		last, now := c.slept.Load(), int64(c.suspended())
		if now <= last || c.slept.CompareAndSwap(last, now) {
			break
		}
	}
	c.asked.Store(int64(awake))
	return time.Duration(c.slept.Load())
}

// Wall returns the wall clock, for `clock status` only.
func (c *Clock) Wall() Time { return TimeOf(time.Now()) }

// Hear takes a time that an outside source tells, such as the network of a
// modem. It never moves the clock, for a forged network must not be able to:
// it is shown to the operator, and one that agrees is a reason to believe in
// box time. What lies before the build date is not taken.
func (c *Clock) Hear(source string, at Time) {
	if at > 0 && at >= c.build {
		c.heard.Store(&hint{source: source, at: at, since: time.Now()})
	}
}

// Heard returns the last hint of the last hour, moved on to this moment. agrees
// tells whether it confirms box time; ok is false when there is none.
func (c *Clock) Heard() (source string, at Time, agrees, ok bool) {
	h := c.heard.Load()
	if h == nil {
		return "", 0, false, false
	}
	passed := time.Since(h.since)
	if passed > hintAge {
		return "", 0, false, false
	}
	at = h.at.Add(passed)
	return h.source, at, at.Sub(c.Now()).Abs() <= hintNear, true
}

// Build returns the build date: a box time below it is known to be wrong.
func (c *Clock) Build() Time { return c.build }

// Restore anchors the clock to the stored mark: in the same boot it goes on by
// the elapsed boot time, in a new boot it starts at the latest of the mark,
// the wall clock and the build date.
func (c *Clock) Restore(tx Tx) error {
	var m mark
	found, err := load(tx, markKey, &m)
	if err != nil || !found {
		return err
	}
	now := c.Now()
	truth := max(now, m.At)
	if b := c.bootNow(); b.ID != "" && b.ID == m.BootID && b.Elapsed.Milliseconds() >= m.Elapsed {
		truth = max(m.At.Add(b.Elapsed-time.Duration(m.Elapsed)*time.Millisecond), c.build)
	}
	c.anchor.Add(int64(truth - now))
	return nil
}

// Mark writes the clock mark if the last one is markEvery old. Closures that
// write anyway call it last.
func (c *Clock) Mark(tx Tx) {
	now := c.Now()
	last := c.marked.Load()
	// A mark ahead of box time is what a closure wrote while an accepted step
	// back was being committed: it would undo the step at the next start.
	if last != 0 && Time(last) <= now && now.Sub(Time(last)) < markEvery {
		return
	}
	c.mark(tx, now)
}

// Accept steps box time to the wall clock, forwards or backwards, and kills
// every live code: an operator's decision (`pinferry clock accept`).
func (c *Clock) Accept(ctx context.Context, store Store) error {
	now := c.Now()
	truth := max(c.Wall(), c.build)
	err := store.Update(ctx, func(tx Tx) error {
		c.mark(tx, truth)
		return replaceEpoch(tx)
	})
	if err == nil {
		c.anchor.Add(int64(truth - now))
	}
	return err
}

func (c *Clock) mark(tx Tx, now Time) {
	b := c.bootNow()
	save(tx, markKey, mark{At: now, BootID: b.ID, Elapsed: b.Elapsed.Milliseconds()}, 0)
	c.marked.Store(int64(now))
}

func (c *Clock) bootNow() Boot {
	if c.boot == nil {
		return Boot{}
	}
	return c.boot()
}
