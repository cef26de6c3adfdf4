package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/api"
)

// broken is a core whose Get does what a test says.
type broken struct {
	api.Verifications
	get func(context.Context) (otp.Progress, error)
}

func (b broken) Get(ctx context.Context, _ otp.Caller, _ otp.ID) (otp.Progress, error) {
	return b.get(ctx)
}

func breaking(get func(context.Context) (otp.Progress, error)) func(*server.Config, *[]otp.App) {
	return func(c *server.Config, _ *[]otp.App) { c.Verifications = broken{get: get} }
}

func TestFaults(t *testing.T) {
	const sensitive = "+41791234567 493827"
	for name, test := range map[string]struct {
		get    func(context.Context) (otp.Progress, error)
		logged string
	}{
		"Error": {func(context.Context) (otp.Progress, error) { return otp.Progress{}, errors.New("disk is on fire") }, "disk is on fire"},
		"Panic": {func(context.Context) (otp.Progress, error) { panic(sensitive) }, `"panic":"string"`},
		"RuntimePanic": {func(context.Context) (otp.Progress, error) {
			var none []int
			return otp.Progress{}, errors.New(string(rune(none[3])))
		}, "index out of range"},
		"WrappedPanic": {func(context.Context) (otp.Progress, error) { panic(errors.New(sensitive)) }, `"panic":"*errors.errorString"`},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, breaking(test.get))
			a := b.do("GET", "/v1/verifications/"+anyID, "", key(secret))
			if a.status != 500 || member(t, a.body, "code") != "internal" {
				t.Errorf("got %+v", a)
			}
			log := b.log.String()
			if strings.Count(log, `"level":"error"`) != 1 || !strings.Contains(log, test.logged) || !strings.Contains(log, member(t, a.body, "request_id")) {
				t.Errorf("logged %s", log)
			}
			if strings.Contains(log+a.body, "493827") || strings.Contains(log+a.body, phone) {
				t.Errorf("a panic tells what was handled: %s %s", log, a.body)
			}
			if a := b.do("GET", "/healthz", ""); a.status != 200 {
				t.Errorf("the box is gone: %+v", a)
			}
		})
	}
}

func TestRequestIDs(t *testing.T) {
	b := newBox(t, nil)
	seen := map[string]bool{}
	for range 100 {
		a := b.do("GET", "/nothing", "", "X-Request-Id: 0000000000000000")
		id := a.headers["X-Request-Id"]
		if len(id) != 16 || strings.Trim(id, "0123456789abcdef") != "" || seen[id] || id == "0000000000000000" || member(t, a.body, "request_id") != id {
			t.Fatalf("got %q and %s", id, a.body)
		}
		seen[id] = true
	}
}

func TestCoreHasADeadline(t *testing.T) {
	b := newBox(t, func(c *server.Config, list *[]otp.App) {
		c.WriteTimeout = 50 * time.Millisecond
		breaking(func(ctx context.Context) (otp.Progress, error) {
			<-ctx.Done()
			return otp.Progress{}, fmt.Errorf("update: %w", ctx.Err())
		})(c, list)
	})
	if a := b.do("GET", "/v1/verifications/"+anyID, "", key(secret)); a.status != 503 || a.headers["Retry-After"] != "1" || member(t, a.body, "code") != "busy" {
		t.Errorf("got %+v", a)
	}
}

