package twilio_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web/webtest"
)

// refuse lets the door answer an error of the server.
func refuse(t *testing.T, e *otp.Error) webtest.Answer {
	return webtest.Refuse(t, open(t).Door, webtest.Request{Method: "POST", Target: "/"}.Call(t.Context()), e, 0)
}

// TestErrorsOfEveryCode writes what each code of the closed list is at this
// door, one line a code.
func TestErrorsOfEveryCode(t *testing.T) {
	all := webtest.EveryCode(t, "errors.txt", func(e *otp.Error) webtest.Answer { return refuse(t, e) })
	if strings.Contains(all, `"type"`) || strings.Contains(all, `"title"`) {
		t.Error("the vendor's client would take this for a problem of another service")
	}
}

func TestFaultsSayNothingOfThemselves(t *testing.T) {
	webtest.Faults(t, func(e *otp.Error) webtest.Answer { return refuse(t, e) })
}

func TestRetryIsAtLeastOneSecond(t *testing.T) {
	webtest.Waits(t, func(e *otp.Error) webtest.Answer {
		h := open(t)
		h.Err = e
		return h.do("POST /Verifications", request(t, "create"))
	})
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
			if a.Status != 401 || !strings.Contains(a.Body, `"code":20003`) || len(h.Called) > 0 || a.Header("WWW-Authenticate") != `Basic realm="pinferry"` {
				t.Errorf("%s, %s: got %d %s, the core was asked to %v", call, name, a.Status, a.Body, h.Called)
			}
		}
		for _, user := range []string{account, "SKa0a1a2a3a4a5a6a7a8a9aaabacadaeaf", "", "anybody"} {
			h := open(t)
			if a := h.at(service, call, body, basic(user, secret)); a.Status >= 300 || h.Caller.App.ID != "demo" || h.Caller.As != service || h.Caller.Door != "twilio" || !h.Caller.Secret {
				t.Errorf("%s, user %q: got %d %s, caller %+v", call, user, a.Status, a.Body, h.Caller)
			}
		}
	}
	// twilio-go sends letters and digits only.
	if a := open(t).at(service, "POST /Verifications", calls(t)["POST /Verifications"], basic(account, "sk"+secret[len("sk_"):])); a.Status != 201 {
		t.Errorf("a key without its underscore: got %d %s", a.Status, a.Body)
	}
	open(t).at(service, "POST /Verifications", "").Golden(t, "unauthorized")
}

func TestClosedDoorLooksLikeAnUnknownService(t *testing.T) {
	for call, body := range calls(t) {
		h := open(t)
		unknown := h.at("VAnobody", call, body, basic(account, secret))
		shut := h.at("closed", call, body, basic(account, foreignKey))
		unknown.Golden(t, "noservice")
		if unknown.Status != 404 || shut.Body != unknown.Body || shut.Head.String() != unknown.Head.String() || len(h.Called) > 0 {
			t.Errorf("%s: got %d %s and %d %s", call, unknown.Status, unknown.Body, shut.Status, shut.Body)
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
				if got := h.Caller.Address.String(); a.Status != 201 || got != test.want {
					t.Errorf("%s: got %d, address %s", call, a.Status, got)
				}
			}
		})
	}
}

// TestAccount has the account of an answer: the one that the client named, or
// for a client with an API key one that stays the same.
func TestAccount(t *testing.T) {
	h := open(t)
	if a := h.do("POST /Verifications", request(t, "create")); !strings.Contains(a.Body, `"account_sid":"`+account+`"`) {
		t.Errorf("got %s", a.Body)
	}
	var first string
	for _, user := range []string{"SKa0a1a2a3a4a5a6a7a8a9aaabacadaeaf", "ACshort", "AC\u202e\"}", ""} {
		a := h.at(service, "POST /Verifications", request(t, "create"), basic(user, secret))
		if first == "" {
			first = a.Body
			a.Golden(t, "apikey")
		}
		if a.Body != first {
			t.Errorf("%q: got %s", user, a.Body)
		}
	}
}
