package relay_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem/relay"
	"github.com/pinferry/pinferry/otp"
)

// wantFinding compares the reason, and sees that the detail names the server,
// and neither the path of the URL nor a secret.
func wantFinding(t *testing.T, r *relay.Relay, reason, server string) {
	t.Helper()
	got := r.Probe(t.Context())
	if got.Reason != reason || reason != "" && !strings.Contains(got.Detail, server) || strings.Contains(got.Detail, "hidden") || strings.Contains(got.Detail, key) {
		t.Errorf("found %q: %s; want %q at %s", got.Reason, got.Detail, reason, server)
	}
	if said, advice, both := strings.Cut(got.Detail, ". "); reason != "" && (!both || said == "" || !strings.HasSuffix(advice, ".") && !strings.HasSuffix(advice, "`.")) {
		t.Errorf("%q does not say what is wrong and then what to do", got.Detail)
	}
}

// What is at the other end, and what the probe calls it. The provider hears
// nothing of HTTP.
func TestProbe(t *testing.T) {
	good := newProvider(t, says(200, "{}"))
	stranger := newProvider(t, says(200, "{}"))
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	plain := newMailServer(t, nil, map[string]string{"": "hang up"})
	_, port, _ := net.SplitHostPort(good.Listener.Addr().String())
	all, reasons := map[string]*relay.Relay{}, map[string]string{}
	for name, test := range map[string]struct {
		url    string
		change func(*relay.Config)
		reason string
		server string
	}{
		"Good":      {good.URL, nil, "", ""},
		"PlainHTTP": {"http://" + plain.Addr().String(), func(c *relay.Config) { c.Insecure = true }, "", ""},
		"Closed":    {"https://" + closed.Addr().String(), nil, "unreachable", closed.Addr().String()},
		"Stranger":  {stranger.URL, func(c *relay.Config) { c.CAFile = "" }, "certificate", stranger.Listener.Addr().String()},
		"OtherName": {"https://other.example:" + port, func(c *relay.Config) {
			c.Lookup = func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			}
		}, "certificate", "other.example:" + port},
		"NoSuchName": {"https://nowhere.example", func(c *relay.Config) {
			c.Lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
				return nil, &net.DNSError{Name: host, IsNotFound: true}
			}
		}, "no_name", "nowhere.example:443"},
		"NoNameServer": {"https://nowhere.example", func(c *relay.Config) {
			c.Lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
				return nil, &net.DNSError{Name: host, IsTimeout: true}
			}
		}, "no_name", "nowhere.example:443"},
		"Private": {good.URL, func(c *relay.Config) { c.Allow = nil }, "not_allowed", good.Listener.Addr().String()},
		"NoTLS":   {"https://" + plain.Addr().String(), nil, "no_tls", plain.Addr().String()},
	} {
		t.Run(name, func(t *testing.T) {
			c := hooked(t, good)
			c.URL = test.url + "/hidden?to={to}"
			if test.change != nil {
				test.change(&c)
			}
			all[name], reasons[name] = open(t, c), test.reason
			wantFinding(t, all[name], test.reason, test.server)
		})
	}
	found := relay.ProbeAll(t.Context(), all)
	for name, reason := range reasons {
		if got, ok := found[name]; !ok || got.Reason != reason {
			t.Errorf("among others %s is found %q, want %q", name, got.Reason, reason)
		}
	}
	if n := len(good.requests()) + len(stranger.requests()); n != 0 {
		t.Errorf("the providers saw %d requests", n)
	}
}

// A certificate is out of date by the provider's fault or by that of this
// machine's clock; box time tells which.
func TestProbeKnowsWhoseTimeIsWrong(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) // long ago by the clock of this machine
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: until.AddDate(-1, 0, 0), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.(*tls.Conn).HandshakeContext(t.Context())
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	for reason, at := range map[string]otp.Time{
		"certificate": otp.TimeOf(until.AddDate(0, 0, 1)),
		"wrong_clock": otp.TimeOf(until.AddDate(0, 0, -1)),
	} {
		c := hooked(t, newProvider(t, says(200, "{}")))
		c.URL, c.CAFile, c.Now = "https://"+l.Addr().String(), authority, func() otp.Time { return at }
		wantFinding(t, open(t, c), reason, l.Addr().String())
	}
}

// A server that takes the connection and says nothing is given up in time.
func TestProbeOfASilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := hooked(t, newProvider(t, says(200, "{}")))
	c.URL = "https://" + l.Addr().String()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if got := open(t, c).Probe(ctx); got.Reason != "unreachable" {
		t.Errorf("found %q: %s", got.Reason, got.Detail)
	}
}

func TestProbeOfAMailServer(t *testing.T) {
	p := newProvider(t, nil)
	for name, test := range map[string]struct {
		tls     bool
		answers map[string]string
		change  func(*relay.Config)
		reason  string
	}{
		"Good":       {true, nil, nil, ""},
		"BadTongue":  {true, map[string]string{"QUIT": "500 what?"}, nil, ""},
		"NoStartTLS": {false, nil, nil, "no_tls"},
		"Stranger":   {true, nil, func(c *relay.Config) { c.CAFile = "" }, "certificate"},
		"Refuses":    {true, map[string]string{"": "554 go away"}, nil, "no_mail"},
		"HangsUp":    {true, map[string]string{"": "hang up"}, nil, "no_mail"},
	} {
		t.Run(name, func(t *testing.T) {
			with := p
			if !test.tls {
				with = nil
			}
			s := newMailServer(t, with, test.answers)
			c := relay.Config{
				Kind: "smtp", URL: "smtp://" + s.Addr().String(), From: "codes@example.com", User: "box", SecretFile: secretFile(t, key),
				CAFile: p.authority(t), Allow: loopback, Now: now,
			}
			if test.change != nil {
				test.change(&c)
			}
			wantFinding(t, open(t, c), test.reason, s.Addr().String())
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.login != "" || len(s.mails) != 0 {
				t.Error("it has logged in, or sent a mail")
			}
		})
	}
}
