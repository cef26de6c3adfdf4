package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/admin"
	"github.com/pinferry/pinferry/server/cert"
	"github.com/pinferry/pinferry/server/docs"
	"github.com/pinferry/pinferry/server/docs/docstest"
	"github.com/pinferry/pinferry/systemd"
)

// asProgram makes the test binary be pinferry: the child of the tests that
// need a real process and real signals.
const asProgram = "PINFERRY_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// patience bounds every wait of these tests; none of them comes near it.
const patience = 30 * time.Second

// buffer is a terminal's screen, or a log.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// session is one invocation in this process.
type session struct {
	t              *testing.T
	stdin          io.WriteCloser
	stdout, stderr *buffer
	signals        chan os.Signal
	daemon         *daemon // of serve and demo
	exit           chan int
}

// begin starts a command line.
func begin(t *testing.T, environ []string, args ...string) *session {
	t.Helper()
	stdin, typed := io.Pipe()
	s := &session{
		t: t, stdin: typed, stdout: &buffer{}, stderr: &buffer{},
		signals: make(chan os.Signal, 2), exit: make(chan int, 1),
	}
	opened := make(chan *daemon, 1)
	p := &program{
		environ: environ, stdin: stdin, stdout: s.stdout, stderr: s.stderr,
		signals: func() <-chan os.Signal { return s.signals },
		opened:  func(d *daemon) { opened <- d },
	}
	go func() { s.exit <- p.run(args) }()
	t.Cleanup(func() { stdin.Close() })
	if len(args) > 0 && slices.Contains([]string{"serve", "demo"}, args[0]) {
		select {
		case s.daemon = <-opened:
			t.Cleanup(func() { s.stop() })
		case code := <-s.exit:
			s.exit <- code
		case <-time.After(patience):
			t.Fatalf("%v did not open: %s", args, s.stderr)
		}
	}
	return s
}

// end waits for the command to end by itself and returns its exit code.
func (s *session) end() int {
	s.t.Helper()
	select {
	case code := <-s.exit:
		s.exit <- code
		return code
	case <-time.After(patience):
		s.t.Fatalf("the command did not end\nstdout: %s\nstderr: %s", s.stdout, s.stderr)
		return -1
	}
}

// stop signals the command and waits for it.
func (s *session) stop() int {
	s.t.Helper()
	select {
	case s.signals <- syscall.SIGTERM:
	default:
	}
	return s.end()
}

// execute runs a command line that ends by itself.
func execute(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	s := begin(t, environ, args...)
	s.stdin.Close()
	code = s.end()
	return code, s.stdout.String(), s.stderr.String()
}

// file writes a config file and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pinferry.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shop is a config with one production app behind the built-in simulator; pk
// and sk are its keys.
const shopPublishable, shopSecret = "pk_shop", "sk_shop"

func shop(more string) string {
	return fmt.Sprintf(`
[[modem]]
name = "gsm0"
device = "sim:"
[[app]]
id = "shop"
name = "Shop"
countries = ["CH"]
keys = [%q, %q]
%s`, digestOf(shopPublishable), digestOf(shopSecret), more)
}

// box is a served config with its own directories.
type box struct {
	*session
	environ []string
	dir     string
}

// serve boots the program on a free port with a fresh directory.
func serve(t *testing.T, config string) *box {
	t.Helper()
	return serveIn(t, config, t.TempDir())
}

func serveIn(t *testing.T, config, dir string) *box {
	t.Helper()
	b := &box{environ: []string{"XDG_RUNTIME_DIR=" + t.TempDir()}, dir: dir}
	b.session = begin(t, b.environ, "serve", "--config", file(t, config), "--listen", "127.0.0.1:0", "--dir", dir)
	if b.daemon == nil {
		t.Fatalf("serve did not open: %s", b.stderr)
	}
	return b
}

// call makes one HTTP call and decodes the JSON answer.
func (s *session) call(method, path, key, body string) (status int, answer map[string]any) {
	s.t.Helper()
	return call(s.t, method, s.daemon.server.URL()+path, key, body)
}

// judge holds a call of the native API against its description.
func judge(t *testing.T, c docstest.Call) {
	t.Helper()
	contract, err := described()
	if err != nil {
		t.Fatal(err)
	}
	c.Type, _, _ = strings.Cut(c.Type, ";")
	if path, ok := contract.Path(c.Path); ok {
		c.Path = path
		if err := contract.Judge(c); err != nil {
			t.Error(err)
		}
	}
}

var described = sync.OnceValues(func() (*docstest.Contract, error) { return docstest.New(docs.Document()) })

func call(t *testing.T, method, url, key, body string) (status int, answer map[string]any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Close = true // no idle connection outlives the test
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	judge(t, docstest.Call{Method: method, Path: req.URL.Path, Request: []byte(body), Status: resp.StatusCode, Type: resp.Header.Get("Content-Type"), Answer: text})
	if len(text) > 0 && strings.Contains(resp.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%s %s: %v in %s", method, url, err, text)
		}
	}
	return resp.StatusCode, answer
}

// arrived waits for the n-th SMS at the handset.
func (s *session) arrived(n int) simulator.SMS {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	seen := 0
	m, err := s.daemon.handset.Wait(ctx, func(simulator.SMS) bool { seen++; return seen == n })
	if err != nil {
		s.t.Fatalf("SMS number %d did not arrive: %v\n%s", n, err, s.stderr)
	}
	return m
}

var digits = regexp.MustCompile(`\b[0-9]{6,10}\b`)

// codeOf reads the code in a text.
func codeOf(t *testing.T, text string) string {
	t.Helper()
	code := digits.FindString(text)
	if code == "" {
		t.Fatalf("no code in %q", text)
	}
	return code
}

// otherThan returns a wrong code of the same length.
func otherThan(code string) string {
	return string('0'+(code[0]-'0'+1)%10) + code[1:]
}

func checkBody(code string) string { return fmt.Sprintf(`{"code":%q}`, code) }

// wantRefused checks that a check was refused as every wrong one is.
func wantRefused(t *testing.T, status int, answer map[string]any) {
	t.Helper()
	if status != 422 || answer["code"] != "code_rejected" {
		t.Fatalf("check: %d %v, want 422 code_rejected", status, answer)
	}
}

func TestCycle(t *testing.T) {
	b := serve(t, shop(""))
	status, started := b.call("POST", "/v1/verifications", shopPublishable, `{"to":"+41 79 123 45 67"}`)
	if status != 201 || started["status"] != "pending" {
		t.Fatalf("start: %d %v", status, started)
	}
	path := "/v1/verifications/" + started["id"].(string)
	sms := b.arrived(1)
	code := codeOf(t, sms.Text)
	if sms.To != "+41791234567" {
		t.Errorf("the SMS went to %s", sms.To)
	}

	status, answer := b.call("POST", path+"/check", shopPublishable, checkBody(otherThan(code)))
	wantRefused(t, status, answer)
	status, answer = b.call("POST", path+"/check", shopPublishable, checkBody(code))
	if status != 200 || answer["status"] != "approved" {
		t.Fatalf("check with the right code: %d %v", status, answer)
	}
	status, answer = b.call("POST", path+"/check", shopPublishable, checkBody(code))
	wantRefused(t, status, answer)

	// How a backend learns whose number the browser has proven.
	status, answer = b.call("GET", path, shopSecret, "")
	if status != 200 || answer["phone"] != "+41791234567" {
		t.Errorf("read with the secret key: %d %v", status, answer)
	}
	if status, _ := b.call("GET", path, "sk_stranger", ""); status != 401 {
		t.Errorf("read with a foreign key: %d, want 401", status)
	}
	if code := b.stop(); code != exitOK {
		t.Errorf("stopped with %d: %s", code, b.stderr)
	}
	for what, secret := range map[string]string{"the code": code, "the number": "791234567", "a key": shopSecret} {
		if strings.Contains(b.stderr.String(), secret) {
			t.Errorf("the log holds %s: %s", what, b.stderr)
		}
	}
	message := started["message"].(map[string]any)["id"].(string)
	told := 0
	for line := range strings.Lines(b.stderr.String()) {
		members := membersOf(t, line)
		if members["level"] == nil || members["event"] == nil {
			t.Errorf("a line of the log has no words: %s", line)
		}
		if id, ok := members["message"].(string); ok && strings.TrimPrefix(message, "msg_") == id {
			told++
		}
	}
	if told == 0 {
		t.Errorf("the log does not tell of the message: %s", b.stderr)
	}
}

// membersOf reads a line of the log, in which no member may stand twice.
func membersOf(t *testing.T, line string) map[string]any {
	t.Helper()
	members := map[string]any{}
	in := json.NewDecoder(strings.NewReader(line))
	if open, err := in.Token(); err != nil || open != json.Delim('{') {
		t.Fatalf("no object: %s", line)
	}
	for in.More() {
		name, err := in.Token()
		var value any
		if err == nil {
			err = in.Decode(&value)
		}
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if _, twice := members[name.(string)]; twice {
			t.Errorf("%s stands twice: %s", name, line)
		}
		members[name.(string)] = value
	}
	return members
}

// signUp takes a number from nobody to a session, through the native API.
func (b *box) signUp(to string, nth int) map[string]any {
	b.t.Helper()
	status, started := b.call("POST", "/v1/verifications", shopPublishable, fmt.Sprintf(`{"to":%q,"purpose":"sign_up_or_in"}`, to))
	if status != 201 {
		b.t.Fatalf("start: %d %v", status, started)
	}
	code := codeOf(b.t, b.arrived(nth).Text)
	status, approved := b.call("POST", "/v1/verifications/"+started["id"].(string)+"/check", shopPublishable, checkBody(code))
	opened, ok := approved["session"].(map[string]any)
	if status != 200 || !ok || opened["token_type"] != "Bearer" {
		b.t.Fatalf("check: %d %v", status, approved)
	}
	return opened
}

// tokenBody is the body of the calls about a refresh token.
func tokenBody(opened map[string]any) string {
	return fmt.Sprintf(`{"refresh_token":%q}`, opened["refresh_token"])
}

func TestSession(t *testing.T) {
	b := serve(t, shop("")+fmt.Sprintf("[[app]]\nid = \"other\"\ncountries = [\"CH\"]\nkeys = [%q]", digestOf("pk_other")))
	first := b.signUp("+41791234567", 1)
	access, refresh := first["access_token"].(string), first["refresh_token"].(string)
	status, me := b.call("GET", "/v1/me", access, "")
	if status != 200 || me["phone"] != "+41791234567" || me["phone_verified"] != true {
		t.Fatalf("me: %d %v", status, me)
	}
	for what, shown := range map[string]string{"the refresh token": refresh, "a key": shopSecret, "a cut token": access[:len(access)-4], "nothing": ""} {
		if status, _ := b.call("GET", "/v1/me", shown, ""); status != 401 {
			t.Errorf("me with %s: %d", what, status)
		}
	}
	for what, body := range map[string]string{
		"the access token": fmt.Sprintf(`{"refresh_token":%q}`, access), "a cut token": fmt.Sprintf(`{"refresh_token":%q}`, refresh[:len(refresh)-4]),
	} {
		if status, _ := b.call("POST", "/v1/token/refresh", shopPublishable, body); status != 401 {
			t.Errorf("refresh with %s: %d", what, status)
		}
	}
	if status, _ := b.call("POST", "/v1/token/refresh", "pk_other", tokenBody(first)); status != 401 {
		t.Errorf("refresh at another app: %d", status)
	}
	b.stepUp(access)
	status, second := b.call("POST", "/v1/token/refresh", shopPublishable, tokenBody(first))
	if status != 200 || second["refresh_token"] == refresh || second["user"].(map[string]any)["id"] != me["id"] {
		t.Fatalf("refresh: %d %v", status, second)
	}
	if status, again := b.call("POST", "/v1/token/refresh", shopSecret, tokenBody(first)); status != 200 || again["refresh_token"] != second["refresh_token"] {
		t.Errorf("refresh whose answer got lost: %d", status)
	}
	if status, keys := b.call("GET", "/.well-known/jwks.json", shopPublishable, ""); status != 200 || len(keys["keys"].([]any)) != 1 {
		t.Errorf("keys: %d %v", status, keys)
	}
	for range 2 {
		if status, _ := b.call("POST", "/v1/token/revoke", shopPublishable, tokenBody(second)); status != 204 {
			t.Errorf("revoke: %d", status)
		}
	}
	if status, _ := b.call("GET", "/v1/me", second["access_token"].(string), ""); status != 401 {
		t.Errorf("me after the revocation: %d", status)
	}
	if status, _ := b.call("POST", "/v1/token/refresh", shopPublishable, tokenBody(second)); status != 401 {
		t.Errorf("refresh after the revocation: %d", status)
	}
	if log := b.stderr.String(); strings.Contains(log, access) || strings.Contains(log, refresh) || strings.Contains(log, "791234567") {
		t.Errorf("the log tells a token or a number: %s", log)
	}
}

// stepUp proves the number once more in the session of an access token, by the
// second SMS of the box.
func (b *box) stepUp(access string) {
	b.t.Helper()
	const start = `{"purpose":"step_up","access_token":%q}`
	if status, _ := b.call("POST", "/v1/verifications", shopPublishable, fmt.Sprintf(start, access[:len(access)-4])); status != 401 {
		b.t.Errorf("step up with a cut token: %d", status)
	}
	status, started := b.call("POST", "/v1/verifications", shopPublishable, fmt.Sprintf(start, access))
	if status != 201 {
		b.t.Fatalf("step up: %d %v", status, started)
	}
	code := codeOf(b.t, b.arrived(2).Text)
	status, approved := b.call("POST", "/v1/verifications/"+started["id"].(string)+"/check", shopPublishable, checkBody(code))
	if status != 200 || approved["session"] == nil {
		b.t.Errorf("step up: %d %v", status, approved)
	}
}

