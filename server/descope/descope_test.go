package descope_test

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/descope"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/pinferry/pinferry/server/web/webtest"
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

const begun = webtest.Moment

var (
	_ descope.Verifications = (*webtest.Core)(nil)
	_ descope.Verifications = (*otp.Verifications)(nil)
	_ descope.Directory     = (*webtest.Core)(nil)
	_ descope.Directory     = (*otp.Directory)(nil)
	_ descope.Mint          = webtest.Mint{}
	_ descope.Mint          = (*token.Mint)(nil)
)

// newCore returns a core with one user in one session, of which one refresh
// token is good.
func newCore() *webtest.Core {
	k := &webtest.Core{Set: webtest.SetOf("head.access.seal", "head.successor.seal"), Known: refreshToken}
	address := webtest.Phone(phone)
	k.Grant = otp.Grant{
		User: otp.User{
			ID: webtest.ID(0), App: "demo", Address: address, Names: []string{"Anna"},
			Metadata: []byte(`{"name":"Anna Muster","email":"anna@example.com","plan":7}`),
			Created:  begun, Updated: begun, Verified: begun, LastLogin: begun, Logins: 1,
		},
		Session: &otp.Session{
			ID: webtest.ID(0xf0), App: "demo", User: webtest.ID(0), Door: "descope", As: project,
			Created: begun, Rotated: begun, Expires: begun.Add(otp.RefreshLife),
		},
		First: true,
	}
	k.Progress = otp.Progress{
		Verification: otp.Verification{App: "demo", Address: address, Status: otp.Approved, Approved: begun, Created: begun, Expires: begun.Add(5 * time.Minute)},
		Grant:        &k.Grant,
	}
	return k
}

func newApps(t testing.TB) *otp.Apps {
	t.Helper()
	doors := []string{"descope"}
	return webtest.Apps(t,
		otp.App{ID: "demo", Aliases: []string{project}, Doors: doors, Keys: webtest.Keys(secret, publishable), Sessions: true},
		otp.App{ID: "private", Aliases: []string{private}, Doors: doors, Private: true, Sessions: true},
		otp.App{ID: "closed", Keys: webtest.Keys(otherSecret)},
	)
}

// door is the vendor's door over a core of this test.
type door struct {
	web.Door
	core *webtest.Core
	t    testing.TB
}

func open(t testing.TB) *door {
	k := newCore()
	return &door{descope.New(k, k, webtest.Mint{Core: k}, newApps(t)), k, t}
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
// it. Every answer is JSON.
func (d *door) do(r request) answer {
	d.t.Helper()
	a := webtest.Do(d.t, d.Door, r.http())
	if !json.Valid([]byte(a.Body)) {
		d.t.Fatalf("%s %s: no JSON in the answer: %q", r.Method, r.Path, a.Body)
	}
	return answer{a.Status, a.Header("Retry-After"), json.RawMessage(a.Body)}
}

// http is the call in HTTP.
func (r request) http() webtest.Request {
	headers := map[string]string{}
	if r.Bearer != "-" {
		headers["Authorization"] = "Bearer " + r.Bearer
	}
	maps.Copy(headers, r.headers)
	return webtest.Request{Method: r.Method, Target: r.Path, Body: r.Body, Headers: headers}
}

// golden compares a request and its answer with a file of testdata.
func golden(t *testing.T, name string, r request, a answer) {
	t.Helper()
	got, err := json.MarshalIndent(map[string]any{"request": r, "response": a}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	webtest.Golden(t, name+".json", string(got)+"\n")
}
