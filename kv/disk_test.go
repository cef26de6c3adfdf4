package kv_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/otp"
)

const mib = 1 << 20

// fakeDisk is a disk whose free space a test sets.
type fakeDisk struct {
	free, total atomic.Uint64
	err         atomic.Pointer[error]
}

func newFakeDisk(free, total uint64) *fakeDisk {
	d := &fakeDisk{}
	d.free.Store(free)
	d.total.Store(total)
	return d
}

func (d *fakeDisk) space(string) (free, total uint64, err error) {
	if err := d.err.Load(); err != nil {
		return 0, 0, *err
	}
	return d.free.Load(), d.total.Load(), nil
}

func TestSoftMark(t *testing.T) {
	for _, c := range []struct {
		free, total uint64 // MiB
		low         bool
	}{
		{64, 192, false}, {63, 192, true}, // the least mark
		{64, 1280, false}, {63, 1280, true}, // where 5 % are as much
		{500, 10_000, false}, {499, 10_000, true}, // 5 %
		{512, 1 << 20, false}, {511, 1 << 20, true}, // the most
	} {
		d := newFakeDisk(c.free*mib, c.total*mib)
		db := open(t, kv.Config{Space: d.space})
		if db.Low() != c.low {
			t.Errorf("%d MiB free of %d: low is %v", c.free, c.total, db.Low())
		}
		put(t, db, "a", "1") // above the floor a write is taken
		shut(t, db)
	}
}

func TestHardFloor(t *testing.T) {
	d := newFakeDisk(100*mib, 192*mib)
	db := open(t, kv.Config{Space: d.space})
	put(t, db, "a", "1")
	ran := false
	write := func(tx otp.Tx) error {
		ran = true
		tx.Put(row("a"), []byte("2"), 0)
		return nil
	}
	refused := func(why string) {
		t.Helper()
		ran = false
		err := db.Update(t.Context(), write)
		if e := otp.AsError(err); e == nil || e.Code != otp.StorageLow || e.RetryAfter == 0 || ran {
			t.Errorf("%s: %v, ran %v; want %s and no run", why, err, ran, otp.StorageLow)
		}
		if got := get(t, db, "a"); got != "1" {
			t.Errorf("%s: the row is %q", why, got)
		}
	}
	d.free.Store(24*mib - 1)
	refused("below the floor")
	d.free.Store(24 * mib)
	put(t, db, "b", "1")
	fault := error(syscall.EIO)
	d.err.Store(&fault)
	refused("a disk that cannot be asked")
	if !db.Low() {
		t.Error("a disk that cannot be asked is not low")
	}
	d.err.Store(nil)
	put(t, db, "c", "1") // space is back, and nothing else had to happen
}

func TestBallast(t *testing.T) {
	dir := t.TempDir()
	ballast := filepath.Join(dir, "ballast")
	blocks := func() int64 {
		var s syscall.Stat_t
		if err := syscall.Stat(ballast, &s); err != nil {
			return 0
		}
		return s.Blocks * 512
	}
	d := newFakeDisk(90*mib, 192*mib)
	reopen := func() { shut(t, open(t, kv.Config{Dir: dir, Space: d.space})) }
	reopen()
	if n := blocks(); n != 0 {
		t.Errorf("where space is scarce the ballast has %d bytes", n)
	}
	d.free.Store(190 * mib)
	reopen()
	if n := blocks(); n < 16*mib {
		t.Errorf("the ballast has %d bytes on disk", n)
	}
	reopen()
	d.free.Store(64 * mib)
	reopen()
	if n := blocks(); n == 0 {
		t.Error("the ballast was released at the soft mark, not below it")
	}
	d.free.Store(63 * mib)
	reopen()
	if n := blocks(); n != 0 {
		t.Errorf("below the soft mark the ballast still has %d bytes", n)
	}
}

func TestTooFullToOpen(t *testing.T) {
	dir := t.TempDir()
	d := newFakeDisk(100*mib, 192*mib)
	shut(t, open(t, kv.Config{Dir: dir, Space: d.space}))
	d.free.Store(7 * mib)
	if _, err := kv.Open(kv.Config{Dir: dir, Space: d.space}); !errors.Is(err, kv.ErrFull) || !strings.Contains(err.Error(), dir) {
		t.Errorf("Open with 7 MiB free: %v, want ErrFull and the directory", err)
	}
	d.free.Store(100 * mib)
	open(t, kv.Config{Dir: dir, Space: d.space})
}

