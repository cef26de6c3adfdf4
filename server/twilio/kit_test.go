package twilio_test

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/twilio"
	"github.com/pinferry/pinferry/server/web"
	"github.com/pinferry/pinferry/server/web/webtest"
)

var (
	_ twilio.Verifications = (*webtest.Core)(nil)
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

const created = webtest.Moment

// newCore returns a core that finds a verification, whatever becomes of it.
func newCore() *webtest.Core {
	k := &webtest.Core{Fail: map[string]error{"Get": nil, "GetSlot": nil}}
	k.Progress = otp.Progress{
		Verification: otp.Verification{
			ID: webtest.ID(0), App: "demo", Address: webtest.Phone(phone), Channel: "sms", Purpose: otp.PurposeVerify,
			Status: otp.Pending, MaxTries: 5, Sends: 1, Created: created, Expires: created.Add(5 * time.Minute),
		},
		Message: otp.Message{ID: webtest.ID(0xf0), State: otp.MessageSent, Created: created, Updated: created.Add(4 * time.Second)},
	}
	after := k.Progress
	k.After = &after
	return k
}

func newApps(t testing.TB) *otp.Apps {
	t.Helper()
	doors := []string{"twilio"}
	return webtest.Apps(t,
		otp.App{ID: "demo", Aliases: []string{service}, Keys: webtest.Keys(publishable, secret), Doors: doors},
		otp.App{ID: "private", Keys: webtest.Keys(privateKey), Doors: doors, Private: true},
		otp.App{ID: "closed", Keys: webtest.Keys(foreignKey)},
	)
}

// house is the door over a core of this test.
type house struct {
	web.Door
	*webtest.Core
	t testing.TB
}

func open(t testing.TB) *house {
	k := newCore()
	return &house{twilio.New(k, newApps(t)), k, t}
}

// lose has no verification found, for this reason.
func (h *house) lose(err error) { h.Fail = map[string]error{"Get": err, "GetSlot": err} }

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// do makes a call at the service of the test with a secret key, "POST
// /Verifications".
func (h *house) do(call, body string, headers ...string) webtest.Answer {
	h.t.Helper()
	return h.at(service, call, body, append([]string{basic(account, secret)}, headers...)...)
}

// at makes a call at any service and returns what the server would send.
func (h *house) at(app, call, body string, headers ...string) webtest.Answer {
	h.t.Helper()
	method, path, _ := strings.Cut(call, " ")
	return webtest.Do(h.t, h.Door, webtest.Request{
		Method: method, Target: "/v2/Services/" + app + path, Body: body, Type: "application/x-www-form-urlencoded", Headers: webtest.Headers(headers...),
	})
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
