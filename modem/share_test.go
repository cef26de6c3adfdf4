package modem_test

import (
	"slices"
	"strings"
	"testing"
)

func TestFinderSharesSticksOut(t *testing.T) {
	u := newUSB(t)
	newQuectel(t, imeiA).plug(t, u, "1-1", 0)
	newQuectel(t, imeiB).plug(t, u, "1-2", 4)
	f := u.finder()
	first, second, third := f.Seek("gsm0", "auto"), f.Seek("gsm1", "auto"), f.Seek("gsm2", "auto")
	a, pathA := must(t, first)
	b, pathB := must(t, second)
	if pathA == pathB {
		t.Errorf("both have %s", pathA)
	}
	if _, path, failed := open(t, third); failed == nil || failed.Reason != "absent" || !strings.Contains(failed.Detail, "another [[modem]]") {
		t.Errorf("the third found %s: %v", path, failed)
	}
	// Let go of, each goes back to whom it was with, whoever looks first.
	a.Close()
	b.Close()
	b, again := must(t, second)
	defer b.Close()
	if again != pathB {
		t.Errorf("the second had %s and took %s", pathB, again)
	}
	if _, path, failed := open(t, third); failed == nil {
		t.Errorf("the third took %s, which the first will want again", path)
	}
	a, again = must(t, first)
	defer a.Close()
	if again != pathA {
		t.Errorf("the first had %s and took %s", pathA, again)
	}
}

// A route stays with the modem that it had, and takes another one when that is
// gone.
func TestFinderPrefersTheModemItHad(t *testing.T) {
	u := newUSB(t)
	stick := newQuectel(t, imeiA)
	stick.plug(t, u, "1-2", 4)
	search := u.finder().Seek("gsm0", "auto")
	port, _ := must(t, search)
	port.Close()
	newQuectel(t, imeiB).plug(t, u, "1-1", 0) // before the other in order
	port, path := must(t, search)
	port.Close()
	if path != u.tty("ttyUSB6") {
		t.Errorf("left its modem for %s", path)
	}
	stick.pull(t, u, "1-2")
	port, path = must(t, search)
	port.Close()
	if path != u.tty("ttyUSB2") {
		t.Errorf("opened %s instead of the spare", path)
	}
}

// What the configuration names is left to whom it names it for.
func TestFinderLeavesWhatIsNamed(t *testing.T) {
	u := newUSB(t)
	newQuectel(t, imeiA).plug(t, u, "1-1", 0)
	newQuectel(t, imeiB).plug(t, u, "1-2", 4)
	f := u.finder()
	any := f.Seek("any", "auto")
	f.Seek("named", "imei:"+imeiA)
	byPath := f.Seek("path", u.tty("ttyUSB7"))
	if _, path, failed := open(t, any); failed == nil {
		t.Errorf("took %s", path)
	}
	port, _ := must(t, byPath)
	same := f.Seek("same", u.tty("ttyUSB6"))
	if _, _, failed := open(t, same); failed == nil || failed.Reason != "busy" || !strings.Contains(failed.Detail, `"path"`) {
		t.Errorf("another port of a stick that is taken: %v", failed)
	}
	port.Close()
	port, _ = must(t, same)
	port.Close()
}

// Two may look at once; a stick that is being asked is not "busy" to the other.
func TestFinderIsSafeForConcurrentUse(t *testing.T) {
	u := newUSB(t)
	newQuectel(t, imeiA).plug(t, u, "1-1", 0)
	newQuectel(t, imeiB).plug(t, u, "1-2", 4)
	f := u.finder()
	found := make(chan string, 2)
	for _, route := range []string{"gsm0", "gsm1"} {
		search := f.Seek(route, "auto")
		go func() {
			port, err := search.Open(t.Context())
			if err != nil {
				found <- err.Error()
				return
			}
			found <- port.(interface{ Name() string }).Name()
			<-t.Context().Done()
			port.Close()
		}()
	}
	got := []string{<-found, <-found}
	slices.Sort(got)
	if want := []string{u.tty("ttyUSB2"), u.tty("ttyUSB6")}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