// TestShutdown stops the server while a call is under way: the call is
// answered, and nobody new gets in.
func TestShutdown(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	b := newBox(t, breaking(func(context.Context) (otp.Progress, error) {
		close(begun)
		<-finish
		return otp.Progress{}, &otp.Error{Code: otp.CodeUnknown}
	}))
	var last answer
	var both sync.WaitGroup
	both.Go(func() { last = b.do("GET", "/v1/verifications/"+anyID, "", key(secret)) })
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- b.http.Shutdown(context.Background()) }()
	select {
	case err := <-stopped:
		t.Errorf("it did not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(finish)
	both.Wait()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if last.status != 404 || last.headers["Connection"] != "close" {
		t.Errorf("the call under way got %+v", last)
	}
}

// TestShutdownLosesPatience stops the server while a call never ends by
// itself: the call's context ends.
func TestShutdownLosesPatience(t *testing.T) {
	begun := make(chan struct{})
	ended := make(chan struct{})
	b := newBox(t, breaking(func(ctx context.Context) (otp.Progress, error) {
		close(begun)
		<-ctx.Done()
		close(ended)
		return otp.Progress{}, ctx.Err()
	}))
	var call sync.WaitGroup
	call.Go(func() {
		b.raw("GET /v1/verifications/" + anyID + " HTTP/1.1\r\nHost: localhost\r\n" + key(secret) + "\r\n\r\n")
	})
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := b.http.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	<-ended
	call.Wait()
}

// TestNothingLeaks sends codes, numbers, keys and texts in every wrong place
// and then looks for them in the answers and in the log.
func TestNothingLeaks(t *testing.T) {
	b := newBox(t, nil)
	const code, number, text, stolen = "493827", "41764445566", "meet me at noon", "sk_stolen_5555"
	a := b.do("POST", "/v1/verifications", `{"to":"+`+number+`"}`, key(secret))
	id := member(t, a.body, "id")
	var answers strings.Builder
	say := func(a answer) { answers.WriteString(a.body + "\n") }
	say(a)
	say(b.do("POST", "/v1/messages", `{"to":"+`+number+`","text":"`+text+`"}`, key(secret)))
	for _, body := range []string{
		`{"code":"` + code + `"}`, `{"code":` + code + `}`, `{"code":"` + code + `","to":"+` + number + `"}`, `{"` + code + `":"` + code + `"}`,
		`{"code":"` + code, code, `"` + code + `"`, `{"code":["` + code + `"]}`, `{"to":"+` + number + `;` + code + `"}`, `{"to":{"+` + number + `":1}}`,
		`{"to":"+` + number + `","purpose":"` + code + `","channel":"` + code + `"}`, `{"to":"+` + number + `","client_ip":"` + code + `"}`,
		`{"refresh_token":"` + stolen + `"}`, `{"refresh_token":` + code + `}`, `{"to":"+` + number + `","purpose":"step_up","access_token":"` + stolen + `"}`,
		`{"to":"+` + number + `","text":"` + text + `","priority":"` + code + `"}`, `{"to":"x` + number + `","text":"` + text + `"}`,
	} {
		for _, target := range []string{"/v1/verifications", "/v1/verifications/" + id + "/check", "/v1/verifications/" + code + "/check", "/v1/verifications/" + id + "/resend", "/v1/messages", "/v1/token/refresh", "/v1/token/revoke"} {
			for _, k := range []string{secret, publishable, stolen} {
				say(b.do("POST", target, body, key(k), "Idempotency-Key: "+code))
			}
		}
	}
	for _, target := range []string{"/" + number, "/v1/verifications/" + number + "?code=" + code, "/v1/messages?limit=" + code + "&cursor=" + number, "/v1/messages/" + code, "/v1/users/" + number,
		"/v1/users?phone=%2B" + number, "/v1/users?cursor=" + code, "/v1/me", "/.well-known/jwks.json?x=" + code} {
		say(b.do("GET", target, "", key(secret)))
	}
	for _, raw := range []string{
		"GET /" + code + "\r\n\r\n", "POST /" + code + " HTTP/1.1\r\nHost: localhost\r\nX A: " + code + "\r\n\r\n",
		"POST /" + code + "?" + number + " HTTP/1.1\r\nHost: localhost\r\nAuthorization " + stolen + "\r\n\r\n",
		"GET " + code + " HTTP/1.1\r\nHost: localhost\r\n\r\n", code + " / HTTP/1.1\r\nHost: " + number + "\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + code + "\r\n\r\n" + code, "(" + code + ") / HTTP/1.1\r\n\r\n",
		"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + code + "zz\r\n",
	} {
		answers.WriteString(b.raw(raw) + "\n")
	}
	for _, secret := range []string{code, number, number[1:], text, stolen, secret, publishable, b.code()} {
		if strings.Contains(answers.String(), secret) {
			t.Errorf("an answer tells %q: %s", secret, line(answers.String(), secret))
		}
		if strings.Contains(b.log.String(), secret) {
			t.Errorf("the log tells %q: %s", secret, line(b.log.String(), secret))
		}
	}
	if strings.Contains(b.log.String(), id) {
		t.Errorf("the log tells a handle: %s", line(b.log.String(), id))
	}
}

func line(text, part string) string {
	for l := range strings.Lines(text) {
		if strings.Contains(l, part) {
			return l
		}
	}
	return ""
}

func TestLogIsOneObjectALine(t *testing.T) {
	b := newBox(t, nil)
	b.do("GET", "/v1/verifications/"+anyID, "", key(secret))
	b.raw("GET /%0a{\"level\":\"info\"}\x1b[31m HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \"}\\n{\r\nConnection: close\r\n\r\n")
	calls := 0
	for l := range strings.Lines(b.log.String()) {
		var members map[string]any
		if err := json.Unmarshal([]byte(l), &members); err != nil {
			t.Errorf("%v: %q", err, l)
		}
		if members["message"] == "call" {
			calls++
			if members["path"] != "/v1/verifications/{id}" && members["path"] != "none" || members["level"] != "debug" {
				t.Errorf("got %s", l)
			}
		}
	}
	if calls != 2 {
		t.Errorf("%d calls in %s", calls, b.log.String())
	}
}
