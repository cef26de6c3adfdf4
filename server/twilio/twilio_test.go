package twilio_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// TestErrorsOfEveryCode writes what each code of the closed list is at this
// door, one line a code.
func TestErrorsOfEveryCode(t *testing.T) {
	door := open(t).Door
	var got strings.Builder
	for _, code := range otp.Codes() {
		c := &web.Call{HTTP: new(fasthttp.RequestCtx)}
		c.HTTP.WriteString("half an answer")
		door.Refuse(c, refusal(code), 0)
		response := &c.HTTP.Response
		if code != otp.Internal && response.StatusCode() == 500 {
			t.Errorf("%s has no line of its own", code)
		}
		fmt.Fprintf(&got, "%s %d %q %s\n", code, response.StatusCode(), response.Header.Peek("Retry-After"), response.Body())
	}
	if strings.Contains(got.String(), `"type"`) || strings.Contains(got.String(), `"title"`) {
		t.Error("the vendor's client would take this for a problem of another service")
	}
	const path = "testdata/errors.txt"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || got.String() != string(want) {
		t.Errorf("%s differs (%v); got:\n%s", path, err, got.String())
	}
}

func TestRetryIsAtLeastOneSecond(t *testing.T) {
	for wait, want := range map[time.Duration]string{0: "1", time.Second + 1: "2"} {
		h := open(t)
		h.err = &otp.Error{Code: otp.LimitPhone, RetryAfter: wait}
		if a := h.do("POST /Verifications", request(t, "create")); string(a.head.Peek("Retry-After")) != want {
			t.Errorf("%v: got %q", wait, a.head.Peek("Retry-After"))
		}
	}
}

// calls is one call of each kind.
func calls(t testing.TB) map[string]string {
	return map[string]string{
		"POST /Verifications": request(t, "create"), "GET /Verifications/" + sid: "",
		"POST /Verifications/" + sid: request(t, "cancel"), "POST /VerificationCheck": request(t, "check"),
	}
}

// TestKeys has that nothing but a secret key of the app, as the password, opens
// any call.
func TestKeys(t *testing.T) {
	for call, body := range calls(t) {
		for name, headers := range map[string][]string{
			"None":        nil,
			"Publishable": {basic(account, publishable)},
			"Unknown":     {basic(account, "sk_nobody")},
			"OtherApp":    {basic(account, privateKey)},
			"ClosedApp":   {basic(account, foreignKey)},
			"Empty":       {basic(account, "")},
			"AsUser":      {basic(secret, "")},
			"Bearer":      {"Authorization: Bearer " + secret},
			"NoColon":     {"Authorization: Basic c2tfdGVzdF83YzFl"},
			"NoBase64":    {"Authorization: Basic !"},
			"HeaderOnly":  {"X-Pinferry-Key: " + secret},
		} {
			h := open(t)
			a := h.at(service, call, body, headers...)
			if a.status != 401 || !strings.Contains(a.body, `"code":20003`) || len(h.called) > 0 || string(a.head.Peek("WWW-Authenticate")) != `Basic realm="pinferry"` {
				t.Errorf("%s, %s: got %d %s, the core was asked to %v", call, name, a.status, a.body, h.called)
			}
		}
		for _, user := range []string{account, "SKa0a1a2a3a4a5a6a7a8a9aaabacadaeaf", "", "anybody"} {
			h := open(t)
			if a := h.at(service, call, body, basic(user, secret)); a.status >= 300 || h.caller.App.ID != "demo" || h.caller.As != service || h.caller.Door != "twilio" || !h.caller.Secret {
				t.Errorf("%s, user %q: got %d %s, caller %+v", call, user, a.status, a.body, h.caller)
			}
		}
	}
	// twilio-go sends letters and digits only.
	if a := open(t).at(service, "POST /Verifications", calls(t)["POST /Verifications"], basic(account, "sk"+secret[len("sk_"):])); a.status != 201 {
		t.Errorf("a key without its underscore: got %d %s", a.status, a.body)
	}
	golden(t, "unauthorized", open(t).at(service, "POST /Verifications", ""))
}

func TestClosedDoorLooksLikeAnUnknownService(t *testing.T) {
	for call, body := range calls(t) {
		h := open(t)
		unknown := h.at("VAnobody", call, body, basic(account, secret))
		shut := h.at("closed", call, body, basic(account, foreignKey))
		golden(t, "noservice", unknown)
		if unknown.status != 404 || shut.body != unknown.body || shut.head.String() != unknown.head.String() || len(h.called) > 0 {
			t.Errorf("%s: got %d %s and %d %s", call, unknown.status, unknown.body, shut.status, shut.body)
		}
	}
}

// TestAddressOfTheUser has that only what the caller says of its user counts:
// it is a server, and its own address stands for nobody.
func TestAddressOfTheUser(t *testing.T) {
	for name, test := range map[string]struct{ device, header, want string }{
		"None":       {"", "", "invalid IP"},
		"Device":     {"192.0.2.1", "", "192.0.2.1"},
		"Mapped":     {"::ffff:192.0.2.1", "", "192.0.2.1"},
		"IPv6":       {"2001:db8::7", "", "2001:db8::7"},
		"Header":     {"", "192.0.2.2", "192.0.2.2"},
		"DeviceWins": {"192.0.2.1", "192.0.2.2", "192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			for call, body := range map[string]string{"POST /Verifications": request(t, "create"), "POST /VerificationCheck": request(t, "check")} {
				h := open(t)
				a := h.do(call, body+"&DeviceIp="+test.device, "Pinferry-Client-IP: "+test.header)
				if got := h.caller.Address.String(); a.status != 201 || got != test.want {
					t.Errorf("%s: got %d, address %s", call, a.status, got)
				}
			}
		})
	}
}

// TestAccount has the account of an answer: the one that the client named, or
// for a client with an API key one that stays the same.
func TestAccount(t *testing.T) {
	h := open(t)
	if a := h.do("POST /Verifications", request(t, "create")); !strings.Contains(a.body, `"account_sid":"`+account+`"`) {
		t.Errorf("got %s", a.body)
	}
	var first string
	for _, user := range []string{"SKa0a1a2a3a4a5a6a7a8a9aaabacadaeaf", "ACshort", "AC\u202e\"}", ""} {
		a := h.at(service, "POST /Verifications", request(t, "create"), basic(user, secret))
		if first == "" {
			first = a.body
			golden(t, "apikey", a)
		}
		if a.body != first {
			t.Errorf("%q: got %s", user, a.body)
		}
	}
}
