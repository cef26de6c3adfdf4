package otp_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// machine is a computer whose wall clock, boot and sleep a test can set.
type machine struct {
	boot  string
	since time.Duration // boot time when the process began
	slept time.Duration
	build otp.Time
}

func (m *machine) clock() *otp.Clock {
	start := m.since
	began := otp.NewClock(otp.ClockSource{})
	first := began.Now()
	return otp.NewClock(otp.ClockSource{
		Suspended: func() time.Duration { return m.slept },
		Boot: func() otp.Boot {
			return otp.Boot{ID: m.boot, Elapsed: start + began.Now().Sub(first) + m.slept}
		},
		Build: m.build,
	})
}

func marked(t *testing.T, c *otp.Clock, store otp.Store) {
	t.Helper()
	must(t, (&otp.Box{Store: store, Clock: c}).Beat(context.Background()))
}

func restored(t *testing.T, c *otp.Clock, store otp.Store) otp.Time {
	t.Helper()
	must(t, store.View(context.Background(), c.Restore))
	return c.Now()
}

func TestBoxTime(t *testing.T) {
	const hour = time.Hour
	for _, test := range []struct {
		name string
		// before is the machine that wrote the mark after an hour, after the one
		// that a new process finds; between passes in between.
		before, after machine
		between       time.Duration
		want          time.Duration // box time since the first process began
	}{
		{"same boot goes on by boot time", machine{boot: "a"}, machine{boot: "a", since: 2 * hour}, 0, 2 * hour},
		{"same boot, wall clock ahead", machine{boot: "a"}, machine{boot: "a", since: hour}, 24 * hour, hour},
		{"same boot, suspended", machine{boot: "a", slept: hour}, machine{boot: "a", since: 2 * hour}, 0, 2 * hour},
		{"new boot, wall clock ahead", machine{boot: "a"}, machine{boot: "b"}, 24 * hour, 25 * hour},
		{"new boot, wall clock behind the mark", machine{boot: "a", slept: 48 * hour}, machine{boot: "b"}, 0, 49 * hour},
		{"new boot, build date ahead of both", machine{boot: "a"}, machine{boot: "b", build: otp.TimeOf(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))}, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				store := otptest.NewMemory()
				c := test.before.clock()
				began := c.Now().Add(-test.before.slept)
				pass(hour)
				marked(t, c, store)
				pass(test.between)
				got := restored(t, test.after.clock(), store)
				want := began.Add(test.want)
				if test.after.build != 0 {
					want = test.after.build
				}
				if d := got.Sub(want); d < 0 || d > time.Second {
					t.Errorf("box time is %s, want %s", got.Std(), want.Std())
				}
			})
		})
	}
}

func TestWallClockBelowTheBuildDate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		build := otp.TimeOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) // the bubble begins in 2000
		if now := otp.NewClock(otp.ClockSource{Build: build}).Now(); now != build {
			t.Errorf("box time is %s", now.Std())
		}
	})
}

func TestAcceptStepsToTheWallClock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := machine{boot: "a", slept: 40 * 365 * 24 * time.Hour} // box time is in the far future
		r := newRig(t, setup{clock: m.clock()})
		must(t, r.box.Clock.Accept(context.Background(), r.store))
		if d := r.box.Clock.Now().Sub(r.box.Clock.Wall()); d.Abs() > time.Second {
			t.Errorf("box time is %s away from the wall clock", d)
		}
		r.stop()
		m.slept = 0 // and a restart keeps to it
		if d := restored(t, m.clock(), r.store).Sub(r.box.Clock.Wall()); d.Abs() > time.Second {
			t.Errorf("after a restart box time is %s away from the wall clock", d)
		}
	})
}

// The mark is written in closures that run anyway, at most every ten seconds.
// What a network tells moves no clock; it is shown for an hour, and tells
// whether it agrees.
func TestHearIsAHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := otp.NewClock(otp.ClockSource{Build: otp.NewClock(otp.ClockSource{}).Now().Add(-time.Hour)})
		if _, _, _, ok := c.Heard(); ok {
			t.Error("something was heard before anybody spoke")
		}
		for _, d := range []time.Duration{-2 * time.Hour, -3 * 365 * 24 * time.Hour} { // before the build date
			c.Hear("gsm0", c.Now().Add(d))
			if _, _, _, ok := c.Heard(); ok {
				t.Errorf("%v was heard", d)
			}
		}
		for d, want := range map[time.Duration]bool{0: true, time.Minute: true, -time.Minute: true, 3 * time.Minute: false, 10 * 365 * 24 * time.Hour: false} {
			before := c.Now()
			c.Hear("gsm0", before.Add(d))
			time.Sleep(50 * time.Minute)
			source, at, agrees, ok := c.Heard()
			if now := before.Add(50 * time.Minute); !ok || source != "gsm0" || agrees != want || at != now.Add(d) || c.Now() != now {
				t.Errorf("%v: heard %v of %q, agrees %v, now %v", d, at, source, agrees, c.Now())
			}
			time.Sleep(11 * time.Minute)
			if _, _, _, ok := c.Heard(); ok {
				t.Errorf("%v was heard an hour ago and still counts", d)
			}
		}
	})
}

func TestMarkIsWrittenSparingly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare})
		key := otp.Key{Kind: otp.KindMeta, Part: "clock"}
		mark := func() (row string) {
			must(t, r.store.View(context.Background(), func(tx otp.Tx) error {
				v, _ := tx.Get(key)
				row = string(v)
				return nil
			}))
			return row
		}
		must(t, r.canceled(r.server(), alice))
		first := mark()
		pass(5 * time.Second)
		must(t, r.canceled(r.server(), alice))
		if mark() != first {
			t.Error("the mark was written again after five seconds")
		}
		pass(6 * time.Second)
		must(t, r.canceled(r.server(), alice))
		if mark() == first {
			t.Error("the mark is eleven seconds old")
		}
	})
}

// The kernel is asked about suspend once a millisecond and no oftener, and a
// sleep is noticed within that time.
func TestClockAsksSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, slept := 0, time.Duration(0)
		c := otp.NewClock(otp.ClockSource{Suspended: func() time.Duration { asked++; return slept }})
		began := c.Now()
		for range 100 {
			c.Now()
		}
		if asked > 2 {
			t.Errorf("asked %d times in one moment", asked)
		}
		slept = time.Hour
		time.Sleep(time.Millisecond)
		if got := c.Now().Sub(began); got != time.Hour+time.Millisecond {
			t.Errorf("an hour of sleep and a millisecond took %s", got)
		}
	})
}
