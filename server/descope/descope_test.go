package descope_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/descope"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

const (
	project      = "P2test" // an alias of the app
	private      = "P2private"
	secret       = "sk_test_7c1e"
	publishable  = "pk_test_3f9a"
	otherSecret  = "sk_other_0a0a"
	phone        = "+41791234567"
	masked       = "+41*******67"
	refreshToken = "head.refresh.seal"
	verifier     = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge    = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

var begun = otp.TimeOf(time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC))

// core is a core and a mint that answer what a test says and remember what
// they were asked.
type core struct {
	progress otp.Progress
	grant    otp.Grant // of an exchange and of a refresh
	set      token.Set
	err      error

	called   string
	caller   otp.Caller
	start    otp.StartRequest
	slot     otp.Slot
	digits   string
	code     string
	verifier string
	refresh  string
	user     otp.ID
	except   otp.ID
	form     token.Form
}

func (k *core) note(call string, c otp.Caller) { k.called, k.caller = call, c }

func (k *core) Start(_ context.Context, c otp.Caller, r otp.StartRequest) (otp.Progress, error) {
	k.note("Start", c)
	k.start = r
	return k.progress, k.err
}

func (k *core) CheckSlot(_ context.Context, c otp.Caller, slot otp.Slot, digits string) (otp.Progress, error) {
	k.note("CheckSlot", c)
	k.slot, k.digits = slot, digits
	return k.progress, k.err
}

func (k *core) Exchange(_ context.Context, c otp.Caller, code, verifier, _ string) (otp.Grant, error) {
	k.note("Exchange", c)
	k.code, k.verifier = code, verifier
	return k.grant, k.err
}

func (k *core) RevokeAll(_ context.Context, c otp.Caller, user, except otp.ID) error {
	k.note("RevokeAll", c)
	k.user, k.except = user, except
	return k.err
}

// mint is the same core as a mint. It knows one refresh token.
type mint struct{ *core }

func (m mint) Issue(g *otp.Grant, f token.Form) (token.Set, error) {
	m.form = f
	return m.set, nil
}

func (m mint) Show(_ context.Context, c otp.Caller, refresh string) (otp.Grant, error) {
	if refresh == refreshToken {
		return m.grant, nil
	}
	return otp.Grant{}, unauthorized()
}

func (m mint) Refresh(_ context.Context, c otp.Caller, refresh string, form func(*otp.Grant) token.Form) (token.Set, otp.Grant, error) {
	m.note("Refresh", c)
	m.core.refresh = refresh
	if m.err != nil {
		return token.Set{}, otp.Grant{}, m.err
	}
	if refresh != refreshToken {
		return token.Set{}, otp.Grant{}, unauthorized()
	}
	m.form = form(&m.grant)
	return m.set, m.grant, nil
}

func (m mint) Revoke(_ context.Context, c otp.Caller, refresh string) error {
	m.note("Revoke", c)
	m.core.refresh = refresh
	if refresh != refreshToken {
		return unauthorized()
	}
	return m.err
}

func (m mint) KeySet(app *otp.App, algorithms ...token.Algorithm) token.KeySet {
	return token.KeySet{Keys: []token.Key{{Kid: "0001" + app.ID, Kty: "EC", Alg: string(algorithms[0]), Use: "sig", Crv: "P-256", X: "eA", Y: "eQ"}}}
}

func unauthorized() error {
	return &otp.Error{Code: otp.Unauthorized, Detail: "The refresh token is not valid."}
}

var (
	_ descope.Verifications = (*core)(nil)
	_ descope.Directory     = (*core)(nil)
	_ descope.Mint          = mint{}
)

func newCore() *core {
	k := &core{}
	address := otp.Address{Kind: otp.Phone, Key: phone, Dial: phone[1:], Country: "CH", Calling: 41}
	user := otp.User{
		App: "demo", Address: address, Names: []string{"Anna"}, Metadata: []byte(`{"name":"Anna Muster","email":"anna@example.com","plan":7}`),
		Created: begun, Updated: begun, Verified: begun, LastLogin: begun, Logins: 1,
	}
	session := otp.Session{App: "demo", Door: "descope", As: project, Created: begun, Rotated: begun, Expires: begun.Add(otp.RefreshLife)}
	for i := range user.ID {
		user.ID[i], session.ID[i] = byte(i), byte(0xf0+i)
	}
	session.User = user.ID
	k.grant = otp.Grant{User: user, Session: &session, First: true}
	k.progress = otp.Progress{
		Verification: otp.Verification{App: "demo", Address: address, Status: otp.Approved, Approved: begun, Created: begun, Expires: begun.Add(5 * time.Minute)},
		Grant:        &k.grant,
	}
	k.set = token.Set{
		Access: "head.access.seal", Refresh: "head.successor.seal",
		AccessExpires: begun.Add(otp.AccessLife), RefreshExpires: begun.Add(otp.RefreshLife), ExpiresIn: 900,
	}
	return k
}

