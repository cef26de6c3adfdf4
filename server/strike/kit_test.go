package strike_test

import (
	_ "embed"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/strike"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/pinferry/pinferry/server/web/webtest"
)

var (
	_ strike.Verifications = (*webtest.Core)(nil)
	_ strike.Verifications = (*otp.Verifications)(nil)
	_ strike.Directory     = (*webtest.Core)(nil)
	_ strike.Directory     = (*otp.Directory)(nil)
	_ strike.Mint          = webtest.Mint{}
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

const created = webtest.Moment

var userID, familyID = webtest.ID(0x10), webtest.ID(0x20)

// newCore returns a core with one user, whose tokens are good whatever else
// fails.
func newCore() *webtest.Core {
	address := webtest.Phone(phone)
	k := &webtest.Core{
		Allowed: otp.Allowance{Limit: 3, Remaining: 2, Reset: 299001 * time.Millisecond},
		Set:     webtest.SetOf(access, "cmVmcmVzaA"),
		Fail:    map[string]error{"Bearer": nil, "Refresh": nil},
	}
	k.Progress = otp.Progress{
		Verification: otp.Verification{ID: webtest.ID(0), App: "demo", Address: address, Channel: "sms", Status: otp.Pending, Created: created},
		Message:      otp.Message{ID: webtest.ID(0xf0), Address: address, State: otp.MessageAccepted, Created: created},
		Grant:        &k.Grant,
	}
	k.Grant.User = otp.User{
		ID: userID, App: "demo", Address: address, Metadata: []byte(`{"name":"Ada"}`),
		Created: created, Updated: created, Verified: created, LastLogin: created, Logins: 1,
	}
	k.Grant.Session = &otp.Session{ID: familyID, App: "demo", User: userID, Door: "strike", As: "demo", Created: created}
	return k
}

func newApps(t testing.TB) *otp.Apps {
	t.Helper()
	both := []string{"strike", "gotrue"}
	return webtest.Apps(t,
		otp.App{ID: "demo", Keys: webtest.Keys(publishable, secret), Doors: both, Default: true, Sessions: true},
		otp.App{ID: "private", Keys: webtest.Keys(privateKey), Doors: both, Private: true, Sessions: true},
		otp.App{ID: "closed", Keys: webtest.Keys(foreignKey)},
	)
}

// house is one of the two doors over a core of this test.
type house struct {
	web.Door
	*webtest.Core
	prefix string
	t      testing.TB
}

func openStrike(t testing.TB) *house {
	k := newCore()
	return &house{strike.New(k, k, webtest.Mint{Core: k}, newApps(t)), k, "", t}
}

func openGoTrue(t testing.TB) *house {
	k := newCore()
	return &house{strike.NewGoTrue(k, k, webtest.Mint{Core: k}, newApps(t)), k, "/auth/v1", t}
}

// doors are both, for rules that they share.
var doors = map[string]func(testing.TB) *house{"Strike": openStrike, "GoTrue": openGoTrue}

// denied has tokens refused, for this reason.
func (h *house) denied(err error) { h.Fail = map[string]error{"Bearer": err, "Refresh": err} }

// request is a call, "POST /otp", as it comes to the door.
func (h *house) request(call, body string, headers ...string) webtest.Request {
	method, target, _ := strings.Cut(call, " ")
	return webtest.Request{
		Method: method, Target: h.prefix + target, Body: body, Type: "application/json;charset=UTF-8", Headers: webtest.Headers(headers...),
	}
}

// do makes a call and returns what the server would send.
func (h *house) do(call, body string, headers ...string) webtest.Answer {
	h.t.Helper()
	return webtest.Do(h.t, h.Door, h.request(call, body, headers...))
}

// refuse lets the door answer an error of the server, as before a handler has
// told whose call it is.
func (h *house) refuse(err error) webtest.Answer {
	h.t.Helper()
	return webtest.Refuse(h.t, h.Door, h.request("POST /otp", "").Call(h.t.Context()), err, 0)
}
