package kv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Survey is what can be told of a data directory without opening it, so also
// while another process has it.
type Survey struct {
	Free uint64 // bytes on its disk
	Low  bool   // below the soft mark: nothing new is begun
	Full bool   // below the hard floor: nothing is written
	// Loose lists the paths of the keys, and of their folder, that others may
	// read. A box refuses such keys.
	Loose []string
}

// Look surveys a data directory. The error is that of a directory which is not
// there, or is closed to this user.
func Look(dir string) (Survey, error) {
	free, total, err := statfs(dir)
	if err != nil {
		return Survey{}, err
	}
	s := Survey{Free: free, Low: free < soft(total), Full: free < hardFloor}
	home := KeysDir(dir)
	info, err := os.Stat(home)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil // the first start makes it
	}
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		s.Loose = append(s.Loose, home)
	}
	var rows []os.DirEntry
	if err == nil {
		rows, err = os.ReadDir(home)
	}
	if err != nil {
		return s, fmt.Errorf("look at the keys: %w", err)
	}
	for _, row := range rows {
		if info, err := row.Info(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			s.Loose = append(s.Loose, filepath.Join(home, row.Name()))
		}
	}
	return s, nil
}

// Tighten takes the rights of others away from the keys of a data directory. It
// stays inside of it whatever links its owner has made, for root may call it.
func Tighten(dir string) error {
	s, err := Look(dir)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("close the keys to others: %w", err)
	}
	defer root.Close()
	for _, path := range s.Loose {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return fmt.Errorf("close the keys to others: %w", err)
		}
		info, err := root.Lstat(name)
		if err == nil {
			err = root.Chmod(name, info.Mode().Perm()&^0o077)
		}
		if err != nil {
			return fmt.Errorf("close the keys to others: %w", err)
		}
	}
	return nil
}
