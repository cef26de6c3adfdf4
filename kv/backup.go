package kv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/dgraph-io/badger/v4"
)

// ErrBackup says that a backup is cut short or was changed.
var ErrBackup = errors.New("the backup is damaged or cut short")

// A backup is 16 bytes of name and format, then frames:
//
//	0  type
//	1  length of the content, big-endian
//	5  CRC-32C of the frame's ordinal (4 bytes, big-endian), type and content
//	9  content
//
// The ordinal is not written; it makes a frame that is missing, doubled or in
// another's place as wrong as a changed one. The rows stand as the engine has
// them, so a backup belongs to a layout and not to an engine.
const (
	backupName   = "pinferry backup"
	backupFormat = 1
	frameHead    = 9
	frameMost    = 2 << 20   // bytes of content that a reader takes
	frameRows    = 128 << 10 // bytes of rows after which a frame is written
)

// The types of frames, in the order in which they come.
const (
	frameAbout byte = 'A' // layout (1), build
	framePart  byte = 'R' // rows: key and row, each a field (see cutField)
	frameEnd   byte = 'E' // number of rows (8)
)

// Backup writes a snapshot of the database to w while everything goes on. No
// key is in it, so whoever finds it can derive no code; for those see [Bundle].
func (db *DB) Backup(ctx context.Context, w io.Writer) error {
	if _, err := w.Write(append([]byte(backupName), backupFormat)); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	out := &frameWriter{w: w}
	if err := out.frame(frameAbout, append([]byte{layout}, db.build...)); err != nil {
		return err
	}
	var rows uint64
	var part []byte
	err := db.read(func(snapshot *badger.Txn) error {
		t := &tx{snapshot: snapshot}
		return t.walk(nil, nil, nil, func(key, row []byte) (bool, error) {
			part = appendField(appendField(part, key), row)
			rows++
			if len(part) < frameRows {
				return true, nil
			}
			select {
			case <-ctx.Done():
				return false, ctx.Err()
			case <-db.closing:
				return false, errClosed()
			default:
			}
			err := out.frame(framePart, part)
			part = part[:0]
			return true, err
		})
	})
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	if err := out.frame(framePart, part); err != nil {
		return err
	}
	return out.frame(frameEnd, binary.BigEndian.AppendUint64(nil, rows))
}

// frameWriter writes the frames of a backup.
type frameWriter struct {
	w       io.Writer
	ordinal uint32
	buffer  []byte
}

func (f *frameWriter) frame(kind byte, content []byte) error {
	f.buffer = append(f.buffer[:0], kind)
	f.buffer = binary.BigEndian.AppendUint32(f.buffer, uint32(len(content)))
	f.buffer = binary.BigEndian.AppendUint32(f.buffer, frameSum(f.ordinal, kind, content))
	f.buffer = append(f.buffer, content...)
	f.ordinal++
	if _, err := f.w.Write(f.buffer); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return nil
}

// frameReader reads the frames of a backup.
type frameReader struct {
	r       io.Reader
	ordinal uint32
	content []byte
}

// begin reads what stands before the frames.
func (f *frameReader) begin() error {
	head := make([]byte, len(backupName)+1)
	if _, err := io.ReadFull(f.r, head); err != nil {
		return cutShort(err)
	}
	if string(head[:len(backupName)]) != backupName {
		return fmt.Errorf("read backup: this is no backup of pinferry: %w", ErrBackup)
	}
	if head[len(backupName)] > backupFormat {
		return fmt.Errorf("read backup: %w", ErrNewer)
	}
	return nil
}

// next reads a frame. The content is valid until the next one.
func (f *frameReader) next() (kind byte, content []byte, err error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return 0, nil, cutShort(err)
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size > frameMost {
		return 0, nil, fmt.Errorf("read backup: %w", ErrBackup)
	}
	if int(size) > cap(f.content) {
		f.content = make([]byte, size)
	}
	f.content = f.content[:size]
	if _, err := io.ReadFull(f.r, f.content); err != nil {
		return 0, nil, cutShort(err)
	}
	if binary.BigEndian.Uint32(head[5:]) != frameSum(f.ordinal, head[0], f.content) {
		return 0, nil, fmt.Errorf("read backup: %w", ErrBackup)
	}
	f.ordinal++
	return head[0], f.content, nil
}

func frameSum(ordinal uint32, kind byte, content []byte) uint32 {
	var head [5]byte
	binary.BigEndian.PutUint32(head[:], ordinal)
	head[4] = kind
	return crc32.Update(crc32.Checksum(head[:], castagnoli), castagnoli, content)
}

// cutShort tells the end of a backup that has no end from a fault of reading.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = ErrBackup
	}
	return fmt.Errorf("read backup: %w", err)
}

// cutField takes a field off the front: its length in 4 bytes, big-endian, and
// its bytes.
func cutField(from []byte) (field, rest []byte, ok bool) {
	if len(from) < 4 {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(from)
	if uint64(n) > uint64(len(from)-4) {
		return nil, nil, false
	}
	return from[4 : 4+n], from[4+n:], true
}

// appendField is the reverse of cutField.
func appendField(to, field []byte) []byte {
	return append(binary.BigEndian.AppendUint32(to, uint32(len(field))), field...)
}
