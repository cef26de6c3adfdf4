package kv

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The bounds of a box key in bytes. Keys made here have boxKeySize.
const (
	boxKeySize = 32
	boxKeyMost = 4096
)

// KeysDir is where the keys stand in a data directory.
func KeysDir(dir string) string { return filepath.Join(dir, "keys") }

// BoxKey returns the box key: the bytes of the file credential, if that is not
// empty and there is such a file (systemd hands credentials over so); else
// those of dir/keys/box.key, which is made of random bytes the first time. A
// key that others may read is refused.
func BoxKey(dir, credential string) ([]byte, error) {
	if credential != "" {
		key, err := readKey(credential)
		if !errors.Is(err, os.ErrNotExist) {
			return key, err
		}
	}
	path := filepath.Join(KeysDir(dir), "box.key")
	key, err := KeyFile(dir, "box.key", func() ([]byte, error) {
		key := make([]byte, boxKeySize)
		rand.Read(key)
		return key, nil
	})
	if err == nil {
		err = checkSize(path, key)
	}
	return key, err
}

// KeyFile returns the content of dir/keys/name. What is not there is made by
// create, and is durable when KeyFile returns; the caller has opened the
// database in dir, so no other process makes it too. A file that others may
// read is refused.
func KeyFile(dir, name string, create func() ([]byte, error)) ([]byte, error) {
	path := filepath.Join(KeysDir(dir), name)
	content, err := os.ReadFile(path)
	switch {
	case err == nil:
		err = private(path)
	case errors.Is(err, os.ErrNotExist):
		if content, err = create(); err == nil {
			err = writeKey(dir, name, content)
		}
	default:
		err = fmt.Errorf("read key: %w", err)
	}
	if err != nil {
		return nil, err
	}
	return content, nil
}

func readKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read box key: %w", err)
	}
	return key, checkSize(path, key)
}

func checkSize(path string, key []byte) error {
	if len(key) < boxKeySize || len(key) > boxKeyMost {
		return fmt.Errorf("read box key: %s has %d bytes, between %d and %d are needed", path, len(key), boxKeySize, boxKeyMost)
	}
	return nil
}

// private refuses a file that anybody but its owner may read.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("read key: others may read %s; chmod it to 0600", path)
	}
	return nil
}

// writeKey makes dir/keys/name durable: a key that is used once and gone after
// a power cut would take with it whatever it has sealed.
func writeKey(dir, name string, content []byte) (err error) {
	keys := KeysDir(dir)
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	path := filepath.Join(keys, name)
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil {
		err = syncDir(keys)
	}
	if err == nil {
		err = syncDir(dir) // for keys itself
	}
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}
