package relay_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/modem/relay"
	"github.com/pinferry/pinferry/otp"
)

// queue is a queue of events that a test fills.
type queue struct {
	mu      sync.Mutex
	waiting []otp.Event
	news    chan struct{}
	settled chan bool // delivered or not, one for each
	asked   int       // the most that were asked for at once
}

func newQueue() *queue { return &queue{news: make(chan struct{}), settled: make(chan bool, 128)} }

func (q *queue) put(e ...otp.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, e...)
	close(q.news)
	q.news = make(chan struct{})
}

func (q *queue) News() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.news
}

func (q *queue) Due(_ context.Context, app string, limit int) (due []otp.Event, _ time.Duration, _ error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asked = max(q.asked, limit)
	for _, e := range q.waiting {
		if e.App == app && len(due) < limit {
			due = append(due, e)
		}
	}
	return due, 0, nil
}

func (q *queue) Settle(_ context.Context, e otp.Event, delivered bool) (bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.DeleteFunc(q.waiting, func(w otp.Event) bool { return w.ID == e.ID })
	q.settled <- delivered
	return false, nil
}

func (q *queue) Tidy(context.Context, string) error { return nil }

func (q *queue) Text(context.Context, otp.Event) (string, error) { return "hello", nil }

var (
	oldSecret = []byte(strings.Repeat("o", 24))
	newSecret = []byte(strings.Repeat("n", 32))
)

func whsec(secret []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(secret) }

// taken is one delivery as a server sees it.
type taken struct {
	header http.Header
	body   string
}

// notify runs a notifier of app "demo" against a server until the test ends.
func notify(t *testing.T, q relay.Queue, secrets string, answer func(http.ResponseWriter)) <-chan taken {
	t.Helper()
	got := make(chan taken, 64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- taken{r.Header, string(body)}
		answer(w)
	}))
	t.Cleanup(server.Close)
	target := relay.Target{
		App: "demo", URL: server.URL + "/hook", SecretFile: secretFile(t, secrets),
		Egress: relay.EgressConfig{Insecure: true, Allow: loopback},
	}
	n, err := relay.NewNotifier(q, []relay.Target{target}, func() otp.Time { return 1795253400007 }, func(string, string) {}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return got
}

func TestNotifierSigns(t *testing.T) {
	q := newQueue()
	got := notify(t, q, whsec(newSecret)+" "+whsec(oldSecret), func(w http.ResponseWriter) { w.WriteHeader(204) })
	id := otp.ID{1, 2, 3}
	q.put(otp.Event{ID: id, App: "demo", Type: otp.EventInboundReceived, At: 1795253399000, Inbound: otp.ID{9}, From: "+41791234567", Route: "gsm0"})
	one := <-got
	want := `{"type":"inbound.received","timestamp":"2026-11-21T09:29:59Z","data":{"app":"demo","inbound":"inb_09000000000000000000000000000000","from":"+41791234567","text":"hello","route":"gsm0"}}`
	if one.body != want {
		t.Errorf("body %s\nwant %s", one.body, want)
	}
	if got := one.header.Get("webhook-id"); got != "evt_"+id.String() {
		t.Errorf("webhook-id %q", got)
	}
	if got := one.header.Get("webhook-timestamp"); got != "1795253400" {
		t.Errorf("webhook-timestamp %q", got)
	}
	var signatures []string
	for _, secret := range [][]byte{newSecret, oldSecret} {
		mac := hmac.New(sha256.New, secret)
		io.WriteString(mac, "evt_"+id.String()+".1795253400."+one.body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if got := one.header.Get("webhook-signature"); got != strings.Join(signatures, " ") {
		t.Errorf("webhook-signature %q", got)
	}
	if !<-q.settled {
		t.Error("it counts as not delivered")
	}
}

// Anything but 2xx is no delivery; a redirect is not followed.
func TestNotifierBelieves2xxOnly(t *testing.T) {
	for _, status := range []int{200, 202, 299, 301, 307, 400, 410, 429, 500} {
		q := newQueue()
		got := notify(t, q, whsec(newSecret), func(w http.ResponseWriter) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		q.put(otp.Event{ID: otp.NewID(), App: "demo", Type: otp.EventVerificationApproved})
		<-got
		if delivered := <-q.settled; delivered != (status < 300) {
			t.Errorf("status %d: delivered is %v", status, delivered)
		}
		if len(got) != 0 {
			t.Errorf("status %d: the server was asked again", status)
		}
	}
}

func TestNotifierBodyIsAnObjectForEachType(t *testing.T) {
	q := newQueue()
	got := notify(t, q, whsec(newSecret), func(http.ResponseWriter) {})
	for _, e := range []otp.Event{
		{Type: otp.EventVerificationApproved, Verification: otp.ID{1}, To: "+41*******67", Purpose: otp.PurposeVerify, Channel: "sms"},
		{Type: "message.failed", Message: otp.ID{2}, Verification: otp.ID{1}, Reason: otp.ReasonRecipient, Route: "gsm0"},
	} {
		e.ID, e.App = otp.NewID(), "demo"
		q.put(e)
		one := <-got
		var body struct {
			Type string
			Data map[string]string
		}
		if err := json.Unmarshal([]byte(one.body), &body); err != nil || body.Type != string(e.Type) || body.Data["verification"] != "vrf_01000000000000000000000000000000" {
			t.Errorf("%s: %v", one.body, err)
		}
		if _, told := body.Data["text"]; told {
			t.Errorf("a text shows: %s", one.body)
		}
		<-q.settled
	}
}

func TestNotifierConfig(t *testing.T) {
	good := whsec(newSecret)
	for name, test := range map[string]struct {
		target relay.Target
		secret string
		want   string
	}{
		"Good":        {relay.Target{URL: "https://example.com/hook"}, good, ""},
		"Plain":       {relay.Target{URL: "http://example.com/hook"}, good, "https"},
		"PlainOnWish": {relay.Target{URL: "http://example.com/hook", Egress: relay.EgressConfig{Insecure: true}}, good, ""},
		"NoHost":      {relay.Target{URL: "https:///hook"}, good, "webhook"},
		"User":        {relay.Target{URL: "https://me:pw@example.com/"}, good, "webhook"},
		"OtherScheme": {relay.Target{URL: "file:///etc/passwd"}, good, "webhook"},
		"ShortSecret": {relay.Target{URL: "https://example.com/"}, whsec([]byte("short")), "webhook_secret_file"},
		"NoPrefix":    {relay.Target{URL: "https://example.com/"}, strings.TrimPrefix(good, "whsec_"), "webhook_secret_file"},
		"EmptySecret": {relay.Target{URL: "https://example.com/"}, "", "webhook_secret_file"},
	} {
		t.Run(name, func(t *testing.T) {
			test.target.App, test.target.SecretFile = "demo", secretFile(t, test.secret)
			_, err := relay.NewNotifier(newQueue(), []relay.Target{test.target}, nil, nil, zerolog.Nop())
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), `"demo"`)) {
				t.Errorf("error %v", err)
			}
			if err != nil && test.secret != "" && strings.Contains(err.Error(), strings.TrimPrefix(test.secret, "whsec_")) {
				t.Error("the error shows the secret")
			}
		})
	}
	if err := (&relay.Target{URL: "https://example.com/"}).Check(); err == nil || !strings.Contains(err.Error(), "webhook_secret_file") {
		t.Errorf("without a secret: %v", err)
	}
}
