package console_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pinferry/pinferry/server/console"
)

// vault is a shelf with the box that fills it: its clock goes on by a day with
// each backup.
type vault struct {
	*box
	shelf console.Shelf
	free  uint64 // of a disk of 100 GiB
}

func newVault(t *testing.T) *vault {
	v := &vault{box: newBox(t), free: 50 << 30}
	v.shelf = console.Shelf{Dir: filepath.Join(t.TempDir(), "a [b] *c", "backups"), Keep: 3, Space: func(string) (uint64, uint64, error) { return v.free, 100 << 30, nil }}
	day := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	v.on("GET /admin/clock", func(*http.Request) any { day = day.Add(24 * time.Hour); return object{"now": day} })
	v.on("GET /admin/backup", text("the database"))
	return v
}

func (v *vault) add() (code int, stderr string) {
	code, _, stderr = v.run(func(in *console.Invocation) error {
		if err := in.Parse(); err != nil {
			return err
		}
		_, err := v.shelf.Add(in, in.SaveBackup)
		return err
	}, "")
	return code, stderr
}

func (v *vault) names() (all []string) {
	rows, err := os.ReadDir(v.shelf.Dir)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, row := range rows {
		all = append(all, row.Name())
	}
	return all
}

func dated(days ...int) (all []string) {
	for _, day := range days {
		all = append(all, fmt.Sprintf("pinferry-202611%02dT100000Z.backup", day))
	}
	return all
}

func TestShelfKeepsTheNewest(t *testing.T) {
	v := newVault(t)
	for range 5 {
		if code, stderr := v.add(); code != console.OK {
			t.Fatalf("%d %s", code, stderr)
		}
	}
	if got, want := v.names(), dated(25, 26, 27); !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
	info, err := os.Stat(v.shelf.Dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory is %v (%v)", info, err)
	}
	// What is not a backup of this kind is nobody's to remove, and keys go with
	// their backup.
	for _, name := range []string{"pinferry-mine.backup", "notes", dated(25)[0] + ".keys", ".pinferry-20261101T100000Z.backup-123"} {
		if err := os.WriteFile(filepath.Join(v.shelf.Dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mine := []string{"pinferry-20200101T-mineZ.backup", "pinferry-20210101T000000Z.backup", "pinferry-20220101T000000Z.backup"}
	if err := errors.Join(os.WriteFile(filepath.Join(v.shelf.Dir, mine[0]), nil, 0o600), os.Mkdir(filepath.Join(v.shelf.Dir, mine[1]), 0o700),
		os.Symlink("notes", filepath.Join(v.shelf.Dir, mine[2]))); err != nil {
		t.Fatal(err)
	}
	if code, stderr := v.add(); code != console.OK {
		t.Fatalf("%d %s", code, stderr)
	}
	if got, want := v.names(), slices.Concat([]string{"notes"}, mine, dated(26, 27, 28), []string{"pinferry-mine.backup"}); !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
}

// However a backup fails, the earlier ones stay and nothing half stays.
func TestAFailedBackupCostsNothing(t *testing.T) {
	v := newVault(t)
	v.shelf.Keep = 1
	if code, stderr := v.add(); code != console.OK {
		t.Fatalf("%d %s", code, stderr)
	}
	before := v.names()
	for name, test := range map[string]struct {
		prepare func() (undo func())
		code    int
		says    string
	}{
		"refused": {func() func() {
			v.on("GET /admin/backup", problem{503, `{"code":"shutting_down","detail":"The box stops."}`})
			return func() { v.on("GET /admin/backup", text("the database")) }
		}, console.NotReady, "The box stops."},
		"cut short": {func() func() {
			v.on("GET /admin/backup", func(*http.Request) any { panic(http.ErrAbortHandler) })
			return func() { v.on("GET /admin/backup", text("the database")) }
		}, console.Failed, ""},
		"no room before": {func() func() { v.free = 400 << 20; return func() { v.free = 50 << 30 } }, console.NotReady, "free some space"},
		"no room while it is written": {func() func() {
			asked := 0
			real := v.shelf.Space
			v.shelf.Space = func(dir string) (uint64, uint64, error) {
				if asked++; asked > 2 {
					return 1 << 20, 100 << 30, nil
				}
				return real(dir)
			}
			v.on("GET /admin/backup", text(strings.Repeat("x", 4<<20)))
			return func() { v.shelf.Space = real; v.on("GET /admin/backup", text("the database")) }
		}, console.NotReady, "has 1.0 MiB left"},
		"a disk that cannot be asked": {func() func() {
			real := v.shelf.Space
			v.shelf.Space = func(string) (uint64, uint64, error) { return 0, 0, errors.New("no disk") }
			return func() { v.shelf.Space = real }
		}, console.Failed, "no disk"},
		"keep none": {func() func() { v.shelf.Keep = 0; return func() { v.shelf.Keep = 1 } }, console.Usage, "--keep"},
	} {
		t.Run(name, func(t *testing.T) {
			undo := test.prepare()
			defer undo()
			if code, stderr := v.add(); code != test.code || !strings.Contains(stderr, test.says) {
				t.Errorf("%d %s", code, stderr)
			}
			if got := v.names(); !slices.Equal(got, before) {
				t.Errorf("left %v of %v", got, before)
			}
		})
	}
	if code, stderr := v.add(); code != console.OK || slices.Equal(v.names(), before) || len(v.names()) != 1 {
		t.Errorf("after all that: %d %s %v", code, stderr, v.names())
	}
}

func TestOneBackupAtATime(t *testing.T) {
	v := newVault(t)
	var code int
	var stderr string
	v.run(func(in *console.Invocation) error {
		if err := in.Parse(); err != nil {
			return err
		}
		_, err := v.shelf.Add(in, func(path string, room func() error) error {
			code, stderr = v.add()
			return in.SaveBackup(path, room)
		})
		return err
	}, "")
	if code != console.NotReady || !strings.Contains(stderr, "under way") {
		t.Errorf("the second: %d %s", code, stderr)
	}
	if len(v.names()) != 1 {
		t.Errorf("left %v", v.names())
	}
}

// TestWhatIsNoFileStays writes to a pipe: a file that took its place would take
// that of /dev/null too.
func TestWhatIsNoFileStays(t *testing.T) {
	v := newVault(t)
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0) // so that it can be opened for writing alone
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	code, _, stderr := v.run(func(in *console.Invocation) error {
		return errors.Join(in.Parse(), in.SaveBackup(path, nil))
	}, "")
	if info, err := os.Lstat(path); code != console.OK || err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Fatalf("%d %s; what is there is %v (%v)", code, stderr, info.Mode(), err)
	}
	got := make([]byte, 64)
	if n, err := pipe.Read(got); err != nil || string(got[:n]) != "the database" {
		t.Errorf("it got %q (%v)", got[:n], err)
	}
}