func newApps(t testing.TB) *otp.Apps {
	t.Helper()
	digest := func(key string) [32]byte { return sha256.Sum256([]byte(key)) }
	apps, err := otp.NewApps([]otp.App{
		{ID: "demo", Aliases: []string{project}, Doors: []string{"descope"}, Keys: [][32]byte{digest(secret), digest(publishable)}, Sessions: true, Countries: []string{"*"}},
		{ID: "private", Aliases: []string{private}, Doors: []string{"descope"}, Private: true, Sessions: true, Countries: []string{"*"}},
		{ID: "closed", Keys: [][32]byte{digest(otherSecret)}, Countries: []string{"*"}},
	}, func(string) int { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	return apps
}

// door is the vendor's door over a core of this test.
type door struct {
	web.Door
	core *core
	t    testing.TB
}

func open(t testing.TB) *door {
	k := newCore()
	return &door{descope.New(k, k, mint{k}, newApps(t)), k, t}
}

// request is a call as it comes to the door. bearer is what stands behind
// "Bearer "; a dash leaves the header out.
type request struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Bearer string `json:"bearer"`
	Body   string `json:"body,omitempty"`

	headers map[string]string
}

// post is a call in the name of the project alone.
func post(path, body string) request {
	return request{Method: "POST", Path: path, Bearer: project, Body: body}
}

// as is the same call with another bearer.
func (r request) as(bearer string) request {
	r.Bearer = bearer
	return r
}

// answer is what the door answered.
type answer struct {
	Status     int             `json:"status"`
	RetryAfter string          `json:"retry_after,omitempty"`
	Body       json.RawMessage `json:"body"`
}

// member returns a string member of the body.
func (a answer) member(name string) string {
	var members map[string]any
	if json.Unmarshal(a.Body, &members) != nil {
		return "no object"
	}
	s, _ := members[name].(string)
	return s
}

// do makes a call and returns what is answered to it, as the server would have
// it: through the table of paths, with errors refused by the door.
func (d *door) do(r request) answer {
	d.t.Helper()
	c := newCall(r)
	handler := d.find(c, r)
	if err := handler(c); err != nil {
		d.Refuse(c, web.ErrorOf(err), web.StatusOf(err))
	}
	a := answer{
		Status: c.HTTP.Response.StatusCode(), RetryAfter: string(c.HTTP.Response.Header.Peek("Retry-After")),
		Body: bytes.Clone(c.HTTP.Response.Body()),
	}
	if !json.Valid(a.Body) {
		d.t.Fatalf("%s %s: no JSON in the answer: %q", r.Method, r.Path, a.Body)
	}
	return a
}

func (d *door) find(c *web.Call, r request) web.Handler {
	d.t.Helper()
	for _, route := range d.Routes {
		pattern, path := strings.Split(route.Pattern, "/"), strings.Split(r.Path, "/")
		if route.Method != r.Method || len(pattern) != len(path) {
			continue
		}
		same := true
		for i, want := range pattern {
			switch want {
			case "{id}":
				c.Param = path[i]
			case "{app}":
				c.App = path[i]
			default:
				same = same && want == path[i]
			}
		}
		if same {
			return route.Handle
		}
	}
	d.t.Fatalf("no route for %s %s", r.Method, r.Path)
	return nil
}

func newCall(r request) *web.Call {
	var raw fasthttp.Request
	raw.Header.SetMethod(r.Method)
	raw.SetRequestURI(r.Path)
	if r.Body != "" {
		raw.SetBodyString(r.Body)
		raw.Header.SetContentType("application/json")
	}
	if r.Bearer != "-" {
		raw.Header.Set("Authorization", "Bearer "+r.Bearer)
	}
	for name, value := range r.headers {
		raw.Header.Set(name, value)
	}
	client := netip.MustParseAddr("203.0.113.9")
	ctx := new(fasthttp.RequestCtx)
	ctx.Init(&raw, &net.TCPAddr{IP: client.AsSlice()}, nil)
	return &web.Call{HTTP: ctx, Context: context.Background(), RequestID: "0123456789abcdef", Client: client}
}

// golden compares a request and its answer with a file of testdata; UPDATE=1
// writes it.
func golden(t *testing.T, name string, r request, a answer) {
	t.Helper()
	got, err := json.MarshalIndent(map[string]any{"request": r, "response": a}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := "testdata/" + name + ".json"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}
