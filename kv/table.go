package kv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"
)

// checkTables proves the checksums of every table that the manifest names. The
// engine could do so itself, but what it then does about a table that is wrong
// is to panic on a goroutine where nobody can recover. Tables that the manifest
// does not name are what a crash left; the engine removes them.
func checkTables(home string, options badger.Options) error {
	manifest, err := os.Open(filepath.Join(home, badger.ManifestFilename))
	if errors.Is(err, os.ErrNotExist) {
		return nil // a new database
	}
	if err != nil {
		return err
	}
	defer manifest.Close()
	named, end, err := badger.ReplayManifestFile(manifest, options.ExternalMagicVersion, options)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, engineError{err})
	}
	if err := checkTail(manifest, end); err != nil {
		return err
	}
	for id := range named.Tables {
		if err := checkTable(table.NewFilename(id, home)); err != nil {
			return err
		}
	}
	return nil
}

// checkTail looks at what stands behind the last entry of the manifest that
// could be read. A power cut may leave the beginning of an entry there, and the
// engine drops it. But an entry that is complete and only has a wrong length
// names tables, and the engine would delete them with their rows. An entry is
// its length and its CRC-32C, 4 bytes each, and its content.
func checkTail(manifest *os.File, end int64) error {
	if _, err := manifest.Seek(end, io.SeekStart); err != nil {
		return err
	}
	tail, err := io.ReadAll(manifest)
	if err != nil {
		return err
	}
	const head = 8
	if len(tail) <= head {
		return nil
	}
	want := binary.BigEndian.Uint32(tail[4:])
	sum := uint32(0)
	for i := head; i < len(tail); i++ {
		if sum = crc32.Update(sum, castagnoli, tail[i:i+1]); sum == want {
			return fmt.Errorf("the manifest: %w", ErrDamaged)
		}
	}
	return nil
}

// checkTable proves the checksums of one table. From its end backwards a table
// is: the length of the checksum, the checksum of the index, the length of the
// index, the index; the index says where the blocks are. Lengths have 4 bytes,
// big-endian.
func checkTable(path string) error {
	damage := fmt.Errorf("table %s: %w", filepath.Base(path), ErrDamaged)
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return damage
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	tail := section{f, info.Size()}
	sum, err := tail.cut()
	if err != nil {
		return damage
	}
	index, err := tail.cut()
	if err != nil || !matches(index, sum) {
		return damage
	}
	blocks := fb.GetRootAsTableIndex(index, 0)
	var at fb.BlockOffset
	var block []byte
	for i := range blocks.OffsetsLength() {
		if !blocks.Offsets(&at, i) || int64(at.Offset())+int64(at.Len()) > tail.end {
			return damage
		}
		if int(at.Len()) > cap(block) {
			block = make([]byte, at.Len())
		}
		block = block[:at.Len()]
		if _, err := f.ReadAt(block, int64(at.Offset())); err != nil {
			return damage
		}
		// A block ends like the file does: its checksum and the length of that.
		rest := len(block) - 4
		if rest < 0 {
			return damage
		}
		length := binary.BigEndian.Uint32(block[rest:])
		if uint64(length) > uint64(rest) {
			return damage
		}
		body := rest - int(length)
		if !matches(block[:body], block[body:rest]) {
			return damage
		}
	}
	return nil
}

// section is the part of a file that has not been read, from its end.
type section struct {
	r   io.ReaderAt
	end int64
}

// cut takes a field whose length stands behind it off the end.
func (s *section) cut() ([]byte, error) {
	var length [4]byte
	if s.end < int64(len(length)) {
		return nil, io.ErrUnexpectedEOF
	}
	s.end -= int64(len(length))
	if _, err := s.r.ReadAt(length[:], s.end); err != nil {
		return nil, err
	}
	n := int64(binary.BigEndian.Uint32(length[:]))
	if n > s.end {
		return nil, io.ErrUnexpectedEOF
	}
	s.end -= n
	field := make([]byte, n)
	_, err := s.r.ReadAt(field, s.end)
	return field, err
}

// matches tells whether sum is the engine's checksum of content.
func matches(content, sum []byte) bool {
	var expected pb.Checksum
	if proto.Unmarshal(sum, &expected) != nil || expected.Algo != pb.Checksum_CRC32C {
		return false
	}
	return y.VerifyChecksum(content, &expected) == nil
}
