package proof

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// provider is a webhook that can be told to misbehave.
type provider struct {
	*httptest.Server
	took func(to, text string)

	mu       sync.Mutex
	requests int
	script   []misdeed // of the next requests
	always   misdeed   // of those after them; the zero one takes the message as it should
}

// misdeed answers in the provider's stead; takes tells that the message was
// taken all the same.
type misdeed struct {
	answer http.HandlerFunc
	takes  bool
}

// newProvider starts a provider that tells of each message it takes.
func newProvider(t *testing.T, took func(to, text string)) *provider {
	t.Helper()
	p := &provider{took: took}
	p.Server = httptest.NewUnstartedServer(p)
	p.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.Start()
	t.Cleanup(p.Close)
	return p
}

// ServeHTTP implements [http.Handler].
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct{ ID, To, Text string }
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	if err != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.requests++
	deed := p.always
	if len(p.script) > 0 {
		deed, p.script = p.script[0], p.script[1:]
	}
	p.mu.Unlock()
	if deed.takes || deed.answer == nil {
		p.took(m.To, m.Text)
	}
	if deed.answer != nil {
		deed.answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"status":"queued","id":%q}`, m.ID)
}

// misbehave sets what the next requests meet, and what all others do.
func (p *provider) misbehave(always misdeed, next ...misdeed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.always, p.script = always, next
}

// asked is how many requests have come.
func (p *provider) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// answers refuses with a status; wait is the Retry-After, "" is none.
func answers(status int, wait string) misdeed {
	return misdeed{answer: func(w http.ResponseWriter, _ *http.Request) {
		if wait != "" {
			w.Header().Set("Retry-After", wait)
		}
		w.WriteHeader(status)
	}}
}

// says answers 200 with a body that does not prove that the message was taken.
func says(kind, body string) misdeed {
	return misdeed{answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		io.WriteString(w, body)
	}}
}

// redirects sends the box to another address, which it must not follow with a
// code in hand.
func redirects() misdeed {
	return misdeed{answer: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/login", http.StatusTemporaryRedirect)
	}}
}

// mute takes the message and never answers.
func mute() misdeed {
	return misdeed{takes: true, answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}
}