// R-21, as clients see it: of fifty connections that bring the right code at
// once one gets a session, and of as many that bring its refresh token each
// gets the same successor.
func TestParallelCalls(t *testing.T) {
	b := serve(t, shop(""))
	const parallel = 50
	at := func(path, body string) (answers []map[string]any) {
		barrier := make(chan struct{})
		got := make(chan map[string]any, parallel)
		for range parallel {
			go func() {
				answer := map[string]any{"http": 0}
				defer func() { got <- answer }()
				<-barrier
				status, members := b.call("POST", path, shopSecret, body)
				members["http"] = status
				answer = members
			}()
		}
		close(barrier)
		for range parallel {
			answers = append(answers, <-got)
		}
		return answers
	}
	for round := range 3 {
		_, started := b.call("POST", "/v1/verifications", shopSecret, `{"to":"+41791234567","purpose":"sign_up_or_in"}`)
		check := "/v1/verifications/" + started["id"].(string) + "/check"
		var opened []map[string]any
		for _, answer := range at(check, checkBody(codeOf(t, b.arrived(round+1).Text))) {
			if answer["http"] != 200 {
				wantRefused(t, answer["http"].(int), answer)
				continue
			}
			opened = append(opened, answer["session"].(map[string]any))
		}
		if len(opened) != 1 {
			t.Fatalf("round %d: %d sessions", round, len(opened))
		}
		successors := map[any]int{}
		for _, answer := range at("/v1/token/refresh", tokenBody(opened[0])) {
			successors[answer["refresh_token"]]++
		}
		if len(successors) != 1 || successors[opened[0]["refresh_token"]]+successors[nil] > 0 {
			t.Errorf("round %d: %d successors", round, len(successors))
		}
	}
	_, page := b.call("GET", "/v1/users", shopSecret, "")
	users := page["users"].([]any)
	if len(users) != 1 || users[0].(map[string]any)["logins"] != 3.0 {
		t.Errorf("the users are %v", users)
	}
}

func TestUserCommands(t *testing.T) {
	b := serve(t, shop(""))
	code, stdout, stderr := execute(t, b.environ, "user", "ls", "--json")
	if code != exitOK || strings.TrimSpace(stdout) != "[]" {
		t.Fatalf("nobody: %d %s%s", code, stdout, stderr)
	}
	opened := b.signUp("+41791234567", 1)
	other := b.signUp("+41791234568", 2)
	id := opened["user"].(map[string]any)["id"].(string)

	code, stdout, stderr = execute(t, b.environ, "user", "ls", "--app", "shop")
	if code != exitOK || strings.Count(stdout, "\n") != 2 || !strings.Contains(stdout, id+"  +41*******67") || strings.Contains(stdout, "791234567") {
		t.Errorf("list: %d %s%s", code, stdout, stderr)
	}
	if code, stdout, _ := execute(t, b.environ, "user", "ls", "--limit", "1"); code != exitOK || strings.Count(stdout, "\n") != 1 {
		t.Errorf("list of one: %d %s", code, stdout)
	}
	var users []map[string]any
	if _, stdout, _ := execute(t, b.environ, "user", "ls", "--json"); json.Unmarshal([]byte(stdout), &users) != nil || len(users) != 2 {
		t.Errorf("list: %s", stdout)
	}

	if code, stdout, stderr := execute(t, b.environ, "user", "block", id, "--json"); code != exitOK || !strings.Contains(stdout, `"enabled":false`) {
		t.Errorf("block: %d %s%s", code, stdout, stderr)
	}
	if status, _ := b.call("GET", "/v1/me", opened["access_token"].(string), ""); status != 401 {
		t.Errorf("a blocked user is still in: %d", status)
	}
	if status, _ := b.call("POST", "/v1/token/refresh", shopPublishable, tokenBody(opened)); status != 401 {
		t.Errorf("a blocked user refreshes: %d", status)
	}
	if status, _ := b.call("GET", "/v1/me", other["access_token"].(string), ""); status != 200 {
		t.Errorf("another user is out: %d", status)
	}
	if _, stdout, _ := execute(t, b.environ, "user", "ls"); strings.Count(stdout, "blocked") != 1 {
		t.Errorf("list: %s", stdout)
	}
	if code, stdout, stderr := execute(t, b.environ, "user", "block", "--lift", "+41 79 123 45 67"); code != exitOK || strings.TrimSpace(stdout) != "enabled" {
		t.Errorf("lift, by the number: %d %s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := execute(t, b.environ, "user", "rm", id); code != exitOK || strings.TrimSpace(stdout) != "removed" {
		t.Errorf("remove: %d %s%s", code, stdout, stderr)
	}
	for _, named := range []string{id, "+41791234567"} {
		if code, stdout, stderr := execute(t, b.environ, "user", "rm", named); code != exitRefused {
			t.Errorf("removed twice: %d %s%s", code, stdout, stderr)
		}
	}
	if code, _, _ := execute(t, b.environ, "user", "ls", "--app", "nobody"); code != exitRefused {
		t.Errorf("of no app: %d", code)
	}
	b.stop()
	if code, _, _ := execute(t, b.environ, "user", "ls"); code != exitNotReady {
		t.Errorf("without a daemon: %d", code)
	}
}

func TestKeyRotate(t *testing.T) {
	dir, config := t.TempDir(), shop("")
	path := file(t, config)
	rotate := func(want int, args ...string) string {
		t.Helper()
		code, stdout, stderr := execute(t, nil, append([]string{"key", "rotate", "--config", path, "--dir", dir}, args...)...)
		if code != want {
			t.Fatalf("rotate %v: exit %d, want %d: %s%s", args, code, want, stdout, stderr)
		}
		return stdout
	}
	rotate(exitFailed, "shop") // before the first start there is nothing to follow
	b := serveIn(t, config, dir)
	opened := b.signUp("+41791234567", 1)
	b.stop()
	if words := rotate(exitOK, "shop"); !strings.Contains(words, "next start") || !strings.Contains(words, "stays published") {
		t.Errorf("got %s", words)
	}
	rotate(exitUsage, "nobody")
	rotate(exitUsage, "shop", "--alg", "hs256")
	rotate(exitUsage, "shop", "--alg", "rs256") // which no door of the app needs

	b = serveIn(t, config, dir)
	status, set := b.call("GET", "/.well-known/jwks.json", shopPublishable, "")
	if status != 200 || len(set["keys"].([]any)) != 2 {
		t.Fatalf("keys: %d %v", status, set)
	}
	if status, _ := b.call("GET", "/v1/me", opened["access_token"].(string), ""); status != 200 {
		t.Errorf("a token of the old key: %d", status)
	}
	status, renewed := b.call("POST", "/v1/token/refresh", shopPublishable, tokenBody(opened))
	if status != 200 || kidOf(t, renewed) == kidOf(t, opened) || kidOf(t, renewed) != set["keys"].([]any)[0].(map[string]any)["kid"] {
		t.Errorf("the new key does not sign: %d %v", status, set)
	}
	if code, stdout, _ := execute(t, nil, "key", "rotate", "shop", "--config", path, "--dir", dir, "--json"); code != exitOK || !strings.Contains(stdout, `"algorithm":"ES256","kid":"`) {
		t.Errorf("beside a running box: %d %s", code, stdout)
	}
	if os.Geteuid() == 0 { // who could leave a key that the box cannot read
		if err := os.Chown(filepath.Join(dir, "keys"), 65534, -1); err != nil {
			t.Fatal(err)
		}
		rotate(exitRefused, "shop")
	}
}

// kidOf reads which key signed the access token of a session.
func kidOf(t *testing.T, opened map[string]any) string {
	t.Helper()
	head, _, _ := strings.Cut(opened["access_token"].(string), ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	var header struct{ Kid string }
	if err == nil {
		err = json.Unmarshal(text, &header)
	}
	if err != nil || header.Kid == "" {
		t.Fatalf("no kid: %v", err)
	}
	return header.Kid
}

func TestSendAndVerifyCommands(t *testing.T) {
	b := serve(t, shop(""))
	code, stdout, stderr := execute(t, b.environ, "send", "+41791234567", "the sump is full", "--priority", "high")
	if code != exitOK || !regexp.MustCompile(`(?m)^msg_[0-9a-f]{32} (sent|delivered) gsm0$`).MatchString(stdout) {
		t.Fatalf("send: %d\n%s%s", code, stdout, stderr)
	}
	if sms := b.arrived(1); sms.To != "+41791234567" || sms.Text != "the sump is full" {
		t.Errorf("the handset got %+v", sms)
	}
	if code, _, stderr := execute(t, b.environ, "send", "+12125550100", "hello"); code != exitRefused || !strings.Contains(stderr, "country") {
		t.Errorf("send to a country that is not allowed: %d %s", code, stderr)
	}

	v := begin(t, b.environ, "verify", "+41791234567", "--json")
	right := codeOf(t, b.arrived(2).Text)
	fmt.Fprintln(v.stdin, otherThan(right))
	fmt.Fprintln(v.stdin, right)
	if code := v.end(); code != exitOK {
		t.Fatalf("verify: %d %s", code, v.stderr)
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(v.stdout.String()), &answer); err != nil || answer["status"] != "approved" {
		t.Errorf("verify printed %q (%v)", v.stdout, err)
	}
	if !strings.Contains(v.stderr.String(), "4 left") || strings.Contains(v.stderr.String(), right) {
		t.Errorf("verify said %q", v.stderr)
	}

	v = begin(t, b.environ, "verify", "+41791234568")
	b.arrived(3)
	v.stdin.Close()
	if code := v.end(); code != exitFailed || !strings.Contains(v.stderr.String(), "canceled") {
		t.Errorf("verify without a code: %d %s", code, v.stderr)
	}
}

func TestModemList(t *testing.T) {
	b := serve(t, shop(""))
	b.call("POST", "/v1/verifications", shopSecret, `{"to":"+41791234567"}`)
	b.arrived(1) // the modem works
	code, words, stderr := execute(t, b.environ, "modem", "list")
	if code != exitOK || !strings.HasPrefix(words, "gsm0") || !strings.Contains(words, "ready") {
		t.Errorf("modem list: %d %s%s", code, words, stderr)
	}
	var shown []struct{ Name, State string }
	code, text, _ := execute(t, b.environ, "modem", "list", "--json")
	if err := json.Unmarshal([]byte(text), &shown); code != exitOK || err != nil || len(shown) != 1 || shown[0].State != "ready" {
		t.Errorf("modem list --json: %d %v %s", code, err, text)
	}
}

// Without a box it lists what is plugged in, with the line for the config file.
func TestModemListWithoutABox(t *testing.T) {
	root := t.TempDir()
	plug := func(socket, vendor, product string) string {
		folder := filepath.Join(root, "sys/bus/usb/devices", socket)
		if err := errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(filepath.Join(folder, "idVendor"), []byte(vendor), 0o644),
			os.WriteFile(filepath.Join(folder, "idProduct"), []byte(product), 0o644)); err != nil {
			t.Fatal(err)
		}
		return folder
	}
	list := func() string {
		stdout, stderr := &buffer{}, &buffer{}
		p := &program{
			environ: []string{"PINFERRY_SOCKET=" + filepath.Join(root, "no.sock")}, stdout: stdout, stderr: stderr,
			host: systemd.Host{Root: root},
		}
		if code := p.run([]string{"modem", "list"}); code != exitOK {
			t.Errorf("modem list: %d %s", code, stderr)
		}
		return stdout.String()
	}
	if words := list(); !strings.Contains(words, "No modem is plugged in") {
		t.Errorf("modem list: %s", words)
	}
	plug("1-1", "12d1", "1f01")
	tty := filepath.Join(root, "dev", "ttyUSB3")
	if err := os.Mkdir(filepath.Dir(tty), 0o755); err != nil {
		t.Fatal(err)
	}
	s := begin(t, nil, "simulate", "--link", tty)
	defer s.stop()
	wait(t, "the tty", func() bool { return s.stdout.String() != "" })
	port := filepath.Join(plug("1-2", "1a86", "7523"), "1-2:1.0")
	if err := errors.Join(os.MkdirAll(filepath.Join(port, "ttyUSB3"), 0o755), os.WriteFile(filepath.Join(port, "bInterfaceNumber"), []byte("00"), 0o644)); err != nil {
		t.Fatal(err)
	}
	words := list()
	for _, want := range []string{"storage_mode", "usb_modeswitch", "found at " + tty, `device = "imei:490154203237518"`} {
		if !strings.Contains(words, want) {
			t.Errorf("modem list does not say %q: %s", want, words)
		}
	}
}

func TestClockCommands(t *testing.T) {
	b := serve(t, shop(""))
	_, started := b.call("POST", "/v1/verifications", shopSecret, `{"to":"+41791234567"}`)
	right := codeOf(t, b.arrived(1).Text)

	code, stdout, stderr := execute(t, b.environ, "clock", "status", "--json")
	var times struct{ Now, Wall time.Time }
	if err := json.Unmarshal([]byte(stdout), &times); code != exitOK || err != nil || times.Now.IsZero() {
		t.Fatalf("clock status: %d %q %s (%v)", code, stdout, stderr, err)
	}
	if code, stdout, stderr := execute(t, b.environ, "clock", "accept"); code != exitOK || !strings.Contains(stdout, "box time") {
		t.Fatalf("clock accept: %d %q %s", code, stdout, stderr)
	}
	status, answer := b.call("POST", "/v1/verifications/"+started["id"].(string)+"/check", shopSecret, checkBody(right))
	wantRefused(t, status, answer) // time was stepped: what lived before is dead
}

func TestAdminCommands(t *testing.T) {
	b := serve(t, shop(""))
	secret := func(command string) string {
		t.Helper()
		code, out, stderr := execute(t, b.environ, "admin", command, "--json")
		var answer struct{ Secret string }
		if err := json.Unmarshal([]byte(out), &answer); err != nil || code != exitOK {
			t.Fatalf("admin %s: %d %s%s", command, code, out, stderr)
		}
		return answer.Secret
	}
	first := secret("setup")
	if len(first) != 19 || secret("setup") != first {
		t.Errorf("the setup secret is %d characters, or changes", len(first))
	}
	if again := secret("reset"); len(again) != 19 || again == first {
		t.Error("a reset makes no new secret")
	}
	if code, out, _ := execute(t, b.environ, "admin", "setup"); code != exitOK || !strings.Contains(out, "setup secret  ") {
		t.Errorf("for people: %d %s", code, out)
	}
}

func TestNewKeysAreAccepted(t *testing.T) {
	code, stdout, stderr := execute(t, nil, "key", "new", "shop", "--json")
	if code != exitOK {
		t.Fatalf("key new: %d %s", code, stderr)
	}
	var keys struct{ Publishable, Secret, Config string }
	if err := json.Unmarshal([]byte(stdout), &keys); err != nil {
		t.Fatal(err)
	}
	_, words, _ := execute(t, nil, "key", "new", "shop")
	if !regexp.MustCompile(`(?m)^  pk_\S{20,}[^\n]*\n  sk_\S{20,}[^\n]*\n[^$]*^keys = \["sha256:[0-9a-f]{64}", "sha256:[0-9a-f]{64}"\]$`).MatchString(words) {
		t.Errorf("key new printed %s", words)
	}
	b := serve(t, "[[modem]]\nname = \"gsm0\"\ndevice = \"sim:\"\n[[app]]\nid = \"shop\"\ncountries = [\"CH\"]\n"+keys.Config)
	if status, answer := b.call("POST", "/v1/verifications", keys.Publishable, `{"to":"+41791234567"}`); status != 201 {
		t.Errorf("start with the publishable key: %d %v", status, answer)
	}
	if status, answer := b.call("GET", "/v1/routes", keys.Secret, ""); status != 200 {
		t.Errorf("routes with the secret key: %d %v", status, answer)
	}
	if status, _ := b.call("GET", "/v1/routes", keys.Publishable, ""); status != 403 {
		t.Errorf("routes with the publishable key: %d, want 403", status)
	}
}

func TestBackupAndRestore(t *testing.T) {
	b := serve(t, shop(""))
	_, approved := b.call("POST", "/v1/verifications", shopSecret, `{"to":"+41791234567"}`)
	used := codeOf(t, b.arrived(1).Text)
	b.call("POST", "/v1/verifications/"+approved["id"].(string)+"/check", shopSecret, checkBody(used))
	_, pending := b.call("POST", "/v1/verifications", shopSecret, `{"to":"+41791234567"}`)
	live := codeOf(t, b.arrived(2).Text)

	saved := filepath.Join(t.TempDir(), "box.backup")
	if code, _, stderr := execute(t, b.environ, "backup", saved); code != exitOK {
		t.Fatalf("backup: %d %s", code, stderr)
	}
	if info, err := os.Stat(saved); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup is %v (%v), want mode 0600", info, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(saved), ".pinferry-*")); len(left) > 0 {
		t.Errorf("the backup left %v", left)
	}
	if code, _, stderr := execute(t, nil, "restore", saved, "--dir", b.dir); code == exitOK {
		t.Errorf("restore into a running box went through: %s", stderr)
	}
	b.stop()
	if code, _, stderr := execute(t, nil, "restore", saved, "--dir", b.dir); code != exitRefused {
		t.Errorf("restore over a database: %d %s, want %d", code, stderr, exitRefused)
	}

	// A backup that is cut short leaves nothing half done.
	whole, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.backup")
	if err := os.WriteFile(cut, whole[:len(whole)-7], 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := t.TempDir()
	if code, _, _ := execute(t, nil, "restore", cut, "--dir", fresh); code != exitFailed {
		t.Errorf("restore of a cut backup: %d, want %d", code, exitFailed)
	}
	if code, _, stderr := execute(t, nil, "restore", saved, "--dir", fresh); code != exitOK {
		t.Fatalf("restore: %d %s", code, stderr)
	}
	if code, _, stderr := execute(t, nil, "restore", saved, "--dir", b.dir, "--force"); code != exitOK {
		t.Errorf("restore --force: %d %s", code, stderr)
	}

	for _, dir := range []string{fresh, b.dir} {
		r := serveIn(t, shop(""), dir)
		if _, got := r.call("GET", "/v1/verifications/"+approved["id"].(string), shopSecret, ""); got["status"] != "approved" {
			t.Errorf("the approved verification came back as %v", got)
		}
		status, answer := r.call("POST", "/v1/verifications/"+pending["id"].(string)+"/check", shopSecret, checkBody(live))
		wantRefused(t, status, answer)
		r.stop()
	}
}

// A directory gets a backup at each turn, and each can be restored.
func TestBackupSchedule(t *testing.T) {
	b := serve(t, shop(""))
	to := filepath.Join(t.TempDir(), "backups")
	code, stdout, stderr := execute(t, b.environ, "backup", "--to", to)
	saved := strings.TrimSpace(stdout)
	if code != exitOK || filepath.Dir(saved) != to {
		t.Fatalf("backup --to: %d %s%s", code, stdout, stderr)
	}
	if code, _, stderr := execute(t, nil, "restore", saved, "--dir", t.TempDir()); code != exitOK {
		t.Errorf("restore: %d %s", code, stderr)
	}
	other := filepath.Join(t.TempDir(), "backups")
	s := begin(t, b.environ, "backup", "--to", other, "--schedule", "24h", "--json")
	wait(t, "the first backup", func() bool { return strings.Contains(s.stdout.String(), other+"/pinferry-") })
	if code := s.stop(); code != exitOK {
		t.Errorf("backup --schedule: %d %s", code, s.stderr)
	}
	b.stop()
	s = begin(t, b.environ, "backup", "--to", other, "--schedule", "24h")
	wait(t, "the next try is promised", func() bool { return strings.Contains(s.stderr.String(), "the next try is in 24h0m0s") })
	if code := s.stop(); code != exitOK {
		t.Errorf("backup --schedule without a box: %d %s", code, s.stderr)
	}
}

func TestDemo(t *testing.T) {
	s := begin(t, []string{"XDG_RUNTIME_DIR=" + t.TempDir()}, "demo", "--listen", "127.0.0.1:0")
	if s.daemon == nil {
		t.Fatalf("demo did not open: %s", s.stderr)
	}
	banner := strings.Split(strings.TrimSuffix(s.stdout.String(), "\n"), "\n")
	if len(banner) != 5 {
		t.Fatalf("the banner has %d lines:\n%s", len(banner), s.stdout)
	}
	status, started := curl(t, banner[3])
	if status != 201 {
		t.Fatalf("the first curl: %d %v", status, started)
	}
	code := codeOf(t, s.arrived(1).Text)
	check := strings.NewReplacer("$ID", started["id"].(string), "'$CODE'", code).Replace(banner[4])
	if status, answer := curl(t, check); status != 200 || answer["status"] != "approved" {
		t.Fatalf("the second curl: %d %v", status, answer)
	}
	wait(t, "the terminal shows the SMS", func() bool { return strings.Contains(s.stdout.String(), code) })
	if status, _ := s.call("GET", "/v1/routes", demoSecret, ""); status != 200 {
		t.Errorf("routes with the demo's secret key: %d", status)
	}
	// Limits per phone are as in production, those per address are not: the
	// fourth code for a number is refused, the eleventh number is not.
	for i := range 12 {
		body := fmt.Sprintf(`{"to":"+4179%07d"}`, 2000000+i)
		if status, answer := s.call("POST", "/v1/verifications", demoPublishable, body); status != 201 {
			t.Fatalf("number %d: %d %v", i, status, answer)
		}
	}
	var last int
	for range 3 {
		last, _ = s.call("POST", "/v1/verifications", demoPublishable, `{"to":"+41791234567"}`)
	}
	if last != 429 {
		t.Errorf("the fourth code for one number: %d, want 429", last)
	}
	_, dir, _ := strings.Cut(banner[0], "PINFERRY_SOCKET=")
	dir, _, _ = strings.Cut(dir, "/admin.sock")
	if _, err := os.Stat(dir); err != nil {
		t.Fatal(err)
	}
	if code := s.stop(); code != exitOK {
		t.Errorf("demo stopped with %d: %s", code, s.stderr)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("demo left %s", dir)
	}
}

// curl does what a printed curl line says.
func curl(t *testing.T, line string) (int, map[string]any) {
	t.Helper()
	parts := regexp.MustCompile(`^curl -s (\S+) -H 'Authorization: Bearer (\S+)' -H 'Content-Type: application/json' -d '(.+)'$`).FindStringSubmatch(line)
	if parts == nil {
		t.Fatalf("not a curl that can be run: %s", line)
	}
	return call(t, "POST", parts[1], parts[2], parts[3])
}

func TestDemoStaysOnLoopback(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0", "7467"} {
		if code, _, stderr := execute(t, nil, "demo", "--listen", listen); code != exitUsage || !strings.Contains(stderr, "loopback") {
			t.Errorf("demo --listen %s: %d %s", listen, code, stderr)
		}
	}
}

