package kv

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/rs/zerolog"
)

// The engine's compactors are off: they start whenever a table has been
// written, and on a disk that fills up meanwhile their memory maps end the
// process, at every Open again. Tables are merged here instead, when there are
// some and there is room for it.
const (
	mergeTables = 8  // tables of level 0 that are worth a merge
	manyTables  = 16 // that are too many to look through, and to map at once
	blockTables = 28 // that must not become more if there is no room
	stallTables = 40 // at which the engine waits for a merge
)

// compactor merges tables and lays down the blocks of new logs.
type compactor struct {
	engine *badger.DB
	disk   disk
	log    zerolog.Logger

	home string
	next int    // number of the log that the engine makes next; the writer's
	path string // of that log; the writer's

	merging sync.Mutex // held during a merge
	blocked atomic.Bool
	wake    chan struct{} // holds a token when there may be something to merge
	grown   chan struct{} // holds a token when there may be more tables mapped
	stop    chan struct{}
	stopped chan struct{}
}

func newCompactor(engine *badger.DB, room disk, log zerolog.Logger) (*compactor, error) {
	c := &compactor{
		engine: engine, disk: room, log: log, home: filepath.Join(room.dir, "db"),
		wake: make(chan struct{}, 1), grown: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	logs, err := filepath.Glob(filepath.Join(c.home, "*.mem"))
	if err != nil {
		return nil, err
	}
	for _, path := range logs {
		var number int
		if _, err := fmt.Sscanf(filepath.Base(path), "%d.mem", &number); err == nil && number >= c.next {
			c.next = number
		}
	}
	c.path = c.logPath()
	c.extend()
	c.signal()
	go c.run()
	return c, nil
}

func (c *compactor) logPath() string { return filepath.Join(c.home, fmt.Sprintf("%05d.mem", c.next)) }

// extend gives the log that the engine has begun, if it has, all the blocks it
// will need. The engine leaves it a hole and writes it through a map: a disk
// that fills up during a commit would be a SIGBUS. The writer calls it after
// each commit.
func (c *compactor) extend() {
	const logSize = memtableSize + memtableSize/4 // with the commit that fills it
	var stat syscall.Stat_t
	if syscall.Stat(c.path, &stat) != nil {
		return
	}
	if fd, err := syscall.Open(c.path, syscall.O_RDWR|syscall.O_CLOEXEC, 0); err == nil {
		const keepSize = 1
		err = syscall.Fallocate(fd, keepSize, 0, logSize)
		if err != nil && !errors.Is(err, syscall.EOPNOTSUPP) {
			c.log.Warn().Err(err).Msg("a log has no blocks of its own")
		}
		syscall.Close(fd)
	}
	c.next++
	c.path = c.logPath()
	c.signal() // the log before it is becoming a table
	token(c.grown)
}

func (c *compactor) signal() { token(c.wake) }

// token puts a token into a channel that holds one, if it is not there.
func token(into chan struct{}) {
	select {
	case into <- struct{}{}:
	default:
	}
}

func (c *compactor) close() {
	close(c.stop)
	<-c.stopped
}

func (c *compactor) run() {
	defer close(c.stopped)
	for {
		select {
		case <-c.stop:
			return
		case <-c.wake:
		}
		tables, need := c.state()
		if !c.worth(tables, need) {
			c.blocked.Store(false)
			continue
		}
		err := c.merge(need)
		if blocked := err != nil && tables >= blockTables; c.blocked.Swap(blocked) != blocked && blocked {
			c.log.Error().Err(err).Msg("nothing is written until the database can be merged")
		} else if err != nil && !errors.Is(err, ErrFull) {
			c.log.Error().Err(err).Msg("the database could not be merged")
		}
	}
}

// state returns how many tables wait for a merge, and the free bytes without
// which it must not begin. Level 0 is written anew at once, together with all
// of the level that it goes to; what lies below follows in small parts. The
// floor must hold beside it.
func (c *compactor) state() (tables int, need uint64) {
	tables, first, rest := c.levels()
	const level = 96 << 20 // more than the first level that is filled ever holds
	return tables, first + min(rest, level) + hardFloor
}

// levels returns the number of tables in level 0, their bytes and those of the
// levels below.
func (c *compactor) levels() (tables int, first, rest uint64) {
	for _, l := range c.engine.Levels() {
		if l.Level == 0 {
			tables, first = l.NumTables, uint64(l.Size)
		} else {
			rest += uint64(l.Size)
		}
	}
	return tables, first, rest
}

// worth tells whether to merge now. A merge writes everything anew, so on a
// disk with room it waits until a third of that is new.
func (c *compactor) worth(tables int, need uint64) bool {
	if tables < mergeTables || tables >= manyTables {
		return tables >= manyTables
	}
	_, first, rest := c.levels()
	free, _, err := c.disk.space(c.disk.dir)
	return first >= rest/2 || err != nil || free < 8*need
}

// growing tells again and again that a merge maps tables, until it has ended.
func (c *compactor) growing(merged <-chan struct{}) {
	const every = 50 * time.Millisecond // in which a fast disk takes some megabytes
	tick := time.NewTicker(every)
	defer tick.Stop()
	defer token(c.grown)
	for {
		select {
		case <-merged:
			return
		case <-tick.C:
			token(c.grown)
		}
	}
}

// merge makes one level of all tables, if the disk has need bytes free.
func (c *compactor) merge(need uint64) error {
	c.merging.Lock()
	defer c.merging.Unlock()
	free, _, err := c.disk.space(c.disk.dir)
	if err != nil {
		return err
	}
	if free < need {
		return fmt.Errorf("merge tables: %w: %d MiB are free and %d MiB are needed", ErrFull, free>>20, need>>20)
	}
	merged := make(chan struct{})
	var growing sync.WaitGroup
	growing.Go(func() { c.growing(merged) })
	defer growing.Wait()
	defer close(merged)
	if err := c.engine.Flatten(1); err != nil {
		return fmt.Errorf("merge tables: %w", engineError{err})
	}
	return nil
}
