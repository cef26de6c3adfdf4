package modem_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/modem"
)

// TestReadPIN takes a PIN from a file that is closed to others, and shows no
// other content in its errors.
func TestReadPIN(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		content string
		mode    os.FileMode
		want    string // the PIN, or with a blank what the error says
	}{
		"plain":   {"4711", 0o600, "4711"},
		"note":    {" 4711 \nthe red phone's", 0o400, "4711"},
		"open":    {"4711", 0o640, "chmod 600 "},
		"letters": {"hunter2", 0o600, "holds no PIN"},
		"long":    {"123456789", 0o600, "holds no PIN"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(test.content), test.mode); err != nil {
			t.Fatal(err)
		}
		pin, err := modem.ReadPIN(path)
		switch {
		case !strings.Contains(test.want, " "):
			if err != nil || pin != test.want {
				t.Errorf("%s: %q (%v)", name, pin, err)
			}
		case err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), test.content):
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	if pin, err := modem.ReadPIN(""); pin != "" || err != nil {
		t.Errorf("no file: %q (%v)", pin, err)
	}
	if _, err := modem.ReadPIN(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "pin_file") {
		t.Errorf("a file that is not there: %v", err)
	}
}
