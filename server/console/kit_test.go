package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pinferry/pinferry/server/console"
)

// number is one that no answer of the commands may hold.
const number = "+41791234567"

// box answers on a socket as the daemon does.
type box struct {
	t      *testing.T
	socket string

	mu      sync.Mutex
	answers map[string]func(*http.Request) any // by "GET /v1/users"
	asked   []string                           // every request, with its query and body
}

// problem is an answer that is a refusal.
type problem struct {
	status int
	body   string
}

// text is an answer that is not JSON.
type text string

func newBox(t *testing.T) *box {
	t.Helper()
	b := &box{t: t, socket: filepath.Join(t.TempDir(), "admin.sock"), answers: map[string]func(*http.Request) any{}}
	listener, err := net.Listen("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: b}
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(listener) }()
	t.Cleanup(func() { server.Close(); <-done })
	return b
}

func (b *box) on(path string, answer any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := answer.(func(*http.Request) any)
	if !ok {
		f = func(*http.Request) any { return answer }
	}
	b.answers[path] = f
}

func (b *box) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	body.ReadFrom(r.Body)
	b.mu.Lock()
	b.asked = append(b.asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+body.String()))
	f := b.answers[r.Method+" "+r.URL.Path]
	b.mu.Unlock()
	if f == nil {
		f = func(*http.Request) any {
			return problem{404, `{"code":"invalid_request","detail":"There is no such path."}`}
		}
	}
	switch answer := f(r).(type) {
	case nil:
		w.WriteHeader(204)
	case problem:
		w.WriteHeader(answer.status)
		fmt.Fprint(w, answer.body)
	case text:
		fmt.Fprint(w, string(answer))
	default:
		json.NewEncoder(w).Encode(answer)
	}
}

// requests returns what was asked.
func (b *box) requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.asked...)
}

// run types a command at this box, and returns what it does and says.
func (b *box) run(do func(*console.Invocation) error, operands string, args ...string) (code int, stdout, stderr string) {
	b.t.Helper()
	var out, errs bytes.Buffer
	code = b.at(console.Terminal{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}, do, operands, args...)
	return code, out.String(), errs.String()
}

func (b *box) at(terminal console.Terminal, do func(*console.Invocation) error, operands string, args ...string) int {
	terminal.Environ = append(terminal.Environ, "PINFERRY_SOCKET="+b.socket)
	table := console.Table{console.New("thing do", operands, "do the thing", do)}
	return table.Run(terminal, append([]string{"thing", "do"}, args...))
}

type object = map[string]any
