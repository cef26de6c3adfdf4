package relay_test

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/modem/relay"
	"github.com/pinferry/pinferry/otp"
)

// line is what a test knows of a kind that speaks HTTP.
type line struct {
	config relay.Config
	// status and answer are what the provider says when it takes a message, and
	// ref its id in there.
	status int
	answer string
	ref    string
	// report is what it sends when the message has arrived, failure when it has
	// not; "" none. form tells that they are forms.
	report, failure string
}

// lines are all of them. The answers have the shape of each vendor's reference.
func lines() map[string]line {
	return map[string]line{
		"vonage": {
			relay.Config{User: "abcd1234", From: "Shop"}, 202, `{"message_uuid":"aaaa-bbbb"}`, "aaaa-bbbb",
			`{"message_uuid":"aaaa-bbbb","to":"41791234567","status":"delivered"}`, `{"message_uuid":"aaaa-bbbb","status":"rejected"}`,
		},
		"plivo": {
			relay.Config{User: "MAXXXX", From: "14150000000"}, 202, `{"message":"message(s) queued","message_uuid":["db3ce55a"],"api_id":"x"}`, "db3ce55a",
			"MessageUUID=db3ce55a&To=41791234567&Status=delivered", "MessageUUID=db3ce55a&Status=undelivered",
		},
		"bird": {
			relay.Config{User: "ws-1", From: "ch-1"}, 202, `{"id":"c0ffee","status":"accepted"}`, "c0ffee", "", "",
		},
		"sinch": {
			relay.Config{User: "plan1", From: "12345"}, 201, `{"id":"01FC66","to":["41791234567"],"type":"mt_text"}`, "01FC66",
			`{"type":"recipient_delivery_report_sms","batch_id":"01FC66","code":0,"status":"Delivered"}`, `{"batch_id":"01FC66","status":"Expired"}`,
		},
		"infobip": {
			relay.Config{From: "Shop"}, 200, `{"bulkId":"1","messages":[{"messageId":"2250be2d","status":{"groupId":1,"groupName":"PENDING"}}]}`, "2250be2d",
			`{"results":[{"messageId":"2250be2d","status":{"groupName":"DELIVERED"}}]}`, `{"results":[{"messageId":"2250be2d","status":{"groupName":"UNDELIVERABLE"}}]}`,
		},
		"46elks": {
			relay.Config{User: "u1", From: "Shop"}, 200, `{"status":"created","id":"s70df5","to":"+41791234567"}`, "s70df5",
			"id=s70df5&status=delivered&delivered=2026", "id=s70df5&status=failed",
		},
		"clickatell": {
			relay.Config{}, 202, `{"messages":[{"apiMessageId":"fd49","accepted":true,"to":"41791234567","error":null}],"error":null}`, "fd49",
			`{"event":{"messageStatusUpdate":[{"messageId":"fd49","statusCode":5,"status":"DEVICE_ACK"}]}}`, `{"event":{"messageStatusUpdate":[{"messageId":"fd49","status":"EXPIRED"}]}}`,
		},
		"twilio": {
			relay.Config{User: "AC123", From: "+15005550006"}, 201, `{"sid":"SM1f0e8ae6","status":"queued"}`, "SM1f0e8ae6",
			"MessageSid=SM1f0e8ae6&MessageStatus=delivered&To=%2B41791234567", "MessageSid=SM1f0e8ae6&MessageStatus=undelivered",
		},
		"whatsapp": {
			relay.Config{User: "106540352242922", Template: "login", Language: "en_US"}, 200,
			`{"messaging_product":"whatsapp","contacts":[{"wa_id":"41791234567"}],"messages":[{"id":"wamid.HBg"}]}`, "wamid.HBg",
			`{"entry":[{"changes":[{"value":{"statuses":[{"id":"wamid.HBg","status":"read"}]}}]}]}`, `{"entry":[{"changes":[{"value":{"statuses":[{"id":"wamid.HBg","status":"failed"}]}}]}]}`,
		},
		"pinferry": {
			relay.Config{}, 202, `{"id":"msg_00","state":"accepted","route":null}`, "msg_00", "", "",
		},
	}
}

