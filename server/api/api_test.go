package api_test

import (
	"context"
	"crypto/sha256"
	"net"
	"net/netip"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/api"
	"github.com/pinferry/pinferry/server/docs/docstest"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

const (
	publishable, secret = "pk_test_3f9a", "sk_test_7c1e"
	closedSecret        = "sk_closed_1111"
	phone               = "+41791234567"
	id                  = "vrf_000102030405060708090a0b0c0d0e0f"
	messageID           = "msg_f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
	userID              = "usr_a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
)

var created = otp.TimeOf(time.Date(2026, 11, 22, 9, 30, 0, 7_000_000, time.UTC))

func newApps(t testing.TB) *otp.Apps {
	t.Helper()
	digest := func(key string) [32]byte { return sha256.Sum256([]byte(key)) }
	apps, err := otp.NewApps([]otp.App{{
		ID: "demo", Keys: [][32]byte{digest(publishable), digest(secret)}, Countries: []string{"*"},
		Backends: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")},
	}}, func(string) int { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	return apps
}

// door is the native door over a core of this test.
type door struct {
	*api.Door
	core *core
	t    testing.TB
}

func open(t testing.TB) *door {
	k := newCore()
	apps := newApps(t)
	return &door{api.New(k.all(), apps, api.Keys(apps)), k, t}
}

// request is a call as it comes to the door.
type request struct {
	key, body, param, query, from string
	headers                       map[string]string
}

// do makes a call and returns what it answers. The call must be as the API is
// described.
func (d *door) do(handler web.Handler, r request) (status int, body string) {
	d.t.Helper()
	c := newCall(r)
	if err := handler(c); err != nil {
		c.Refuse(web.ProblemOf(err))
	}
	status, body = c.HTTP.Response.StatusCode(), string(c.HTTP.Response.Body())
	method, path, _ := strings.Cut(described(d.t, handler), " ")
	if err := contract(d.t).Judge(docstest.Call{
		Method: method, Path: path, Request: []byte(r.body),
		Status: status, Type: string(c.HTTP.Response.Header.ContentType()), Answer: []byte(body),
	}); err != nil {
		d.t.Error(err)
	}
	return status, body
}

// contract is the description of the API.
func contract(t testing.TB) *docstest.Contract {
	t.Helper()
	c, err := sharedContract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var sharedContract = sync.OnceValues(func() (*docstest.Contract, error) {
	document, err := os.ReadFile("../docs/openapi.json")
	if err != nil {
		return nil, err
	}
	return docstest.New(document)
})

// calls are the handlers of the door, by the names of their methods, and where
// the server mounts them.
var calls = map[string]string{
	"Start": "POST /v1/verifications", "Get": "GET /v1/verifications/{id}", "Cancel": "DELETE /v1/verifications/{id}",
	"Check": "POST /v1/verifications/{id}/check", "Resend": "POST /v1/verifications/{id}/resend",
	"Send": "POST /v1/messages", "Messages": "GET /v1/messages", "Message": "GET /v1/messages/{id}", "Inbound": "GET /v1/inbound",
	"Exchange": "POST /v1/token/exchange", "Refresh": "POST /v1/token/refresh", "Revoke": "POST /v1/token/revoke", "Me": "GET /v1/me",
	"Users": "GET /v1/users", "User": "GET /v1/users/{id}", "ChangeUser": "PATCH /v1/users/{id}", "RemoveUser": "DELETE /v1/users/{id}",
	"Routes": "GET /v1/routes", "KeySet": "GET /.well-known/jwks.json",
}

// described returns which call a handler is: the name of its function has that
// of the method in it.
func described(t testing.TB, handler web.Handler) string {
	t.Helper()
	name := runtime.FuncForPC(reflect.ValueOf(handler).Pointer()).Name()
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return strings.ContainsRune(".()*-/", r) }) {
		if call, ok := calls[part]; ok {
			return call
		}
	}
	t.Fatalf("the handler %s is not in the list of calls", name)
	return ""
}

func newCall(r request) *web.Call {
	var raw fasthttp.Request
	raw.SetRequestURI("/?" + r.query)
	if r.body != "" {
		raw.SetBodyString(r.body)
		raw.Header.SetContentType("application/json")
	}
	if r.key != "" {
		raw.Header.Set("Authorization", "Bearer "+r.key)
	}
	for name, value := range r.headers {
		raw.Header.Set(name, value)
	}
	if r.from == "" {
		r.from = "203.0.113.9"
	}
	client := netip.MustParseAddr(r.from)
	ctx := new(fasthttp.RequestCtx)
	ctx.Init(&raw, &net.TCPAddr{IP: client.AsSlice()}, nil)
	return &web.Call{HTTP: ctx, Context: context.Background(), RequestID: "0123456789abcdef", Client: client, Param: r.param}
}

// golden compares an answer with a file of testdata; UPDATE=1 writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name + ".json"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got+"\n" != string(want) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}

func TestKeys(t *testing.T) {
	d := open(t)
	strangers := map[string]map[string]string{
		"None":       nil,
		"Unknown":    {"Authorization": "Bearer sk_test_0000"},
		"Basic":      {"Authorization": "Basic " + secret},
		"Bare":       {"Authorization": secret},
		"TwoSpaces":  {"Authorization": "Bearer  " + secret},
		"Longer":     {"Authorization": "Bearer " + secret + "x"},
		"Endless":    {"Authorization": "Bearer sk_" + strings.Repeat("x", 5000)},
		"OtherFirst": {"Authorization": "Bearer pk_test_7c1e"},
	}
	_, first := d.do(d.Get, request{param: id})
	for name, headers := range strangers {
		t.Run(name, func(t *testing.T) {
			status, body := d.do(d.Get, request{param: id, headers: headers})
			if status != 401 || body != first {
				t.Errorf("got %d %s", status, body)
			}
			if d.core.called != "" {
				t.Errorf("the core was asked to %s", d.core.called)
			}
		})
	}
	golden(t, "unauthorized", first)
	for _, headers := range []map[string]string{{"Authorization": "Bearer " + secret}, {"Authorization": "bearer " + publishable}} {
		if status, body := d.do(d.Get, request{param: id, headers: headers}); status != 200 {
			t.Errorf("%v: got %d %s", headers, status, body)
		}
	}
}

// closed is a set of apps of which the one app has not opened this door.
type closed struct{}

func (closed) ByKey(string) (*otp.App, bool, bool) {
	return &otp.App{ID: "closed", Doors: []string{"twilio"}}, true, true
}

func (closed) ByID(id string) (*otp.App, bool) {
	return &otp.App{ID: id, Doors: []string{"twilio"}}, true
}

func (closed) At(string, string) (*otp.App, bool) { return nil, false }

func TestClosedDoorLooksLikeAnUnknownKey(t *testing.T) {
	d := open(t)
	_, unknown := d.do(d.Get, request{param: id, key: "sk_unknown"})
	shut := &door{api.New(d.core.all(), closed{}, api.Keys(closed{})), d.core, t}
	if status, body := shut.do(shut.Get, request{param: id, key: closedSecret}); status != 401 || body != unknown {
		t.Errorf("got %d %s", status, body)
	}
}

func TestAddressOfTheCaller(t *testing.T) {
	for name, test := range map[string]struct {
		request request
		want    string
		status  int
	}{
		"PublishableIsItself":        {request{key: publishable}, "203.0.113.9", 201},
		"PublishableIPv6":            {request{key: publishable, from: "2001:db8::7"}, "2001:db8::7", 201},
		"PublishableNamesNobody":     {request{key: publishable, body: `{"to":"` + phone + `","client_ip":"192.0.2.1"}`}, "", 400},
		"BackendHasNone":             {request{key: publishable, from: "198.51.100.8"}, "invalid IP", 201},
		"SecretHasNone":              {request{key: secret}, "invalid IP", 201},
		"SecretNamesTheUser":         {request{key: secret, body: `{"to":"` + phone + `","client_ip":"192.0.2.1"}`}, "192.0.2.1", 201},
		"SecretFromBackendNamesUser": {request{key: secret, from: "198.51.100.8", body: `{"to":"` + phone + `","client_ip":"192.0.2.1"}`}, "192.0.2.1", 201},
		"SecretMappedIPv4":           {request{key: secret, body: `{"to":"` + phone + `","client_ip":"::ffff:192.0.2.1"}`}, "192.0.2.1", 201},
		"SecretZone":                 {request{key: secret, body: `{"to":"` + phone + `","client_ip":"fe80::1%eth0"}`}, "", 400},
		"SecretPort":                 {request{key: secret, body: `{"to":"` + phone + `","client_ip":"192.0.2.1:80"}`}, "", 400},
		"SecretNonsense":             {request{key: secret, body: `{"to":"` + phone + `","client_ip":"here"}`}, "", 400},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			if test.request.body == "" {
				test.request.body = `{"to":"` + phone + `"}`
			}
			status, body := d.do(d.Start, test.request)
			if status != test.status {
				t.Fatalf("got %d %s", status, body)
			}
			if status != 201 {
				if d.core.called != "" {
					t.Error("the core was asked")
				}
				return
			}
			if got := d.core.caller.Address.String(); got != test.want {
				t.Errorf("address is %s, want %s", got, test.want)
			}
		})
	}
}
