package cert_test

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/server/cert"
	"github.com/rs/zerolog"
)

// TestFiles replaces certificates under a box that runs: by a good pair, by pairs
// that are none, and by a good one again. At no time is there no certificate.
func TestFiles(t *testing.T) {
	dir, now, log := t.TempDir(), &clock{at: begun}, &buffer{}
	public, secret := filepath.Join(dir, "box.crt"), filepath.Join(dir, "box.key")
	pair := func(name string) {
		c, key := sign(t, &x509.Certificate{DNSNames: []string{name}}, nil, nil)
		writePair(t, public, secret, c, key)
	}
	pair("one.example")
	files, err := cert.NewFiles(public, secret, now.now, zerolog.New(log))
	if err != nil {
		t.Fatal(err)
	}
	shown := func(want string) {
		t.Helper()
		now.pass(6 * time.Second)
		if got := files.Current().Leaf.DNSNames[0]; got != want {
			t.Errorf("it shows %s, want %s", got, want)
		}
	}
	shown("one.example")
	pair("two.example")
	if files.Current().Leaf.DNSNames[0] != "one.example" {
		t.Error("the disk is asked with each connection")
	}
	shown("two.example")
	if s := files.State(); s.Trouble != nil || s.Loose != "" || len(s.Names) != 1 || s.Names[0] != "two.example" || s.Until.Sub(begun) != 90*day {
		t.Errorf("got %+v", s)
	}
	if s, err := cert.ReadFiles(public, secret); err != nil || len(s.Names) != 1 || s.Names[0] != "two.example" {
		t.Errorf("without a box: %+v (%v)", s, err)
	}
	whole := read(t, public)
	for name, spoil := range map[string]func(){
		"OthersKey": func() {
			_, key := sign(t, &x509.Certificate{DNSNames: []string{"x"}}, nil, nil)
			c, _ := x509.ParseCertificate(files.Current().Certificate[0])
			writePair(t, public, secret, c, key)
		},
		"CutShort": func() { write(t, public, whole[:len(whole)/2]) },
		"Empty":    func() { write(t, secret, nil) },
		"Gone":     func() { os.Remove(public) },
	} {
		before := strings.Count(log.String(), `"level":"error"`)
		spoil()
		if s, err := cert.ReadFiles(public, secret); err == nil {
			t.Errorf("%s: without a box it is taken for %+v", name, s)
		}
		for range 3 {
			shown("two.example")
		}
		if s := files.State(); s.Trouble == nil || s.Names[0] != "two.example" {
			t.Errorf("%s: %+v", name, s)
		}
		if after := strings.Count(log.String(), `"level":"error"`); after != before+1 {
			t.Errorf("%s is in the log %d times", name, after-before)
		}
		pair("two.example")
		shown("two.example")
		if s := files.State(); s.Trouble != nil {
			t.Errorf("%s, put right: %+v", name, s)
		}
	}
	if strings.Contains(log.String(), "PRIVATE") {
		t.Error("the log shows a key")
	}
	if err := os.Chmod(secret, 0o644); err != nil {
		t.Fatal(err)
	}
	if s := files.State(); s.Loose != secret {
		t.Errorf("everybody may read it: %+v", s)
	}
	if err := os.Chmod(secret, 0o640); err != nil { // its group is the service's
		t.Fatal(err)
	}
	if s := files.State(); s.Loose != "" {
		t.Errorf("only its group may read it: %+v", s)
	}
}

// TestFilesThatHaveEnded are shown, and the log says once that nobody believes them.
func TestFilesThatHaveEnded(t *testing.T) {
	dir, now, log := t.TempDir(), &clock{at: begun.Add(90*day + time.Hour)}, &buffer{}
	public, secret := filepath.Join(dir, "box.crt"), filepath.Join(dir, "box.key")
	c, key := sign(t, &x509.Certificate{DNSNames: []string{"old.example"}}, nil, nil)
	writePair(t, public, secret, c, key)
	files, err := cert.NewFiles(public, secret, now.now, zerolog.New(log))
	if err != nil {
		t.Fatal(err)
	}
	now.pass(time.Minute)
	if files.Current() == nil || strings.Count(log.String(), "the certificate has ended") != 1 {
		t.Errorf("the log has %s", log.String())
	}
	now.pass(-2 * time.Hour)
	if _, err := cert.NewFiles(public, secret, now.now, zerolog.New(log)); err != nil || strings.Count(log.String(), "has ended") != 1 {
		t.Errorf("of a good one: %v, and the log has %s", err, log.String())
	}
}

// TestNoFiles starts with files that are no pair: there is nothing older to go on
// with.
func TestNoFiles(t *testing.T) {
	dir := t.TempDir()
	public, secret := filepath.Join(dir, "box.crt"), filepath.Join(dir, "box.key")
	if f, err := cert.NewFiles(public, secret, (&clock{}).now, zerolog.Nop()); !errors.Is(err, fs.ErrNotExist) || f != nil {
		t.Errorf("got %v, %v", f, err)
	}
	c, _ := sign(t, &x509.Certificate{DNSNames: []string{"a.example"}}, nil, nil)
	_, key := sign(t, &x509.Certificate{DNSNames: []string{"b.example"}}, nil, nil)
	writePair(t, public, secret, c, key)
	if _, err := cert.NewFiles(public, secret, (&clock{}).now, zerolog.Nop()); err == nil || !strings.Contains(err.Error(), secret) {
		t.Errorf("got %v", err)
	}
}
