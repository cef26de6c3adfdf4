package strike_test

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/strike"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// core is a core and a mint that answer what a test says and remember what
// they were asked.
type core struct {
	progress  otp.Progress
	grant     otp.Grant // of a good access or refresh token
	allowance otp.Allowance
	set       token.Set
	err       error // of verifications, users and sessions
	tokenErr  error // of tokens

	called  []string
	caller  otp.Caller
	start   otp.StartRequest
	slot    otp.Slot
	digits  string
	counted string // the phone of the allowance
	token   string
	form    token.Form
	change  otp.UserChange
	revoked [2]otp.ID // the user or family, and who is spared
}

func (k *core) note(call string, c otp.Caller) {
	k.called = append(k.called, call)
	k.caller = c
}

func (k *core) Start(_ context.Context, c otp.Caller, r otp.StartRequest) (otp.Progress, error) {
	k.note("Start", c)
	k.start = r
	return k.progress, k.err
}

func (k *core) CheckSlot(_ context.Context, c otp.Caller, slot otp.Slot, digits string) (otp.Progress, error) {
	k.note("CheckSlot", c)
	k.slot, k.digits = slot, digits
	p := k.progress
	if k.err == nil {
		p.Grant = &k.grant
	}
	return p, k.err
}

func (k *core) ResendSlot(_ context.Context, c otp.Caller, slot otp.Slot, _ string) (otp.Progress, error) {
	k.note("ResendSlot", c)
	k.slot = slot
	return k.progress, k.err
}

func (k *core) Allowance(ctx context.Context, _ otp.Caller, to string) (otp.Allowance, error) {
	k.counted = to
	return k.allowance, ctx.Err()
}

func (k *core) Change(_ context.Context, c otp.Caller, _ otp.ID, change otp.UserChange) (otp.User, error) {
	k.note("Change", c)
	k.change = change
	user := k.grant.User
	user.Metadata = change.Metadata
	return user, k.err
}

func (k *core) Revoke(_ context.Context, c otp.Caller, family otp.ID) error {
	k.note("Revoke", c)
	k.revoked = [2]otp.ID{family}
	return k.err
}

func (k *core) RevokeAll(_ context.Context, c otp.Caller, user, except otp.ID) error {
	k.note("RevokeAll", c)
	k.revoked = [2]otp.ID{user, except}
	return k.err
}

func (k *core) Issue(_ *otp.Grant, f token.Form) (token.Set, error) {
	k.form = f
	return k.set, k.tokenErr
}

func (k *core) Bearer(_ context.Context, c otp.Caller, access string) (otp.Grant, error) {
	k.note("Bearer", c)
	k.token = access
	return k.grant, k.tokenErr
}

func (k *core) Refresh(_ context.Context, c otp.Caller, refresh string, form func(*otp.Grant) token.Form) (token.Set, otp.Grant, error) {
	k.note("Refresh", c)
	k.token = refresh
	if k.tokenErr != nil {
		return token.Set{}, otp.Grant{}, k.tokenErr
	}
	k.form = form(&k.grant)
	return k.set, k.grant, nil
}

func (k *core) KeySet(app *otp.App, algorithms ...token.Algorithm) token.KeySet {
	return token.KeySet{Keys: []token.Key{{Kid: app.ID, Kty: "EC", Alg: string(algorithms[0]), Use: "sig", Crv: "P-256", X: "x", Y: "y"}}}
}

var (
	_ strike.Verifications = (*core)(nil)
	_ strike.Verifications = (*otp.Verifications)(nil)
	_ strike.Directory     = (*core)(nil)
	_ strike.Directory     = (*otp.Directory)(nil)
	_ strike.Mint          = (*core)(nil)
	_ strike.Mint          = (*token.Mint)(nil)
)

const (
	publishable, secret = "pk_test_3f9a", "sk_test_7c1e"
	privateKey          = "pk_private_11"
	foreignKey          = "pk_closed_22" // of an app that has opened neither door
	phone               = "+12125550100"
	access              = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"
	digits              = "493827"
)

// The bodies as the vendors' pages and clients write them.
var (
	//go:embed testdata/request/strikesend.json
	strikeSend string
	//go:embed testdata/request/gotruesend.json
	gotrueSend string
	//go:embed testdata/request/strikeverify.json
	strikeVerify string
	//go:embed testdata/request/gotrueverify.json
	gotrueVerify string
	//go:embed testdata/request/verifychange.json
	verifyChange string
	//go:embed testdata/request/strikeresend.json
	strikeResend string
	//go:embed testdata/request/gotrueresend.json
	gotrueResend string
	//go:embed testdata/request/resendchange.json
	resendChange string
	//go:embed testdata/request/refresh.json
	refreshBody string
	//go:embed testdata/request/changephone.json
	changePhone string
)

