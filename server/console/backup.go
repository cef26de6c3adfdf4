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
// stdout.
func (in *Invocation) WriteFile(path string, write func(io.Writer) error) (err error) {
	if path == "-" {
		return write(in.Stdout)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".pinferry-*") // 0600
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

// SaveBackup writes a backup of the running box to a file, "-" is stdout.
func (in *Invocation) SaveBackup(path string) error {
	return in.WriteFile(path, func(w io.Writer) error {
		return in.reach(func(c *admin.Client) error {
			err := c.Stream(context.Background(), "/admin/backup", w)
			var refused *admin.Refusal
			if errors.As(err, &refused) {
				return refusal(refused.Status, refused.Answer)
			}
			return err
		})
	})
}
