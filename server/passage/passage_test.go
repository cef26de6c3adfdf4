package passage_test

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
	"github.com/pinferry/pinferry/server/passage"
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

	called  []string
	caller  otp.Caller
	id      otp.ID
	digits  string
	start   otp.StartRequest
	login   string
	request otp.UserRequest
	change  otp.UserChange
	shown   string // the token that was shown
	form    token.Form
}

func (k *core) note(call string, c otp.Caller) error {
	k.called = append(k.called, call)
	k.caller = c
	return k.err
}

func (k *core) Start(_ context.Context, c otp.Caller, r otp.StartRequest) (otp.Progress, error) {
	k.start = r
	return otp.Progress{Verification: k.verification}, k.note("Start", c)
}

func (k *core) Check(_ context.Context, c otp.Caller, id otp.ID, digits string) (otp.Progress, error) {
	k.id, k.digits = id, digits
	return otp.Progress{Verification: k.verification, Grant: &k.grant}, k.note("Check", c)
}

func (k *core) User(_ context.Context, c otp.Caller, id otp.ID) (otp.User, error) {
	k.id = id
	return k.grant.User, k.note("User", c)
}

func (k *core) Find(_ context.Context, c otp.Caller, login string) (otp.User, error) {
	k.login = login
	return k.grant.User, k.note("Find", c)
}

func (k *core) Create(_ context.Context, c otp.Caller, r otp.UserRequest) (otp.User, error) {
	k.request = r
	return k.grant.User, k.note("Create", c)
}

func (k *core) Change(_ context.Context, c otp.Caller, id otp.ID, change otp.UserChange) (otp.User, error) {
	k.id, k.change = id, change
	return k.grant.User, k.note("Change", c)
}

func (k *core) Remove(_ context.Context, c otp.Caller, id otp.ID) error {
	k.id = id
	return k.note("Remove", c)
}

func (k *core) RevokeAll(_ context.Context, c otp.Caller, user, except otp.ID) error {
	k.id = user
	if !except.IsZero() {
		panic("a session was spared")
	}
	return k.note("RevokeAll", c)
}

// minted is the same core as a mint.
type minted struct{ *core }

func (k minted) set(f token.Form) token.Set {
	k.form = f
	return token.Set{
		Access: "access.token.made", Refresh: "refresh-made", ExpiresIn: 900,
		AccessExpires: moment.Add(otp.AccessLife), RefreshExpires: moment.Add(otp.RefreshLife),
	}
}

func (k minted) Issue(g *otp.Grant, f token.Form) (token.Set, error) { return k.set(f), nil }

func (k minted) Bearer(_ context.Context, c otp.Caller, access string) (otp.Grant, error) {
	k.shown = access
	return k.grant, k.note("Bearer", c)
}

func (k minted) Refresh(_ context.Context, c otp.Caller, refresh string, form func(*otp.Grant) token.Form) (token.Set, otp.Grant, error) {
	k.shown = refresh
	return k.set(form(&k.grant)), k.grant, k.note("Refresh", c)
}

func (k minted) Revoke(_ context.Context, c otp.Caller, refresh string) error {
	k.shown = refresh
	return k.note("Revoke", c)
}

func (k minted) KeySet(app *otp.App, algorithms ...token.Algorithm) token.KeySet {
	k.called = append(k.called, "KeySet")
	if len(algorithms) != 1 || algorithms[0] != token.RS256 {
		panic("a key that the SDKs cannot use was asked for")
	}
	return token.KeySet{Keys: []token.Key{{Kid: "0001" + app.ID, Kty: "RSA", Alg: "RS256", Use: "sig", N: "bg", E: "AQAB"}}}
}

var (
	_ passage.Verifications = (*otp.Verifications)(nil)
	_ passage.Directory     = (*otp.Directory)(nil)
	_ passage.Mint          = (*token.Mint)(nil)
)

