package ssojet_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/ssojet"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// core is a core and a mint that answer what a test says and remember what they
// were asked.
type core struct {
	verification otp.Verification
	grant        otp.Grant
	err          error
	findErr      error

	called []string
	caller otp.Caller
	id     otp.ID
	digits string
	start  otp.StartRequest
	login  string
	shown  string // the token that was shown
}

func (k *core) note(call string, c otp.Caller, id otp.ID) (otp.Progress, error) {
	k.called = append(k.called, call)
	k.caller, k.id = c, id
	return otp.Progress{Verification: k.verification}, k.err
}

func (k *core) Start(_ context.Context, c otp.Caller, r otp.StartRequest) (otp.Progress, error) {
	k.start = r
	return k.note("Start", c, otp.ID{})
}

func (k *core) Get(_ context.Context, c otp.Caller, id otp.ID) (otp.Progress, error) {
	return k.note("Get", c, id)
}

func (k *core) Check(_ context.Context, c otp.Caller, id otp.ID, digits string) (otp.Progress, error) {
	k.digits = digits
	p, err := k.note("Check", c, id)
	p.Grant = &k.grant
	return p, err
}

func (k *core) Resend(_ context.Context, c otp.Caller, id otp.ID, channel string) (otp.Progress, error) {
	if channel != "" {
		panic("a channel was chosen")
	}
	return k.note("Resend", c, id)
}

func (k *core) Find(_ context.Context, c otp.Caller, login string) (otp.User, error) {
	k.called = append(k.called, "Find")
	k.login = login
	return k.grant.User, k.findErr
}

// minted is the same core as a mint.
type minted struct{ *core }

func (k minted) set(f token.Form) token.Set {
	if f.Algorithm != token.RS256 || f.Type != "at+jwt" {
		panic("the vendor's tokens look otherwise")
	}
	return token.Set{
		Access: "access.token.made", Refresh: "refresh-made", ExpiresIn: 900,
		AccessExpires: moment.Add(otp.AccessLife), RefreshExpires: moment.Add(otp.RefreshLife),
	}
}

func (k minted) Issue(g *otp.Grant, f token.Form) (token.Set, error) { return k.set(f), nil }

func (k minted) Refresh(_ context.Context, c otp.Caller, refresh string, form func(*otp.Grant) token.Form) (token.Set, otp.Grant, error) {
	k.shown = refresh
	_, err := k.note("Refresh", c, otp.ID{})
	return k.set(form(&k.grant)), k.grant, err
}

func (k minted) KeySet(app *otp.App, algorithms ...token.Algorithm) token.KeySet {
	k.called = append(k.called, "KeySet")
	if len(algorithms) != 1 || algorithms[0] != token.RS256 {
		panic("a key that the vendor has not was asked for")
	}
	return token.KeySet{Keys: []token.Key{{Kid: "0001" + app.ID, Kty: "RSA", Alg: "RS256", Use: "sig", N: "bg", E: "AQAB"}}}
}

var (
	_ ssojet.Verifications = (*otp.Verifications)(nil)
	_ ssojet.Directory     = (*otp.Directory)(nil)
	_ ssojet.Mint          = (*token.Mint)(nil)
)

const (
	publishable, secret = "pk_test_3f9a", "sk_test_7c1e"
	foreign             = "sk_hidden_11aa"
	phone               = "+41791234567"
	state               = "000102030405060708090a0b0c0d0e0f"
	userID              = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
	legacy              = "646616daf9a276fa9a6446a1" // an alias, as the vendor's ids look
)

var moment = otp.TimeOf(time.Date(2026, 11, 22, 9, 30, 0, 7_000_000, time.UTC))

func newCore() *core {
	k := &core{}
	address := otp.Address{Kind: otp.Phone, Key: phone, Dial: phone[1:], Country: "CH", Calling: 41}
	for i := range k.verification.ID {
		k.verification.ID[i] = byte(i)
		k.grant.User.ID[i] = byte(0xf0 + i)
	}
	k.verification.Address, k.verification.Status = address, otp.Pending
	u := &k.grant.User
	u.App, u.Address, u.Metadata = "demo", address, []byte(`{"plan":"gold"}`)
	u.Created, u.Updated, u.Verified, u.LastLogin, u.Logins = moment, moment.Add(time.Hour), moment, moment.Add(time.Hour), 3
	k.grant.Session = &otp.Session{App: "demo", User: u.ID, Door: "ssojet", As: legacy, Created: moment, Expires: moment.Add(otp.RefreshLife)}
	return k
}

