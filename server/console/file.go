package console

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
