package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/admin"
)

// call makes a call on the admin socket.
func (b *box) call(method, target, body string) (int, string) {
	b.t.Helper()
	var sent []byte
	if body != "" {
		sent = []byte(body)
	}
	status, answer, err := admin.Dial(b.sock).Do(b.t.Context(), method, target, sent)
	if err != nil {
		b.t.Fatal(err)
	}
	return status, string(answer)
}

func TestSocketNeedsNoKey(t *testing.T) {
	b := newBox(t, nil)
	status, body := b.call("POST", "/v1/verifications", `{"to":"`+phone+`"}`)
	if status != 201 {
		t.Fatalf("got %d %s", status, body)
	}
	id, code := member(t, body, "id"), b.code()
	if status, body := b.call("POST", "/v1/verifications/"+id+"/check", `{"code":"`+code+`"}`); status != 200 || !strings.Contains(body, phone) {
		t.Errorf("got %d %s", status, body)
	}
	if status, body := b.call("POST", "/v1/messages", `{"to":"`+phone+`","text":"Hello"}`); status != 202 {
		t.Errorf("got %d %s", status, body)
	}
	if status, body := b.call("GET", "/v1/routes", ""); status != 200 || !strings.Contains(body, `"name":"gsm0"`) {
		t.Errorf("got %d %s", status, body)
	}
	if status, body := b.call("GET", "/v1/nothing", ""); status != 404 {
		t.Errorf("got %d %s", status, body)
	}
	log := b.log.String()
	for _, part := range []string{`"level":"info"`, `"uid":`, `"pid":`, `"method":"POST","path":"/v1/verifications/{id}/check"`, `"message":"admin call"`, `"app":"demo"`} {
		if !strings.Contains(log, part) {
			t.Errorf("the audit has no %s: %s", part, log)
		}
	}
}

func TestSocketActsForAnApp(t *testing.T) {
	two := func(_ *server.Config, list *[]otp.App) {
		*list = append(*list, otp.App{ID: "second", Aliases: []string{"two"}, Keys: [][32]byte{digest("sk_2")}, Countries: []string{"*"}, Doors: []string{"native"}})
	}
	b := newBox(t, two)
	if status, body := b.call("GET", "/v1/messages", ""); status != 400 || !strings.Contains(body, "demo, second") {
		t.Errorf("no app: %d %s", status, body)
	}
	for target, want := range map[string]int{"/v1/messages?app=second": 200, "/v1/messages?app=two": 200, "/v1/messages?app=none": 404, "/v1/routes": 200, "/readyz": 200} {
		if status, body := b.call("GET", target, ""); status != want {
			t.Errorf("%s: %d %s", target, status, body)
		}
	}
	b = newBox(t, func(c *server.Config, list *[]otp.App) {
		two(c, list)
		(*list)[1].Default = true
	})
	status, body := b.call("POST", "/v1/messages", `{"to":"`+phone+`","text":"Hello"}`)
	if status != 202 {
		t.Fatalf("default app: %d %s", status, body)
	}
	id := member(t, body, "id")
	if status, _ := b.call("GET", "/v1/messages/"+id, ""); status != 200 {
		t.Errorf("got %d", status)
	}
	if status, _ := b.call("GET", "/v1/messages/"+id+"?app=demo", ""); status != 404 {
		t.Errorf("another app's message: got %d", status)
	}
}

// TestSocketKnowsUsers makes the calls about users and tokens that the native
// door has on the network.
func TestSocketKnowsUsers(t *testing.T) {
	b := newBox(t, func(_ *server.Config, list *[]otp.App) {
		*list = append(*list, otp.App{ID: "second", Keys: [][32]byte{digest("sk_2")}, Countries: []string{"*"}, Default: true})
	})
	status, body := b.call("POST", "/v1/verifications?app=demo", `{"to":"`+phone+`","purpose":"sign_up"}`)
	if status != 201 {
		t.Fatalf("got %d %s", status, body)
	}
	status, body = b.call("POST", "/v1/verifications/"+member(t, body, "id")+"/check?app=demo", `{"code":"`+b.code()+`"}`)
	if status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	_, user, _ := strings.Cut(body, `"user":`)
	id, refresh := member(t, user, "id"), member(t, body, "refresh_token")
	for _, test := range []struct {
		method, target, body string
		want                 int
		says                 string
	}{
		{"GET", "/v1/users?app=demo", "", 200, id},
		{"GET", "/v1/users", "", 200, `{"users":[]`}, // of the default app
		{"GET", "/v1/users/" + id, "", 404, ""},
		{"GET", "/v1/users/" + id + "?app=demo", "", 200, `"enabled":true`},
		{"POST", "/v1/token/refresh", `{"refresh_token":"` + refresh + `"}`, 401, ""},
		{"POST", "/v1/token/refresh?app=demo", `{"refresh_token":"` + refresh + `"}`, 200, "access_token"},
		{"PATCH", "/v1/users/" + id + "?app=demo", `{"enabled":false}`, 200, `"enabled":false`},
		{"DELETE", "/v1/users/" + id + "?app=demo", "", 204, ""},
		{"GET", "/v1/users/" + id + "?app=demo", "", 404, ""},
		{"GET", "/.well-known/jwks.json?app=demo", "", 200, `"kid":`},
		{"GET", "/.well-known/jwks.json", "", 200, `{"keys":[]}`}, // the default app has no sessions
		{"GET", "/.well-known/jwks.json?app=nobody", "", 404, ""},
		{"GET", "/v1/me", "", 401, ""},
	} {
		if status, body := b.call(test.method, test.target, test.body); status != test.want || !strings.Contains(body, test.says) {
			t.Errorf("%s %s: got %d %s", test.method, test.target, status, body)
		}
	}
}

