package console

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pinferry/pinferry/server/admin"
)

// FirstLine returns the first line of a file, or of stdin for "-".
func (in *Invocation) FirstLine(path string) (string, error) {
	r := in.Stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("read the passphrase: %w", err)
		}
		defer file.Close()
		r = file
	}
	lines := bufio.NewScanner(r)
	lines.Scan()
	return lines.Text(), lines.Err()
}

// WriteFile writes a file that is complete and durable, or not there. "-" is
// stdout, and what is there and is no file, such as a device or a pipe, is
// written to as it is: a file that took the place of /dev/null would be the end of
// the machine.
func (in *Invocation) WriteFile(path string, write func(io.Writer) error) (err error) {
	if path == "-" {
		return write(in.Stdout)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("open the file: %w", err)
		}
		return errors.Join(write(file), file.Close())
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // 0600
	if err != nil {
		return fmt.Errorf("create the file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), os.Remove(file.Name()))
		}
	}()
	if err := write(file); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("sync the file: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("name the file: %w", err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("sync the file's directory: %w", err)
	}
	return errors.Join(file.Close(), dir.Sync(), dir.Close())
}

// SaveBackup writes a backup of the running box to a file, "-" is stdout. While
// it writes it asks now and then whether there is room; nil: there is.
func (in *Invocation) SaveBackup(path string, room func() error) error {
	return in.WriteFile(path, func(w io.Writer) error {
		progress := in.Progress()
		defer progress.End()
		if room != nil {
			w = &careful{w: w, room: room}
		}
		return in.reach(func(c *admin.Client) error {
			err := c.Stream(context.Background(), "/admin/backup", progress.Writer(w, "backup"))
			var refused *admin.Refusal
			if errors.As(err, &refused) {
				return refusal(refused.Status, refused.Answer)
			}
			return err
		})
	})
}

// careful is a writer that asks every so often whether there is room for more.
type careful struct {
	w    io.Writer
	room func() error
	left int // bytes until it asks
}

func (c *careful) Write(b []byte) (int, error) {
	if c.left -= len(b); c.left < 0 {
		if err := c.room(); err != nil {
			return 0, err
		}
		c.left = progressStep
	}
	return c.w.Write(b)
}