var (
	created  = otp.TimeOf(time.Date(2026, 11, 22, 9, 30, 0, 7_000_000, time.UTC))
	userID   = idOf(0x10)
	familyID = idOf(0x20)
)

func idOf(first byte) (id otp.ID) {
	for i := range id {
		id[i] = first + byte(i)
	}
	return id
}

func newCore() *core {
	address := otp.Address{Kind: otp.Phone, Key: phone, Dial: phone[1:], Country: "US", Calling: 1}
	k := &core{
		allowance: otp.Allowance{Limit: 3, Remaining: 2, Reset: 299001 * time.Millisecond},
		set: token.Set{
			Access: access, Refresh: "cmVmcmVzaA", ExpiresIn: 900,
			AccessExpires: created.Add(15 * time.Minute), RefreshExpires: created.Add(otp.RefreshLife),
		},
	}
	k.progress.Verification = otp.Verification{ID: idOf(0), App: "demo", Address: address, Channel: "sms", Status: otp.Pending, Created: created}
	k.progress.Message = otp.Message{ID: idOf(0xf0), Address: address, State: otp.MessageAccepted, Created: created}
	k.grant.User = otp.User{
		ID: userID, App: "demo", Address: address, Metadata: []byte(`{"name":"Ada"}`),
		Created: created, Updated: created, Verified: created, LastLogin: created, Logins: 1,
	}
	k.grant.Session = &otp.Session{ID: familyID, App: "demo", User: userID, Door: "strike", As: "demo", Created: created}
	return k
}

func newApps(t testing.TB) *otp.Apps {
	t.Helper()
	digest := func(key string) [32]byte { return sha256.Sum256([]byte(key)) }
	both := []string{"strike", "gotrue"}
	apps, err := otp.NewApps([]otp.App{
		{ID: "demo", Keys: [][32]byte{digest(publishable), digest(secret)}, Countries: []string{"*"}, Doors: both, Default: true, Sessions: true},
		{ID: "private", Keys: [][32]byte{digest(privateKey)}, Countries: []string{"*"}, Doors: both, Private: true, Sessions: true},
		{ID: "closed", Keys: [][32]byte{digest(foreignKey)}, Countries: []string{"*"}},
	}, func(string) int { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	return apps
}

// house is one of the two doors over a core of this test.
type house struct {
	web.Door
	*core
	prefix string
	t      testing.TB
}

func openStrike(t testing.TB) *house {
	k := newCore()
	return &house{strike.New(k, k, k, newApps(t)), k, "", t}
}

func openGoTrue(t testing.TB) *house {
	k := newCore()
	return &house{strike.NewGoTrue(k, k, k, newApps(t)), k, "/auth/v1", t}
}

// doors are both, for rules that they share.
var doors = map[string]func(testing.TB) *house{"Strike": openStrike, "GoTrue": openGoTrue}

// answer is what came back.
type answer struct {
	status int
	body   string
	head   *fasthttp.ResponseHeader
}

// do makes a call, "POST /otp", and returns what the server would send: an
// error of a handler goes to the door, once its context has ended.
func (h *house) do(call, body string, headers ...string) answer {
	h.t.Helper()
	c, handle := h.call(call, body, headers...)
	ctx, cancel := context.WithCancel(h.t.Context())
	c.Context = ctx
	err := handle(c)
	cancel()
	if err != nil {
		h.Refuse(c, web.ErrorOf(err), web.StatusOf(err))
	}
	return answer{c.HTTP.Response.StatusCode(), string(c.HTTP.Response.Body()), &c.HTTP.Response.Header}
}

// call prepares a call and finds its handler.
func (h *house) call(call, body string, headers ...string) (*web.Call, web.Handler) {
	h.t.Helper()
	method, target, _ := strings.Cut(call, " ")
	path, _, _ := strings.Cut(target, "?")
	var raw fasthttp.Request
	raw.Header.SetMethod(method)
	raw.SetRequestURI(h.prefix + target)
	raw.Header.SetHost("otp.example.com")
	raw.Header.SetContentType("application/json;charset=UTF-8")
	raw.SetBodyString(body)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		raw.Header.Set(name, value)
	}
	client := netip.MustParseAddr("203.0.113.9")
	ctx := new(fasthttp.RequestCtx)
	ctx.Init(&raw, &net.TCPAddr{IP: client.AsSlice()}, nil)
	c := &web.Call{HTTP: ctx, Context: h.t.Context(), RequestID: "0123456789abcdef", Client: client}
	for _, route := range h.Routes {
		if route.Method == method && route.Pattern == h.prefix+path {
			return c, route.Handle
		}
	}
	h.t.Fatalf("there is no %s %s", method, h.prefix+path)
	return nil, nil
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

func refusal(code otp.Code) *otp.Error {
	return &otp.Error{Code: code, Detail: "What the core says.", RetryAfter: 90*time.Second + 1}
}