func TestSocketWithoutApps(t *testing.T) {
	b := newBox(t, func(_ *server.Config, list *[]otp.App) { *list = nil })
	if status, body := b.call("POST", "/v1/messages", `{"to":"`+phone+`","text":"Hello"}`); status != 400 || !strings.Contains(body, "no [[app]]") {
		t.Errorf("got %d %s", status, body)
	}
	if status, body := b.call("GET", "/v1/routes", ""); status != 200 {
		t.Errorf("got %d %s", status, body)
	}
}

func TestConsole(t *testing.T) {
	accepted := false
	content := strings.Repeat("0123456789abcdef", 1<<16)
	var failure error
	b := newBox(t, func(c *server.Config, _ *[]otp.App) {
		c.Admin = admin.Actions{
			Status: func(context.Context) (admin.Status, error) {
				return admin.Status{Version: "1.2.3", Started: 1795253400007, Dir: "/var/lib/pinferry", Free: 1 << 30}, nil
			},
			Clock: func(context.Context) (admin.Clock, error) {
				return admin.Clock{Now: 1795253400007, Wall: 1795253400008, Synchronised: accepted}, nil
			},
			AcceptClock: func(context.Context) error { accepted = true; return nil },
			Modem:       func(route string) (admin.Modem, bool) { return pretended{}, route == "gsm0" },
			Backup: func(_ context.Context, w io.Writer) error {
				if _, err := io.WriteString(w, content); err != nil {
					return err
				}
				return failure
			},
		}
	})
	if status, body := b.call("GET", "/admin/status", ""); status != 200 ||
		body != `{"version":"1.2.3","started_at":"2026-11-21T09:30:00.007Z","dir":"/var/lib/pinferry","free_bytes":1073741824,"low":false}` {
		t.Errorf("status: %d %s", status, body)
	}
	if status, body := b.call("GET", "/admin/clock", ""); status != 200 ||
		body != `{"now":"2026-11-21T09:30:00.007Z","wall":"2026-11-21T09:30:00.008Z","build":null,"synchronised":false}` {
		t.Errorf("clock: %d %s", status, body)
	}
	if status, body := b.call("POST", "/admin/clock", ""); status != 200 || !accepted || !strings.Contains(body, `"synchronised":true`) {
		t.Errorf("accept: %d %s", status, body)
	}
	for order, want := range map[string]string{
		`{"route":"gsm0","do":"at","argument":"AT+CSQ"}`:  `200 {"lines":["AT+CSQ?","OK"]}`,
		`{"route":"gsm0","do":"ussd","argument":"*100#"}`: `200 {"lines":["*100# answers"]}`,
		`{"route":"gsm0","do":"pin"}`:                     `200 {"lines":[]}`,
		`{"route":"gsm0","do":"reset"}`:                   "409 ", `{"route":"gsm0","do":"eat"}`: "400 ", `{"route":"gsm1","do":"pin"}`: "400 ", `{"rout":"gsm0"}`: "400 ",
	} {
		if status, body := b.call("POST", "/admin/modem", order); !strings.HasPrefix(fmt.Sprint(status, " ", body), want) {
			t.Errorf("%s: %d %s, want %s", order, status, body, want)
		}
	}
	var got bytes.Buffer
	if err := admin.Dial(b.sock).Stream(t.Context(), "/admin/backup", &got); err != nil || got.String() != content {
		t.Errorf("backup: %d bytes, %v", got.Len(), err)
	}
	failure = errors.New("the disk is gone")
	got.Reset()
	if err := admin.Dial(b.sock).Stream(t.Context(), "/admin/backup", &got); err == nil {
		t.Errorf("a backup that was cut short looks whole: %d bytes", got.Len())
	}
	var refusal *admin.Refusal
	if err := admin.Dial(b.sock).Stream(t.Context(), "/admin/nothing", &got); !errors.As(err, &refusal) || refusal.Status != 404 || !strings.Contains(string(refusal.Answer), "no such path") {
		t.Errorf("got %v", err)
	}
}

