package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem/simulator"
)

// The two routes of a scene.
const (
	stick  = "gsm0"
	backup = "backup"
)

// stage is what a scene is made of; the zero stage is a stick that works, and
// after it a provider that takes everything.
type stage struct {
	sim   simulator.Config
	modem string // more lines of the config's [[modem]]
	// url is where the provider is looked for; "" is where it is.
	url string
	// relayFirst has the provider tried before the stick.
	relayFirst bool
	// limp does not wait for the stick to be ready.
	limp bool
}

// scene is a real box between a simulated stick on a pseudo-terminal and a
// provider over HTTP.
type scene struct {
	*box
	stick    *simulator.Modem
	pty      *simulator.PTY
	provider *provider
	wire     *wire
	sendings []*sending

	mu   sync.Mutex // guards what follows
	sent []transmission
}

// transmission is one SMS that a network took.
type transmission struct {
	route, to, code string
	at              time.Time
}

// wire keeps what the box has written to the stick.
type wire struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

// count tells how often the box has written a command.
func (w *wire) count(command string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Count(w.text.String(), command)
}

// newScene opens a scene and waits until its routes are ready.
func newScene(t *testing.T, g stage) *scene {
	t.Helper()
	pty, err := simulator.OpenPTY()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "modem")
	must(t, pty.Link(link))
	s := &scene{pty: pty, wire: &wire{}}
	g.sim.Trace = s.wire
	s.stick = simulator.New(g.sim)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- simulator.Run(ctx, s.stick, pty) }()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		s.stick.Handset().Watch(ctx, func(m simulator.SMS) { s.took(stick, m.To, m.Text) })
	}()
	t.Cleanup(func() {
		cancel()
		<-watched
		if err := <-served; err != nil && !errors.Is(err, os.ErrClosed) {
			t.Errorf("simulator: %v", err)
		}
		pty.Close()
	})
	s.provider = newProvider(t, func(to, text string) { s.took(backup, to, text) })
	if g.url == "" {
		g.url = s.provider.URL
	}
	order := []string{stick, backup}
	if g.relayFirst {
		order = []string{backup, stick}
	}
	s.box = newBoxWith(t, fmt.Sprintf(`
[[modem]]
name = "gsm0"
device = %q
%s
[[relay]]
name = "backup"
kind = "webhook"
url = %q
insecure = true
allow = ["127.0.0.0/8"]
success_field = "/status"
success_values = ["queued"]
reference = "/id"
[routes]
order = [%q, %q]
`, link, g.modem, g.url, order[0], order[1]))
	s.start()
	if !g.limp {
		s.await(stick, 20*time.Second, "ready", "")
	}
	return s
}

func (s *scene) took(route, to, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, transmission{route, to, digits.FindString(text), now()})
}

// inject makes the stick misbehave.
func (s *scene) inject(specs ...string) {
	s.t.Helper()
	for _, spec := range specs {
		must(s.t, s.stick.InjectSpec(spec))
	}
}

// route is what the box says of a route.
type route struct{ Name, State, Reason, Breaker string }

func (s *scene) route(name string) route {
	s.t.Helper()
	var all struct{ Routes []route }
	must(s.t, json.Unmarshal(s.call(200, "GET", "/v1/routes", "").body, &all))
	for _, r := range all.Routes {
		if r.Name == name {
			return r
		}
	}
	s.t.Fatalf("no route %s", name)
	return route{}
}

// await waits until a route is in a state, for a reason if one is given, and
// returns how long that took.
func (s *scene) await(name string, within time.Duration, state, reason string) time.Duration {
	s.t.Helper()
	return s.until(fmt.Sprintf("%s %s %s", name, state, reason), within, func() bool {
		r := s.route(name)
		return r.State == state && (reason == "" || r.Reason == reason)
	})
}

// until is eventually with a stopwatch.
func (s *scene) until(what string, within time.Duration, ok func() bool) time.Duration {
	s.t.Helper()
	began := now()
	s.eventually(what, within, ok)
	return time.Since(began)
}

// sending is a code on its way to a number of its own, and what the box says of
// its message.
type sending struct {
	scene                     *scene
	verification, message, to string
	began                     time.Time
	progress
}

// progress is how far a message has come.
type progress struct {
	State, Reason, Route string
	PossibleDuplicate    bool `json:"possible_duplicate"`
}

// begin starts a verification, which must be accepted.
func (s *scene) begin() *sending {
	s.t.Helper()
	m := &sending{scene: s, to: number(1_000*len(s.sendings) + 17), began: now()}
	a := s.call(201, "POST", "/v1/verifications", startBody(m.to))
	m.verification, m.message = a.field(s.t, "id"), a.field(s.t, "message", "id")
	s.sendings = append(s.sendings, m)
	return m
}

// send starts a verification and waits for its message to end.
func (s *scene) send() *sending {
	s.t.Helper()
	m := s.begin()
	m.settle()
	return m
}

// endLimit is how long a message may take to end: no scene holds it up for
// longer than one silence and one more attempt.
const endLimit = 60 * time.Second

// settle waits until the message is terminal.
func (m *sending) settle() {
	m.scene.t.Helper()
	m.scene.eventually("terminal", endLimit, func() bool {
		m.progress = progress{}
		must(m.scene.t, json.Unmarshal(m.scene.call(200, "GET", "/v1/messages/"+m.message, "").body, &m.progress))
		return m.State != "accepted" && m.State != "sending"
	})
}

// end is how the message ended, with the reason if there is one.
func (m *sending) end() string {
	if m.Reason == "" {
		return m.State
	}
	return m.State + "(" + m.Reason + ")"
}

// reached tells whether a network says that it has the message.
func (m *sending) reached() bool { return m.State == "sent" || m.State == "delivered" }

// transmissions are those of this message.
func (m *sending) transmissions() (all []transmission) {
	m.scene.mu.Lock()
	defer m.scene.mu.Unlock()
	for _, one := range m.scene.sent {
		if one.to == m.to {
			all = append(all, one)
		}
	}
	return all
}

// took is the time from the request to the hand-over to a route, and whether
// there was one.
func (m *sending) took(route string) (time.Duration, bool) {
	for _, one := range m.transmissions() {
		if one.route == route {
			return one.at.Sub(m.began), true
		}
	}
	return 0, false
}

// prove holds what every fault leaves whole: each message that was answered for
// is listed and terminal, went out twice at most and with the same digits, and
// its code still verifies.
func (s *scene) prove() {
	s.t.Helper()
	states := list(s.t, s.box)
	for n, m := range s.sendings {
		if state := states[m.message]; state != m.State && !(m.State == "sent" && state == "delivered") {
			s.t.Errorf("message %d ended as %s and is now %q", n+1, m.State, state)
		}
		all := m.transmissions()
		if len(all) > 2 {
			s.t.Errorf("message %d was transmitted %d times", n+1, len(all))
		}
		if len(all) == 0 {
			if m.reached() {
				s.t.Errorf("message %d is %s and reached nobody", n+1, m.State)
			}
			continue
		}
		if all[0].code == "" || all[0].code != all[len(all)-1].code {
			s.t.Errorf("message %d: its transmissions do not carry the same digits", n+1)
		}
		s.call(200, "POST", "/v1/verifications/"+m.verification+"/check", checkBody(all[0].code, ""))
	}
}
