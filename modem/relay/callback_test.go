package relay_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/modem/relay"
	"github.com/pinferry/pinferry/otp"
)

const (
	pathToken = "path-token-0123456789"
	hookPath  = "/hooks/backup"
)

// callback is a report as the provider of this kind sends it, proven.
func callback(kind, body string) relay.Callback {
	c := relay.Callback{Target: hookPath, Body: []byte(body), Header: func(string) string { return "" }}
	signed := map[string]string{}
	switch kind {
	case "twilio":
		signed["X-Twilio-Signature"] = twilioSignature("https://codes.example.com"+hookPath, body, key)
	case "whatsapp":
		mac := hmac.New(sha256.New, []byte(pathToken))
		mac.Write([]byte(body))
		signed["X-Hub-Signature-256"] = "sha256=" + hex.EncodeToString(mac.Sum(nil))
	default:
		c.Token = pathToken
	}
	c.Header = func(name string) string { return signed[name] }
	return c
}

// twilioSignature signs a form as Twilio's page on security says.
func twilioSignature(address, body, token string) string {
	fields, _ := url.ParseQuery(body)
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(address))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		mac.Write([]byte(name + fields.Get(name)))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// The example of Twilio's documentation of its signature: the URL, the fields,
// the token 12345 and what comes of them.
func TestTwilioExample(t *testing.T) {
	body := "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
	if got := twilioSignature("https://mycompany.com/myapp.php?foo=1&bar=2", body, "12345"); got != "RSOYDt4T1cUTdK1PDd93/VVr8B8=" {
		t.Errorf("got %s", got)
	}
}

func TestReports(t *testing.T) {
	for kind, l := range lines() {
		if l.report == "" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			r := l.open(t, kind, newProvider(t, says(l.status, l.answer)))
			if !r.Status().Reports {
				t.Error("the status says that no reports come")
			}
			s := run(t, r)
			for _, body := range []string{l.report, l.failure} {
				if err := r.Callback(callback(kind, body)); err != nil {
					t.Fatal(err)
				}
			}
			got := s.heard()
			if len(got) != 2 || !got[0].Delivered || got[1].Delivered {
				t.Fatalf("got %+v", got)
			}
			for _, report := range got {
				if report.Route != "backup" || report.Ref != otp.Reference(l.ref) || report.Dial != "" || report.Status == "" {
					t.Errorf("got %+v", report)
				}
			}
		})
	}
}

// A report that is not proven, or that says nothing final, changes nothing.
func TestForgedReports(t *testing.T) {
	for kind, l := range lines() {
		if l.report == "" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			r := l.open(t, kind, newProvider(t, says(l.status, l.answer)))
			s := run(t, r)
			none := func(string) string { return "" }
			for _, forged := range []relay.Callback{
				{Target: hookPath, Body: []byte(l.report), Header: none},
				{Target: hookPath, Body: []byte(l.report), Header: none, Token: pathToken[1:]},
				{Target: hookPath, Body: []byte(l.report), Header: none, Token: pathToken + "x"},
				{Target: hookPath, Body: []byte(l.report), Header: func(string) string { return "AAAA" }},
				{Target: hookPath, Body: []byte(l.report), Header: func(string) string { return "sha256=" }},
			} {
				if err := r.Callback(forged); !errors.Is(err, relay.ErrUnproven) {
					t.Errorf("%+v: %v", forged, err)
				}
			}
			altered := callback(kind, l.report)
			if altered.Token == "" { // a signature covers the body
				altered.Body = []byte(strings.Replace(l.report, l.ref, "other", 1))
				if err := r.Callback(altered); !errors.Is(err, relay.ErrUnproven) {
					t.Errorf("altered: %v", err)
				}
			}
			// Words of a message that is still on its way.
			way := strings.NewReplacer("delivered", "queued", "Delivered", "Queued", "DELIVERED", "PENDING", "DEVICE_ACK", "QUEUED", `"read"`, `"sent"`)
			if err := r.Callback(callback(kind, way.Replace(l.report))); err != nil {
				t.Error(err)
			}
			if kind != "twilio" && kind != "plivo" && kind != "46elks" {
				for _, body := range []string{"", "{", "[]]", "<html>"} {
					if err := r.Callback(callback(kind, body)); !errors.Is(err, relay.ErrMalformed) {
						t.Errorf("%q: %v", body, err)
					}
				}
			}
			for _, body := range []string{`{}`, `[]`, `null`, `{"results":{}}`, `{"results":[1,null]}`} {
				r.Callback(callback(kind, body))
			}
			if got := s.heard(); len(got) != 0 {
				t.Errorf("believed: %+v", got)
			}
		})
	}
}

// Without public_url nobody was told where to report, so nobody is believed.
func TestNoReports(t *testing.T) {
	l := lines()["46elks"]
	p := newProvider(t, says(l.status, l.answer))
	c := l.config
	c.Kind, c.SecretFile = "46elks", secretFile(t, key)
	r := open(t, reach(t, p, c))
	s := run(t, r)
	if err := r.Callback(relay.Callback{Body: []byte(l.report), Header: func(string) string { return "" }}); !errors.Is(err, relay.ErrUnproven) {
		t.Errorf("got %v", err)
	}
	r.Send(t.Context(), outgoing())
	if got := p.requests(); strings.Contains(got[0].body, "whendelivered") || r.Status().Reports || len(s.heard()) != 0 {
		t.Errorf("reports are asked for: %q", got[0].body)
	}
}

func TestChallenge(t *testing.T) {
	asked := lines()["whatsapp"].open(t, "whatsapp", newProvider(t, says(200, "")))
	other := lines()["46elks"].open(t, "46elks", newProvider(t, says(200, "")))
	for _, test := range []struct {
		relay  *relay.Relay
		digits string
		ok     bool
	}{
		{asked, "1158201444", true}, {asked, "", false}, {asked, "<script>", false}, {asked, "1 2", false}, {asked, strings.Repeat("1", 33), false}, {other, "1158201444", false},
	} {
		if echo, ok := test.relay.Challenge(test.digits); ok != test.ok || ok && echo != test.digits {
			t.Errorf("%s %q: got %q, %v", test.relay.Name(), test.digits, echo, ok)
		}
	}
}

func TestSplitHook(t *testing.T) {
	for segment, want := range map[string][2]string{"backup": {"backup", ""}, "backup.tok": {"backup", "tok"}, "a.b.c": {"a", "b.c"}, ".": {"", ""}} {
		if name, token := relay.SplitHook(segment); name != want[0] || token != want[1] {
			t.Errorf("%q: got %q, %q", segment, name, token)
		}
	}
}

// FuzzPointer looks for scalars in any document: none is made up.
func FuzzPointer(f *testing.F) {
	for _, l := range lines() {
		f.Add([]byte(l.answer))
	}
	f.Add([]byte(`{"results":[[],{},{"messageId":7,"status":{"groupName":"DELIVERED"}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, p := range []string{"/id", "/status", "/results/0/messageId", "/entry/0/changes/0/value/statuses/0/id", "/a~1b~0c", "/"} {
			if got := relay.Scalar(p, body); len(got) > len(body) {
				t.Errorf("%s of %q: %q", p, body, got)
			}
		}
	})
}
