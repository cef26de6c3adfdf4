package systemd

import (
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Boot returns the kernel's id of the present boot and how long it has lasted,
// suspend included. An empty id means that the kernel does not tell; then no
// two moments are known to be of one boot.
func Boot() (id string, elapsed time.Duration) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", 0
	}
	return strings.TrimSpace(string(b)), read(unix.CLOCK_BOOTTIME)
}

// sleepNoise is how far two readings of the kernel's clocks may lie apart
// without a suspend between them.
const sleepNoise = time.Millisecond

// Suspended returns a function that tells how long the machine has slept since
// Suspended was called. Go's own clock stands still meanwhile. The function is
// safe for concurrent use and its result never falls.
func Suspended() func() time.Duration {
	var base time.Duration
	// A pause between two readings makes what is measured too small, never too
	// large: the largest of a few is the truth.
	for range 8 {
		base = max(base, slept())
	}
	var most atomic.Int64
	return func() time.Duration {
		now := slept() - base
		for {
			last := most.Load()
			if now <= time.Duration(last)+sleepNoise {
				return time.Duration(last)
			}
			if most.CompareAndSwap(last, int64(now)) {
				return now
			}
		}
	}
}

// slept returns how long the machine has slept since boot, at most. The clock
// that runs in sleep is read first.
func slept() time.Duration {
	boot := read(unix.CLOCK_BOOTTIME)
	return boot - read(unix.CLOCK_MONOTONIC)
}

// read returns a kernel clock, 0 if the kernel has none.
func read(clock int32) time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// Synchronised tells whether something keeps the kernel's wall clock right. If
// the kernel does not say, nothing does.
func Synchronised() bool {
	state, err := unix.Adjtimex(&unix.Timex{})
	return err == nil && state != unix.TIME_ERROR
}
