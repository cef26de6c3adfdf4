package kv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/rs/zerolog"
)

// A memtable and what depends on it, in bytes. The engine keeps a few memtables
// and a pool of buffers of its table builders, each as large as the largest
// table that it ever built and all in use in a merge: with larger memtables
// they alone come near the memory limit of [TuneMemory], and the collector
// never rests.
//
// On 64 bits a builder's first buffer, which has the least power of two that
// holds two tables, just holds a memtable. On 32 bits the engine's table
// builder loses its place when it outgrows that buffer, and writes over what it
// has built; it may need three and a half times what is in its table (for
// values just above 8 KiB). So there tableSize is a little above a power of two
// to get 8 MiB, no table may be larger, and no memtable with one commit may
// hold more than 2.28 MiB.
const (
	narrow       = 1 - ^uint(0)>>63 // 0 on 64 bits, 1 on 32
	memtableSize = 2 << 20
	tableSize    = 1<<20<<narrow + int64(narrow)<<12
)

// engineOptions are what a small box can bear: few megabytes when idle, maps
// that a 32-bit address space can hold, values beside their keys so that the
// value log stays empty.
func engineOptions(dir string, log zerolog.Logger) badger.Options {
	o := badger.DefaultOptions(dir).
		WithLogger(engineLog{log}).
		WithSyncWrites(true).       // Update's promise
		WithDetectConflicts(false). // there is one writer
		WithNumGoroutines(2).
		WithMemTableSize(memtableSize).
		WithNumMemtables(2).
		WithNumLevelZeroTables(1). // a merge leaves no two tables in level 0
		WithNumLevelZeroTablesStall(stallTables).
		WithBaseTableSize(tableSize).
		WithBaseLevelSize(8 << 20).
		WithNumCompactors(0). // see compactor
		WithValueLogFileSize(16 << 20).
		WithValueThreshold(memtableSize / 8). // at most 15 %
		WithCompression(options.None).        // anything else needs a block cache
		WithBlockCacheSize(0).
		WithIndexCacheSize(0).
		WithMetricsEnabled(false).
		WithChecksumVerificationMode(options.NoVerification) // see checkTables
	o.TableSizeMultiplier = 1 // tableSize is for tables of every level
	return o
}

// openEngine opens the database under dir/db. Nobody else has it: the lock on
// dir is held. The engine panics on some damage; that is an error here.
func openEngine(dir string, log zerolog.Logger) (engine *badger.DB, err error) {
	home := filepath.Join(dir, "db")
	if err := repair(home, log); err != nil {
		return nil, fmt.Errorf("repair database %s: %w", home, err)
	}
	defer func() {
		if p := recover(); p != nil {
			engine, err = nil, fmt.Errorf("open database %s: %w: %s", home, ErrDamaged, mask(fmt.Sprint(p)))
		}
	}()
	settings := engineOptions(home, log)
	if err := checkTables(home, settings); err != nil {
		return nil, fmt.Errorf("open database %s: %w", home, err)
	}
	engine, err = badger.Open(settings)
	if err == nil {
		return engine, nil
	}
	for _, cause := range []error{syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.ENOSPC, syscall.EDQUOT, syscall.EMFILE, syscall.ENOMEM} {
		if strings.Contains(err.Error(), cause.Error()) { // the engine does not wrap its causes
			return nil, fmt.Errorf("open database %s: %w: %w", home, cause, engineError{err})
		}
	}
	return nil, fmt.Errorf("open database %s: %w: %w", home, ErrDamaged, engineError{err})
}

// repair removes files that a crash left between their creation and their
// first byte: the engine refuses to open beside them, and they hold nothing.
func repair(home string, log zerolog.Logger) error {
	entries, err := os.ReadDir(home)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		switch filepath.Ext(entry.Name()) {
		case ".mem", ".vlog":
		default:
			// Without encryption the key registry holds no key.
			if entry.Name() != "KEYREGISTRY" {
				continue
			}
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() || info.Size() != 0 {
			continue
		}
		if err := os.Remove(filepath.Join(home, entry.Name())); err != nil {
			return err
		}
		log.Warn().Str("file", entry.Name()).Msg("removed an empty file that a crash had left")
	}
	return nil
}

// TuneMemory sets the collector for a small box, unless the operator has set
// GOMEMLIMIT or GOGC in the environment. With it the engine's memory under
// load halves.
func TuneMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(48 << 20)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

// engineError is an error of the engine whose text is fit for a log: the
// layers of such an error quote keys, and keys hold phone numbers.
type engineError struct{ err error }

func (e engineError) Error() string { return mask(e.err.Error()) }
func (e engineError) Unwrap() error { return e.err }

// engineLog passes the engine's warnings and errors on; its chatter is dropped.
type engineLog struct{ log zerolog.Logger }

func (l engineLog) Errorf(format string, args ...any) {
	l.log.Error().Str("engine", engineText(format, args)).Msg("the database engine reports an error")
}

func (l engineLog) Warningf(format string, args ...any) {
	l.log.Warn().Str("engine", engineText(format, args)).Msg("the database engine warns")
}

func (engineLog) Infof(string, ...any)  {}
func (engineLog) Debugf(string, ...any) {}

func engineText(format string, args []any) string {
	return mask(strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// mask hides every run of seven or more hexadecimal digits, which is what a
// phone number looks like in a quoted or a hexadecimal key.
func mask(text string) string {
	const longest = 6
	var b strings.Builder
	run := 0
	flush := func(end int) {
		if run > longest {
			b.WriteString("***")
		} else {
			b.WriteString(text[end-run : end])
		}
		run = 0
	}
	for i := range len(text) {
		if c := text[i] | 0x20; '0' <= c && c <= '9' || 'a' <= c && c <= 'f' {
			run++
			continue
		}
		flush(i)
		b.WriteByte(text[i])
	}
	flush(len(text))
	return b.String()
}
