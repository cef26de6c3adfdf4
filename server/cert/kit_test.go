package cert_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/cert"
)

// begun is when the boxes of the tests were made.
var begun = otp.TimeOf(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))

const day = 24 * time.Hour

// clock is box time that a test sets.
type clock struct {
	mu sync.Mutex
	at otp.Time
}

func (c *clock) now() otp.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// buffer keeps a log, for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newAuthority makes the authority of a box called host, and returns its
// certificate and its key beside it.
func newAuthority(t *testing.T, host string) (*cert.Authority, *x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	file, err := cert.NewAuthority(cert.Names(host), begun)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := cert.ParseAuthority(file)
	if err != nil {
		t.Fatal(err)
	}
	public, rest := pem.Decode(file)
	secret, _ := pem.Decode(rest)
	root, err := x509.ParseCertificate(public.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(secret.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return authority, root, key.(*ecdsa.PrivateKey)
}

// sign has a key sign a template, by itself if parent is nil, and returns the
// certificate and the key it is for.
func sign(t *testing.T, template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if parent == nil {
		parent, signer = template, key
	}
	template.SerialNumber = big.NewInt(7)
	template.NotBefore, template.NotAfter = begun.Std().Add(-day), begun.Std().Add(90*day)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

// verify has the system's rules judge a certificate for a name, with root alone
// to be trusted.
func verify(root, leaf *x509.Certificate, name string, at otp.Time, between ...*x509.Certificate) error {
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), DNSName: name, CurrentTime: at.Std()}
	options.Roots.AddCert(root)
	for _, c := range between {
		options.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(options)
	return err
}

// writePair writes a certificate and its key to two files.
func writePair(t *testing.T, certPath, keyPath string, c *x509.Certificate, key *ecdsa.PrivateKey) {
	t.Helper()
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, certPath, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	write(t, keyPath, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

// write replaces a file by another one, as tools that renew certificates do.
func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func addresses(list ...string) (all []netip.Addr) {
	for _, a := range list {
		all = append(all, netip.MustParseAddr(a))
	}
	return all
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
