package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/admin"
	"github.com/pinferry/pinferry/server/token"
	"github.com/rs/zerolog"
	"github.com/valyala/fasthttp"
)

const (
	publishable, secret = "pk_test_3f9a", "sk_test_7c1e"
	phone               = "+41791234567"
)

// box is a whole box on a free port: the true core over a store in memory, and
// a route that remembers what it was given.
type box struct {
	t     testing.TB
	route *otptest.Route
	mail  *otptest.Route // carries email; nil unless an app wants it
	log   *logBuffer
	addr  string
	sock  string
	http  *server.Server
}

// logBuffer keeps a log, for several goroutines.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func digest(key string) [32]byte { return sha256.Sum256([]byte(key)) }

// demoApp is the app that the tests use.
func demoApp() otp.App {
	return otp.App{
		ID: "demo", Keys: [][32]byte{digest(publishable), digest(secret)}, Countries: []string{"*"},
		Hosts: []string{"otp.example.com"}, Origins: []string{"https://shop.example"}, Sessions: true,
	}
}

// wiring makes what an operator can do from the core that stands behind.
type wiring func(*otp.Box, *otp.Outbox, *otp.Verifications, *otp.Directory) admin.Actions

// newBox starts a box; change may alter what it is made of before it opens, and
// wire what an operator can do.
func newBox(t testing.TB, change func(*server.Config, *[]otp.App), wire ...wiring) *box {
	t.Helper()
	b := &box{t: t, route: otptest.NewRoute("gsm0"), log: &logBuffer{}, sock: filepath.Join(t.TempDir(), "admin.sock")}
	list := []otp.App{demoApp()}
	config := server.Config{
		Listen: "127.0.0.1:0", Socket: b.sock, Metrics: metrics.NewSet(),
		Log:         zerolog.New(b.log).Level(zerolog.DebugLevel),
		ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, IdleTimeout: 300 * time.Millisecond,
	}
	if change != nil {
		change(&config, &list)
	}
	apps, err := otp.NewApps(list, func(string) int { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	keys, err := otp.NewKeys(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	core := &otp.Box{
		Store: otptest.NewMemory(), Clock: otp.NewClock(otp.ClockSource{}), Keys: keys, Apps: apps,
		Limits: otp.DefaultLimits(), Log: zerolog.Nop(), Feed: otp.NewFeed(),
	}
	core.Chart = otp.NewChart(core.Store, core.Clock)
	if _, err := core.Open(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	routes := []otp.Route{b.route}
	if slices.ContainsFunc(list, func(app otp.App) bool { return app.Email }) {
		b.mail = otptest.NewRoute("mail")
		b.mail.SetStatus(otp.RouteStatus{State: otp.RouteReady, Free: 8, Slots: 8, Kind: "relay", Channels: []string{otp.ChannelEmail}})
		routes = append(routes, b.mail)
	}
	outbox := otp.NewOutbox(core, routes)
	if config.Apps == nil {
		config.Apps = apps
	}
	if config.Outbox == nil {
		config.Outbox = outbox
	}
	verifications, directory := otp.NewVerifications(core, outbox), otp.NewDirectory(core)
	mint, err := token.Open(token.Config{
		Dir: filepath.Join(t.TempDir(), "keys"), Apps: apps.All(), Needs: server.Algorithms, Sessions: directory,
		Seal: keys.Seal, Now: core.Clock.Now, Log: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	config.Directory, config.Mint, config.Seal = directory, mint, keys.Seal
	config.Doors = append(config.Doors, server.Doors(verifications, directory, mint, apps)...)
	if config.Verifications == nil {
		config.Verifications = verifications
	}
	for _, w := range wire {
		config.Admin = w(core, outbox, verifications, directory)
	}
	b.http = server.New(config)
	if err := b.http.Open(); err != nil {
		t.Fatal(err)
	}
	_, b.addr, _ = strings.Cut(b.http.URL(), "://")
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { outbox.Run(ctx) })
	for _, r := range routes {
		running.Go(func() { r.Run(ctx, outbox) })
	}
	running.Go(func() {
		if err := b.http.Serve(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop, done := context.WithTimeout(context.Background(), 10*time.Second)
		defer done()
		if err := b.http.Shutdown(stop); err != nil {
			t.Error(err)
		}
		cancel()
		running.Wait()
	})
	return b
}

// answer is what came back.
type answer struct {
	status  int
	body    string
	headers map[string]string
}

// do makes a call over a connection of its own. headers are "Name: value".
func (b *box) do(method, target, body string, headers ...string) answer {
	b.t.Helper()
	var raw strings.Builder
	fmt.Fprintf(&raw, "%s %s HTTP/1.1\r\nConnection: close\r\n", method, target)
	if !strings.Contains(strings.Join(headers, "\n"), "Host:") {
		fmt.Fprintf(&raw, "Host: %s\r\n", b.addr)
	}
	for _, h := range headers {
		raw.WriteString(h + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&raw, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	raw.WriteString("\r\n" + body)
	return b.parse(b.raw(raw.String()), method)
}

// raw writes bytes on a connection and returns all that comes back until it is
// closed.
func (b *box) raw(request string) string {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		b.t.Logf("write: %v", err) // the box may have had enough already
	}
	all, err := io.ReadAll(conn)
	if err != nil && len(all) == 0 {
		b.t.Logf("read: %v", err)
	}
	return string(all)
}

func (b *box) parse(raw, method string) answer {
	b.t.Helper()
	var response fasthttp.Response
	response.SkipBody = method == "HEAD"
	if err := response.Read(bufio.NewReader(strings.NewReader(raw))); err != nil {
		b.t.Fatalf("%v in %q", err, raw)
	}
	a := answer{response.StatusCode(), string(response.Body()), map[string]string{}}
	for name, value := range response.Header.All() {
		a.headers[string(name)] = string(value)
	}
	return a
}

func key(k string) string { return "Authorization: Bearer " + k }

// hollow is what a server needs to open, and nothing behind it.
func hollow(listen, socket string) server.Config {
	return server.Config{
		Listen: listen, Socket: socket, Apps: &otp.Apps{}, Verifications: &otp.Verifications{}, Outbox: &otp.Outbox{},
		Directory: &otp.Directory{}, Mint: &token.Mint{},
	}
}

func TestOpen(t *testing.T) {
	b := newBox(t, nil)
	t.Run("TakenPort", func(t *testing.T) {
		second := server.New(hollow(b.addr, ""))
		if err := second.Open(); err == nil || !strings.Contains(err.Error(), b.addr) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("TakenSocket", func(t *testing.T) {
		second := server.New(hollow("127.0.0.1:0", b.sock))
		if err := second.Open(); err == nil || !strings.Contains(err.Error(), "answers on") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("Nothing", func(t *testing.T) {
		if err := server.New(server.Config{}).Open(); err == nil {
			t.Error("a server without a core opens")
		}
	})
	t.Run("ShutdownUnserved", func(t *testing.T) {
		s := server.New(hollow("127.0.0.1:0", ""))
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://")); err == nil {
			conn.Close()
			t.Error("it still listens")
		}
	})
}

// TestWholeCycle starts, reads the message, and checks, through HTTP only.
func TestWholeCycle(t *testing.T) {
	b := newBox(t, nil)
	a := b.do("POST", "/v1/verifications", `{"to":"+41 79 123 45 67","metadata":{"order":17}}`, key(publishable))
	if a.status != 201 || a.headers["Content-Type"] != "application/json" || a.headers["Cache-Control"] != "no-store" || len(a.headers["X-Request-Id"]) != 16 {
		t.Fatalf("got %+v", a)
	}
	id := member(t, a.body, "id")
	code := b.code()
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	if a := b.do("POST", "/v1/verifications/"+id+"/check", `{"code":"`+wrong+`"}`, key(publishable)); a.status != 422 {
		t.Errorf("a wrong code: %+v", a)
	}
	if a := b.do("POST", "/v1/verifications/"+id+"/check", `{"code":"`+code+`"}`, key(publishable)); a.status != 200 || !strings.Contains(a.body, `"status":"approved"`) {
		t.Errorf("the code: %+v", a)
	}
	if a := b.do("POST", "/v1/verifications/"+id+"/check", `{"code":"`+code+`"}`, key(publishable)); a.status != 422 {
		t.Errorf("the code again: %+v", a)
	}
	a = b.do("GET", "/v1/verifications/"+id, "", key(secret))
	if a.status != 200 || !strings.Contains(a.body, `"phone":"`+phone+`"`) || !strings.Contains(a.body, `"metadata":{"order":17}`) {
		t.Errorf("what the backend learns: %+v", a)
	}
	if a := b.do("DELETE", "/v1/verifications/"+id, "", key(publishable)); a.status != 409 {
		t.Errorf("canceled afterwards: %+v", a)
	}
}

// code waits for the first message and returns its code.
func (b *box) code() string {
	b.t.Helper()
	for range 500 {
		if given := b.route.Given(); len(given) > 0 {
			for _, word := range strings.FieldsFunc(given[0].Text, func(r rune) bool { return r < '0' || r > '9' }) {
				if len(word) == 6 {
					return word
				}
			}
			b.t.Fatal("the message has no code")
		}
		b.do("GET", "/healthz", "") // lets the dispatcher go on
	}
	b.t.Fatal("no message was sent")
	return ""
}

// member returns a string member of a JSON object.
func member(t testing.TB, body, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, `"`+name+`":"`)
	value, _, end := strings.Cut(rest, `"`)
	if !ok || !end {
		t.Fatalf("no %s in %s", name, body)
	}
	return value
}
