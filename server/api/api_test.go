package api_test

import (
	"context"
	"net/netip"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/api"
	"github.com/pinferry/pinferry/server/docs/docstest"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/pinferry/pinferry/server/web/webtest"
)

const (
	publishable, secret = "pk_test_3f9a", "sk_test_7c1e"
	closedSecret        = "sk_closed_1111"
	phone               = "+41791234567"
	id                  = "vrf_000102030405060708090a0b0c0d0e0f"
	messageID           = "msg_f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
	userID              = "usr_a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
)

const created = webtest.Moment

func newApps(t testing.TB) *otp.Apps {
	t.Helper()
	return webtest.Apps(t, otp.App{
		ID: "demo", Keys: webtest.Keys(publishable, secret), Backends: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")},
	})
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
	// random is true of bodies made by chance: the scripted core takes words that
	// the real one refuses.
	random bool
}

// do makes a call and returns what it answers. The call must be as the API is
// described.
func (d *door) do(handler web.Handler, r request) (status int, body string) {
	d.t.Helper()
	c := newCall(r)
	if err := handler(c); err != nil {
		c.Refuse(web.ProblemOf(err))
	}
	a := webtest.AnswerOf(c)
	if f := d.core.Form; f != nil && f.Algorithm != token.ES256 {
		d.t.Errorf("tokens of the form %+v", f)
	}
	method, path, _ := strings.Cut(described(d.t, handler), " ")
	judge := contract(d.t).Judge
	if r.random {
		judge = contract(d.t).JudgeAnswer
	}
	if err := judge(docstest.Call{
		Method: method, Path: path, Request: []byte(r.body),
		Status: a.Status, Type: string(a.Head.ContentType()), Answer: []byte(a.Body),
	}); err != nil {
		d.t.Error(err)
	}
	return a.Status, a.Body
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
	c := webtest.Request{Target: "/?" + r.query, Body: r.body, From: r.from, Bearer: r.key, Headers: r.headers}.Call(context.Background())
	c.Param = r.param
	return c
}

// golden compares an answer with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	webtest.Golden(t, name+".json", got+"\n")
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
			if d.core.called() != "" {
				t.Errorf("the core was asked to %s", d.core.called())
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
				if d.core.called() != "" {
					t.Error("the core was asked")
				}
				return
			}
			if got := d.core.Caller.Address.String(); got != test.want {
				t.Errorf("address is %s, want %s", got, test.want)
			}
		})
	}
}