func TestServeWithoutApps(t *testing.T) {
	b := serve(t, "")
	if status, _ := b.call("GET", "/healthz", "", ""); status != 200 {
		t.Errorf("/healthz: %d", status)
	}
	if status, _ := b.call("GET", "/readyz", "", ""); status != 503 {
		t.Errorf("/readyz: %d, want 503", status)
	}
	if code, _, stderr := execute(t, b.environ, "send", "+41791234567", "hello"); code != exitRefused {
		t.Errorf("send without an app: %d %s", code, stderr)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	b := serve(t, shop(""))
	code, _, stderr := execute(t, []string{"XDG_RUNTIME_DIR=" + t.TempDir()}, "serve", "--config", file(t, shop("")), "--listen", "127.0.0.1:0", "--dir", b.dir)
	if code != exitFailed || !strings.Contains(stderr, b.dir) {
		t.Errorf("a second daemon on the directory: %d %s", code, stderr)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(b.daemon.server.URL(), "http://"), ":")
	code, _, stderr = execute(t, b.environ, "serve", "--config", file(t, shop("")), "--listen", "127.0.0.1:"+port, "--dir", t.TempDir())
	if code != exitFailed || !strings.Contains(stderr, "in use") {
		t.Errorf("a second daemon on the port: %d %s", code, stderr)
	}
}

func TestBackupWithKeys(t *testing.T) {
	b := serve(t, shop(""))
	dir := t.TempDir()
	saved, phrase, wrong := filepath.Join(dir, "box"), filepath.Join(dir, "phrase"), filepath.Join(dir, "wrong")
	for path, text := range map[string]string{phrase: "correct horse battery\n", wrong: "battery horse correct\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, stderr := execute(t, b.environ, "backup", saved, "--with-keys", "--dir", b.dir); code != exitUsage {
		t.Errorf("backup of the keys without a passphrase: %d %s", code, stderr)
	}
	if code, _, stderr := execute(t, b.environ, "backup", saved, "--with-keys", "--passphrase-file", phrase, "--dir", b.dir); code != exitOK {
		t.Fatalf("backup with keys: %d %s", code, stderr)
	}
	b.stop()
	key, err := os.ReadFile(filepath.Join(b.dir, "keys", "box.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{saved, saved + ".keys"} {
		if text, err := os.ReadFile(path); err != nil || bytes.Contains(text, key) {
			t.Errorf("%s shows the box key, or cannot be read: %v", path, err)
		}
	}
	fresh := t.TempDir()
	if code, _, stderr := execute(t, nil, "restore", saved, "--passphrase-file", wrong, "--dir", fresh); code != exitFailed {
		t.Errorf("restore with a wrong passphrase: %d %s", code, stderr)
	}
	if code, _, stderr := execute(t, nil, "restore", saved, "--passphrase-file", phrase, "--dir", fresh); code != exitOK {
		t.Fatalf("restore with keys: %d %s", code, stderr)
	}
	if got, err := os.ReadFile(filepath.Join(fresh, "keys", "box.key")); err != nil || !bytes.Equal(got, key) {
		t.Errorf("the box key did not come back: %v", err)
	}
}

func TestRoutesStandInOrder(t *testing.T) {
	b := serve(t, shop("mode = \"test\"\n[[modem]]\nname = \"sink\"\ndevice = \"null\"\n[routes]\norder = [\"sink\", \"gsm0\"]"))
	_, answer := b.call("GET", "/v1/routes", shopSecret, "")
	var names []string
	for _, r := range answer["routes"].([]any) {
		names = append(names, r.(map[string]any)["name"].(string))
	}
	if !slices.Equal(names, []string{"sink", "gsm0"}) {
		t.Errorf("the routes are %v", names)
	}
}

// TestServiceManager plays the service manager that started the box.
// a daily cap holds through a restart of the box.
func TestDailyCap(t *testing.T) {
	config := strings.Replace(shop(""), `device = "sim:"`, "device = \"sim:\"\ndaily_cap = 1", 1)
	b := serve(t, config)
	start := func(to string) (int, map[string]any) {
		return b.call("POST", "/v1/verifications", shopSecret, fmt.Sprintf(`{"to":%q}`, to))
	}
	if status, answer := start("+41791234567"); status != 201 {
		t.Fatalf("the first start: %d %v", status, answer)
	}
	b.arrived(1)
	for range 2 {
		status, answer := start("+41791234568")
		if wait, _ := answer["retry_after"].(float64); status != 503 || answer["code"] != "channel_unavailable" || wait < 1 {
			t.Errorf("beyond the cap: %d %v", status, answer)
		}
		_, answer = b.call("GET", "/v1/routes", shopSecret, "")
		if route := answer["routes"].([]any)[0].(map[string]any); route["daily_cap"] != 1.0 || route["cap_used"] != 1.0 || route["reason"] != "daily_cap" {
			t.Errorf("the route: %v", route)
		}
		if code := b.stop(); code != exitOK {
			t.Errorf("exit %d", code)
		}
		b = serveIn(t, config, b.dir)
	}
}

// A box without a modem sends through a provider, and believes what the provider
// reports if it proves who it is.
func TestRelay(t *testing.T) {
	bodies := make(chan string, 1)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- r.Header.Get("Authorization") + string(body)
		io.WriteString(w, `{"status":"queued","ref":"r-1"}`)
	}))
	defer provider.Close()
	secret, token := filepath.Join(t.TempDir(), "secret"), filepath.Join(t.TempDir(), "token")
	if err := errors.Join(os.WriteFile(secret, []byte("s3cret\n"), 0o600), os.WriteFile(token, []byte("t0ken-of-16-characters\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	_, app, _ := strings.Cut(shop(""), "[[app]]")
	config := fmt.Sprintf(`
[[relay]]
name = "backup"
kind = "webhook"
url = %q
insecure = true
allow = ["127.0.0.1"]
secret_file = %q
headers = { Authorization = "Bearer {secret}" }
success_field = "/status"
success_values = ["queued"]
reference = "/ref"
public_url = "https://codes.example.com"
callback_file = %q
[[app]]%s`, provider.URL+"/send", secret, token, app)
	if code, stdout, stderr := execute(t, nil, "config", "check", "--config", file(t, config)); code != exitOK || !strings.Contains(stdout, "1 relay") {
		t.Fatalf("config check: %d %s%s", code, stdout, stderr)
	}
	b := serve(t, config)
	status, started := b.call("POST", "/v1/verifications", shopPublishable, `{"to":"+41791234567"}`)
	if status != 201 {
		t.Fatalf("start: %d %v", status, started)
	}
	sent := <-bodies
	if !strings.HasPrefix(sent, "Bearer s3cret") || !strings.Contains(sent, `"to":"+41791234567"`) {
		t.Errorf("the provider was told %q", sent)
	}
	state := func() any {
		_, answer := b.call("GET", "/v1/messages", shopSecret, "")
		return answer["messages"].([]any)[0].(map[string]any)["state"]
	}
	wait(t, "sent", func() bool { return state() == "sent" })
	const report = `{"id":"r-1","status":"delivered"}`
	for _, path := range []string{"/hooks/backup", "/hooks/backup.T0ken-of-16-characters", "/hooks/other.t0ken-of-16-characters", "/hooks/.t0ken-of-16-characters"} {
		if status, _ := b.call("POST", path, "", report); status != 404 || state() != "sent" {
			t.Errorf("%s: %d, the message is %v", path, status, state())
		}
	}
	if status, _ := b.call("GET", "/hooks/backup.t0ken-of-16-characters?hub.challenge=1", "", ""); status != 404 {
		t.Errorf("GET: %d", status)
	}
	if status, answer := b.call("POST", "/hooks/backup.t0ken-of-16-characters", "", report); status != 200 {
		t.Errorf("report: %d %v", status, answer)
	}
	wait(t, "delivered", func() bool { return state() == "delivered" })
	if status, answer := b.call("POST", "/v1/verifications/"+started["id"].(string)+"/check", shopPublishable, checkBody(codeOf(t, sent))); status != 200 {
		t.Errorf("check: %d %v", status, answer)
	}
	for _, said := range []string{"s3cret", "t0ken-of-16-characters", codeOf(t, sent), "41791234567"} {
		if strings.Contains(b.stderr.String(), said) {
			t.Errorf("the log says %q", said)
		}
	}
}

// mailServer takes mails over STARTTLS and hands on each with its recipient.
type mailServer struct {
	net.Listener
	ca    string // a file with the certificate that vouches for it
	mails chan string
}

func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	web := httptest.NewTLSServer(nil) // has a certificate for 127.0.0.1
	web.Close()
	s := &mailServer{ca: filepath.Join(t.TempDir(), "ca.pem"), mails: make(chan string, 16)}
	vouches := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
	if err := os.WriteFile(s.ca, vouches, 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := s.Accept()
			if err != nil {
				return
			}
			done.Go(func() { s.serve(conn, &tls.Config{Certificates: web.TLS.Certificates}) })
		}
	})
	t.Cleanup(func() {
		s.Close()
		done.Wait()
	})
	return s
}

