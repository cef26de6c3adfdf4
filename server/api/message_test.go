package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

func TestSend(t *testing.T) {
	d := open(t)
	status, body := d.do(d.Send, request{key: secret, body: `{"to":"` + phone + `","text":"Your table is ready.","priority":"high","ttl":"90m"}`})
	if status != 202 {
		t.Fatalf("got %d %s", status, body)
	}
	golden(t, "message", body)
	want := otp.MessageRequest{To: phone, Text: "Your table is ready.", Priority: otp.PriorityHigh, TTL: 90 * time.Minute}
	if d.core.send != want {
		t.Errorf("got %+v", d.core.send)
	}
}

func TestSendRefuses(t *testing.T) {
	for name, test := range map[string]struct{ body, detail string }{
		"NoNumber":   {`{"text":"hello"}`, `"to" is missing`},
		"NoText":     {`{"to":"x"}`, `"text" is missing`},
		"Priority":   {`{"to":"x","text":"hello","priority":"code"}`, `"priority" must be`},
		"TTLWord":    {`{"to":"x","text":"hello","ttl":"soon"}`, `"ttl" must be`},
		"TTLNumber":  {`{"to":"x","text":"hello","ttl":3600}`, `"ttl" must be a string`},
		"TTLShort":   {`{"to":"x","text":"hello","ttl":"59s"}`, `"ttl" must be`},
		"TTLLong":    {`{"to":"x","text":"hello","ttl":"24h1ns"}`, `"ttl" must be`},
		"TTLNothing": {`{"to":"x","text":"hello","ttl":"0s"}`, `"ttl" must be`},
		"TTLPast":    {`{"to":"x","text":"hello","ttl":"-1h"}`, `"ttl" must be`},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			status, body := d.do(d.Send, request{key: secret, body: test.body})
			if status != 400 || !strings.Contains(strings.ReplaceAll(body, `\"`, `"`), test.detail) || strings.Contains(body, "hello") {
				t.Errorf("got %d %s", status, body)
			}
			if d.core.called() != "" {
				t.Error("the core was asked")
			}
		})
	}
}

// TestSecretCalls makes each of them with a publishable key.
func TestSecretCalls(t *testing.T) {
	d := open(t)
	for name, handler := range map[string]web.Handler{
		"Send": d.Send, "Message": d.Message, "Messages": d.Messages, "Routes": d.Routes, "Inbound": d.Inbound,
		"Users": d.Users, "User": d.User, "ChangeUser": d.ChangeUser, "RemoveUser": d.RemoveUser,
	} {
		status, body := d.do(handler, request{key: publishable, param: messageID, body: `{"to":"` + phone + `","text":"hello"}`})
		if status != 403 || d.core.called() != "" {
			t.Errorf("%s: got %d %s", name, status, body)
		}
		golden(t, "forbidden", body)
	}
}

func TestMessage(t *testing.T) {
	d := open(t)
	m := &d.core.message
	m.State, m.Reason, m.Route, m.Tries, m.PossibleDuplicate = otp.MessageFailed, otp.ReasonSIM, "gsm0", 2, true
	m.Priority, m.Verification = otp.PriorityCode, d.core.Progress.Verification.ID
	status, body := d.do(d.Message, request{key: secret, param: messageID})
	if status != 200 || "msg_"+d.core.ID.String() != messageID {
		t.Fatalf("got %d %s", status, body)
	}
	golden(t, "messagefailed", body)
	d.core.Err = &otp.Error{Code: otp.CodeUnknown, Detail: "There is no such message."}
	for _, param := range []string{messageID, id, "x", messageID[4:]} {
		status, body := d.do(d.Message, request{key: secret, param: param})
		if status != 404 {
			t.Errorf("%s: got %d", param, status)
		}
		golden(t, "missingmessage", body)
	}
}

func TestMessages(t *testing.T) {
	d := open(t)
	status, body := d.do(d.Messages, request{key: secret})
	if status != 200 || body != `{"messages":[],"next_cursor":null}` || d.core.limit != 20 || d.core.cursor != "" {
		t.Errorf("got %d %s", status, body)
	}
	d.core.page, d.core.next = []otp.Message{d.core.message, d.core.message}, "c0ffee"
	status, body = d.do(d.Messages, request{key: secret, query: "limit=2&cursor=abc%20d"})
	if status != 200 || d.core.limit != 2 || d.core.cursor != "abc d" {
		t.Errorf("got %d, limit %d, cursor %q", status, d.core.limit, d.core.cursor)
	}
	golden(t, "messages", body)
	for _, limit := range []string{"0", "101", "-1", "x", "1e1", "99999999999999999999"} {
		if status, body := d.do(d.Messages, request{key: secret, query: "limit=" + limit}); status != 400 {
			t.Errorf("limit %s: got %d %s", limit, status, body)
		}
	}
}

func TestRoutes(t *testing.T) {
	d := open(t)
	d.core.routes = []otp.RouteReport{
		{Name: "gsm0", Queue: 3, Wait: 12300 * time.Millisecond, Used: 12, DailyCap: 50, RouteStatus: otp.RouteStatus{
			State: otp.RouteReady, Free: 1, Slots: 1, Reports: true, Kind: "modem", Device: "/dev/ttyUSB0",
			Operator: "Swisscom", Registration: "home", SignalDBm: -71, Pace: 3141592 * time.Microsecond,
		}},
		{Name: "gsm1", RouteStatus: otp.RouteStatus{State: otp.RouteDown, Reason: "no_sim", Detail: "Put a SIM card into the modem.", Slots: 1, Kind: "modem"}},
		{Name: "chat", Breaker: otp.BreakerOpen, RouteStatus: otp.RouteStatus{State: otp.RouteDown, Reason: "failing", Slots: 8, Kind: "relay", Channels: []string{"whatsapp"}}},
		{Name: "null", RouteStatus: otp.RouteStatus{State: otp.RouteComing, Reason: "starting", Kind: "null", Test: true}},
	}
	status, body := d.do(d.Routes, request{key: secret})
	if status != 200 {
		t.Errorf("got %d", status)
	}
	golden(t, "routes", body)
}
