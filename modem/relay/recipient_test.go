package relay_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/modem/relay"
	"github.com/pinferry/pinferry/otp"
)

// told returns n events of app "demo" of that type.
func told(n int, kind otp.EventType) (all []otp.Event) {
	for range n {
		all = append(all, otp.Event{ID: otp.NewID(), App: "demo", Type: kind})
	}
	return all
}

// A server is given four events at a time, and no fifth.
func TestNotifierDeliversAFewAtOnce(t *testing.T) {
	q := newQueue()
	open := make(chan struct{})
	got := notify(t, q, whsec(newSecret), func(http.ResponseWriter) { <-open })
	q.put(told(10, otp.EventVerificationApproved)...)
	for range 4 {
		<-got
	}
	q.put(told(1, otp.EventVerificationApproved)...) // it looks again
	close(open)
	for range 7 {
		<-got
	}
	for range 11 {
		if !<-q.settled {
			t.Error("one counts as not delivered")
		}
	}
	if n := len(got); n != 0 {
		t.Errorf("%d events came twice", n)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.asked > 4 { // the ones under way among them
		t.Errorf("it asked for %d at once", q.asked)
	}
}

// serving runs a notifier of app "demo" in a bubble until stop, against a server
// outside of it, whose time stands still for no one.
func serving(t *testing.T, q relay.Queue, url, secret string) (stop func()) {
	t.Helper()
	target := relay.Target{App: "demo", URL: url, SecretFile: secret, Egress: relay.EgressConfig{Insecure: true, Allow: loopback}}
	n, err := relay.NewNotifier(q, []relay.Target{target}, now, func(string, string) {}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); n.Run(ctx) }()
	return func() { cancel(); <-ended }
}

// A server that is down is not asked once for each of its events, but from time
// to time, and has them all soon after it is back.
func TestNotifierLeavesAServerAlone(t *testing.T) {
	var hits, took atomic.Int64
	var up atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if hits.Add(1); !up.Load() {
			w.WriteHeader(503)
			return
		}
		took.Add(1)
	}))
	defer server.Close()
	secret := secretFile(t, whsec(newSecret))
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		q.settled = make(chan bool, 2000)
		q.put(told(1000, otp.EventVerificationApproved)...)
		stop := serving(t, q, server.URL, secret)
		defer stop()
		time.Sleep(2 * time.Second)
		first := hits.Load()
		if first < 3 || first > 7 { // three, and those under way beside them
			t.Errorf("a server that is down was asked %d times at first", first)
		}
		time.Sleep(15 * time.Minute)
		if n := hits.Load() - first; n < 4 || n > 10 { // after 5, 10, 20, 40, 80, 160, 300, 300 s
			t.Errorf("then it was asked %d times in a quarter of an hour", n)
		}
		up.Store(true)
		failed := hits.Load()
		time.Sleep(6 * time.Minute)
		if n := took.Load(); n != 1000-failed {
			t.Errorf("once it is back it has taken %d of %d", n, 1000-failed)
		}
	})
}

// An event that a server will not have keeps no other from it.
func TestNotifierGoesOnPastABadEvent(t *testing.T) {
	var took atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), string(otp.EventVerificationExhausted)) {
			w.WriteHeader(400)
			return
		}
		took.Add(1)
	}))
	defer server.Close()
	secret := secretFile(t, whsec(newSecret))
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		for range 10 {
			q.put(told(1, otp.EventVerificationExhausted)...)
			q.put(told(8, otp.EventVerificationApproved)...)
		}
		stop := serving(t, q, server.URL, secret)
		defer stop()
		for range 90 {
			<-q.settled
		}
		if n := took.Load(); n != 80 {
			t.Errorf("it has taken %d of 80", n)
		}
		rested := time.After(time.Second)
		q.put(told(1, otp.EventVerificationApproved)...)
		select {
		case <-q.settled:
		case <-rested:
			t.Error("the next had to wait")
		}
	})
}