func (s *mailServer) serve(conn net.Conn, secure *tls.Config) {
	defer func() { conn.Close() }()
	in, to, hello := bufio.NewReader(conn), "", "250-here\r\n250 STARTTLS\r\n"
	answer := "220 here\r\n"
	for {
		fmt.Fprint(conn, answer)
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		answer = "250 ok\r\n"
		switch word, rest, _ := strings.Cut(strings.TrimSpace(line), " "); word {
		case "EHLO":
			answer = hello
		case "STARTTLS":
			fmt.Fprint(conn, "220 go ahead\r\n")
			conn = tls.Server(conn, secure)
			in, hello, answer = bufio.NewReader(conn), "250 here\r\n", ""
		case "RCPT":
			to = rest
		case "DATA":
			fmt.Fprint(conn, "354 go on\r\n")
			mail := to + "\n"
			for line := ""; line != ".\r\n"; mail += line {
				if line, err = in.ReadString('\n'); err != nil {
					return
				}
			}
			s.mails <- mail
		case "QUIT":
			fmt.Fprint(conn, "221 bye\r\n")
			return
		}
	}
}

// A box with a modem and a mail server: an address of mail is proven, signs up
// and steps up by mail, a phone goes on by SMS, and neither goes the other's way.
func TestEmail(t *testing.T) {
	server := newMailServer(t)
	relay := fmt.Sprintf(`
[[relay]]
name = "mail"
kind = "smtp"
url = "smtp://%s"
from = "Shop <codes@shop.example>"
ca_file = %q
allow = ["127.0.0.1"]
`, server.Addr(), server.ca)
	b := serve(t, relay+shop("email = true\ndoors = [\"native\", \"passage\"]\n"))
	mailed := func() (mail, code string) {
		t.Helper()
		select {
		case mail = <-server.mails:
		case <-time.After(patience):
			t.Fatalf("no mail\n%s", b.stderr)
		}
		_, body, _ := strings.Cut(mail, "\r\n\r\n")
		return mail, codeOf(t, body)
	}
	status, started := b.call("POST", "/v1/verifications", shopPublishable, `{"to":"Ann@Shop.example","purpose":"sign_up","locale":"de"}`)
	if status != 201 || started["to"] != "a***@shop.example" || started["channel"] != "email" {
		t.Fatalf("start: %d %v", status, started)
	}
	mail, code := mailed()
	for _, want := range []string{"TO:<Ann@shop.example>", "To: <Ann@shop.example>", `From: "Shop" <codes@shop.example>`, "Subject: =?UTF-8?q?Ihr_Code_f=C3=BCr_Shop?=", "\r\n\r\n" + code + "\r\n"} {
		if !strings.Contains(mail, want) {
			t.Errorf("the mail lacks %q", want)
		}
	}
	path := "/v1/verifications/" + started["id"].(string)
	status, checked := b.call("POST", path+"/check", shopPublishable, checkBody(code))
	if status != 200 {
		t.Fatalf("check: %d %v", status, checked)
	}
	opened := checked["session"].(map[string]any)
	if user := opened["user"].(map[string]any); user["email"] != "Ann@shop.example" || user["email_verified"] != true || user["phone"] != "" || user["phone_verified"] != false {
		t.Errorf("the user is %v", user)
	}
	if _, v := b.call("GET", path, shopSecret, ""); v["email"] != "Ann@shop.example" || v["phone"] != nil {
		t.Errorf("the server reads %v", v)
	}

	status, started = b.call("POST", "/v1/verifications", shopPublishable, `{"purpose":"step_up","access_token":"`+opened["access_token"].(string)+`"}`)
	if status != 201 || started["channel"] != "email" {
		t.Fatalf("step-up: %d %v", status, started)
	}
	_, code = mailed()
	if status, answer := b.call("POST", "/v1/verifications/"+started["id"].(string)+"/check", shopPublishable, checkBody(code)); status != 200 {
		t.Errorf("check of the step-up: %d %v", status, answer)
	}

	// At Passage it is the same user, by another spelling.
	status, started = b.call("POST", "/v1/apps/shop/login/otp", "", `{"identifier":"ANN@shop.example"}`)
	if status != 201 {
		t.Fatalf("passage: %d %v", status, started)
	}
	_, code = mailed()
	status, answer := b.call("POST", "/v1/apps/shop/otp/activate", "", fmt.Sprintf(`{"otp":%q,"otp_id":%q}`, code, started["otp_id"]))
	if status != 200 {
		t.Fatalf("activate: %d %v", status, answer)
	}
	_, me := b.call("GET", "/v1/apps/shop/currentuser", answer["auth_result"].(map[string]any)["auth_token"].(string), "")
	if user := me["user"].(map[string]any); user["email"] != "Ann@shop.example" || user["email_verified"] != true || user["login_count"] != 2.0 {
		t.Errorf("passage knows %v", user)
	}

	for body, want := range map[string]string{
		`{"to":"bob@shop.example","channel":"sms"}`:                   "goes to phones",
		`{"to":"+41791234567","channel":"email"}`:                     "not an email address",
		`{"to":"bob@shop.example, eve@shop.example"}`:                 "one address",
		`{"to":"bob@shop.example\r\nBcc: eve@shop.example"}`:          "one address",
		`{"to":"bob@shop.example","channel":"whatsapp"}`:              "not configured",
		`{"to":"Bob <bob@shop.example>","purpose":"sign_up"}`:         "one address",
		`{"to":"bob@shop.example","channel":"inbound"}`:               "",
		`{"to":"+15005550006"}`:                                       "",
		`{"to":"bob@shop.example","purpose":"sign_up","channel":"x"}`: "",
	} {
		status, answer := b.call("POST", "/v1/verifications", shopPublishable, body)
		if detail, _ := answer["detail"].(string); status/100 != 4 || !strings.Contains(detail, want) || strings.Contains(detail, "bob@") {
			t.Errorf("%s: %d %v", body, status, answer)
		}
	}
	if status, answer := b.call("POST", "/v1/verifications", shopPublishable, `{"to":"+41791234567"}`); status != 201 || answer["channel"] != "sms" {
		t.Errorf("a phone: %d %v", status, answer)
	}
	b.arrived(1)

	if code, out, stderr := execute(t, b.environ, "user", "ls"); code != exitOK || !strings.Contains(out, "A***@shop.example") || strings.Contains(out, "Ann@") {
		t.Errorf("user ls: %d %s%s", code, out, stderr)
	}
	if code, out, stderr := execute(t, b.environ, "user", "rm", "ann@SHOP.example"); code != exitOK {
		t.Errorf("user rm: %d %s%s", code, out, stderr)
	}
	b.stop()
	for _, said := range []string{"Ann@", "ann@", code} {
		if strings.Contains(b.stderr.String(), said) {
			t.Errorf("the log says %q", said)
		}
	}
	select {
	case mail := <-server.mails:
		t.Errorf("a mail too many: %s", mail)
	default:
	}
}

// An app that does not say that it wants email gets none, whatever the box has;
// one that says so gets none from a box without a relay for it.
func TestEmailIsNotThere(t *testing.T) {
	for name, test := range map[string]struct {
		more, code, detail string
		status, passage    int
	}{
		"app":   {"", "invalid_request", "email = true", 400, 400},
		"relay": {"email = true\n", "channel_unavailable", "kind smtp", 503, 400},
	} {
		t.Run(name, func(t *testing.T) {
			b := serve(t, shop(test.more+"doors = [\"native\", \"passage\"]\n"))
			for _, body := range []string{`{"to":"ann@shop.example"}`, `{"to":"ann@shop.example","channel":"email"}`} {
				status, answer := b.call("POST", "/v1/verifications", shopPublishable, body)
				if status != test.status || answer["code"] != test.code || !strings.Contains(answer["detail"].(string), test.detail) {
					t.Errorf("%s: %d %v", body, status, answer)
				}
			}
			if status, answer := b.call("POST", "/v1/apps/shop/register/otp", "", `{"identifier":"ann@shop.example"}`); status != test.passage || answer["code"] != "invalid_request" {
				t.Errorf("passage: %d %v", status, answer)
			}
		})
	}
}

