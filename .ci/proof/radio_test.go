package proof

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem/simulator"
)

// radioFaults are those of a stick, a SIM and their network.
func radioFaults(t *testing.T) []fault {
	// slow has the PDU still on its way when the stick goes.
	slow := stage{sim: simulator.Config{Latency: 500 * time.Millisecond}}
	all := []fault{
		{name: "F1", cause: "unplugged while idle, and plugged in again", want: backup, limit: goneLimit, sent: 1,
			before: func(s *scene) {
				must(s.t, s.pty.HangUp())
				s.await(stick, 2*time.Second+slack, "coming", "absent")
			},
			after: func(s *scene) {
				must(s.t, s.pty.Replug())
				s.await(stick, 30*time.Second, "ready", "")
				s.send().wants(stick, goneLimit)
			}},
		{name: "F2", cause: "unplugged before the prompt", inject: []string{"hangup=before-prompt@1"}, want: backup, limit: goneLimit, sent: 1},
		{name: "F2", cause: "unplugged behind the prompt", stage: slow, inject: []string{"hangup=after-prompt@1"}, want: backup, limit: goneLimit, sent: 1, either: true},
		{name: "F3", cause: "unplugged after Ctrl-Z, not sent", inject: []string{"hangup=after-submit@1"}, want: backup, limit: goneLimit, sent: 1, maybe: true},
		{name: "F3", cause: "unplugged after Ctrl-Z, sent", inject: []string{"hangup=before-reply@1"}, want: backup, limit: goneLimit, sent: 2, maybe: true},
		{name: "F4", cause: "no prompt, once", inject: []string{"no-prompt@1"}, want: backup, limit: goneLimit, sent: 1,
			after: func(s *scene) { s.wrote("AT+CFUN=1,1", 0) }},
		{name: "F4", cause: "no prompt, for good", inject: []string{"no-prompt@*"}, want: backup, limit: goneLimit, sent: 1,
			after: func(s *scene) {
				// Three without one are enough, but a stick that has just come is given
				// half a minute.
				for began := now(); s.wire.count("AT+CFUN=1,1") == 0 && time.Since(began) < 2*time.Minute; {
					s.await(stick, 45*time.Second, "ready", "")
					s.send().wants(backup, hushLimit)
				}
				s.wrote("AT+CFUN=1,1", 1)
			}},
		{name: "F5", cause: "no answer after Ctrl-Z, not sent", inject: []string{"silence@1"}, want: backup, limit: hushLimit, sent: 1, maybe: true},
		{name: "F5", cause: "no answer after Ctrl-Z, sent", inject: []string{"lost-reply@1", "no-report@1"}, want: backup, limit: hushLimit, sent: 2, maybe: true},
		{name: "F6", cause: "plain ERROR after Ctrl-Z", inject: []string{"error@1"}, want: backup, limit: hardLimit, sent: 1, maybe: true},
		{name: "F6", cause: "200 octets of rubbish around the dialogue", inject: []string{"garbage@1"}, want: stick, limit: goneLimit, sent: 1},
		{name: "F6", cause: "the prompt comes twice", inject: []string{"stuck-prompt@1"}, want: stick, limit: goneLimit, sent: 1},
		{name: "F6", cause: "starts anew with echo, then another message", inject: []string{"reboot@1"}, want: stick, limit: goneLimit, sent: 1,
			after: func(s *scene) { s.send().wants(stick, goneLimit) }},
		{name: "F7", cause: "hangs while idle, the port stays open", inject: []string{"dead"}, want: backup, limit: hardLimit, sent: 1,
			before: func(s *scene) {
				s.until("out of service", 25*time.Second, func() bool { return s.route(stick).State != "ready" })
			},
			after: func(s *scene) {
				s.stick.ClearFaults()
				s.await(stick, 40*time.Second, "ready", "")
				s.send().wants(stick, hardLimit)
			}},
		{name: "F8", cause: "+CMS ERROR: 310 in the dialogue", inject: []string{"cms=310@1"}, want: backup, limit: hardLimit, sent: 1},
		{name: "F8", cause: "SIM taken out while idle, and put back", inject: []string{"sim=missing"}, want: backup, limit: hardLimit, sent: 1,
			before: func(s *scene) { s.await(stick, 10*time.Second+slack, "down", "no_sim") },
			after: func(s *scene) {
				s.stick.ClearFaults()
				s.await(stick, 60*time.Second, "ready", "")
				s.send().wants(stick, hardLimit)
			}},
		wrongPIN(t),
		{name: "F11", cause: "temporary, once", inject: []string{"cms=38@1"}, want: stick, limit: awayLimit, sent: 1},
		{name: "F11", cause: "temporary, for good", inject: []string{"cms=38@*"}, want: backup, limit: awayLimit, sent: 1},
		{name: "F11", cause: "network timeout: maybe sent", inject: []string{"cms=332@1"}, want: backup, limit: hardLimit, sent: 1, maybe: true},
		{name: "F12", cause: "a bad number, and a good one behind it", inject: []string{"cms=1@1"}, state: "failed(recipient_refused)",
			after: func(s *scene) { s.send().wants(stick, slack) }},
		{name: "F13", cause: "no subscription to the service centre", inject: []string{"cms=193@1"}, want: backup, limit: hardLimit, sent: 1,
			after: func(s *scene) {
				s.await(stick, slack, "down", "sim_refused")
				s.send().wants(backup, hardLimit)
				s.wrote("AT+CFUN=1,1", 0)
			}},
		{name: "F14", cause: "invalid PDU mode parameter", inject: []string{"cms=304@1"}, state: "failed(encoding)"},
		{name: "F15", cause: "the SIM's memory is full", inject: []string{"full@now"}, want: stick, limit: awayLimit, sent: 1},
		{name: "F16", cause: "not subscribed, whatever the number", inject: []string{"cms=50@*"}, want: backup, limit: hardLimit, sent: 1,
			before: func(s *scene) {
				for range 5 {
					s.send().wants(backup, hardLimit)
				}
				if r := s.route(stick); r.Breaker != "open" || r.Reason != "credit" {
					s.t.Errorf("after five numbers the breaker is %s, for %q", r.Breaker, r.Reason)
				}
			},
			after: func(s *scene) { s.wrote("AT+CMGS=", 5) }},
	}
	for _, creg := range []struct {
		n    int
		word string
	}{{0, "not registered"}, {2, "searching"}, {3, "denied"}, {4, "unknown"}} {
		all = append(all, fault{
			name: "F10", cause: fmt.Sprintf("+CREG: 0,%d (%s)", creg.n, creg.word), inject: []string{fmt.Sprintf("creg=%d", creg.n)},
			want: backup, limit: hardLimit, sent: 1,
			before: func(s *scene) { s.await(stick, 10*time.Second+slack, "down", "no_network") },
			after: func(s *scene) {
				s.wrote("AT+CMGS=", 0)
				s.stick.ClearFaults()
				s.await(stick, goneLimit, "ready", "")
				s.send().wants(stick, hardLimit)
			},
		})
	}
	return all
}

// wrongPIN is a SIM that refuses the one PIN that the config knows. It is tried
// once, and not again by the next process.
func wrongPIN(t *testing.T) fault {
	path := filepath.Join(t.TempDir(), "pin")
	must(t, os.WriteFile(path, []byte("9999\n"), 0o600))
	once := func(s *scene) {
		s.await(stick, 10*time.Second, "down", "sim_pin")
		s.wrote("AT+CPIN=", 1)
	}
	return fault{
		name: "F9", cause: "the SIM refuses its PIN, across a restart", want: backup, limit: hardLimit, sent: 1,
		stage: stage{sim: simulator.Config{PIN: "1234"}, modem: fmt.Sprintf("pin_file = %q", path), limp: true},
		before: func(s *scene) {
			once(s)
			s.terminate()
			s.start()
			once(s)
		},
		after: once,
	}
}

// wrote holds how often the box wrote a command against what it should.
func (s *scene) wrote(command string, want int) {
	s.t.Helper()
	if n := s.wire.count(command); n != want {
		s.t.Errorf("%s was written %d times, want %d", command, n, want)
	}
}
