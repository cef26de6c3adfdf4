package console

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// The names of the files on a shelf. They sort by their age: the time in them is
// box time, in UTC. What is being written has a dot before its name and more
// behind it.
const (
	shelfName  = "pinferry-20060102T150405Z.backup"
	shelfNames = "pinferry-[0-9]*T[0-9]*Z.backup"
)

// keysSuffix is how the sealed keys are called that belong to a backup.
const keysSuffix = ".keys"

// Shelf is a directory of backups, of which the newest are kept.
type Shelf struct {
	Dir string
	// Keep is how many are kept, at least 1.
	Keep int
	// Space tells the free bytes and all bytes of the disk; nil asks the disk.
	Space func(dir string) (free, total uint64, err error)
}

// Add has save write one more backup, to the path that it is given, and returns
// that path. save asks room now and then: a backup must not fill the disk that
// the box may stand on. Only after save has succeeded the oldest backups are
// removed that are too many.
func (s Shelf) Add(in *Invocation, save func(path string, room func() error) error) (string, error) {
	if s.Keep < 1 {
		return "", Fail(Usage, "--keep %d: keep at least one backup", s.Keep)
	}
	if s.Space == nil {
		s.Space = statfs
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return "", fmt.Errorf("make the directory of the backups: %w", err)
	}
	owner, err := os.Open(s.Dir)
	if err != nil {
		return "", fmt.Errorf("open the directory of the backups: %w", err)
	}
	defer owner.Close() // and with it the lock
	if err := syscall.Flock(int(owner.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return "", Fail(NotReady, "another backup to %s is under way", s.Dir)
	}
	if err := s.sweep("." + shelfNames + "*"); err != nil { // what a killed backup left
		return "", err
	}
	before, err := s.files()
	if err != nil {
		return "", err
	}
	if err := s.room(before); err != nil {
		return "", err
	}
	path, err := s.name(in)
	if err != nil {
		return "", err
	}
	if err := save(path, func() error { return s.room(nil) }); err != nil {
		return "", err
	}
	return path, s.prune(before)
}

// name returns a path that is free, by the clock of the box: that of this
// machine may have begun at any time.
func (s Shelf) name(in *Invocation) (string, error) {
	var clock struct{ Now time.Time }
	if err := in.Call("GET", "/admin/clock", nil, &clock); err != nil {
		return "", err
	}
	path := filepath.Join(s.Dir, clock.Now.UTC().Format(shelfName))
	if _, err := os.Lstat(path); err == nil {
		return "", Fail(NotReady, "%s is there already; try again in a second", path)
	}
	return path, nil
}

// files returns the backups that are there, the oldest first. What only looks
// like one is somebody else's.
func (s Shelf) files() ([]string, error) {
	all, err := filepath.Glob(filepath.Join(escaped(s.Dir), shelfNames))
	return slices.DeleteFunc(all, func(path string) bool {
		_, bad := time.Parse(shelfName, filepath.Base(path))
		info, err := os.Lstat(path)
		return bad != nil || err != nil || !info.Mode().IsRegular()
	}), err
}

// escaped is a directory as a pattern that matches it alone.
func escaped(dir string) string {
	var b []rune
	for _, r := range dir {
		switch r {
		case '*', '?', '[', '\\':
			b = append(b, '\\')
		}
		b = append(b, r)
	}
	return string(b)
}

// room is an error if the disk has not enough left for one more backup that is
// as large as the newest, or, without any, is nearly full. What must stay free
// is what the box needs to go on.
func (s Shelf) room(before []string) error {
	var last uint64
	if len(before) > 0 {
		if info, err := os.Stat(before[len(before)-1]); err == nil {
			last = uint64(info.Size())
		}
	}
	free, total, err := s.Space(s.Dir)
	if err != nil {
		return err
	}
	if spare := max(64<<20, min(total/20, 512<<20)); free < last+spare {
		return Fail(NotReady, "the disk of %s has %s left, and a backup must leave %s: free some space, or name another directory",
			s.Dir, size(int64(free)), size(int64(spare)))
	}
	return nil
}

// prune removes the oldest of those that were there before the newest came,
// with their keys.
func (s Shelf) prune(before []string) error {
	var errs []error
	for _, path := range before[:max(0, len(before)+1-s.Keep)] {
		errs = append(errs, os.Remove(path))
		if err := os.Remove(path + keysSuffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("the new backup is good, an old one cannot be removed: %w", err)
	}
	return nil
}

// sweep removes the files of a pattern.
func (s Shelf) sweep(pattern string) error {
	left, err := filepath.Glob(filepath.Join(escaped(s.Dir), pattern))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		return fmt.Errorf("remove what an earlier backup left: %w", err)
	}
	return nil
}

// statfs is the space of a real disk.
func statfs(dir string) (free, total uint64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0, fmt.Errorf("read the free space of %s: %w", dir, err)
	}
	return st.Bavail * uint64(st.Bsize), st.Blocks * uint64(st.Bsize), nil
}