// open returns a relay of a line to its provider, with reports if there are any.
func (l line) open(t *testing.T, kind string, p *provider) *relay.Relay {
	t.Helper()
	c := l.config
	c.Kind, c.SecretFile = kind, secretFile(t, key)
	if l.report != "" {
		c.PublicURL, c.CallbackFile = "https://codes.example.com", secretFile(t, "path-token-0123456789")
	}
	return open(t, reach(t, p, c))
}

// Each golden was read against the vendor's reference when it was made; what is
// sent is held against it byte by byte.
func TestRequests(t *testing.T) {
	for kind, l := range lines() {
		t.Run(kind, func(t *testing.T) {
			p := newProvider(t, says(l.status, l.answer))
			r := l.open(t, kind, p)
			v := r.Send(t.Context(), outgoing())
			if want := (otp.Verdict{Outcome: otp.Sent, Ref: otp.Reference(l.ref), Detail: v.Detail}); v != want {
				t.Fatalf("got %+v, want %+v", v, want)
			}
			got := p.requests()
			if len(got) != 1 {
				t.Fatalf("%d requests", len(got))
			}
			golden(t, kind, got[0])
			want := []string{otp.ChannelSMS}
			if kind == "whatsapp" {
				want = []string{otp.ChannelWhatsApp}
			}
			if s := r.Status(); s.State != otp.RouteReady || s.Free != 8 || s.Slots != 8 || s.Kind != "relay" || !slices.Equal(s.Channels, want) {
				t.Errorf("status %+v", s)
			}
		})
	}
}

// golden compares a request with the file of its kind.
func golden(t *testing.T, kind string, s seen) {
	t.Helper()
	var b strings.Builder
	b.WriteString(s.method + " " + s.target + "\n")
	for _, name := range []string{"Authorization", "Content-Type", "Idempotency-Key"} {
		value := s.header.Get(name)
		if basic, ok := strings.CutPrefix(value, "Basic "); ok {
			plain, err := base64.StdEncoding.DecodeString(basic)
			if err != nil {
				t.Error(err)
			}
			value = "Basic base64(" + string(plain) + ")"
		}
		if value != "" {
			b.WriteString(name + ": " + value + "\n")
		}
	}
	b.WriteString("\n" + s.body + "\n")
	path := filepath.Join("testdata", "requests", kind+".http")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// Every kind that the table has is proven here, but for mail.
func TestKinds(t *testing.T) {
	known := lines()
	for _, kind := range relay.Kinds() {
		if _, ok := known[kind]; !ok && kind != "webhook" && kind != "smtp" {
			t.Errorf("kind %q is not tested", kind)
		}
	}
}

// No answer but that of success counts as one: for every provider an answer
// with the right status and each of these bodies is a refusal, and so is the
// right body under another status.
func TestFailsClosed(t *testing.T) {
	for kind, l := range lines() {
		t.Run(kind, func(t *testing.T) {
			var status int
			var body, content string
			p := newProvider(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", content)
				w.WriteHeader(status)
				w.Write([]byte(body))
			})
			r := l.open(t, kind, p)
			for _, test := range []struct {
				status        int
				body, content string
			}{
				{l.status, "", "application/json"},
				{l.status, "<html><body>Welcome to the hotel</body></html>", "text/html"},
				{l.status, `{"type":"error","message":"OTP not verified"}`, "application/json"},
				{l.status, `{}`, "application/json"},
				{l.status, `null`, "application/json"},
				{l.status, `[]`, "application/json"},
				{l.status, l.answer + "x", "application/json"},
				{l.status, `{"id":null,"sid":null,"message_uuid":null,"status":null,"messages":null}`, "application/json"},
				{203, l.answer, "application/json"},
				{302, l.answer, "application/json"},
				{307, l.answer, "application/json"},
			} {
				status, body, content = test.status, test.body, test.content
				if v := r.Send(t.Context(), outgoing()); v.Outcome != otp.Refused || v.Retry != otp.RetryElsewhere {
					t.Errorf("%d %q: got %+v", test.status, test.body, v)
				}
			}
			if n := len(p.requests()); n != 11 {
				t.Errorf("%d requests: a redirect was followed", n)
			}
		})
	}
}
