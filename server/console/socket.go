package console

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// sockets are the places where a daemon may listen, the likeliest first.
func (t Terminal) sockets() []string {
	if s := t.Getenv("PINFERRY_SOCKET"); s != "" {
		return []string{s}
	}
	return slices.Compact(append([]string{"/run/pinferry/admin.sock"}, t.Socket()))
}

// Socket is where this user's daemon listens for commands.
func (t Terminal) Socket() string {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("pinferry-%d", os.Getuid()))
	if run, _, _ := strings.Cut(t.Getenv("RUNTIME_DIRECTORY"), ":"); run != "" {
		dir = run
	} else if run := t.Getenv("XDG_RUNTIME_DIR"); run != "" {
		dir = filepath.Join(run, "pinferry")
	}
	return filepath.Join(dir, "admin.sock")
}

// OpenRunDir makes the directory of the daemon's socket. Under the temporary
// directory somebody else may have made it first, to be the daemon that the
// commands talk to.
func OpenRunDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err == nil || !errors.Is(err, fs.ErrExist) {
		return err
	}
	return ownRunDir(dir)
}

// ownRunDir makes sure that nobody but this user can have put a socket there.
func ownRunDir(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || owner.Uid != uint32(os.Getuid()) || info.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("%s belongs to somebody else, or everybody may write to it", dir)
	}
	return nil
}
