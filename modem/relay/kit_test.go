package relay_test

import (
	"context"
	"encoding/pem"
	"flag"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem/relay"
	"github.com/pinferry/pinferry/otp"
	"github.com/rs/zerolog"
)

// update rewrites the goldens: go test ./modem/relay -update.
var update = flag.Bool("update", false, "rewrite the goldens")

const (
	dial = "41791234567"
	text = "123456 is your \"Zoë\" code {to}\n&x=y"
	code = "123456"
	key  = "tok-secret-value"
)

var id = otp.ID{0: 0xab, 15: 0xcd}

// outgoing is a code on its way.
func outgoing() otp.Outgoing {
	return otp.Outgoing{Message: id, Dial: dial, Text: text, Code: code, Deadline: now().Add(5 * time.Minute)}
}

// now is box time in tests that need no moving one.
func now() otp.Time { return otp.Time(1_800_000_000_000) }

// seen is a request as a provider saw it.
type seen struct {
	method, target, body string
	header               http.Header
}

// provider is a server that keeps what it sees and answers as it is told.
type provider struct {
	*httptest.Server
	mu     sync.Mutex
	got    []seen
	answer http.HandlerFunc
}

// newProvider starts a server that speaks TLS.
func newProvider(t *testing.T, answer http.HandlerFunc) *provider {
	t.Helper()
	p := &provider{answer: answer}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.got = append(p.got, seen{r.Method, r.RequestURI, string(body), r.Header.Clone()})
		p.mu.Unlock()
		p.answer(w, r)
	}))
	p.Config.ErrorLog = quiet()
	p.StartTLS()
	t.Cleanup(p.Close)
	return p
}

// quiet is where servers complain of handshakes that the tests break off.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// requests returns what the provider has seen.
func (p *provider) requests() []seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.got)
}

// authority writes the certificate that vouches for the provider.
func (p *provider) authority(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// says answers every request with a status and a JSON body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// secretFile writes a file that only its owner may read.
func secretFile(t *testing.T, secret string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// reach completes a config so that the relay reaches the provider.
func reach(t *testing.T, p *provider, c relay.Config) relay.Config {
	t.Helper()
	if c.URL == "" {
		c.URL = p.URL
	}
	if p != nil && strings.HasPrefix(c.URL, "https") {
		c.CAFile = p.authority(t)
	}
	c.Allow, c.Log = loopback, zerolog.Nop()
	if c.Now == nil {
		c.Now = now
	}
	return c
}

// open returns a relay.
func open(t *testing.T, c relay.Config) *relay.Relay {
	t.Helper()
	r, err := relay.New("backup", c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// hooked is a webhook with all that its verdict needs.
func hooked(t *testing.T, p *provider) relay.Config {
	t.Helper()
	return reach(t, p, relay.Config{
		Kind: "webhook", SecretFile: secretFile(t, key),
		Webhook: relay.Webhook{
			Headers:      map[string]string{"Authorization": "Bearer {secret}"},
			SuccessField: "/status", SuccessValues: []string{"queued"}, Reference: "/id",
		},
	})
}

// sink remembers what a route told.
type sink struct {
	changed chan struct{} // holds one if something changed since it was read
	mu      sync.Mutex
	reports []otp.Report
}

func (s *sink) Changed(string) {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *sink) Reported(r otp.Report) {
	s.mu.Lock()
	s.reports = append(s.reports, r)
	s.mu.Unlock()
}

func (s *sink) Confirmed(string, otp.ID, otp.Reference)      {}
func (s *sink) Received(context.Context, otp.Incoming) error { return nil }

func (s *sink) heard() []otp.Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reports)
}

// run runs a relay until the test ends.
func run(t *testing.T, r *relay.Relay) *sink {
	t.Helper()
	s := &sink{changed: make(chan struct{}, 1)}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, s) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-s.changed // it has its sink
	return s
}