const (
	publishable, secret = "pk_test_3f9a", "sk_test_7c1e"
	foreign             = "sk_hidden_11aa"
	mailing             = "sk_mail_52ee"
	phone               = "+41791234567"
	otpID               = "000102030405060708090a0b0c0d0e0f"
	userID              = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
	legacy              = "Tk3xLegacyAppIdOfPassage" // an alias, as the vendor's ids look
)

var moment = otp.TimeOf(time.Date(2026, 11, 22, 9, 30, 0, 7_000_000, time.UTC))

func newCore() *core {
	k := &core{}
	address := otp.Address{Kind: otp.Phone, Key: phone, Dial: phone[1:], Country: "CH", Calling: 41}
	for i := range k.verification.ID {
		k.verification.ID[i] = byte(i)
		k.grant.User.ID[i] = byte(0xf0 + i)
	}
	k.verification.Address = address
	u := &k.grant.User
	u.App, u.Address, u.Metadata = "demo", address, []byte(`{"plan":"gold"}`)
	u.Created, u.Updated, u.Verified, u.LastLogin, u.Logins = moment, moment.Add(time.Hour), moment, moment.Add(time.Hour), 3
	k.grant.Session = &otp.Session{App: "demo", User: u.ID, Door: "passage", As: "demo", Created: moment, Expires: moment.Add(otp.RefreshLife)}
	return k
}

// newApps returns the apps of the tests: demo is open and full, bare is open
// and has nothing configured, hidden is private, closed has another door, mail
// takes email addresses.
func newApps(t testing.TB) *otp.Apps {
	t.Helper()
	digest := func(key string) [32]byte { return sha256.Sum256([]byte(key)) }
	open := []string{"native", "passage"}
	apps, err := otp.NewApps([]otp.App{
		{
			ID: "demo", Aliases: []string{legacy}, Name: "Demo shop", Keys: [][32]byte{digest(publishable), digest(secret)},
			Doors: open, Countries: []string{"*"}, Sessions: true, Hosts: []string{"otp.example.com"},
			Origins: []string{"https://shop.example.com"}, Redirects: []string{"https://shop.example.com/welcome"},
			Backends: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")},
		},
		{ID: "bare", Doors: open, Countries: []string{"*"}, Sessions: true, CodeTTL: 90 * time.Second},
		{ID: "hidden", Keys: [][32]byte{digest(foreign)}, Doors: open, Countries: []string{"*"}, Sessions: true, Private: true},
		{ID: "mail", Keys: [][32]byte{digest(mailing)}, Doors: open, Countries: []string{"*"}, Sessions: true, Email: true},
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
	return &door{passage.New(k, k, minted{k}, newApps(t)), k, t}
}

// request is a call as it comes to the door.
type request struct {
	method, path, body string
	bearer             string
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
	handle := d.route(c, r.method, path)
	if err := handle(c); err != nil {
		c.HTTP.Response.ResetBody()
		d.Refuse(c, web.ErrorOf(err), web.StatusOf(err))
	}
	return answerOf(c)
}

// newCall returns a request, with the content type of the vendor's older pages,
// and a Host that is none of ours.
func newCall(r request) *web.Call {
	var raw fasthttp.Request
	raw.SetRequestURI(r.path)
	raw.Header.SetMethod(r.method)
	raw.Header.SetHost("attacker.example")
	if r.body != "" {
		raw.SetBodyString(r.body)
		raw.Header.SetContentType("text/plain;charset=UTF-8")
	}
	if r.bearer != "" {
		raw.Header.Set("Authorization", "Bearer "+r.bearer)
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

func (d *door) route(c *web.Call, method, path string) web.Handler {
	d.t.Helper()
	got := strings.Split(path, "/")
	for _, route := range d.Routes {
		want := strings.Split(route.Pattern, "/")
		fits := route.Method == method && len(want) == len(got)
		for i := 0; fits && i < len(want); i++ {
			switch want[i] {
			case "{app}":
				c.App = got[i]
			case "{id}":
				c.Param = got[i]
			default:
				fits = want[i] == got[i]
			}
		}
		if fits {
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
