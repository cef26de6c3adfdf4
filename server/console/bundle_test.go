package console_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/server/console"
)

// unpacked are the files of a bundle.
func unpacked(t *testing.T, bundle []byte) map[string]string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(bundle))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	archive := tar.NewReader(r)
	for {
		head, err := archive.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(head.Name, "pinferry-support/")] = string(text)
	}
}

// bundle asks for a bundle in the way that a script does.
func (b *box) bundle(path string) (names []string) {
	b.t.Helper()
	code, stdout, stderr := b.run(func(in *console.Invocation) error {
		return console.SupportBundle(in, func(b *console.Bundle) {
			b.Text("config.toml", []byte("number = \"+41791234567\"\nlisten = \"127.0.0.1:7467\"\nkeys = [\"sha256:00ff00ff00ff\"]"), nil)
			b.JSON("doctor.json", object{"text": "The number is +41791234567.", "n": 123456789}, nil)
			b.Text("journal.txt", nil, errors.New("no journal of +41791234567"))
		})
	}, "FILE", path, "--json")
	var answer struct {
		File  string
		Parts []string
	}
	if err := json.Unmarshal([]byte(stdout), &answer); code != console.OK || err != nil || answer.File != path {
		b.t.Fatalf("%d %s%s (%v)", code, stdout, stderr, err)
	}
	return answer.Parts
}

func TestBundle(t *testing.T) {
	b := newBox(t)
	for _, path := range []string{"/admin/status", "/admin/clock", "/v1/routes", "/admin/overview", "/admin/events"} {
		b.on("GET "+path, object{"to": number, "text": "your code is 271828", "free_bytes": 12345678901, "version": "1986243-dirty", "deep": []any{object{"key": "sk_secret"}}})
	}
	b.on("GET /admin/messages", object{"messages": []any{aMessage(1)}})
	b.on("GET /readyz", problem{503, `{"status":"not ready","detail":"no route for +41791234567"}`})
	b.on("GET /metrics", text("pinferry_x{route=\"gsm0\",to=\"+41791234567\"} 1234567\n"))
	path := filepath.Join(t.TempDir(), "support.tar.gz")
	names := b.bundle(path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the bundle is %v (%v)", info, err)
	}
	bundle, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := unpacked(t, bundle)
	for _, name := range []string{"status.json", "ready.json", "clock.json", "routes.json", "events.json", "messages.json", "webhooks.json", "metrics.txt", "config.toml", "doctor.json", "missing.txt"} {
		if files[name] == "" || !slices.Contains(names, name) {
			t.Errorf("there is no %s among %v", name, names)
		}
	}
	for name, text := range files {
		for _, leak := range []string{"791234567", "271828", "sk_secret", "00ff00ff"} {
			if strings.Contains(text, leak) {
				t.Errorf("%s holds %s:\n%s", name, leak, text)
			}
		}
		if strings.HasSuffix(name, ".json") && !json.Valid([]byte(text)) {
			t.Errorf("%s is no JSON: %s", name, text)
		}
	}
	for name, want := range map[string]string{
		"status.json": `"version": "1986243-dirty"`, "clock.json": `"free_bytes": 12345678901`, "metrics.txt": "} 1234567\n", "config.toml": "127.0.0.1:7467", "ready.json": "not ready",
		"missing.txt": "journal.txt is missing: no journal of +***********", "messages.json": "msg_00000000000000000000000000000001",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s does not hold %q:\n%s", name, want, files[name])
		}
	}
}

// A box that does not run needs help most.
func TestBundleWithoutABox(t *testing.T) {
	b := newBox(t)
	b.socket = filepath.Join(t.TempDir(), "none.sock")
	names := b.bundle(filepath.Join(t.TempDir(), "support.tar.gz"))
	if want := []string{"config.toml", "doctor.json", "missing.txt"}; !slices.Equal(names, want) {
		t.Errorf("the bundle has %v, want %v", names, want)
	}
}