// TestBackupEndsWithItsReader leaves in the middle of a backup.
func TestBackupEndsWithItsReader(t *testing.T) {
	ended := make(chan error, 1)
	b := newBox(t, func(c *server.Config, _ *[]otp.App) {
		c.Admin.Backup = func(ctx context.Context, w io.Writer) error {
			for {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					ended <- err
					return err
				}
			}
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	err := admin.Dial(b.sock).Stream(ctx, "/admin/backup", writerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("got no error")
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// ledger is what the console asks of the core about opt-outs and events.
type ledger struct{ lifted, cursor, replayed string }

func (l *ledger) OptOuts(_ context.Context, _ int, cursor string) ([]otp.OptOut, string, error) {
	l.cursor = cursor
	return []otp.OptOut{{Address: otp.Address{Kind: otp.Phone, Dial: "41791234567"}, Since: 1795253400007, Route: "gsm0"}}, "next", nil
}

func (l *ledger) LiftOptOut(_ context.Context, _ otp.Actor, number string) (bool, error) {
	l.lifted = number
	return true, nil
}

func (l *ledger) Dead(context.Context, int) ([]otp.DeadEvent, error) {
	return []otp.DeadEvent{{Event: otp.Event{ID: otp.ID{1}, App: "demo", Type: "message.sent", At: 1795253400007, Tries: 10}, Why: otp.DeadTries}}, nil
}

func (l *ledger) Replay(_ context.Context, id otp.ID) (bool, error) {
	l.replayed += " " + id.String()[:2]
	return id == otp.ID{1}, nil
}

func (l *ledger) ReplayAll(_ context.Context, app string) (int, error) {
	l.replayed += " all:" + app
	return 7, nil
}

func TestConsoleOfOptOutsAndEvents(t *testing.T) {
	l := &ledger{}
	b := newBox(t, func(c *server.Config, _ *[]otp.App) { c.Admin = admin.Actions{OptOuts: l, Events: l} })
	if status, body := b.call("GET", "/admin/opt-outs?cursor=here", ""); status != 200 || l.cursor != "here" ||
		body != `{"opt_outs":[{"id":"opt_","phone":"+41791234567","since":"2026-11-21T09:30:00.007Z","route":"gsm0"}],"next_cursor":"next"}` {
		t.Errorf("list: %d %s", status, body)
	}
	if status, body := b.call("POST", "/admin/opt-outs/lift", `{"phone":"+41791234567"}`); status != 200 || body != `{"lifted":true}` || l.lifted != "+41791234567" {
		t.Errorf("lift: %d %s", status, body)
	}
	if status, body := b.call("GET", "/admin/events", ""); status != 200 ||
		body != `{"dead":[{"id":"evt_01000000000000000000000000000000","app":"demo","type":"message.sent","at":"2026-11-21T09:30:00.007Z","tries":10,"reason":"tries"}],"waiting":[]}` {
		t.Errorf("events: %d %s", status, body)
	}
	for sent, want := range map[string]string{
		`{"id":"evt_01000000000000000000000000000000"}`: `{"replayed":1}`,
		`{"id":"evt_02000000000000000000000000000000"}`: "None of the dead events",
		`{"id":"evt_1"}`:                     "None of the dead events",
		`{"all":true}`:                       `{"replayed":7}`,
		`{"all":true,"app":"demo"}`:          `{"replayed":7}`,
		`{}`:                                 "Say which events",
		`{"app":"demo"}`:                     "Say which events",
		`{"all":true,"id":"evt_01"}`:         "Say which events",
		`{"id":"evt_01000000","app":"demo"}`: "Say which events",
	} {
		if status, body := b.call("POST", "/admin/events/replay", sent); (status == 200) != strings.HasPrefix(want, "{") || !strings.Contains(body, want) {
			t.Errorf("replay %s: %d %s", sent, status, body)
		}
	}
	done := strings.Fields(l.replayed)
	slices.Sort(done)
	if got := strings.Join(done, " "); got != "01 02 all: all:demo" {
		t.Errorf("replayed %s", got)
	}
	if a := b.do("GET", "/admin/opt-outs", ""); a.status != 404 {
		t.Errorf("on the network: %+v", a)
	}
}

// pretended is a modem that has no time to restart.
type pretended struct{}

func (pretended) Ask(_ context.Context, question string) ([]string, error) {
	return []string{question + "?", "OK"}, nil
}
func (pretended) USSD(_ context.Context, code string) (string, error) { return code + " answers", nil }
func (pretended) EnterPIN(context.Context) error                      { return nil }
func (pretended) Restart(context.Context) error                       { return errors.New("busy") }
