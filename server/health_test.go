package server_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
)

func TestReady(t *testing.T) {
	low := false
	b := newBox(t, func(c *server.Config, _ *[]otp.App) {
		c.Causes = func() []server.Cause {
			if low {
				return []server.Cause{{Code: "storage_low", Detail: "Free some space."}}
			}
			return nil
		}
	})
	if a := b.do("GET", "/readyz", ""); a.status != 200 || a.body != `{"status":"ready"}` {
		t.Errorf("ready: %+v", a)
	}
	low = true
	if a := b.do("GET", "/readyz", ""); a.status != 503 || !strings.Contains(a.body, `{"code":"storage_low","detail":"Free some space."}`) {
		t.Errorf("storage low: %+v", a)
	}
	low = false
	b.route.Down("no_sim")
	if a := b.do("GET", "/readyz", ""); a.status != 503 || !strings.Contains(a.body, `"no_route"`) || !strings.Contains(a.body, "gsm0 is down (no_sim)") {
		t.Errorf("no route: %+v", a)
	}
	if a := b.do("GET", "/healthz", ""); a.status != 200 {
		t.Errorf("a box without a route lives: %+v", a)
	}
	b.route.Ready()
	if a := b.do("GET", "/readyz", ""); a.status != 200 {
		t.Errorf("ready again: %+v", a)
	}
}

// TestMailDoesNotHideThatNoSMSLeaves: a relay for mail that is well makes no box
// ready whose modem is gone, neither for monitors nor in the sentence of the page.
func TestMailDoesNotHideThatNoSMSLeaves(t *testing.T) {
	p := newPage(t, func(_ *server.Config, list *[]otp.App) { (*list)[0].Email = true }).signIn()
	said := func(want string) {
		t.Helper()
		if a := p.get("/admin/overview"); !strings.Contains(a.body, want) {
			t.Errorf("the page does not say %q: %+v", want, a)
		}
	}
	p.route.Down("absent")
	if a := p.do("GET", "/readyz", ""); a.status != 503 || !strings.Contains(a.body, "gsm0 is down (absent)") || strings.Contains(a.body, "mail") {
		t.Errorf("without a modem: %+v", a)
	}
	said(`"text":"No SMS is being delivered."`)
	p.route.Ready()
	p.mail.Down("unauthorized")
	if a := p.do("GET", "/readyz", ""); a.status != 200 {
		t.Errorf("without mail: %+v", a)
	}
	said("Route mail is out of service")
	if a := p.post("/admin/messages", `{"to":"`+phone+`","route":"mail"}`); a.status != 400 || !strings.Contains(a.body, "carries no SMS") {
		t.Errorf("a test SMS by mail: %+v", a)
	}
}

func TestNoApp(t *testing.T) {
	b := newBox(t, func(_ *server.Config, list *[]otp.App) { *list = nil })
	if a := b.do("GET", "/readyz", ""); a.status != 503 || !strings.Contains(a.body, `"no_app"`) || !strings.Contains(a.body, `[[app]]\nid = \"demo\"`) {
		t.Errorf("got %+v", a)
	}
	if a := b.do("POST", "/v1/verifications", `{"to":"`+phone+`"}`, key(publishable)); a.status != 401 {
		t.Errorf("got %+v", a)
	}
}

func TestMetrics(t *testing.T) {
	b := newBox(t, nil)
	b.do("GET", "/v1/verifications/"+anyID, "", key(secret))
	b.do("GET", "/v1/verifications/"+anyID+"/%0aevil", "", key(secret))
	b.raw("nonsense\r\n\r\n")
	a := b.do("GET", "/metrics", "")
	for _, line := range []string{
		`pinferry_http_requests_total{path="/v1/verifications/{id}",status="4xx"} 1`,
		`pinferry_http_requests_total{path="none",status="4xx"} 2`,
		"process_resident_memory_bytes ",
	} {
		if a.status != 200 || !strings.Contains(a.body, line) {
			t.Errorf("%d: no %s in\n%s", a.status, line, a.body)
		}
	}
	if strings.Contains(a.body, anyID) || strings.Contains(a.body, "evil") {
		t.Error("a path shows in the metrics")
	}
}

// TestMonitors asks from the box, from who may watch over it, and from elsewhere.
func TestMonitors(t *testing.T) {
	b := newBox(t, func(c *server.Config, _ *[]otp.App) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		c.Monitors = []netip.Prefix{netip.MustParsePrefix("192.168.7.0/24")}
	})
	b.route.Down("no_sim")
	for from, allowed := range map[string]bool{
		"": true, "X-Forwarded-For: 192.168.7.9": true, "X-Forwarded-For: 192.168.8.9": false, "X-Forwarded-For: 127.0.0.9": true,
		"X-Forwarded-For: 127.0.0.9, 10.0.0.1": false,
	} {
		var headers []string
		if from != "" {
			headers = append(headers, from)
		}
		if a := b.do("GET", "/metrics", "", headers...); (a.status == 200) != allowed || !allowed && (a.status != 403 || !strings.Contains(a.body, "monitors")) {
			t.Errorf("%q: metrics %d %.80s", from, a.status, a.body)
		}
		if a := b.do("GET", "/readyz", "", headers...); a.status != 503 || strings.Contains(a.body, "gsm0") != allowed {
			t.Errorf("%q: ready %d %s", from, a.status, a.body)
		}
	}
}

func TestHandset(t *testing.T) {
	b := newBox(t, func(c *server.Config, _ *[]otp.App) {
		c.Handset = func() []server.Arrival { return []server.Arrival{{To: phone, Text: "Hello", At: 1795253400007}} }
	})
	if a := b.do("GET", "/demo/handset", ""); a.status != 200 || a.body != `[{"to":"+41791234567","text":"Hello","at":"2026-11-21T09:30:00.007Z"}]` {
		t.Errorf("got %+v", a)
	}
	if a := b.do("POST", "/demo/handset", `{"from":"+41791234567","text":"Hi"}`); a.status != 405 {
		t.Errorf("a handset that cannot text: %+v", a)
	}
}

func TestHandsetTexts(t *testing.T) {
	var texts []string
	b := newBox(t, func(c *server.Config, _ *[]otp.App) {
		c.Handset = func() []server.Arrival { return nil }
		c.Text = func(from, text string) error {
			if text == "" {
				return errors.New("no text")
			}
			texts = append(texts, from+" "+text)
			return nil
		}
	})
	if a := b.do("POST", "/demo/handset", `{"from":"+41791234567","text":"Hi"}`); a.status != 204 || len(texts) != 1 || texts[0] != "+41791234567 Hi" {
		t.Errorf("got %+v, texts %q", a, texts)
	}
	if a := b.do("POST", "/demo/handset", `{"from":"+41791234567"}`); a.status != 400 {
		t.Errorf("without a text: %+v", a)
	}
}
