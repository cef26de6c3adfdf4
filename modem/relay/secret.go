package relay

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxLine bounds a file that holds a secret, in bytes.
const maxLine = 4 << 10

// readSecret returns the one line of a file that nobody but its owner may read.
// Errors name the file, never what is in it.
func readSecret(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("open the secret: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("look at the secret: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by others (mode %04o): chmod 600 it", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxLine+1))
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" || len(text) > maxLine || strings.ContainsAny(secret, "\r\n") {
		return "", fmt.Errorf("%s: %w", path, errSecret)
	}
	return secret, nil
}

var errSecret = errors.New("it must hold one line, of 4 KiB at most")
