package console_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/server/admin"
	"github.com/pinferry/pinferry/server/console"
)

// alone runs a command where no box is.
func alone(t *testing.T, do func(*console.Invocation) error, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = console.Table{console.New("thing do", "", "do the thing", do)}.Run(console.Terminal{
		Environ: []string{"PINFERRY_SOCKET=" + filepath.Join(t.TempDir(), "none.sock")}, Stdout: &out, Stderr: &errs,
	}, append([]string{"thing", "do"}, args...))
	return code, out.String(), errs.String()
}

// TestDoctor asks the box, which knows best, and looks for itself only where
// none is; and it repairs nothing unless it is told to.
func TestDoctor(t *testing.T) {
	looked, repaired := 0, 0
	var failure error
	doctor := func(in *console.Invocation) error {
		return console.Doctor(in, func(context.Context) (admin.Facts, error) {
			looked++
			return admin.Facts{Config: errors.New("line 7 is wrong")}, failure
		}, func() ([]string, error) {
			repaired++
			return []string{"the door is shut"}, failure
		})
	}
	b := newBox(t)
	for level, want := range map[admin.Level]int{admin.Green: console.OK, admin.Amber: console.OK, admin.Red: console.Failed} {
		b.on("GET /admin/doctor", admin.Diagnosis{Level: level, Running: true, Checks: []admin.Check{{Name: "disk", Level: level, Text: "It turns."}}})
		if code, stdout, _ := b.run(doctor, ""); code != want || !strings.Contains(stdout, string(level)+"  ") || !strings.Contains(stdout, "It turns.") {
			t.Errorf("%s: %d %s", level, code, stdout)
		}
	}
	if looked+repaired != 0 {
		t.Errorf("beside a box it looked %d and repaired %d times", looked, repaired)
	}
	if code, stdout, _ := b.run(doctor, "", "--fix"); code == console.NotReady || !strings.Contains(stdout, "fixed: the door is shut") {
		t.Errorf("--fix: %d %s", code, stdout)
	}
	if code, stdout, _ := alone(t, doctor); code != console.NotReady || !strings.Contains(stdout, "line 7") || looked != 1 || repaired != 1 {
		t.Errorf("without a box: %d %s", code, stdout)
	}
	failure = errors.New("the door is stuck")
	for _, args := range [][]string{{"--fix"}, nil} {
		if code, stdout, stderr := alone(t, doctor, args...); code != console.Failed || stdout != "" || !strings.Contains(stderr, "stuck") {
			t.Errorf("%v: %d %s%s", args, code, stdout, stderr)
		}
	}
}

// stick is what is plugged in.
type stick string

func (s stick) String() string { return "a stick: " + string(s) }

func TestModemList(t *testing.T) {
	var found []stick
	list := func(in *console.Invocation) error {
		return console.ModemList(in, func(context.Context) ([]stick, error) { return found, nil })
	}
	if code, stdout, _ := alone(t, list); code != console.OK || !strings.Contains(stdout, "No modem is plugged in") {
		t.Errorf("without a stick: %d %s", code, stdout)
	}
	found = []stick{"one", "two"}
	if code, stdout, _ := alone(t, list); code != console.OK || stdout != "a stick: one\na stick: two\n" {
		t.Errorf("two sticks: %d %s", code, stdout)
	}
	if code, stdout, _ := alone(t, list, "--json"); code != console.OK || stdout != `["one","two"]`+"\n" {
		t.Errorf("as JSON: %d %s", code, stdout)
	}
	b := newBox(t)
	b.on("GET /v1/routes", object{"routes": []object{{"name": "gsm0", "kind": "modem", "state": "ready"}}})
	if code, stdout, _ := b.run(list, ""); code != console.OK || !strings.Contains(stdout, "gsm0  ready") || strings.Contains(stdout, "stick") {
		t.Errorf("beside a box: %d %s", code, stdout)
	}
}