// newApps returns the apps of the tests: demo is open, hidden is private,
// closed has another door.
func newApps(t testing.TB) *otp.Apps {
	t.Helper()
	digest := func(key string) [32]byte { return sha256.Sum256([]byte(key)) }
	doors := []string{"native", "ssojet"}
	apps, err := otp.NewApps([]otp.App{
		{
			ID: "demo", Aliases: []string{legacy}, Keys: [][32]byte{digest(publishable), digest(secret)}, Doors: doors,
			Countries: []string{"*"}, Sessions: true, Hosts: []string{"demo.auth.example.com"},
		},
		{ID: "hidden", Keys: [][32]byte{digest(foreign)}, Doors: doors, Countries: []string{"*"}, Sessions: true, Private: true},
		{ID: "closed", Doors: []string{"native"}, Countries: []string{"*"}, Sessions: true},
	}, func(string) int { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	return apps
}

// door is the door over a core of this test.
type door struct {
	web.Door
	core *core
	t    testing.TB
}

func open(t testing.TB) *door {
	k := newCore()
	return &door{ssojet.New(k, k, minted{k}, newApps(t)), k, t}
}

// request is a call as it comes to the door.
type request struct {
	method, path, body string
	key, host          string
	headers            map[string]string
}

// answer is what came back.
type answer struct {
	status int
	body   string
	header *fasthttp.ResponseHeader
}

// do makes a call as the server would.
func (d *door) do(r request) answer {
	d.t.Helper()
	c := newCall(r)
	path, _, _ := strings.Cut(r.path, "?")
	if err := d.route(r.method, path)(c); err != nil {
		c.HTTP.Response.ResetBody()
		d.Refuse(c, web.ErrorOf(err), web.StatusOf(err))
	}
	return answerOf(c)
}

func newCall(r request) *web.Call {
	var raw fasthttp.Request
	raw.SetRequestURI(r.path)
	raw.Header.SetMethod(r.method)
	raw.Header.SetHost(r.host)
	if r.body != "" {
		raw.SetBodyString(r.body)
		raw.Header.SetContentType("application/json")
	}
	if r.key != "" {
		raw.Header.Set("X-Pinferry-Key", r.key)
	}
	for name, value := range r.headers {
		raw.Header.Set(name, value)
	}
	ctx := new(fasthttp.RequestCtx)
	ctx.Init(&raw, nil, nil)
	return &web.Call{HTTP: ctx, Context: context.Background(), RequestID: "0123456789abcdef", Client: netip.MustParseAddr("203.0.113.9")}
}

func answerOf(c *web.Call) answer {
	return answer{c.HTTP.Response.StatusCode(), string(c.HTTP.Response.Body()), &c.HTTP.Response.Header}
}

func (d *door) route(method, path string) web.Handler {
	d.t.Helper()
	for _, route := range d.Routes {
		if route.Method == method && route.Pattern == path {
			return route.Handle
		}
	}
	d.t.Fatalf("there is no %s %s", method, path)
	return nil
}

// golden compares a call and what it answers with a file of testdata.
func golden(t *testing.T, name string, r request, a answer) {
	t.Helper()
	raw := func(s string) json.RawMessage {
		if s == "" {
			return json.RawMessage("null")
		}
		return json.RawMessage(s)
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(struct {
		Call     string          `json:"call"`
		Request  json.RawMessage `json:"request"`
		Status   int             `json:"status"`
		Response json.RawMessage `json:"response"`
	}{r.method + " " + r.path, raw(r.body), a.status, raw(a.body)}); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	compare(t, "testdata/"+name+".json", text.String())
}

// compare compares with a file; UPDATE=1 writes it.
func compare(t *testing.T, path, got string) {
	t.Helper()
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}

// want fails unless the status is as wanted and the core was asked these calls.
func (d *door) want(a answer, status int, called ...string) {
	d.t.Helper()
	if a.status != status || strings.Join(d.core.called, " ") != strings.Join(called, " ") {
		d.t.Fatalf("got %d %s; the core was asked %v", a.status, a.body, d.core.called)
	}
}

func decode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}