func TestServiceManager(t *testing.T) {
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	heard := make(chan string, 16)
	go func() {
		defer close(heard)
		for text := make([]byte, 4096); ; {
			n, err := manager.Read(text)
			if err != nil {
				return
			}
			heard <- string(text[:n])
		}
	}()
	hear := func(want string) {
		t.Helper()
		for limit := time.After(patience); ; {
			select {
			case got := <-heard:
				if strings.Contains(got, want) {
					return
				}
			case <-limit:
				t.Fatalf("the service manager did not hear %s", want)
			}
		}
	}
	s := begin(t, []string{
		"XDG_RUNTIME_DIR=" + t.TempDir(), "NOTIFY_SOCKET=" + manager.LocalAddr().String(), "WATCHDOG_USEC=100000",
	}, "serve", "--config", file(t, shop("")), "--listen", "127.0.0.1:0", "--dir", t.TempDir())
	if s.daemon == nil {
		t.Fatalf("serve did not open: %s", s.stderr)
	}
	hear("READY=1")
	hear("WATCHDOG=1")
	hear("WATCHDOG=1")
	s.signals <- syscall.SIGTERM
	hear("STOPPING=1")
	if code := s.end(); code != exitOK {
		t.Errorf("stopped with %d: %s", code, s.stderr)
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	round := func() {
		b := serve(t, shop(""))
		b.call("POST", "/v1/verifications", shopSecret, `{"to":"+41791234567"}`)
		b.arrived(1)
		_, port, _ := strings.Cut(strings.TrimPrefix(b.daemon.server.URL(), "http://"), ":")
		// This one opens everything but the port, and has to close it again.
		failed := []string{"serve", "--config", file(t, shop("")), "--listen", "127.0.0.1:" + port, "--dir", t.TempDir(), "--socket", filepath.Join(t.TempDir(), "s")}
		if code, _, stderr := execute(t, nil, failed...); code != exitFailed {
			t.Fatalf("serve on a taken port: %d %s", code, stderr)
		}
		b.stop()
	}
	round() // the libraries keep a few goroutines from the first time on
	before := runtime.NumGoroutine()
	round()
	wait(t, "every goroutine has ended", func() bool { return runtime.NumGoroutine() <= before })
}

// child is pinferry as a process of its own.
type child struct {
	*exec.Cmd
	url    string
	stderr *buffer
	done   chan error
}

// spawn starts the program and waits until it serves.
func spawn(t *testing.T, args ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0], args...), stderr: &buffer{}, done: make(chan error, 1)}
	c.Env = append(os.Environ(), asProgram+"=1", "XDG_RUNTIME_DIR="+t.TempDir())
	c.Stderr = c.stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.done <- c.Wait() }()
	t.Cleanup(func() { c.Process.Kill() })
	url := regexp.MustCompile(`"url":"([^"]+)"`)
	wait(t, "the child serves", func() bool {
		if m := url.FindStringSubmatch(c.stderr.String()); m != nil {
			c.url = m[1]
		}
		return c.url != ""
	})
	return c
}

// wait polls for what another process does.
func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	limit := time.After(patience)
	for !done() {
		select {
		case <-limit:
			t.Fatalf("not within %s: %s", patience, what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (c *child) exitCode(t *testing.T) int {
	t.Helper()
	select {
	case <-c.done:
		return c.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatalf("the process did not end: %s", c.stderr)
		return -1
	}
}

func TestSignals(t *testing.T) {
	t.Run("one signal stops in order", func(t *testing.T) {
		for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
			c := spawn(t, "serve", "--config", file(t, shop("")), "--listen", "127.0.0.1:0", "--dir", t.TempDir())
			c.Process.Signal(sig)
			if code := c.exitCode(t); code != exitOK {
				t.Errorf("%v: exit %d: %s", sig, code, c.stderr)
			}
		}
	})

	t.Run("a dialogue ends first, nothing new begins, a second signal cuts", func(t *testing.T) {
		m := simulator.New(simulator.Config{})
		if err := m.InjectSpec("silence"); err != nil { // the modem never answers: 30 s of dialogue
			t.Fatal(err)
		}
		pty, err := simulator.OpenPTY()
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { simulator.Run(ctx, m, pty) })
		t.Cleanup(func() { stop(); running.Wait(); pty.Close() })

		config := strings.Replace(shop(""), "sim:", pty.Path(), 1)
		c := spawn(t, "serve", "--config", file(t, config), "--listen", "127.0.0.1:0", "--dir", t.TempDir())
		_, started := call(t, "POST", c.url+"/v1/verifications", shopSecret, `{"to":"+41791234567"}`)
		id := started["id"].(string)
		wait(t, "the message is on its way", func() bool {
			_, v := call(t, "GET", c.url+"/v1/verifications/"+id, shopSecret, "")
			return v["message"].(map[string]any)["state"] == "sending"
		})
		c.Process.Signal(syscall.SIGTERM)
		wait(t, "new sends are refused", func() bool {
			status, answer := call(t, "POST", c.url+"/v1/verifications", shopSecret, `{"to":"+41791234568"}`)
			return status == 503 && answer["code"] == "shutting_down"
		})
		if status, _ := call(t, "GET", c.url+"/v1/verifications/"+id, shopSecret, ""); status != 200 {
			t.Errorf("while it stops, reading answers %d", status)
		}
		select {
		case <-c.done:
			t.Fatalf("the box stopped in the middle of a dialogue: %s", c.stderr)
		default:
		}
		c.Process.Signal(syscall.SIGTERM)
		if code := c.exitCode(t); code != exitFailed || !strings.Contains(c.stderr.String(), "second signal") {
			t.Errorf("after a second signal: exit %d: %s", code, c.stderr)
		}
	})
}

func TestSimulate(t *testing.T) {
	link := filepath.Join(t.TempDir(), "gsm")
	s := begin(t, nil, "simulate", "--link", link, "--fault", "cms=38@1", "--operator", "Alpine Mobile", "--credit", "Credit: 3")
	wait(t, "the tty is there", func() bool { return strings.HasPrefix(s.stdout.String(), "/dev/pts/") })
	b := serve(t, strings.Replace(shop("inbound = true"), "sim:", link, 1))
	if _, err := fmt.Fprintln(s.stdin, "cms=5000000\nsms +41791234567 good morning"); err != nil {
		t.Fatal(err)
	}
	wait(t, "the box has the SMS that was typed", func() bool {
		_, page := b.call("GET", "/v1/inbound", shopSecret, "")
		all := page["inbound"].([]any)
		return len(all) == 1 && all[0].(map[string]any)["text"] == "good morning"
	})
	if code, stdout, stderr := execute(t, b.environ, "send", "+41791234567", "naïve"); code != exitOK {
		t.Fatalf("send: %d %s%s", code, stdout, stderr)
	}
	wait(t, "the SMS is printed", func() bool { return strings.Count(s.stdout.String(), "\n") == 2 })
	var sms simulator.SMS
	_, line, _ := strings.Cut(s.stdout.String(), "\n")
	if err := json.Unmarshal([]byte(line), &sms); err != nil || sms.To != "+41791234567" || sms.Text != "naïve" {
		t.Errorf("simulate printed %q (%v)", line, err)
	}
	if _, page := b.call("GET", "/v1/routes", shopSecret, ""); page["routes"].([]any)[0].(map[string]any)["operator"] != "Alpine Mobile" {
		t.Errorf("the operator is not the one that was given: %v", page)
	}
	if code, stdout, stderr := execute(t, b.environ, "modem", "ussd", "gsm0", "*100#"); code != exitOK || !strings.Contains(stdout, "Credit: 3") {
		t.Errorf("modem ussd: %d %s%s", code, stdout, stderr)
	}
	if !strings.Contains(s.stderr.String(), "cms") {
		t.Errorf("a wrong fault on stdin was not told: %q", s.stderr)
	}
	b.stop()
	if code := s.stop(); code != exitOK {
		t.Errorf("simulate stopped with %d: %s", code, s.stderr)
	}
	if _, err := os.Lstat(link); err == nil {
		t.Errorf("simulate left its link")
	}
}

// diagnosis asks the doctor in the way that a script does.
func diagnosis(t *testing.T, environ []string, more ...string) (code int, found admin.Diagnosis) {
	t.Helper()
	code, stdout, stderr := execute(t, environ, append([]string{"doctor", "--json"}, more...)...)
	if err := json.Unmarshal([]byte(stdout), &found); err != nil {
		t.Fatalf("doctor: %d %s%s (%v)", code, stdout, stderr, err)
	}
	return code, found
}

// named tells whether a check at a level says something.
func named(found admin.Diagnosis, check string, level admin.Level, says string) bool {
	return slices.ContainsFunc(found.Checks, func(c admin.Check) bool {
		return c.Name == check && c.Level == level && strings.Contains(c.Text, says)
	})
}

// cause waits until the doctor of a box names a cause, and returns the exit
// code.
func (b *box) cause(check string, level admin.Level, says string) (code int) {
	b.t.Helper()
	wait(b.t, check+" "+says, func() bool {
		var found admin.Diagnosis
		code, found = diagnosis(b.t, b.environ)
		return named(found, check, level, says)
	})
	return code
}

// TestDoctor makes one modem ill in one way after the other.
func TestDoctor(t *testing.T) {
	link := filepath.Join(t.TempDir(), "gsm")
	s := begin(t, nil, "simulate", "--link", link)
	wait(t, "the tty is there", func() bool { return strings.HasPrefix(s.stdout.String(), "/dev/pts/") })
	b := serve(t, strings.Replace(shop(""), "sim:", link, 1))
	cause := b.cause
	cause("gsm0 sending", admin.Green, "ready")
	code, stdout, _ := execute(t, b.environ, "doctor")
	if red := strings.Contains(stdout, "\nred "); code == exitOK == red || !strings.Contains(stdout, "green  gsm0 smsc") {
		t.Errorf("exit %d:\n%s", code, stdout)
	}
	inject := func(spec string) {
		t.Helper()
		if _, err := fmt.Fprintln(s.stdin, spec); err != nil {
			t.Fatal(err)
		}
	}
	send := func(to string) {
		t.Helper()
		if code, stdout, stderr := execute(t, b.environ, "send", to, "Hello", "--wait", "1s"); code == exitOK {
			t.Errorf("send: %s%s", stdout, stderr)
		}
	}
	inject("cms=10@1")
	send("+41791234567")
	cause("gsm0 sending", admin.Red, "call barred")
	for _, fault := range []struct{ typed, check, says string }{
		{"sim=pin", "gsm0 sim", "wants its PIN"},
		{"sim=puk", "gsm0 sim", "blocked"},
		{"sim=missing", "gsm0 sim", "no working SIM"},
		{"sim=ready\ncreg=3", "gsm0 network", "refuses this SIM"},
		{"creg=0\ncsq=0", "gsm0 signal", "no signal"},
	} {
		inject(fault.typed)
		if code := cause(fault.check, admin.Red, fault.says); code != exitFailed {
			t.Errorf("%s: exit %d", fault.typed, code)
		}
	}
	inject("creg=1\ncsq=20\ncms=50@*")
	cause("gsm0 sending", admin.Green, "ready")
	for n := range 5 {
		send(fmt.Sprintf("+4179123457%d", n))
	}
	cause("gsm0 credit", admin.Red, "probably used up")
	inject("dead")
	cause("gsm0 modem", admin.Red, "no modem answers")
	s.stop()
	if code := cause("gsm0 port", admin.Red, "not there"); code != exitFailed {
		t.Errorf("without a stick: exit %d", code)
	}
}

// TestDoctorOfRefusals has the SIM refuse its PIN and the provider its
// credentials.
func TestDoctorOfRefusals(t *testing.T) {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }))
	defer provider.Close()
	link, pin, secret := filepath.Join(t.TempDir(), "gsm"), file(t, "9999\n"), file(t, "sk_of_the_other_box\n")
	s := begin(t, nil, "simulate", "--link", link, "--fault", "sim=pin")
	wait(t, "the tty is there", func() bool { return strings.HasPrefix(s.stdout.String(), "/dev/pts/") })
	b := serve(t, fmt.Sprintf(`
[[relay]]
name = "backup"
kind = "pinferry"
url = %q
secret_file = %q
allow = ["127.0.0.1"]
insecure = true
`, provider.URL, secret)+strings.Replace(shop(""), `"sim:"`, fmt.Sprintf("%q\npin_file = %q", link, pin), 1))
	b.cause("gsm0 sim", admin.Red, "refused the PIN")
	b.cause("gsm0 pin", admin.Amber, "2 tries")
	if code, stdout, stderr := execute(t, b.environ, "send", "+41791234567", "Hello", "--wait", "1s"); code == exitOK {
		t.Errorf("send: %s%s", stdout, stderr)
	}
	if code := b.cause("backup relay", admin.Red, "(HTTP 401)"); code != exitFailed {
		t.Errorf("exit %d", code)
	}
	if _, stdout, _ := execute(t, b.environ, "doctor"); strings.Contains(stdout, "9999") || strings.Contains(stdout, "sk_of") {
		t.Errorf("a secret is told: %s", stdout)
	}
	provider.Close()
	if code := b.cause("backup relay", admin.Red, "refuses the connection"); code != exitFailed {
		t.Errorf("without a server: exit %d", code)
	}
	s.stop()
}

