package webtest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// watcher is a test that keeps its complaints to itself.
type watcher struct {
	*testing.T
	complaints []string
}

func (w *watcher) Errorf(format string, args ...any) {
	w.complaints = append(w.complaints, fmt.Sprintf(format, args...))
}

func (w *watcher) Error(args ...any) { w.complaints = append(w.complaints, fmt.Sprint(args...)) }

func (w *watcher) Fatalf(format string, args ...any) {
	w.Errorf(format, args...)
	panic(w)
}

func (w *watcher) Fatal(args ...any) { w.Fatalf("%s", fmt.Sprint(args...)) }

// complaints runs what is judged, and returns what it complains about.
func complaints(t *testing.T, run func(testing.TB)) []string {
	t.Helper()
	w := &watcher{T: t}
	func() {
		defer func() {
			if r := recover(); r != nil && r != any(w) {
				panic(r)
			}
		}()
		run(w)
	}()
	return w.complaints
}

// must fails unless there is a complaint, or none, as wanted.
func must(t *testing.T, name string, complain bool, run func(testing.TB)) {
	t.Helper()
	if got := complaints(t, run); (len(got) > 0) != complain {
		t.Errorf("%s: complaints are %q", name, got)
	}
}

// files moves the test into a folder with an empty testdata.
func files(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.Mkdir("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("UPDATE", "")
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join("testdata", name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
