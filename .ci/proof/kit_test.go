// Package proof drives the built program from outside: real processes, a real
// pseudo-terminal, kill -9.
package proof

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// program is the binary under proof, built once.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "proof")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "pinferry")
	build := exec.Command("go", "build", "-o", program, "../..")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

const (
	secretKey = "sk_proof"
	publicKey = "pk_proof"
)

// config is a box with one app whose limits are lifted, unless more says
// otherwise.
const config = `
[server]
listen = %q
[storage]
dir = %q
%s
[[app]]
id = "proof"
name = "Proof"
mode = "test"
keys = ["sha256:%x", "sha256:%x"]
countries = ["*"]
code_length = 10
[limits]
sends_per_phone = []
sends_per_address_phone = []
sends_per_address = []
sends_per_block = []
sends_per_large_block = []
sends_per_country = []
sends_per_box = []
conversion_per_block = []
conversion_per_country = []
backoff = []
tries_per_phone = []
tries_per_address_phone = []
tries_per_address = []
refusals_per_address = []
messages_per_app = []
`

// box is a pinferry that can be killed and started again.
type box struct {
	t       *testing.T
	dir     string
	base    string
	log     *os.File
	process *exec.Cmd
	client  *http.Client
	key     string // that calls are made with; "" is secretKey
}

// newBox returns a box with one modem.
func newBox(t *testing.T, device string) *box {
	t.Helper()
	return newBoxWith(t, fmt.Sprintf("[[modem]]\nname = \"gsm0\"\ndevice = %q\n[routes]\norder = [\"gsm0\"]", device))
}

// newBoxWith returns a box with the routes that this part of a config says.
func newBoxWith(t *testing.T, routes string) *box {
	t.Helper()
	dir := t.TempDir()
	listen := freePort(t)
	text := fmt.Sprintf(config, listen, filepath.Join(dir, "data"), routes, sha256.Sum256([]byte(publicKey)), sha256.Sum256([]byte(secretKey)))
	must(t, os.WriteFile(filepath.Join(dir, "pinferry.toml"), []byte(text), 0o600))
	log, err := os.Create(filepath.Join(dir, "log"))
	must(t, err)
	b := &box{t: t, dir: dir, base: "http://" + listen, log: log, client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	t.Cleanup(func() { b.kill(); log.Close(); b.client.CloseIdleConnections() })
	return b
}

var homes atomic.Uint32

// freePort returns an address that no other box of this run has, for a port that
// is free now may be somebody else's when the box takes it, or takes it again
// after a restart.
func freePort(t *testing.T) string {
	n := homes.Add(1)
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 1+os.Getpid()%200, 1+n/250, 1+n%250))
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// start runs the box and waits until it can send.
func (b *box) start() {
	b.t.Helper()
	b.process = exec.Command(program, "serve", "--config", filepath.Join(b.dir, "pinferry.toml"), "--socket", filepath.Join(b.dir, "admin.sock"), "--log-level", "debug")
	b.process.Stdout, b.process.Stderr = b.log, b.log
	must(b.t, b.process.Start())
	b.eventually("ready", 20*time.Second, func() bool {
		r, err := b.client.Get(b.base + "/readyz")
		if err != nil {
			return false
		}
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

// kill ends the process as a power cut would, as far as a process can tell.
func (b *box) kill() {
	if b.process != nil {
		b.process.Process.Kill()
		b.process.Wait()
		b.process = nil
	}
}

// terminate ends it in order.
func (b *box) terminate() {
	b.t.Helper()
	must(b.t, b.process.Process.Signal(syscall.SIGTERM))
	must(b.t, b.process.Wait())
	b.process = nil
}

func (b *box) eventually(what string, within time.Duration, ok func() bool) {
	b.t.Helper()
	for began := now(); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > within {
			b.t.Fatalf("not %s within %s; the log ends in\n%s", what, within, b.tail())
		}
	}
}

func (b *box) tail() string {
	if b.log == nil {
		return "(it has none)"
	}
	text, _ := os.ReadFile(b.log.Name())
	return string(text[max(0, len(text)-2000):])
}

// answer is what the API said; status 0 is no answer.
type answer struct {
	status int
	body   []byte
	header http.Header
}

func (a answer) field(t *testing.T, path ...string) string {
	t.Helper()
	var v any
	must(t, json.Unmarshal(a.body, &v))
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("no %s in the answer", strings.Join(path, "."))
		}
		v = m[name]
	}
	return fmt.Sprint(v)
}

// try makes a call that a kill may cut off.
func (b *box) try(method, path, body string) answer {
	request, err := http.NewRequest(method, b.base+path, strings.NewReader(body))
	must(b.t, err)
	request.Header.Set("Authorization", "Bearer "+cmp.Or(b.key, secretKey))
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	r, err := b.client.Do(request)
	if err != nil {
		return answer{}
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return answer{}
	}
	return answer{r.StatusCode, text, r.Header}
}

// call makes a call that must be answered with this status.
func (b *box) call(want int, method, path, body string) answer {
	b.t.Helper()
	a := b.try(method, path, body)
	if a.status != want {
		b.t.Fatalf("%s %s: status %d, want %d; %s", method, path, a.status, want, a.body)
	}
	return a
}

func startBody(to string) string { return fmt.Sprintf(`{"to":%q}`, to) }

func checkBody(code, address string) string {
	if address == "" {
		return fmt.Sprintf(`{"code":%q}`, code)
	}
	return fmt.Sprintf(`{"code":%q,"client_ip":%q}`, code, address)
}

// sms is a message that reached the virtual handset.
type sms struct{ To, Text string }

// modem is a simulator in a process of its own: it outlives the box.
type modem struct {
	t       *testing.T
	link    string
	process *exec.Cmd
	stdin   io.WriteCloser

	mu  sync.Mutex
	all []sms
}

func newModem(t *testing.T, faults ...string) *modem {
	t.Helper()
	m := &modem{t: t, link: filepath.Join(t.TempDir(), "modem")}
	args := []string{"simulate", "--link", m.link}
	for _, f := range faults {
		args = append(args, "--fault", f)
	}
	m.process = exec.Command(program, args...)
	out, err := m.process.StdoutPipe()
	must(t, err)
	m.stdin, err = m.process.StdinPipe()
	must(t, err)
	must(t, m.process.Start())
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the simulator said nothing")
	}
	go func() {
		for lines.Scan() {
			var s sms
			if json.Unmarshal(lines.Bytes(), &s) == nil && s.To != "" {
				m.mu.Lock()
				m.all = append(m.all, s)
				m.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() { m.process.Process.Kill(); m.process.Wait() })
	return m
}

// received returns what the handset got so far.
func (m *modem) received() []sms {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]sms(nil), m.all...)
}

var digits = regexp.MustCompile(`\b[0-9]{10}\b`)

// code returns the digits that came for a number, "" if none did yet.
func (m *modem) code(to string) string {
	for _, s := range m.received() {
		if s.To == to {
			return digits.FindString(s.Text)
		}
	}
	return ""
}

// wrong returns digits other than right.
func wrong(right string) string {
	b := []byte(right)
	b[0] = '0' + (b[0]-'0'+1)%10
	return string(b)
}

// number is the n-th of ten million phone numbers.
func number(n int) string { return fmt.Sprintf("+4179%07d", n%10_000_000) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
		}
		t.Fatal(err)
	}
}
