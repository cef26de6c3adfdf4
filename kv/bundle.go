package kv

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrPassphrase says that a passphrase does not open a bundle of keys, or that
// the bundle was changed: the two cannot be told apart.
var ErrPassphrase = errors.New("the passphrase does not open the keys")

// Bundle is the key files of a box, by name: box.key, the signing keys and the
// authority for its certificates.
type Bundle map[string][]byte

// A sealed bundle is a head of 21 bytes, a nonce of 12 and the AES-256-GCM of
// the files, bound to the head:
//
//	0  format (1)
//	1  iterations of PBKDF2-HMAC-SHA-256, big-endian
//	5  salt (16)
const (
	bundleFormat     = 1
	bundleHead       = 21
	bundleIterations = 600_000
	bundleMost       = 10_000_000 // iterations; more would only hold the box up
	passphraseLeast  = 8          // bytes
)

// LoadBundle reads the key files under dir/keys. If credential names a file,
// that is box.key.
func LoadBundle(dir, credential string) (Bundle, error) {
	key, err := BoxKey(dir, credential)
	if err != nil {
		return nil, err
	}
	b := Bundle{"box.key": key}
	for _, pattern := range []string{"*.pem", "*.ca"} {
		paths, err := filepath.Glob(filepath.Join(KeysDir(dir), pattern))
		if err != nil {
			return nil, fmt.Errorf("list keys: %w", err)
		}
		for _, path := range paths {
			if b[filepath.Base(path)], err = os.ReadFile(path); err != nil {
				return nil, fmt.Errorf("read key: %w", err)
			}
		}
	}
	return b, nil
}

// Seal encrypts the bundle to a passphrase of at least 8 bytes.
func (b Bundle) Seal(passphrase string) ([]byte, error) {
	if len(passphrase) < passphraseLeast {
		return nil, fmt.Errorf("seal keys: the passphrase is shorter than %d bytes", passphraseLeast)
	}
	sealed := make([]byte, bundleHead, 1024)
	sealed[0] = bundleFormat
	binary.BigEndian.PutUint32(sealed[1:], bundleIterations)
	rand.Read(sealed[5:])
	aead, err := bundleCipher(sealed, passphrase)
	if err != nil {
		return nil, fmt.Errorf("seal keys: %w", err)
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	var files []byte
	for _, name := range slices.Sorted(maps.Keys(b)) {
		files = appendField(appendField(files, []byte(name)), b[name])
	}
	head := sealed[:bundleHead:bundleHead]
	return aead.Seal(append(sealed, nonce...), nonce, files, head), nil
}

// OpenBundle decrypts what Seal made.
func OpenBundle(sealed []byte, passphrase string) (Bundle, error) {
	if len(sealed) < bundleHead {
		return nil, fmt.Errorf("open keys: %w", ErrBackup)
	}
	if sealed[0] > bundleFormat {
		return nil, fmt.Errorf("open keys: %w", ErrNewer)
	}
	if n := binary.BigEndian.Uint32(sealed[1:]); n == 0 || n > bundleMost {
		return nil, fmt.Errorf("open keys: %w", ErrBackup)
	}
	aead, err := bundleCipher(sealed, passphrase)
	if err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	body := sealed[bundleHead:]
	if len(body) < aead.NonceSize() {
		return nil, fmt.Errorf("open keys: %w", ErrBackup)
	}
	files, err := aead.Open(nil, body[:aead.NonceSize()], body[aead.NonceSize():], sealed[:bundleHead])
	if err != nil {
		return nil, fmt.Errorf("open keys: %w", ErrPassphrase)
	}
	b := Bundle{}
	for len(files) > 0 {
		var name, content []byte
		var ok bool
		if name, files, ok = cutField(files); ok {
			content, files, ok = cutField(files)
		}
		if !ok || !plain(string(name)) {
			return nil, fmt.Errorf("open keys: %w", ErrBackup)
		}
		b[string(name)] = content
	}
	return b, nil
}

// Install writes the key files under dir/keys. It never replaces a key by
// another one.
func (b Bundle) Install(dir string) error {
	names := slices.Sorted(maps.Keys(b))
	for _, name := range names {
		path := filepath.Join(KeysDir(dir), name)
		switch present, err := os.ReadFile(path); {
		case err == nil && !bytes.Equal(present, b[name]):
			return fmt.Errorf("install keys: %s is there already and differs", path)
		case err != nil && !errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("install keys: %w", err)
		}
	}
	for _, name := range names {
		if err := writeKey(dir, name, b[name]); err != nil {
			return err
		}
	}
	return nil
}

func bundleCipher(head []byte, passphrase string) (cipher.AEAD, error) {
	key, err := pbkdf2.Key(sha256.New, passphrase, head[5:bundleHead], int(binary.BigEndian.Uint32(head[1:])), 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// plain tells whether a name is that of a file and not a way out of keys/.
func plain(name string) bool {
	return name != "" && name[0] != '.' && !strings.ContainsAny(name, "/\\\x00") && len(name) < 256
}
