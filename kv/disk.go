package kv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rs/zerolog"
)

// The marks on a disk's free space, in bytes.
const (
	hardFloor   = 24 << 20  // below it nothing is written
	softMark    = 64 << 20  // below it nothing new begins, on a small disk
	softCap     = 512 << 20 // no disk need keep more than this free
	ballastSize = 16 << 20
)

// Space tells the free bytes (those that an unprivileged process may use) and
// all bytes of the file system that holds dir.
type Space func(dir string) (free, total uint64, err error)

// statfs is the Space of a real disk.
func statfs(dir string) (free, total uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, fmt.Errorf("read free space of %s: %w", dir, err)
	}
	block := uint64(s.Bsize)
	return s.Bavail * block, s.Blocks * block, nil
}

// soft returns the soft mark of a disk: 64 MiB, or 5 % but never more than
// 512 MiB.
func soft(total uint64) uint64 { return max(softMark, min(total/20, softCap)) }

// disk watches the space that the database has.
type disk struct {
	dir   string
	space Space
}

// low tells whether free space is below the soft mark. A disk that cannot be
// asked is low.
func (d disk) low() bool {
	free, total, err := d.space(d.dir)
	return err != nil || free < soft(total)
}

// full tells whether free space is below the hard floor, where a write could
// end the process: the engine writes through memory maps, and a page that has
// no block is a SIGBUS.
func (d disk) full() bool {
	free, _, err := d.space(d.dir)
	return err != nil || free < hardFloor
}

// prepare gives the ballast up when space is low, or lays it down when there
// is plenty, and refuses a disk on which merely opening the database might run
// out of space: what its logs hold is written to tables then.
func (d disk) prepare(log zerolog.Logger) error {
	free, total, err := d.space(d.dir)
	if err != nil {
		return err
	}
	path := filepath.Join(d.dir, "ballast")
	switch _, err := os.Stat(path); {
	case err == nil && free < soft(total):
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("release ballast: %w", err)
		}
		log.Warn().Uint64("free", free).Msg("free space is low: the ballast is released")
		if free, _, err = d.space(d.dir); err != nil {
			return err
		}
	case errors.Is(err, os.ErrNotExist) && free > soft(total)+2*ballastSize:
		if err := layBallast(path); err != nil {
			log.Warn().Err(err).Msg("no ballast is kept")
		}
	}
	logs, err := filepath.Glob(filepath.Join(d.dir, "db", "*.mem"))
	if err != nil {
		return err
	}
	// Each log becomes a table; the rest is for the files of a fresh start.
	if need := uint64(len(logs)+1) * ballastSize / 2; free < need {
		return fmt.Errorf("%w: %d MiB are free in %s and opening the database needs %d MiB", ErrFull, free>>20, d.dir, need>>20)
	}
	return nil
}

// layBallast reserves the ballast's blocks. It must not be sparse: a hole
// would give nothing back.
func layBallast(path string) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("create ballast: %w", err)
	}
	defer func() {
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			os.Remove(path)
		}
	}()
	if syscall.Fallocate(int(f.Fd()), 0, 0, ballastSize) == nil {
		return nil
	}
	zeros := make([]byte, 64<<10)
	for range ballastSize / len(zeros) {
		if _, err := f.Write(zeros); err != nil {
			return fmt.Errorf("write ballast: %w", err)
		}
	}
	return f.Sync()
}

// usage returns the bytes that the files under dir occupy, holes left out. A
// file that goes away meanwhile counts nothing.
func usage(dir string) (uint64, error) {
	const block = 512 // the unit of st_blocks, whatever the file system's is
	var sum uint64
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = entry.Info(); err == nil {
				if stat, ok := info.Sys().(*syscall.Stat_t); ok {
					sum += uint64(stat.Blocks) * block
				}
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return sum, err
}
