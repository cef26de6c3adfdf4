package proof

import (
	"io"
	"log"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"
)

// relayFaults are those of a provider that is tried before the stick.
func relayFaults(t *testing.T) []fault {
	closed := "http://" + freePort(t) + "/"
	stranger := httptest.NewUnstartedServer(nil) // nobody vouches for it
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0)
	stranger.StartTLS()
	t.Cleanup(stranger.Close)
	// behind is a stage on which the provider comes first.
	behind := stage{relayFirst: true}
	// asked holds the requests that the provider saw against what it should.
	asked := func(want int) func(*scene) {
		return func(s *scene) {
			s.t.Helper()
			if n := s.provider.asked(); n != want {
				s.t.Errorf("the provider was asked %d times, want %d", n, want)
			}
		}
	}
	// aside wants the provider out of service, and not asked again.
	aside := func(s *scene) {
		s.await(backup, slack, "down", "")
		s.send().wants(stick, hardLimit)
		asked(1)(s)
	}
	all := []fault{
		{name: "F17", cause: "connection refused", stage: stage{relayFirst: true, url: closed}, want: stick, limit: awayLimit, sent: 1},
		{name: "F17", cause: "no such name", stage: stage{relayFirst: true, url: "https://provider.invalid/"}, want: stick, limit: awayLimit, sent: 1},
		{name: "F17", cause: "a certificate that nobody vouches for", stage: stage{relayFirst: true, url: stranger.URL}, want: stick, limit: awayLimit, sent: 1},
		{name: "F18", cause: "500, once", stage: behind, next: []misdeed{answers(500, "")}, want: backup, limit: awayLimit, sent: 1, after: asked(2)},
		{name: "F18", cause: "500, for good", stage: behind, always: answers(500, ""), want: stick, limit: awayLimit, sent: 1, after: asked(2)},
		{name: "F18", cause: "429 with Retry-After: 2", stage: behind, next: []misdeed{answers(429, "2")}, want: backup, limit: awayLimit, sent: 1, after: asked(2)},
		{name: "F18", cause: "429 with Retry-After: 60", stage: behind, always: answers(429, "60"), want: stick, limit: hardLimit, sent: 1, after: aside},
		{name: "F20", cause: "takes it and never answers", stage: behind, always: mute(), want: stick, limit: awayLimit, sent: 2, maybe: true, after: asked(1)},
		{name: "F21", cause: "five failures in a row open the breaker", stage: behind, always: answers(400, ""), want: stick, limit: slack, sent: 1,
			before: func(s *scene) {
				for range 5 {
					s.send().wants(stick, hardLimit)
				}
				if state := s.route(backup).Breaker; state != "open" {
					s.t.Errorf("after five failures the breaker is %s", state)
				}
			},
			after: func(s *scene) {
				asked(5)(s)
				s.shut()
				s.provider.misbehave(misdeed{})
				s.until("probing", 31*time.Second, func() bool { return s.route(backup).Breaker == "probing" })
				for range 2 {
					s.send().wants(backup, hardLimit)
				}
				if state := s.route(backup).Breaker; state != "closed" {
					s.t.Errorf("after two good probes the breaker is %s", state)
				}
			}},
		{name: "F22", cause: "a portal's page with 200", stage: behind, always: says("text/html", "<html>queued? log in</html>"), want: stick, limit: hardLimit, sent: 1, after: asked(1)},
		{name: "F22", cause: "200 and JSON of another shape", stage: behind, always: says("application/json", `{"error":"no credit"}`), want: stick, limit: hardLimit, sent: 1, after: asked(1)},
		{name: "F22", cause: "a redirect", stage: behind, always: redirects(), want: stick, limit: hardLimit, sent: 1, after: asked(1)},
	}
	for _, status := range []int{400, 401, 403} {
		f := fault{name: "F19", cause: strconv.Itoa(status), stage: behind, always: answers(status, ""), want: stick, limit: hardLimit, sent: 1, after: aside}
		if status == 400 {
			f.after = asked(1)
		}
		all = append(all, f)
	}
	return all
}

// shut pulls the stick while the provider's breaker is open: with no way left a
// send is refused at once, and not taken on.
func (s *scene) shut() {
	s.t.Helper()
	must(s.t, s.pty.HangUp())
	s.await(stick, 15*time.Second, "down", "absent")
	began := now()
	a := s.call(503, "POST", "/v1/verifications", startBody(number(9_999_999)))
	if took := time.Since(began); took > slack || a.header.Get("Retry-After") == "" {
		s.t.Errorf("with both routes shut a send was refused after %v, Retry-After %q", took, a.header.Get("Retry-After"))
	}
	must(s.t, s.pty.Replug())
	s.await(stick, 30*time.Second, "ready", "")
}