// A real file system that fills up under load, again and again: the process
// lives, nothing is acknowledged that is not durable, and writes go on as soon
// as there is space.
func TestDiskFills(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounting a tmpfs takes root")
	}
	cmd := child(t, "fill", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || strings.HasPrefix(string(out), "mount") {
		t.Skipf("no private mount here: %v %s", err, out)
	}
	if err != nil || string(out) != "done\n" {
		t.Errorf("%v: %s", err, out)
	}
}

// fillAgain is the child with a tmpfs of its own.
func fillAgain(dir string) {
	for _, mount := range []func() error{
		func() error { return syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "") },
		func() error { return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=192m") },
	} {
		if err := mount(); err != nil {
			fmt.Println("mount", err)
			os.Exit(1)
		}
	}
	if err := fillRounds(dir); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("done")
}

// fillRounds lets each round find the disk as the one before it left it: full.
func fillRounds(dir string) error {
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		return err
	}
	defer f.Close()
	durable := map[string]bool{}
	for round := range 20 {
		if err := fillOnce(dir, f, round, durable); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
	return nil
}

// fillOnce writes while there is space, while somebody else takes it, and when
// it is back. No table is being written at the moment when all space goes at
// once: nothing can be done about that.
func fillOnce(dir string, filler *os.File, round int, durable map[string]bool) error {
	db, err := kv.Open(kv.Config{Dir: dir})
	if err != nil {
		return err
	}
	n := 0
	write := func(size int) error {
		n++
		part := fmt.Sprintf("%d-%d", round, n)
		err := db.Update(context.Background(), func(tx otp.Tx) error {
			tx.Put(row(part), make([]byte, size), 0)
			return nil
		})
		if err == nil {
			durable[part] = true
		}
		return err
	}
	leave := func(space int64) error { // takes all but so much
		size, err := filler.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		if take := int64(db.Stats().Free) - space; take > 0 {
			return syscall.Fallocate(int(filler.Fd()), 0, size, take)
		}
		return nil
	}
	check := func() error {
		return db.View(context.Background(), func(tx otp.Tx) error {
			for part := range durable {
				if _, ok := tx.Get(row(part)); !ok {
					return fmt.Errorf("row %s was acknowledged and is gone", part)
				}
			}
			return nil
		})
	}
	if err := check(); err != nil {
		return err
	}
	if round == 0 { // the ballast would help but once
		if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
			return err
		}
	} else { // full since the last round
		if err := write(1); err == nil || otp.AsError(err).Code != otp.StorageLow {
			return fmt.Errorf("a write to a full disk: %w", err)
		}
	}
	if err := filler.Truncate(0); err != nil {
		return err
	}
	for part := range durable { // make room
		if err := db.Update(context.Background(), func(tx otp.Tx) error {
			tx.Delete(row(part))
			return nil
		}); err != nil {
			return fmt.Errorf("there is space, but %w", err)
		}
		delete(durable, part)
	}
	for range 100 {
		if err := write(8 << 10); err != nil {
			return fmt.Errorf("there is space, but %w", err)
		}
	}
	if err := db.Flatten(); err != nil {
		return err
	}
	space := int64(round%4) * 15 * mib
	filled := make(chan error)
	go func() { filled <- leave(space) }()
	for full := false; !full; { // a commit may be under way when the last page goes
		select {
		case err := <-filled:
			if err != nil {
				return fmt.Errorf("fill the disk: %w", err)
			}
			full = true
		default:
			if err := write(100); err != nil && otp.AsError(err).Code != otp.StorageLow {
				return err
			}
		}
	}
	for {
		if err := write(8 << 10); err != nil {
			if otp.AsError(err).Code != otp.StorageLow {
				return err
			}
			break
		}
	}
	if free := db.Stats().Free; free > 40*mib { // a log may have become a table since
		return fmt.Errorf("the writes were refused with %d bytes free", free)
	}
	if err := check(); err != nil {
		return err
	}
	if err := filler.Truncate(0); err != nil {
		return err
	}
	if err := leave(12 * mib); err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	return db.Close()
}
