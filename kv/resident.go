package kv

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
)

// mappedMost is how many bytes of files may be mapped into memory before the
// tables are let go. Some 12 MiB of them are the program itself.
const mappedMost = 18 << 20

// trimEvery is how many commits under load map some megabytes: a read maps 64
// KiB around what it looks at.
const trimEvery = 12

// trim lets go of the pages of tables that are mapped into the process, if
// there are many. The engine writes and reads tables through maps, so after a
// merge the whole database counts as resident although nothing needs it. The
// pages stay in the kernel's cache: whoever reads one maps it again without
// asking the disk.
//
// To let go is MADV_DONTNEED, which on a shared map of a file loses nothing:
// what was written through the map stays in the cache as dirty as it was. It
// would be fatal on memory that is not such a map, so an address must not have
// become somebody else's since it was read. It cannot: see pinned.
func (db *DB) trim() error {
	if mapped, err := mappedBytes(); err != nil || mapped <= mappedMost {
		return err
	}
	return db.read(func(snapshot *badger.Txn) error {
		tables, release := db.pinned(snapshot)
		defer release()
		return letGo(tables)
	})
}

// pinned returns the paths of tables that cannot go away before release is
// called. An iterator holds a reference to every table that is in the levels
// when it is made. A table comes into the levels once and leaves them once, so
// one that was in them before and after is one that the iterator holds; its
// map then stays where it is.
func (db *DB) pinned(snapshot *badger.Txn) (paths map[string]bool, release func()) {
	before := map[uint64]bool{}
	for _, t := range db.engine.Tables() {
		before[t.ID] = true
	}
	hold := snapshot.NewIterator(badger.IteratorOptions{AllVersions: true}) // every table, whatever it holds
	home := filepath.Join(db.dir, "db")
	if path, err := filepath.EvalSymlinks(home); err == nil { // as the kernel spells it
		home = path
	}
	if path, err := filepath.Abs(home); err == nil {
		home = path
	}
	paths = map[string]bool{}
	for _, t := range db.engine.Tables() {
		if before[t.ID] {
			paths[table.NewFilename(t.ID, home)] = true
		}
	}
	return paths, hold.Close
}

// letGo unmaps the pages of these files from the process, not the files.
func letGo(paths map[string]bool) error {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return fmt.Errorf("read maps: %w", err)
	}
	for line := range bytes.Lines(maps) {
		m, ok := parseMap(line)
		if !ok || !m.shared || !paths[m.path] {
			continue
		}
		if _, _, errno := syscall.Syscall(syscall.SYS_MADVISE, m.start, m.end-m.start, syscall.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("let pages go: %w", errno)
		}
	}
	return nil
}

// mapping is a line of /proc/self/maps.
type mapping struct {
	start, end uintptr
	shared     bool
	path       string
}

// parseMap reads a line: "start-end perms offset device inode path".
func parseMap(line []byte) (m mapping, ok bool) {
	fields := bytes.Fields(line)
	if len(fields) < 6 || len(fields[1]) < 4 {
		return mapping{}, false
	}
	from, to, _ := bytes.Cut(fields[0], []byte("-"))
	start, err := strconv.ParseUint(string(from), 16, strconv.IntSize)
	if err != nil {
		return mapping{}, false
	}
	end, err := strconv.ParseUint(string(to), 16, strconv.IntSize)
	if err != nil || end < start {
		return mapping{}, false
	}
	// A path may hold blanks.
	slash := bytes.IndexByte(line, '/')
	if slash < 0 {
		return mapping{}, false
	}
	path := bytes.TrimSuffix(line[slash:], []byte("\n"))
	return mapping{uintptr(start), uintptr(end), fields[1][3] == 's', string(path)}, true
}

// mappedBytes returns the resident bytes of files.
func mappedBytes() (uint64, error) {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	fields := bytes.Fields(statm) // pages: size, resident, of these shared
	if len(fields) < 3 {
		return 0, fmt.Errorf("read resident memory: %d fields", len(fields))
	}
	pages, err := strconv.ParseUint(string(fields[2]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	return pages * uint64(os.Getpagesize()), nil
}
