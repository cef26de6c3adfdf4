// Package kv keeps the box's records in a Badger database on a small disk.
//
// [DB] is an [otp.Store]. One goroutine owns all writes: it takes the closures
// that queued while the last commit was being synced, runs each against an
// overlay, merges the overlays of those that succeed, commits once and answers
// all. So there are no conflicts and no retries, and a hundred callers share
// one sync of the disk.
//
// Under the directory it is given, the package owns db/ (the engine's files),
// sequence (what tells that commits are missing), ballast (space to give up)
// and keys/ (see [BoxKey]). Whoever holds an flock on the directory itself
// owns them.
package kv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/otp"
)

// What can keep a database from opening. The error around one of them says
// what to do.
var (
	// ErrLocked says that another process has the directory.
	ErrLocked = errors.New("the directory is in use by another process")
	// ErrFull says that too little space is free to open the database.
	ErrFull = errors.New("the disk is too full")
	// ErrDamaged says that the engine's files are not as it wrote them.
	ErrDamaged = errors.New("the database is damaged; restore a backup")
	// ErrNewer says that a newer version wrote the database or the backup.
	ErrNewer = errors.New("written by a newer version of this program")
)

// Config says where a database is and what it works with.
type Config struct {
	// Dir is the state directory; it is made, 0700, if it is not there.
	Dir string
	// Gather is how long the writer waits for company before it commits while
	// callers follow each other closely: fewer syncs spare an SD card. 0 never
	// waits, and a lone caller on an idle box never waits.
	Gather time.Duration
	// Now is box time; nil is the wall clock's.
	Now func() otp.Time
	// Log hears about slow closures, repairs and the disk.
	Log zerolog.Logger
	// Space asks the disk; nil is statfs.
	Space Space
	// Build is the version that a backup names as its maker.
	Build string
}

// DB is an open database.
type DB struct {
	dir, build string
	log        zerolog.Logger
	now        func() otp.Time
	disk       disk
	lock       *os.File
	engine     *badger.DB
	sequence   *sequence
	lost       bool
	compactor  *compactor
	writer     *writer

	// guard is held shared by whoever reads the engine outside the writer, and
	// whole by Close: the engine's maps must not go away under a reader.
	guard   sync.RWMutex
	closed  bool          // guarded by guard
	closing chan struct{} // closed when Close begins, so that a long reader gives up
	once    sync.Once
}

var _ otp.Store = (*DB)(nil)

