package twilio_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/twilio"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// core is a core that answers what a test says and remembers what it was
// asked.
type core struct {
	progress otp.Progress // of a verification that can be found
	findErr  error
	after    otp.Progress // of a start or a check
	err      error

	called []string
	caller otp.Caller
	start  otp.StartRequest
	slot   otp.Slot
	id     otp.ID
	digits string
}

func (k *core) note(call string, c otp.Caller) {
	k.called = append(k.called, call)
	k.caller = c
}

func (k *core) Start(_ context.Context, c otp.Caller, r otp.StartRequest) (otp.Progress, error) {
	k.note("Start", c)
	k.start = r
	return k.after, k.err
}

func (k *core) Get(_ context.Context, c otp.Caller, id otp.ID) (otp.Progress, error) {
	k.note("Get", c)
	k.id = id
	return k.progress, k.findErr
}

func (k *core) GetSlot(_ context.Context, c otp.Caller, slot otp.Slot) (otp.Progress, error) {
	k.note("GetSlot", c)
	k.slot = slot
	return k.progress, k.findErr
}

func (k *core) Check(_ context.Context, c otp.Caller, id otp.ID, digits string) (otp.Progress, error) {
	k.note("Check", c)
	k.id, k.digits = id, digits
	return k.after, k.err
}

func (k *core) Cancel(_ context.Context, c otp.Caller, id otp.ID) error {
	k.note("Cancel", c)
	k.id = id
	return k.err
}

var (
	_ twilio.Verifications = (*core)(nil)
	_ twilio.Verifications = (*otp.Verifications)(nil)
)

const (
	publishable, secret = "pk_test_3f9a", "sk_test_7c1e"
	privateKey          = "sk_private_11"
	foreignKey          = "sk_closed_22" // of an app that has not opened this door
	service             = "VA000102030405060708090a0b0c0d0e0f"
	account             = "ACa0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
	phone               = "+41791234567"
	sid                 = "VE000102030405060708090a0b0c0d0e0f"
)

var created = otp.TimeOf(time.Date(2026, 11, 22, 9, 30, 0, 7_000_000, time.UTC))

func newCore() *core {
	k := &core{}
	p := &k.progress
	p.Verification = otp.Verification{
		App: "demo", Address: otp.Address{Kind: otp.Phone, Key: phone, Dial: phone[1:], Country: "CH", Calling: 41},
		Channel: "sms", Purpose: otp.PurposeVerify, Status: otp.Pending, MaxTries: 5, Sends: 1, Created: created, Expires: created.Add(5 * time.Minute),
	}
	for i := range p.Verification.ID {
		p.Verification.ID[i] = byte(i)
		p.Message.ID[i] = byte(0xf0 + i)
	}
	p.Message.State, p.Message.Created, p.Message.Updated = otp.MessageSent, created, created.Add(4*time.Second)
	k.after = *p
	return k
}

func newApps(t testing.TB) *otp.Apps {
	t.Helper()
	digest := func(key string) [32]byte { return sha256.Sum256([]byte(key)) }
	apps, err := otp.NewApps([]otp.App{
		{ID: "demo", Aliases: []string{service}, Keys: [][32]byte{digest(publishable), digest(secret)}, Countries: []string{"*"}, Doors: []string{"twilio"}},
		{ID: "private", Keys: [][32]byte{digest(privateKey)}, Countries: []string{"*"}, Doors: []string{"twilio"}, Private: true},
		{ID: "closed", Keys: [][32]byte{digest(foreignKey)}, Countries: []string{"*"}},
	}, func(string) int { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	return apps
}

// house is the door over a core of this test.
type house struct {
	web.Door
	*core
	t testing.TB
}

func open(t testing.TB) *house {
	k := newCore()
	return &house{twilio.New(k, newApps(t)), k, t}
}

// answer is what came back.
type answer struct {
	status int
	body   string
	head   *fasthttp.ResponseHeader
}

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// do makes a call at the service of the test with a secret key, "POST
// /Verifications".
func (h *house) do(call, body string, headers ...string) answer {
	h.t.Helper()
	return h.at(service, call, body, append([]string{basic(account, secret)}, headers...)...)
}

// at makes a call at any service and returns what the server would send: an
// error of a handler goes to the door.
func (h *house) at(app, call, body string, headers ...string) answer {
	h.t.Helper()
	method, path, _ := strings.Cut(call, " ")
	var raw fasthttp.Request
	raw.Header.SetMethod(method)
	raw.SetRequestURI("/v2/Services/" + app + path)
	raw.Header.SetHost("localhost")
	raw.Header.SetContentType("application/x-www-form-urlencoded")
	raw.SetBodyString(body)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		raw.Header.Set(name, value)
	}
	client := netip.MustParseAddr("203.0.113.9")
	ctx := new(fasthttp.RequestCtx)
	ctx.Init(&raw, &net.TCPAddr{IP: client.AsSlice()}, nil)
	c := &web.Call{HTTP: ctx, Context: h.t.Context(), RequestID: "0123456789abcdef", Client: client, App: app}
	pattern := path
	if id, ok := strings.CutPrefix(path, "/Verifications/"); ok {
		c.Param, pattern = id, "/Verifications/{id}"
	}
	for _, route := range h.Routes {
		if route.Method == method && route.Pattern == "/v2/Services/{app}"+pattern {
			if err := route.Handle(c); err != nil {
				h.Refuse(c, web.ErrorOf(err), web.StatusOf(err))
			}
			return answer{c.HTTP.Response.StatusCode(), string(c.HTTP.Response.Body()), &c.HTTP.Response.Header}
		}
	}
	h.t.Fatalf("there is no %s %s", method, pattern)
	return answer{}
}

// golden compares an answer with a file of testdata; UPDATE=1 writes it.
func golden(t *testing.T, name string, a answer) {
	t.Helper()
	path := "testdata/" + name + ".json"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(a.body+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if a.body+"\n" != string(want) {
		t.Errorf("%s differs; got:\n%s", path, a.body)
	}
}

// request is a body as a client of the vendor sends it, from testdata/request.
func request(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile("testdata/request/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(body))
}

func refusal(code otp.Code) *otp.Error {
	return &otp.Error{Code: code, Detail: "What the core says.", RetryAfter: 90*time.Second + 1}
}
