package systemd_test

import (
	"regexp"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinferry/pinferry/systemd"
)

func TestBoot(t *testing.T) {
	id, elapsed := systemd.Boot()
	if !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("the boot id is %q", id)
	}
	again, later := systemd.Boot()
	if again != id || later < elapsed {
		t.Errorf("the boot %s of %s became %s of %s", id, elapsed, again, later)
	}
	// The kernel's uptime counts suspend too, in whole seconds.
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		t.Fatal(err)
	}
	if off := time.Duration(info.Uptime)*time.Second - later; off < -2*time.Second || off > 2*time.Second {
		t.Errorf("boot is %s ago, the kernel's uptime is %d s", later, info.Uptime)
	}
}

// A machine that does not sleep has not slept, however often and from however
// many goroutines it is asked: time must not creep ahead.
func TestSuspended(t *testing.T) {
	suspended := systemd.Suspended()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			var last time.Duration
			for range 5_000 {
				now := suspended()
				if now < last {
					t.Errorf("%s fell to %s", last, now)
				}
				last = now
			}
		})
	}
	all.Wait()
	if d := suspended(); d != 0 {
		t.Errorf("slept for %s", d)
	}
}

func BenchmarkSuspended(b *testing.B) {
	suspended := systemd.Suspended()
	for b.Loop() {
		suspended()
	}
}