// Open opens the database under c.Dir, or makes a new one. It repairs what a
// crash may have left, and refuses a directory in use, a disk too full to open
// it, damage and a newer layout.
func Open(c Config) (*DB, error) {
	if c.Now == nil {
		c.Now = otp.NewClock(otp.ClockSource{}).Now
	}
	if c.Space == nil {
		c.Space = statfs
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	lock, err := lockDir(c.Dir)
	if err != nil {
		return nil, err
	}
	db := &DB{
		dir: c.Dir, build: c.Build, log: c.Log, now: c.Now,
		disk: disk{c.Dir, c.Space}, lock: lock, closing: make(chan struct{}),
	}
	if err := db.open(c.Gather); err != nil {
		if db.writer != nil {
			db.writer.close()
		}
		if db.compactor != nil {
			db.compactor.close()
		}
		if db.engine != nil {
			closeEngine(db.engine)
		}
		if db.sequence != nil {
			db.sequence.close()
		}
		lock.Close()
		return nil, err
	}
	return db, nil
}

func (db *DB) open(gather time.Duration) (err error) {
	if err := db.disk.prepare(db.log); err != nil {
		return err
	}
	// What a restore left when it was killed; it would have removed it.
	if err := os.RemoveAll(filepath.Join(db.dir, "restoring")); err != nil {
		return fmt.Errorf("remove an unfinished restore: %w", err)
	}
	if db.engine, err = openEngine(db.dir, db.log); err != nil {
		return err
	}
	version, number, err := readHead(db.engine)
	if err != nil {
		return err
	}
	if version > layout {
		return fmt.Errorf("open database %s: layout %d, this build knows up to %d: %w", db.dir, version, layout, ErrNewer)
	}
	var remembered uint64
	var ok bool
	if db.sequence, remembered, ok, err = openSequence(db.dir); err != nil {
		return err
	}
	fresh := version == 0
	if db.lost = ok && remembered > number || !ok && !fresh; db.lost {
		db.log.Error().Uint64("sequence", remembered).Uint64("database", number).Msg("commits are missing from the database")
	}
	if db.compactor, err = newCompactor(db.engine, db.disk, db.log); err != nil {
		return err
	}
	db.writer = newWriter(db, gather, max(remembered, number), fresh)
	if fresh && !db.lost {
		// The first commit makes layout, sequence and file agree. After a loss it
		// must be the caller's, which replaces the epoch.
		return db.writer.found()
	}
	return nil
}

// Lost tells whether commits that were durable once are missing: the database
// is older than the sequence file, or has just been restored. The first Update
// after Open must then replace the epoch, so that every live code dies; until
// it has succeeded, each Open tells so again.
func (db *DB) Lost() bool { return db.lost }

// Low tells whether free space is below the soft mark: nothing new should
// begin. Checks, refreshes and log-outs may still write.
func (db *DB) Low() bool { return db.disk.low() }

// Update implements [otp.Store]. Below the hard floor it answers
// [otp.StorageLow] and does not run fn.
func (db *DB) Update(ctx context.Context, fn func(otp.Tx) error) error {
	return db.writer.update(ctx, fn)
}

// View implements [otp.Store].
func (db *DB) View(ctx context.Context, fn func(otp.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return db.read(func(snapshot *badger.Txn) error {
		t := &tx{snapshot: snapshot}
		defer func() { t.over = true }()
		if err := fn(t); err != nil {
			return err
		}
		return t.err
	})
}

// read runs fn over a snapshot and keeps the engine open meanwhile.
func (db *DB) read(fn func(*badger.Txn) error) error {
	db.guard.RLock()
	defer db.guard.RUnlock()
	if db.closed {
		return errClosed()
	}
	snapshot := db.engine.NewTransaction(false)
	defer snapshot.Discard()
	return fn(snapshot)
}

// Close answers every closure that has queued, refuses those that come later,
// waits for readers and closes the files.
func (db *DB) Close() (err error) {
	db.once.Do(func() {
		close(db.closing)
		db.writer.close()
		db.compactor.close()
		db.guard.Lock()
		defer db.guard.Unlock()
		db.closed = true
		err = errors.Join(closeEngine(db.engine), db.sequence.close(), db.lock.Close())
	})
	if err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

func closeEngine(engine *badger.DB) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %s", ErrDamaged, mask(fmt.Sprint(p)))
		}
	}()
	if err := engine.Close(); err != nil {
		return engineError{err}
	}
	return nil
}

// Stats is what a database can tell of itself.
type Stats struct {
	Closures, Commits uint64 // since Open
	Sequence          uint64 // commits in the database's life
	Bytes             uint64 // that its files occupy on disk
	Free, Total       uint64 // bytes of the file system
	Failed            bool   // no write is taken until the next Open
}

// Stats returns counters and sizes. What the disk does not tell is 0.
func (db *DB) Stats() Stats {
	s := Stats{
		Closures: db.writer.closures.Load(),
		Commits:  db.writer.commits.Load(),
		Sequence: db.writer.number.Load(),
		Failed:   db.writer.broken() != nil,
	}
	s.Bytes, _ = usage(filepath.Join(db.dir, "db"))
	s.Free, s.Total, _ = db.disk.space(db.dir)
	return s
}

// readHead returns the layout and the sequence in the database, both 0 when it
// is new.
func readHead(engine *badger.DB) (version byte, number uint64, err error) {
	snapshot := engine.NewTransaction(false)
	defer snapshot.Discard()
	row, err := stored(snapshot, layoutKey)
	if err != nil {
		return 0, 0, err
	}
	if len(row) > 0 {
		version = row[0]
	}
	if row, err = stored(snapshot, sequenceKey); err != nil {
		return 0, 0, err
	}
	if len(row) == 8 {
		number = binary.BigEndian.Uint64(row)
	}
	return version, number, nil
}

// lockDir takes the directory for this process. The lock goes with the
// process, so a crash leaves none.
func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open state directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", dir, err)
		}
		holder := ""
		if pid, err := os.ReadFile(filepath.Join(dir, "db", "LOCK")); err == nil {
			holder = " (process " + strings.TrimSpace(string(pid)) + ")"
		}
		return nil, fmt.Errorf("lock %s: %w%s", dir, ErrLocked, holder)
	}
	return f, nil
}

func errClosed() error {
	return &otp.Error{Code: otp.ShuttingDown, Detail: "The box is shutting down."}
}
