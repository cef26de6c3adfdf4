package kv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/rs/zerolog"
)

// ErrPresent says that there is a database where one should be made.
var ErrPresent = errors.New("there is a database already")

// Restore makes the database under dir from a backup. It refuses a directory
// that has one with [ErrPresent], and one that a box has open with [ErrLocked];
// and it leaves none unless the whole backup was good. The next Open reports a
// loss, so that every live code dies.
func Restore(dir string, r io.Reader) error {
	return restoring(dir, func(home string, present bool) error {
		if present {
			return fmt.Errorf("%w in %s", ErrPresent, home)
		}
		return restore(dir, r)
	})
}

// Replace is [Restore] for a directory that may have a database. That is renamed
// to db.1, or the first such name that is free, and back again unless the whole
// backup was good.
func Replace(dir string, r io.Reader) error {
	return restoring(dir, func(home string, present bool) error {
		if !present {
			return restore(dir, r)
		}
		aside, err := setAside(home)
		if err != nil {
			return err
		}
		if err := restore(dir, r); err != nil {
			return errors.Join(err, os.Rename(aside, home))
		}
		return nil
	})
}

// restoring calls do, with the folder of the database and whether one is
// there, while no other process can have the directory.
func restoring(dir string, do func(home string, present bool) error) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer lock.Close()
	home := filepath.Join(dir, "db")
	rows, err := os.ReadDir(home)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		err = do(home, len(rows) > 0)
	}
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// setAside renames a database and returns what it is called then.
func setAside(home string) (string, error) {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.%d", home, n)
		_, err := os.Lstat(aside)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return aside, os.Rename(home, aside)
		case err != nil:
			return "", err
		}
	}
}

// restore makes the database where none is. The rows are gathered aside: half a
// database must never lie where Open looks for one.
func restore(dir string, r io.Reader) (err error) {
	aside := filepath.Join(dir, "restoring")
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	defer func() {
		if removed := os.RemoveAll(aside); err == nil {
			err = removed
		}
	}()
	if err := os.Mkdir(aside, 0o700); err != nil {
		return err
	}
	number, err := fill(aside, r)
	if err != nil {
		return err
	}
	return install(dir, aside, number)
}

// install puts the finished database in its place, behind a sequence that is
// ahead of it.
func install(dir, aside string, number uint64) error {
	s, remembered, _, err := openSequence(dir)
	if err != nil {
		return err
	}
	if err := s.write(max(remembered, number) + 1); err != nil {
		s.close()
		return err
	}
	if err := s.close(); err != nil {
		return err
	}
	home := filepath.Join(dir, "db")
	if err := os.Remove(home); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(filepath.Join(aside, "db"), home); err != nil {
		return err
	}
	return syncDir(dir)
}

// fill makes a database under dir from a backup and returns the sequence in it.
func fill(dir string, r io.Reader) (number uint64, err error) {
	in := &frameReader{r: r}
	if err := in.begin(); err != nil {
		return 0, err
	}
	kind, about, err := in.next()
	if err != nil {
		return 0, err
	}
	if kind != frameAbout || len(about) == 0 {
		return 0, ErrBackup
	}
	if about[0] > layout {
		return 0, fmt.Errorf("the backup was made by %q: %w", about[1:], ErrNewer)
	}
	engine, err := openEngine(dir, zerolog.Nop())
	if err != nil {
		return 0, err
	}
	room := disk{dir, statfs}
	merges, err := newCompactor(engine, room, zerolog.Nop())
	if err == nil {
		number, err = copyRows(engine, merges, in, room)
		merges.close()
	}
	if closed := closeEngine(engine); err == nil {
		err = closed
	}
	return number, err
}

// copyRows reads the frames to the end and writes their rows to the engine.
func copyRows(engine *badger.DB, merges *compactor, in *frameReader, room disk) (number uint64, err error) {
	var rows uint64
	for {
		kind, content, err := in.next()
		if err != nil {
			return 0, err
		}
		switch kind {
		case framePart:
			if room.full() || merges.blocked.Load() {
				return 0, ErrFull
			}
			n, last, err := copyPart(engine, content)
			if err != nil {
				return 0, err
			}
			merges.extend()
			rows += n
			number = max(number, last)
		case frameEnd:
			if len(content) != 8 || binary.BigEndian.Uint64(content) != rows {
				return 0, ErrBackup
			}
			if n, err := io.ReadFull(in.r, make([]byte, 1)); n != 0 || err != io.EOF {
				return 0, fmt.Errorf("there is more behind its end: %w", ErrBackup)
			}
			return number, nil
		default:
			return 0, ErrBackup
		}
	}
}

// copyPart commits the rows of one frame. number is the sequence, if it was
// among them.
func copyPart(engine *badger.DB, part []byte) (rows, number uint64, err error) {
	commit := engine.NewTransaction(true)
	defer commit.Discard()
	for len(part) > 0 {
		var key, row []byte
		var ok bool
		if key, part, ok = cutField(part); ok {
			row, part, ok = cutField(part)
		}
		if !ok || !known(key) {
			return 0, 0, ErrBackup
		}
		if bytes.Equal(key, sequenceKey) && len(row) == 8 {
			number = binary.BigEndian.Uint64(row)
		}
		rows++
		err := commit.Set(key, row)
		if errors.Is(err, badger.ErrTxnTooBig) {
			if err = commit.Commit(); err == nil {
				commit = engine.NewTransaction(true)
				err = commit.Set(key, row)
			}
		}
		if err != nil {
			return 0, 0, fmt.Errorf("write row: %w", engineError{err})
		}
	}
	if err := commit.Commit(); err != nil {
		return 0, 0, fmt.Errorf("write rows: %w", engineError{err})
	}
	return rows, number, nil
}
