package kv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
)

// sequence is the file that remembers beside the database how many commits
// there have been: 16 bytes, rewritten in place after every commit.
//
//	0  layout (1), zeros (3)
//	4  CRC-32C of the other 12 bytes, big-endian
//	8  sequence, big-endian
//
// The database carries the same number in every commit. The file is synced
// seldom, so after a power cut it may be behind; ahead, or unreadable, it
// says that commits are missing from the database.
type sequence struct {
	file  *os.File
	dirty atomic.Bool // written since the last sync
}

const sequenceSize = 16

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openSequence opens the file of dir, or creates it, and returns the number
// in it. ok is false when there was none that can be trusted.
func openSequence(dir string) (s *sequence, number uint64, ok bool, err error) {
	path := filepath.Join(dir, "sequence")
	_, err = os.Stat(path)
	fresh := errors.Is(err, os.ErrNotExist)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, false, fmt.Errorf("open sequence: %w", err)
	}
	if fresh {
		if err := syncDir(dir); err != nil {
			f.Close()
			return nil, 0, false, fmt.Errorf("open sequence: %w", err)
		}
	}
	row := make([]byte, sequenceSize+1)
	n, err := f.ReadAt(row, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, 0, false, fmt.Errorf("read sequence: %w", err)
	}
	number, ok = parseSequence(row[:n])
	return &sequence{file: f}, number, ok, nil
}

// write records that the commit of this number is durable in the database. It
// must not be called before it is.
func (s *sequence) write(number uint64) error {
	if _, err := s.file.WriteAt(formatSequence(number), 0); err != nil {
		return fmt.Errorf("write sequence: %w", err)
	}
	s.dirty.Store(true)
	return nil
}

// sync makes the last write durable. It may be called from any goroutine.
func (s *sequence) sync() error {
	if !s.dirty.Swap(false) {
		return nil
	}
	if err := s.file.Sync(); err != nil {
		s.dirty.Store(true) // the next round tries again
		return fmt.Errorf("sync sequence: %w", err)
	}
	return nil
}

func (s *sequence) close() error {
	err := s.sync()
	if closed := s.file.Close(); err == nil {
		err = closed
	}
	return err
}

func formatSequence(number uint64) []byte {
	row := make([]byte, sequenceSize)
	row[0] = layout
	binary.BigEndian.PutUint64(row[8:], number)
	binary.BigEndian.PutUint32(row[4:], sequenceSum(row))
	return row
}

func parseSequence(row []byte) (number uint64, ok bool) {
	if len(row) != sequenceSize || row[0] != layout || binary.BigEndian.Uint32(row[4:]) != sequenceSum(row) {
		return 0, false
	}
	return binary.BigEndian.Uint64(row[8:]), true
}

func sequenceSum(row []byte) uint32 {
	return crc32.Update(crc32.Checksum(row[:4], castagnoli), castagnoli, row[8:sequenceSize])
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closed := d.Close(); err == nil {
		err = closed
	}
	return err
}
