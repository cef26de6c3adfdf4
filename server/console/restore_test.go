package console_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/server/console"
)

// TestRestore hands a backup over, with its keys if there is a passphrase for
// them, and says that it is restored only when it is.
func TestRestore(t *testing.T) {
	saved := filepath.Join(t.TempDir(), "box.backup")
	for path, content := range map[string]string{saved: "the database", saved + ".keys": "sealed"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		args  []string
		stdin string
		want  console.Archive
		data  string
	}{
		{[]string{saved}, "", console.Archive{}, "the database"},
		{[]string{"-", "--force"}, "of a pipe", console.Archive{Force: true}, "of a pipe"},
		{[]string{saved, "--passphrase-file", "-"}, "a long phrase\n", console.Archive{Keys: []byte("sealed"), Passphrase: "a long phrase"}, "the database"},
	} {
		for _, code := range []int{console.OK, console.Refused} {
			var out, errs bytes.Buffer
			got := newBox(t).at(console.Terminal{Stdin: strings.NewReader(test.stdin), Stdout: &out, Stderr: &errs}, func(in *console.Invocation) error {
				return console.Restore(in, func(a console.Archive) error {
					data, err := io.ReadAll(a.Database)
					if err != nil || string(data) != test.data {
						t.Errorf("%v: the database is %q (%v)", test.args, data, err)
					}
					if a.Force != test.want.Force || a.Passphrase != test.want.Passphrase || !bytes.Equal(a.Keys, test.want.Keys) {
						t.Errorf("%v: got %+v", test.args, a)
					}
					if code != console.OK {
						return console.Fail(code, "there is one already")
					}
					return nil
				})
			}, "FILE", test.args...)
			if got != code || strings.Contains(out.String(), "restored") != (code == console.OK) {
				t.Errorf("%v: %d %s%s", test.args, got, &out, &errs)
			}
		}
	}
}