func TestDoctorWithoutBox(t *testing.T) {
	dir, root := t.TempDir(), t.TempDir()
	key := filepath.Join(dir, "keys", "box.key")
	if err := errors.Join(
		os.Mkdir(filepath.Dir(key), 0o700), os.WriteFile(key, make([]byte, 32), 0o600), os.Chmod(key, 0o644),
		os.MkdirAll(filepath.Join(root, "sys/fs/cgroup/system.slice/ModemManager.service"), 0o755),
		os.MkdirAll(filepath.Join(root, "etc/udev/rules.d"), 0o755),
	); err != nil {
		t.Fatal(err)
	}
	// This machine is not to be repaired, so the program stands on another.
	doctor := func(config string, more ...string) (code int, found admin.Diagnosis) {
		t.Helper()
		var stdout, stderr buffer
		p := &program{
			environ: []string{"PINFERRY_SOCKET=" + filepath.Join(dir, "none.sock")}, stdout: &stdout, stderr: &stderr,
			host: systemd.Host{Root: root, Run: func(string, ...string) ([]byte, error) { return nil, nil }},
		}
		code = p.run(append([]string{"doctor", "--json", "--config", file(t, config), "--dir", dir}, more...))
		if err := json.Unmarshal([]byte(stdout.String()), &found); err != nil {
			t.Fatalf("doctor: %d %s%s (%v)", code, &stdout, &stderr, err)
		}
		return code, found
	}
	want := func(found admin.Diagnosis, check string, level admin.Level, says string) {
		t.Helper()
		if !named(found, check, level, says) {
			t.Errorf("no %s check %q says %q:\n%s", level, check, says, found)
		}
	}
	none := filepath.Join(dir, "ttyUSB7")
	config := strings.Replace(shop(""), "sim:", none, 1)
	code, found := doctor(config)
	if code != exitNotReady || found.Running || len(found.Fixed) > 0 {
		t.Errorf("exit %d, %+v", code, found)
	}
	want(found, "box", admin.Red, "No box runs")
	want(found, "apps", admin.Green, "1 app")
	want(found, "keys", admin.Red, key)
	want(found, "modemmanager", admin.Amber, "nothing keeps it")
	want(found, "gsm0 port", admin.Red, none+" is not there")

	pty, err := simulator.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	defer pty.Close()
	code, found = doctor(strings.Replace(config, none, pty.Path(), 1), "--fix")
	if code != exitNotReady || len(found.Fixed) != 2 {
		t.Errorf("exit %d, fixed %q", code, found.Fixed)
	}
	want(found, "keys", admin.Green, "")
	want(found, "modemmanager", admin.Green, "udev rules keep it")
	want(found, "gsm0 port", admin.Green, "opens")

	// The descriptor's lock is the program's own, as another process' would be.
	holder, err := os.OpenFile(pty.Path(), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	if err := syscall.Flock(int(holder.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	_, found = doctor(strings.Replace(config, none, pty.Path(), 1))
	want(found, "gsm0 port", admin.Red, "is in use by")

	auto := strings.Replace(shop(""), "sim:", "auto", 1)
	_, found = doctor(auto)
	want(found, "gsm0 port", admin.Red, "No modem is plugged in")
	stick := filepath.Join(root, "sys/bus/usb/devices/1-1")
	if err := errors.Join(
		os.MkdirAll(stick, 0o755), os.WriteFile(filepath.Join(stick, "idVendor"), []byte("12d1\n"), 0o644),
		os.WriteFile(filepath.Join(stick, "idProduct"), []byte("1f01\n"), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	_, found = doctor(auto)
	want(found, "gsm0 port", admin.Red, "a disk")

	_, found = doctor("[[modem]]\nname = \"gsm0\"\ndevice = \"sim:\"\n")
	want(found, "apps", admin.Red, "No app")

	code, found = doctor("[serve]\n", "--fix")
	if code != exitNotReady || len(found.Fixed) > 0 {
		t.Errorf("nothing is left to fix: exit %d, fixed %q", code, found.Fixed)
	}
	want(found, "config", admin.Red, `did you mean "server"?`)
}

func TestCommandLine(t *testing.T) {
	empty := []string{"XDG_RUNTIME_DIR=" + t.TempDir(), "PINFERRY_SOCKET=" + filepath.Join(t.TempDir(), "none.sock")}
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{nil, exitUsage, "say what to do"},
		{[]string{"sevre"}, exitUsage, `did you mean "serve"?`},
		{[]string{"key", "nwe"}, exitUsage, `did you mean "key new"?`},
		{[]string{"help"}, exitOK, ""},
		{[]string{"send", "--help"}, exitOK, ""},
		{[]string{"serve", "--lisen", ":0"}, exitUsage, "-lisen"},
		{[]string{"serve", "--log-level", "loud"}, exitUsage, "loud"},
		{[]string{"send", "+41791234567"}, exitUsage, "TO TEXT"},
		{[]string{"send", "+41791234567", "--", "-x"}, exitNotReady, "pinferry serve"},
		{[]string{"clock", "status"}, exitNotReady, "none.sock"},
		{[]string{"backup", "-"}, exitNotReady, "none.sock"},
		{[]string{"backup"}, exitUsage, "--to"},
		{[]string{"backup", "a", "--to", "b"}, exitUsage, "--to"},
		{[]string{"backup", "a", "--schedule", "24h"}, exitUsage, "--to"},
		{[]string{"backup", "--to", t.TempDir()}, exitNotReady, "none.sock"},
		{[]string{"key", "new", "a b"}, exitUsage, "a b"},
		{[]string{"key"}, exitUsage, "key what? There is key new, key rotate"},
		{[]string{"user"}, exitUsage, "user what? There is user ls, user show, user block, user unblock, user rm"},
		{[]string{"user", "rn"}, exitUsage, `did you mean "user rm"?`},
		{[]string{"user", "rm"}, exitUsage, "usage: pinferry user rm [flags] USER"},
		{[]string{"simulate", "--fault", "creg=x"}, exitUsage, "--fault"},
		{[]string{"restore", filepath.Join(t.TempDir(), "none"), "--dir", t.TempDir()}, exitFailed, "no such file"},
	} {
		code, _, stderr := execute(t, empty, append([]string{}, test.args...)...)
		if code != test.code || !strings.Contains(stderr, test.says) {
			t.Errorf("pinferry %v: exit %d, want %d with %q: %s", test.args, code, test.code, test.says, stderr)
		}
	}
}

// The bundle of a box that has a number, a code, keys and credentials in every
// corner has none of them, and enough to work with.
func TestSupportBundle(t *testing.T) {
	secret := file(t, "relay-secret-4711\n")
	config := shop("test_numbers = { \"+41791230000\" = \"271828\" }\nmode = \"test\"\nwebhook = \"https://shop.example/hook?token=hook99\"\nwebhook_secret_file = "+
		fmt.Sprintf("%q", file(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"))) +
		fmt.Sprintf("\n[[relay]]\nname = \"backup\"\nkind = \"webhook\"\nurl = \"https://sms.example/send?key=url88\"\nsecret_file = %q\nfrom = \"+15005550006\"\nheaders = { \"X-Auth\" = \"head66\" }\nbody = '{\"pw\":\"body55\",\"to\":\"{to}\",\"text\":\"{text}\"}'\nsuccess_field = \"/ok\"\nsuccess_values = [\"true\"]\n", secret)
	b := serve(t, config)
	_, started := b.call("POST", "/v1/verifications", shopSecret, `{"to":"+41791234567"}`)
	code := codeOf(t, b.arrived(1).Text)
	b.call("POST", "/v1/verifications/"+started["id"].(string)+"/check", shopSecret, checkBody(otherThan(code)))

	path := filepath.Join(t.TempDir(), "support.tar.gz")
	exit, stdout, stderr := execute(t, b.environ, "support-bundle", path, "--config", file(t, config))
	if exit != exitOK || !strings.Contains(stdout, "doctor.json") {
		t.Fatalf("support-bundle: %d %s%s", exit, stdout, stderr)
	}
	out, err := exec.Command("tar", "xzOf", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	everything := string(out)
	for what, leak := range map[string]string{
		"a number": "791234567", "a test number": "791230000", "a code": code, "a test code": "271828", "a key": shopSecret, "another key": shopPublishable,
		"a digest": digestOf(shopSecret).String()[10:], "a token": "hook99", "a key in an address": "url88", "a header": "head66",
		"a body": "body55", "the relay's secret": "relay-secret", "the relay's number": "15005550006",
	} {
		if strings.Contains(everything, leak) {
			t.Errorf("the bundle holds %s: %s", what, leak)
		}
	}
	for _, want := range []string{"[[relay]]", "https://sms.example/...", `"name": "gsm0"`, "pinferry_", thisBuild().version, `"level"`} {
		if !strings.Contains(everything, want) {
			t.Errorf("the bundle does not hold %s", want)
		}
	}
	b.stop()
	if exit, _, stderr := execute(t, b.environ, "support-bundle", path, "--config", file(t, "[srever]")); exit != exitOK {
		t.Errorf("of a broken box: %d %s", exit, stderr)
	}
}

// What packages ship is made from the commands there are.
func TestManualAndCompletion(t *testing.T) {
	code, page, stderr := execute(t, nil, "man")
	if code != exitOK || !strings.HasPrefix(page, ".TH PINFERRY 1 ") || !strings.Contains(page, "pinferry limits show SUBJECT") {
		t.Errorf("man: %d %.200s%s", code, page, stderr)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if code, script, stderr := execute(t, nil, "completion", shell); code != exitOK || !strings.Contains(script, "webhook") || !strings.Contains(script, "with-keys") {
			t.Errorf("completion %s: %d %.200s%s", shell, code, script, stderr)
		}
	}
}

func TestVersion(t *testing.T) {
	code, stdout, _ := execute(t, nil, "version", "--json")
	var v map[string]string
	if err := json.Unmarshal([]byte(stdout), &v); code != exitOK || err != nil || v["version"] == "" || v["built"] == "" {
		t.Errorf("version: %d %q (%v)", code, stdout, err)
	}
	if code, stdout, _ := execute(t, nil, "version"); code != exitOK || !strings.Contains(stdout, v["version"]) {
		t.Errorf("version: %d %q", code, stdout)
	}
}

// The commands about modems, with a SIM that wants its PIN.
func TestModemCommands(t *testing.T) {
	link := filepath.Join(t.TempDir(), "gsm")
	s := begin(t, nil, "simulate", "--link", link, "--fault", "sim=pin")
	wait(t, "the tty is there", func() bool { return strings.HasPrefix(s.stdout.String(), "/dev/pts/") })
	pin := file(t, "0000\n")
	config := strings.Replace(shop(""), `"sim:"`, fmt.Sprintf("%q\npin_file = %q\nbalance = \"*100#\"\nbalance_low = 2.5", link, pin), 1)
	if err := os.Chmod(pin, 0o640); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"config", "check"}, {"serve", "--listen", "127.0.0.1:0", "--dir", t.TempDir(), "--socket", filepath.Join(t.TempDir(), "s")}} {
		if code, _, stderr := execute(t, nil, append(command, "--config", file(t, config))...); code != exitFailed || !strings.Contains(stderr, "chmod 600") {
			t.Errorf("%v with a PIN that others may read: %d %s", command, code, stderr)
		}
	}
	if err := os.Chmod(pin, 0o600); err != nil {
		t.Fatal(err)
	}
	b := serve(t, config)
	var stdout string
	wait(t, "the modem is ready", func() bool {
		_, stdout, _ = execute(t, b.environ, "modem", "status")
		return strings.Contains(stdout, "gsm0  ready")
	})
	for _, says := range []string{"490154203237518", "...8901", "PIN tries left: 3", "Simulator, home, 4g", "-73 dBm", "+15550100000"} {
		if !strings.Contains(stdout, says) {
			t.Errorf("status does not tell %q:\n%s", says, stdout)
		}
	}
	var modems []map[string]any
	_, stdout, _ = execute(t, b.environ, "modem", "status", "--json")
	if err := json.Unmarshal([]byte(stdout), &modems); err != nil || len(modems) != 1 || modems[0]["technology"] != "4g" {
		t.Errorf("status --json: %q (%v)", stdout, err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"at", "gsm0", "AT+CSQ"}, exitOK, "+CSQ: 20,99\nOK\n"},
		{[]string{"at", "gsm0", "AT+CMGD=1,4"}, exitRefused, "could send or delete"},
		{[]string{"at", "gsm1", "AT+CSQ"}, exitRefused, "modem status"},
		{[]string{"ussd", "gsm0", "*100#"}, exitOK, "Balance: 10.00"},
		{[]string{"ussd", "gsm0", "hello"}, exitRefused, "as it is dialled"},
		{[]string{"pin", "gsm0"}, exitRefused, "wants no PIN"},
		{[]string{"reset", "gsm0"}, exitOK, "modem status"},
	} {
		code, stdout, stderr := execute(t, b.environ, append([]string{"modem"}, c.args...)...)
		if code != c.code || !strings.Contains(stdout+stderr, c.says) {
			t.Errorf("modem %v: %d %s%s", c.args, code, stdout, stderr)
		}
	}
	wait(t, "the modem is back", func() bool {
		_, stdout, _ = execute(t, b.environ, "modem", "status")
		return strings.Contains(stdout, "gsm0  ready")
	})
	if code, stdout, _ := execute(t, b.environ, "send", "+41791234567", "Hello"); code != exitOK {
		t.Errorf("send: %d %s", code, stdout)
	}
	_, stdout, _ = execute(t, b.environ, "clock", "status")
	if !strings.Contains(stdout, "by gsm0") || strings.Contains(stdout, "not synchronised") {
		t.Errorf("clock status: %s", stdout)
	}
	b.stop()
	s.stop()
	if all := b.stdout.String() + b.stderr.String(); strings.Contains(all, "8900101012345678901") || strings.Contains(all, "001010123456789") {
		t.Errorf("the log names the SIM:\n%s", all)
	}
}

func TestConfigErrors(t *testing.T) {
	app := "[[app]]\nid = \"shop\"\ncountries = [\"CH\"]\n"
	sim := "[[modem]]\nname = \"gsm0\"\ndevice = \"sim:\"\n"
	for _, test := range []struct{ config, says string }{
		{"[server]\nlistn = \"\"", `pinferry.toml:2: unknown key "server.listn"; did you mean "listen"?`},
		{"[sever]\nlisten = \"\"", `pinferry.toml:1: unknown key "sever"; did you mean "server"?`},
		{app + "countries = CH", "; a text stands in quotes"},
		{app + "login = \"yes\"", "pinferry.toml:4: app.login: this key takes no string"},
		{app + "cuntries = []", `pinferry.toml:4: unknown key "app.cuntries"; did you mean "countries"?`},
		{sim + "[[modem]]\ndevise = 1", `pinferry.toml:5: unknown key "modem.devise"; did you mean "device"?`},
		{"[limits]\nsend_per_phone = []", `did you mean "sends_per_phone"?`},
		{"a = [", "pinferry.toml:1:"},
		{"[server]\nlisten = 7467", "pinferry.toml:2: server.listen:"},
		{"[server]\nlisten = \"7467\"", "[server] listen"},
		{"[server]\nlisten = \"localhost:99999\"", "[server] listen"},
		{"[server]\nlisten = \"box.example:80\"", "[server] listen"},
		{"[server]\ntls_cert = \"/x\"", "[server] tls_cert, tls_key"},
		{"[server]\ntls_key = \"/x\"", "[server] tls_cert, tls_key"},
		{"[server]\ntls = \"lan\"\ntls_cert = \"/x\"\ntls_key = \"/y\"", "take one of the two away"},
		{"[server]\ntls = \"files\"", "name the files in tls_cert and tls_key"},
		{"[server]\ntls = \"auto\"", `say "lan"`},
		{"[server]\ntls_cert = \"/nowhere/box.crt\"\ntls_key = \"/nowhere/box.key\"", "/nowhere/box.crt"},
		{"[server]\ntrusted_proxies = [\"10.0.0.1/8\"]", "server.trusted_proxies"},
		{"[storage]\ndir = \"data\"", "[storage] dir"},
		{"[storage]\ngather = \"2s\"", "[storage] gather"},
		{"[storage]\ngather = \"-1s\"", "storage.gather"},
		{"[storage]\nkeep = \"1h\"", "[storage] keep"},
		{"[[modem]]\ndevice = \"sim:\"", "[[modem]] number 1: name"},
		{sim + sim, "used twice"},
		{"[[modem]]\nname = \"a\"\ndevice = \"imei:1234\"", "15 digits"},
		{"[[modem]]\nname = \"a\"\ndevice = \"ttyUSB0\"", "device"},
		{sim + "pin_file = \"/x\"", "pin_file"},
		{sim + "pin_file = \"pin\"", "absolute"},
		{sim + "bearer = \"ps\"", "bearer"},
		{sim + "balance = \"100\"", "*100#"},
		{sim + "balance_low = 2.0", "balance ="},
		{sim + "balance = \"*100#\"\nbalance_every = \"5m\"", "balance_every"},
		{sim + "smsc = \"AT\"", "smsc"},
		{sim + "daily_cap = -1", "daily_cap"},
		{"[[relay]]\nkind = \"twilio\"", "[[relay]] number 1: name"},
		{"[[relay]]\nname = \"backup\"\nkind = \"twillio\"", "[[relay]] backup: kind"},
		{"[[relay]]\nname = \"backup\"\nkind = \"twilio\"\nuser = \"AC1\"\nfrom = \"Shop\"", "[[relay]] backup: secret_file is missing"},
		{"[[relay]]\nname = \"backup\"\nkind = \"clickatell\"\nsecret_file = \"/nowhere\"", "[[relay]] backup: secret_file: open the secret"},
		{sim + "[[relay]]\nname = \"gsm0\"\nkind = \"clickatell\"\nsecret_file = \"/x\"", "used twice"},
		{"[[relay]]\nname = \"backup\"\nsecrt_file = \"/x\"", `did you mean "secret_file"?`},
		{"[routes]\norder = [\"gsm0\"]", "[routes] order"},
		{sim + "[routes]\norder = [\"gsm0\", \"gsm0\"]", "twice"},
		{sim + "[[modem]]\nname = \"gsm1\"\ndevice = \"sim:\"\n[routes]\norder = [\"gsm1\"]", `leaves out "gsm0"`},
		{"[[modem]]\nname = \"n\"\ndevice = \"null\"\n" + app, `mode = "test"`},
		{"[[app]]\nid = \"shop\"", "countries"},
		{app + "code_ttl = \"601s\"", "code_ttl"},
		{app + "code_length = 5", "code_length"},
		{app + "code_length = 11", "code_length"},
		{app + "code_length = \"6\"", "app.code_length"},
		{app + "mode = \"prod\"", "mode"},
		{app + "resend = \"never\"", "resend"},
		{app + "test_numbers = { \"+41791234567\" = \"123456\" }", "test_numbers"},
		{app + "doors = [\"fax\"]", "doors"},
		{app + "sessions = false\ndoors = [\"descope\"]", "sessions"},
		{app + "origins = [\"shop.example\"]", "origins"},
		{app + "redirects = [\"//shop.example\"]", "redirects"},
		{app + "template_options = [\"code\"]", "template_options"},
		{app + "template_option = []", `did you mean "template_options"?`},
		{app + "aliases = [\"a b\"]", "aliases"},
		{app + "web_domain = \"https://example.com/\"", "web_domain"},
		{app + "android_hash = \"short\"", "android_hash"},
		{app + "[app.texts]\nen = \"no placeholder\"", "texts"},
		{app + "[app.texts]\nen = \"{code} " + strings.Repeat("long ", 40) + "\"", "texts"},
		{app + app, "shop"},
		{app + "backends = [\"shop.example\"]", "app.backends"},
		{app + "keys = [\"sk_secret\"]", "pinferry key new"},
		{app + "keys = [\"sha256:12\"]", "pinferry key new"},
		{app + fmt.Sprintf("keys = [%q]", digestOf(demoSecret)), "public"},
		{"[limits]\nsends_per_phone = [\"3 in 5m\"]", "limits.sends_per_phone"},
		{"[limits]\nsends_per_phone = [\"0/5m\"]", "limits.sends_per_phone"},
		{"[limits]\nbackoff = [\"soon\"]", "limits.backoff"},
		{"[limits]\nconversion_per_block = [\"20/1h\"]", "limits.conversion_per_block"},
		{"[limits]\nconversion_per_block = [\"20/1h/0%\"]", "limits.conversion_per_block"},
		{"[limits]\nconversion_per_country = [\"10%\"]", "limits.conversion_per_country"},
		{app + "[limits]\ntries_per_phone = []", "tries_per_phone"},
	} {
		code, stdout, stderr := execute(t, nil, "config", "check", "--config", file(t, test.config))
		if code != exitFailed || !strings.Contains(stderr, test.says) {
			t.Errorf("%s\nexit %d, want %q: %s%s", test.config, code, test.says, stdout, stderr)
		}
		if strings.Contains(stderr, "sk_secret") {
			t.Errorf("a key is shown: %s", stderr)
		}
	}
	if code, _, stderr := execute(t, nil, "serve", "--config", filepath.Join(t.TempDir(), "none.toml")); code != exitFailed || !strings.Contains(stderr, "none.toml") {
		t.Errorf("a named file that is not there: %d %s", code, stderr)
	}
}

func TestConfigOverrides(t *testing.T) {
	path := file(t, "[server]\nlisten = \"127.0.0.1:1\"\n[storage]\ndir = \"/file\"\n[limits]\nsends_per_box = []")
	lines := func(environ []string, args ...string) []string {
		t.Helper()
		code, stdout, stderr := execute(t, environ, append([]string{"config", "show", "--config", path}, args...)...)
		if code != exitOK {
			t.Fatalf("config show: %d %s", code, stderr)
		}
		return strings.Split(stdout, "\n")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	environ := []string{"PINFERRY_SERVER_LISTEN=127.0.0.1:2", "PINFERRY_STORAGE_DIR=/env", "PINFERRY_LIMITS_SENDS_PER_PHONE=1/5m,2/1h", "PINFERRY_SOCKET=/s"}
	for _, test := range []struct {
		shown []string
		want  string
	}{
		{lines(nil), `listen = "127.0.0.1:1"`},
		{lines(nil), `gather = "0s"`}, // the default
		{lines(nil), `sends_per_box = []`},
		{lines(nil), `sends_per_phone = ["3/5m", "6/1h", "10/24h"]`},
		{lines(environ), `listen = "127.0.0.1:2"`},
		{lines(environ), `dir = "/env"`},
		{lines(environ), `sends_per_phone = ["1/5m", "2/1h"]`},
		{lines(environ, "--listen", "127.0.0.1:3", "--dir", "/flag"), `listen = "127.0.0.1:3"`},
		{lines(environ, "--listen", "127.0.0.1:3", "--dir", "/flag"), `dir = "/flag"`},
		{lines(environ, "--dir", "here"), fmt.Sprintf("dir = %q", filepath.Join(here, "here"))},
	} {
		if !slices.Contains(test.shown, test.want) {
			t.Errorf("not shown: %s\n%s", test.want, strings.Join(test.shown, "\n"))
		}
	}
	for environ, says := range map[string]string{
		"PINFERRY_SERVER_LISTN=x":     `PINFERRY_SERVER_LISTN: unknown key "listn"; did you mean "listen"?`,
		"PINFERRY_STORAGE_GATHER=x":   "PINFERRY_STORAGE_GATHER",
		"PINFERRY_LIMITS_BACKOFF=1,2": "PINFERRY_LIMITS_BACKOFF",
	} {
		if code, _, stderr := execute(t, []string{environ}, "config", "check", "--config", path); code != exitFailed || !strings.Contains(stderr, says) {
			t.Errorf("%s: %d %s", environ, code, stderr)
		}
	}
}

func TestSampleConfig(t *testing.T) {
	if code, _, stderr := execute(t, nil, "config", "check", "--config", "systemd/pinferry.toml"); code != exitOK {
		t.Errorf("the sample is refused: %s", stderr)
	}
}

// by makes a call by TLS to a name of the box, with what is trusted.
func (b *box) by(roots *x509.CertPool, name, path string) (status int, body string, err error) {
	b.t.Helper()
	at := strings.TrimPrefix(b.daemon.server.URL(), "https://")
	_, port, _ := net.SplitHostPort(at)
	client := &http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, at)
		},
	}}
	resp, err := client.Get("https://" + net.JoinHostPort(name, port) + path)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// authority gets what vouches for the box, over plain HTTP as a device does.
func (b *box) authority() (roots *x509.CertPool, fingerprint string) {
	b.t.Helper()
	resp, err := http.Get("http" + strings.TrimPrefix(b.daemon.server.URL(), "https") + "/ca.crt")
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	block, _ := pem.Decode(text)
	if err != nil || block == nil {
		b.t.Fatalf("/ca.crt: %s, %v", text, err)
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	sum := sha256.Sum256(block.Bytes)
	return roots, strings.ReplaceAll(strings.ToUpper(fmt.Sprintf("% x", sum)), " ", ":")
}

// TestTLSInTheLAN has a box make an authority, which the doctor knows and which is
// the same after a restart.
func TestTLSInTheLAN(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	b := serveIn(t, shop("")+"[server]\ntls = \"lan\"\n", dir)
	roots, fingerprint := b.authority()
	for _, name := range append(cert.Names(host), "127.0.0.1") {
		if status, body, err := b.by(roots, name, "/healthz"); status != 200 || err != nil {
			t.Errorf("%s: %d %s, %v", name, status, body, err)
		}
	}
	if status, body, err := b.by(roots, "127.0.0.1", "/ca"); status != 200 || err != nil || !strings.Contains(body, fingerprint) {
		t.Errorf("/ca: %d, %v", status, err)
	}
	b.cause("certificate", admin.Green, fingerprint)
	if info, err := os.Stat(filepath.Join(dir, "keys", "lan.ca")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info, err)
	}
	b.stop()
	again := serveIn(t, shop("")+"[server]\ntls = \"lan\"\n", dir)
	if _, now := again.authority(); now != fingerprint {
		t.Error("after a restart it is another authority")
	}
	if status, _, err := again.by(roots, "127.0.0.1", "/healthz"); status != 200 || err != nil {
		t.Errorf("after a restart: %d, %v", status, err)
	}
}

// TestTLSByFiles has a box show a certificate of the operator's, and a new one when
// the files change under it.
func TestTLSByFiles(t *testing.T) {
	dir := t.TempDir()
	public, secret := filepath.Join(dir, "box.crt"), filepath.Join(dir, "box.key")
	certify := func(days int) *x509.CertPool {
		t.Helper()
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		now := otp.NewClock(otp.ClockSource{}).Now().Std()
		template := &x509.Certificate{
			DNSNames: []string{"codes.shop.example"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Duration(days) * 24 * time.Hour),
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		roots.AppendCertsFromPEM(text)
		if err := errors.Join(os.WriteFile(public, text, 0o600),
			os.WriteFile(secret, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: sealed}), 0o600)); err != nil {
			t.Fatal(err)
		}
		return roots
	}
	first := certify(90)
	config := shop("") + fmt.Sprintf("[server]\ntls_cert = %q\ntls_key = %q\n", public, secret)
	if err := os.Chmod(secret, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, stdout, _ := execute(t, nil, "config", "check", "--config", file(t, config)); code != exitOK || !strings.Contains(stdout, "chmod o= "+secret) {
		t.Errorf("config check: %d %s", code, stdout)
	}
	b := serve(t, config)
	b.cause("certificate", admin.Amber, secret)
	if status, _, err := b.by(first, "codes.shop.example", "/healthz"); status != 200 || err != nil {
		t.Errorf("got %d, %v", status, err)
	}
	second := certify(10)
	b.cause("certificate", admin.Amber, "ends in")
	if status, _, err := b.by(second, "codes.shop.example", "/healthz"); status != 200 || err != nil {
		t.Errorf("after a change: %d, %v", status, err)
	}
	if err := os.WriteFile(secret, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.cause("certificate", admin.Amber, "cannot be used, and the one until")
	if status, _, err := b.by(second, "codes.shop.example", "/healthz"); status != 200 || err != nil {
		t.Errorf("after a mistake: %d, %v", status, err)
	}
	b.stop()
	if code, _, stderr := execute(t, nil, "config", "check", "--config", file(t, config)); code != exitFailed || !strings.Contains(stderr, secret) {
		t.Errorf("config check: %d %s", code, stderr)
	}
}

// What `config show` prints is a config file that says the same, whatever
// stands in its strings.
func TestConfigShowRoundTrip(t *testing.T) {
	every := []string{
		`aliases = ["P2UzkBmYTDBZWpCcfA3bRBBLVGJx", "VA00000000000000000000000000000000"]`,
		`doors = ["native", "descope", "twilio"]`, `hosts = ["codes.example.com"]`, `sessions = true`, `private = true`, `email = true`,
		`origins = ["https://shop.example.com", "http://localhost:3000"]`, `redirects = ["https://shop.example.com/welcome"]`,
		`texts = { "en" = "{code} for {order}" }`, `template_options = ["order"]`,
	}
	app := "[[app]]\nid = \"shop\"\ncountries = [\"CH\"]\nname = \"a \\\"b\\\" \\\\ \\u0001 ü\"\nmode = \"test\"\n[app.test_numbers]\n\"+41791234567\" = \"123456\"\n"
	show := func(path string) string {
		t.Helper()
		code, stdout, stderr := execute(t, nil, "config", "show", "--config", path)
		if code != exitOK {
			t.Fatalf("config show: %d %s", code, stderr)
		}
		return stdout
	}
	whole := show(file(t, "[[app]]\nid = \"whole\"\ncountries = [\"CH\"]\n"+strings.Join(every, "\n")))
	for _, line := range every {
		if !strings.Contains(whole, "\n"+line+"\n") {
			t.Errorf("not shown: %s\n%s", line, whole)
		}
	}
	if again := show(file(t, whole)); again != whole {
		t.Errorf("shown again it differs:\n%s\n%s", whole, again)
	}
	if shown := show(file(t, "[[app]]\nid = \"whole\"\ncountries = [\"CH\"]\nsessions = false")); !strings.Contains(shown, "\nsessions = false\n") {
		t.Errorf("not shown: sessions = false\n%s", shown)
	}
	first := show(file(t, "[[modem]]\nname = \"gsm0\"\ndevice = \"sim:\"\n"+app))
	if again := show(file(t, first)); again != first || !strings.Contains(first, `"+41791234567" = "123456"`) {
		t.Errorf("shown again it differs:\n%s\n%s", first, again)
	}
}

// A secret that the next start would miss is missed by the check before it.
func TestConfigCheckReadsWebhookSecrets(t *testing.T) {
	config := file(t, shop("webhook = \"https://shop.example/hook\"\nwebhook_secret_file = \"/nowhere/whsec\"\n"))
	if code, _, stderr := execute(t, nil, "config", "check", "--config", config); code != exitFailed || !strings.Contains(stderr, "webhook_secret_file") {
		t.Errorf("config check: %d %s", code, stderr)
	}
}

// An app that wants mails where no relay carries any is named before the first
// person waits for one: by the check, and by the doctor of a box that runs.
func TestEmailWithoutRelay(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "mail.secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	relay := fmt.Sprintf("[[relay]]\nname = \"mail\"\nkind = \"smtp\"\nurl = \"smtp://mail.invalid\"\nfrom = \"codes@shop.example\"\nuser = \"codes\"\nsecret_file = %q\n", secret)
	const says = "email = true"
	if code, stdout, _ := execute(t, nil, "config", "check", "--config", file(t, shop("email = true\n"))); code != exitOK || !strings.Contains(stdout, says) {
		t.Errorf("config check: %d %s", code, stdout)
	}
	if code, stdout, _ := execute(t, nil, "config", "check", "--config", file(t, shop("email = true\n")+relay)); code != exitOK || strings.Contains(stdout, says) {
		t.Errorf("with a relay: %d %s", code, stdout)
	}
	b := serve(t, shop("email = true\n"))
	b.cause("apps", admin.Amber, "no relay carries email")
}

// A page that must prove work gets one code for each proof, across a restart.
func TestCaptcha(t *testing.T) {
	b := serve(t, shop("captcha = \"always\"\ncaptcha_work = 1000\n"))
	start := func(b *box, number, solution string) (int, any) {
		status, answer := b.call("POST", "/v1/verifications", shopPublishable, fmt.Sprintf(`{"to":%q,"captcha":%q}`, number, solution))
		return status, answer["code"]
	}
	if status, code := start(b, "+41791234567", ""); status != 400 || code != "captcha_required" {
		t.Fatalf("a start without a captcha: %d %v", status, code)
	}
	_, challenge := b.call("GET", "/v1/captcha", shopPublishable, "")
	solution := solve(t, challenge)
	if status, code := start(b, "+41791234567", solution); status != 201 {
		t.Fatalf("a start with a captcha: %d %v", status, code)
	}
	b.arrived(1)
	if status, code := start(b, "+41791234568", solution); status != 400 || code != "captcha_required" {
		t.Errorf("the same captcha again: %d %v", status, code)
	}
	if status, _ := b.call("POST", "/v1/verifications", shopSecret, `{"to":"+41791234569"}`); status != 201 {
		t.Errorf("a server without a captcha: %d", status)
	}
	if status, _ := b.call("GET", "/captcha.js", "", ""); status != 200 {
		t.Errorf("the solver: %d", status)
	}
	b.stop()
	b = serveIn(t, shop("captcha = \"always\"\n"), b.dir)
	if status, code := start(b, "+41791234568", solution); status != 400 || code != "captcha_required" {
		t.Errorf("the same captcha after a restart: %d %v", status, code)
	}
}

// solve tries numbers until one solves the challenge.
func solve(t *testing.T, challenge map[string]any) string {
	t.Helper()
	for n := range int(challenge["maxnumber"].(float64)) + 1 {
		sum := sha256.Sum256(fmt.Append(nil, challenge["salt"], n))
		if hex.EncodeToString(sum[:]) == challenge["challenge"] {
			challenge["number"] = n
			text, err := json.Marshal(challenge)
			if err != nil {
				t.Fatal(err)
			}
			return base64.StdEncoding.EncodeToString(text)
		}
	}
	t.Fatal("the challenge has no solution")
	return ""
}

func TestCaptchaConfig(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "captcha")
	if err := os.WriteFile(secret, []byte("0xsecret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	service := "captcha_kind = \"turnstile\"\ncaptcha_site_key = \"0xsite\"\n"
	for _, test := range []struct {
		lines, says string
		exit        int
	}{
		{"captcha = \"often\"", `captcha: "often"`, exitFailed},
		{"captcha_work = 10", "captcha_work = 10", exitFailed},
		{"captcha_site_key = \"x\"", "captcha_site_key", exitFailed},
		{"captcha_kind = \"mine\"", `captcha_kind: "mine"`, exitFailed},
		{service, "captcha_secret_file is missing", exitFailed},
		{service + "captcha_work = 2000", "captcha_work", exitFailed},
		{service + "captcha_secret_file = \"/nowhere/c\"", "origins or hosts", exitFailed},
		{service + "origins = [\"https://shop.example\"]\ncaptcha_secret_file = \"/nowhere/c\"", "captcha_secret_file", exitFailed},
		{service + "hosts = [\"shop.example:8443\"]\ncaptcha_secret_file = \"" + secret + "\"", "ok:", exitOK},
		{service + "origins = [\"https://shop.example\"]\nredirects = [\"https://shop.example/\"]\nlogin = true\ncaptcha = \"hot\"\ncaptcha_secret_file = \"" + secret + "\"", "captcha_kind: the sign-in page", exitFailed},
		{service + "origins = [\"https://shop.example\"]\nlogin = true\ncaptcha = \"hot\"\ncaptcha_secret_file = \"" + secret + "\"", "ok:", exitOK},
		{"redirects = [\"https://shop.example/\"]\nlogin = true\nsessions = false", "login: ", exitFailed},
		{"captcha = \"hot\"\ndoors = [\"native\", \"passage\"]", `the captcha of app "shop" does not guard its doors passage`, exitOK},
	} {
		code, stdout, stderr := execute(t, nil, "config", "check", "--config", file(t, shop(test.lines)))
		if code != test.exit || !strings.Contains(stdout+stderr, test.says) {
			t.Errorf("%s: %d %s%s", test.lines, code, stdout, stderr)
		}
	}
}

// A person texts the box; the app's server is told, and the box heeds it.
func TestTheBoxHearsAndTells(t *testing.T) {
	told := make(chan string, 16)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told <- r.Header.Get("webhook-signature")[:3] + string(body)
	}))
	defer app.Close()
	secret := filepath.Join(t.TempDir(), "whsec")
	if err := os.WriteFile(secret, []byte("whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 32))), 0o600); err != nil {
		t.Fatal(err)
	}
	b := serve(t, shop(fmt.Sprintf(`
inbound = true
webhook = %q
webhook_secret_file = %q
webhook_allow = ["127.0.0.1"]
webhook_insecure = true
`, app.URL, secret)))
	text := func(words string) {
		t.Helper()
		if err := b.daemon.text("+41791234567", words); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(want string) {
		t.Helper()
		select {
		case got := <-told:
			if !strings.HasPrefix(got, "v1,") || !strings.Contains(got, want) {
				t.Fatalf("told %s, want %s", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("not told of %s", want)
		}
	}
	text("Is this the shop?")
	hear(`"text":"Is this the shop?"`)

	var started map[string]any
	wait(t, "a modem listens", func() (ok bool) {
		var status int
		status, started = b.call("POST", "/v1/verifications", shopPublishable, `{"to":"+41791234567","channel":"inbound"}`)
		return status == 201
	})
	text(started["text_this"].(string))
	hear(`"type":"verification.approved"`)
	if _, v := b.call("GET", "/v1/verifications/"+started["id"].(string), shopSecret, ""); v["phone"] != "+41791234567" {
		t.Errorf("the server reads %v", v)
	}

	text("Stop")
	hear(`"text":"Stop"`)
	if status, answer := b.call("POST", "/v1/verifications", shopPublishable, `{"to":"+41791234567"}`); status != 400 || answer["code"] != "number_refused" {
		t.Errorf("to an opted-out number: %d %v", status, answer)
	}
	if code, out, stderr := execute(t, b.environ, "opt-out", "ls"); code != exitOK || !strings.HasPrefix(out, "+41*******67 ") {
		t.Errorf("opt-out ls: %d %s%s", code, out, stderr)
	}
	for _, want := range []string{"lifted", "had not opted out"} {
		if code, out, stderr := execute(t, b.environ, "opt-out", "lift", "+41791234567"); code != exitOK || !strings.Contains(out, want) {
			t.Errorf("opt-out lift: %d %s%s", code, out, stderr)
		}
	}
	if code, out, stderr := execute(t, b.environ, "webhook", "ls", "--json"); code != exitOK || strings.TrimSpace(out) != "[]" {
		t.Errorf("webhook ls: %d %s%s", code, out, stderr)
	}
	for line, want := range map[string]struct {
		code int
		says string
	}{
		"--all":                          {exitOK, "0 events are delivered anew"},
		"--all --app shop --json":        {exitOK, `{"replayed":0}`},
		"--all --app nobody":             {exitRefused, "no such app"},
		"evt_" + strings.Repeat("0", 32): {exitRefused, "None of the dead events"},
		"":                               {exitUsage, "evt_..."},
		"--all evt_1":                    {exitUsage, "evt_..."},
		"--app shop evt_1":               {exitUsage, "evt_..."},
		"evt_1 evt_2":                    {exitUsage, "usage: pinferry webhook replay [flags] [EVENT]"},
	} {
		if code, out, stderr := execute(t, b.environ, append([]string{"webhook", "replay"}, strings.Fields(line)...)...); code != want.code || !strings.Contains(out+stderr, want.says) {
			t.Errorf("webhook replay %s: %d %s%s", line, code, out, stderr)
		}
	}
	if _, found := diagnosis(t, b.environ); !named(found, "webhook", admin.Green, "No event") {
		t.Errorf("the doctor: %s", found)
	}
	if status, page := b.call("GET", "/v1/inbound", shopSecret, ""); status != 200 || len(page["inbound"].([]any)) != 2 {
		t.Errorf("inbound: %d %v", status, page)
	}
}
