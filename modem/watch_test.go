package modem_test

import (
	"bytes"
	"context"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

func TestWatchADeadModem(t *testing.T) {
	// Wherever the modem is in its round of polls when it dies.
	for _, wait := range []time.Duration{0, time.Second, 7990 * time.Millisecond, 8 * time.Second, 11 * time.Second} {
		bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
			time.Sleep(wait)
			b.inject(t, "dead")
			b.await(t, otp.RouteComing, "no_answer", 15*time.Second)
			b.await(t, otp.RouteDown, "no_answer", 25*time.Second)
			if b.Status().Free != 0 {
				t.Error("a slot is free in a dead modem")
			}
			b.ClearFaults()
			b.await(t, otp.RouteReady, "", 12*time.Second)
			if v := b.send(); v.Outcome != otp.Sent {
				t.Errorf("verdict %+v", v)
			}
		})
	}
}

// An idle modem is looked at every 10 s at least.
func TestWatchAnIdleModem(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		alive := func(unit string) bool { return unit == "AT\r" }
		for range 30 {
			before := b.units.count(alive)
			time.Sleep(10 * time.Second)
			if b.units.count(alive) == before {
				t.Fatal("10 s without an AT")
			}
		}
	})
}

func TestWatchAPulledStick(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		b.pull(true)
		b.await(t, otp.RouteComing, "absent", 2*time.Second)
		if v := b.send(); v.Outcome != otp.Refused || v.Retry != otp.RetryElsewhere {
			t.Errorf("verdict %+v", v)
		}
		if passed := b.await(t, otp.RouteDown, "absent", 11*time.Second); passed < 8*time.Second {
			t.Errorf("down after %v already", passed)
		}
		time.Sleep(time.Hour)
		b.pull(false)
		b.await(t, otp.RouteReady, "", 7*time.Second)
		if v := b.send(); v.Outcome != otp.Sent {
			t.Errorf("verdict %+v", v)
		}
	})
}

func TestWatchTheSIM(t *testing.T) {
	for spec, reason := range map[string]string{"sim=missing": "no_sim", "sim=pin": "sim_pin", "sim=puk": "sim_puk"} {
		t.Run(spec, func(t *testing.T) {
			bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
				b.inject(t, spec)
				b.await(t, otp.RouteDown, reason, 10*time.Second)
				if v := b.send(); v.Outcome != otp.Refused {
					t.Errorf("verdict %+v", v)
				}
				if n := b.units.count(isSubmit); n != 0 {
					t.Errorf("AT+CMGS was written %d times", n)
				}
				time.Sleep(5 * time.Minute)
				cycles := b.units.count(func(unit string) bool { return unit == "AT+CFUN=0\r" })
				if missing := spec == "sim=missing"; missing != (cycles > 0) {
					t.Errorf("the radio was cycled %d times", cycles)
				}
				b.inject(t, "sim=ready")
				b.await(t, otp.RouteReady, "", 60*time.Second)
			})
		})
	}
	// Some modems look for a SIM only when their radio is switched on.
	t.Run("found by a radio cycle only", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			there, found := true, true
			p := &peer{answer: func(unit string) string {
				mu.Lock()
				defer mu.Unlock()
				if unit == "AT+CFUN=1\r" {
					found = there
				}
				if unit == "AT+CPIN?\r" && !found {
					return "\r\n+CME ERROR: 10\r\n"
				}
				return obliging(unit)
			}}
			b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{})}
			stop := start(t, b.Gateway, &sink{})
			defer stop()
			b.await(t, otp.RouteReady, "", 3*time.Second)
			mu.Lock()
			there, found = false, false
			mu.Unlock()
			b.await(t, otp.RouteDown, "no_sim", 10*time.Second)
			time.Sleep(10 * time.Minute)
			mu.Lock()
			there = true
			mu.Unlock()
			b.await(t, otp.RouteReady, "", 60*time.Second)
		})
	})
}

func TestWatchTheRegistration(t *testing.T) {
	for spec, ready := range map[string][2]bool{ // without roaming, with it
		"creg=0": {false, false}, "creg=2": {false, false}, "creg=3": {false, false}, "creg=4": {false, false},
		"creg=1": {true, true}, "creg=6": {true, true}, "creg=5": {false, true}, "creg=7": {false, true},
	} {
		for i, roaming := range []bool{false, true} {
			t.Run(spec, func(t *testing.T) {
				bubble(t, simulator.Config{}, modem.Config{Roaming: roaming}, func(t *testing.T, b *bench) {
					b.inject(t, spec)
					if ready[i] {
						time.Sleep(30 * time.Second)
						b.await(t, otp.RouteReady, "", 0)
						return
					}
					b.await(t, otp.RouteDown, "no_network", 10*time.Second)
					if v := b.send(); v.Outcome != otp.Refused {
						t.Errorf("verdict %+v", v)
					}
					if n := b.units.count(isSubmit); n != 0 {
						t.Errorf("AT+CMGS was written %d times", n)
					}
					time.Sleep(time.Minute)
					b.inject(t, "creg=1")
					b.await(t, otp.RouteReady, "", 5*time.Second)
				})
			})
		}
	}
}

// An indication of any form is heeded at once.
func TestWatchIndications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: obliging}
		b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{})}
		stop := start(t, b.Gateway, &sink{})
		defer stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		for _, c := range []struct {
			text  string
			state otp.RouteState
		}{
			{"+CREG: 2", otp.RouteDown}, {"+CREG: 1", otp.RouteReady}, {"+CREG: 0,\"00A1\",\"0C0D\"", otp.RouteDown},
			{"+CEREG: 6,\"00A1\",\"0C0D\",7", otp.RouteReady}, {"+CREG: x", otp.RouteReady}, {"+CEREG: 3", otp.RouteDown},
		} {
			p.say("\r\n" + c.text + "\r\n")
			synctest.Wait()
			if status := b.Status(); status.State != c.state {
				t.Errorf("after %s: %v %q, want %v", c.text, status.State, status.Reason, c.state)
			}
		}
		b.await(t, otp.RouteReady, "", 2*time.Second) // the look that follows knows better
	})
}

// A registration that comes and goes must not fill the log.
func TestWatchAFlappingNetwork(t *testing.T) {
	var log bytes.Buffer
	bubble(t, simulator.Config{}, modem.Config{Log: zerolog.New(&log).Level(zerolog.InfoLevel)}, func(t *testing.T, b *bench) {
		for range 50 {
			b.inject(t, "creg=2")
			time.Sleep(3 * time.Second)
			b.inject(t, "creg=1")
			time.Sleep(3 * time.Second)
			if v := b.send(); v.Outcome != otp.Sent {
				t.Fatalf("verdict %+v", v)
			}
		}
		if n := len(b.Handset().Messages()); n != 50 {
			t.Errorf("%d messages arrived, want 50", n)
		}
	})
	if lines := bytes.Count(log.Bytes(), []byte("\n")); lines > 31 || lines < 2 {
		t.Errorf("%d lines in 5 minutes:\n%s", lines, log.String())
	}
}

// A defect in our own code costs one message an unknown outcome, and the
// gateway is back within a second or so.
func TestWatchADefect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		failing := true
		p := &peer{answer: func(unit string) string {
			mu.Lock()
			defer mu.Unlock()
			if isPDU(unit) && failing {
				panic("on purpose")
			}
			return obliging(unit)
		}}
		b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{})}
		stop := start(t, b.Gateway, &sink{})
		defer stop()
		for range 5 {
			b.await(t, otp.RouteReady, "", 3*time.Second)
			if v := b.send(); v.Outcome != otp.Unknown || v.Reason != otp.ReasonRouteFault {
				t.Fatalf("verdict %+v", v)
			}
		}
		b.await(t, otp.RouteDown, "stopped", 2*time.Second)
		opened := p.openings()
		time.Sleep(40 * time.Second)
		if p.openings() != opened {
			t.Error("a gateway that fails again and again goes on at once")
		}
		mu.Lock()
		failing = false
		mu.Unlock()
		b.await(t, otp.RouteReady, "", 30*time.Second)
		if v := b.send(); v.Outcome != otp.Sent {
			t.Errorf("verdict %+v", v)
		}
	})
}

// A driver that panics in Read ends the session, not the process.
func TestWatchADriverThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: obliging}
		opened := 0
		g := modem.New("gsm0", func(ctx context.Context) (modem.Port, error) {
			port, err := p.open(ctx)
			if opened++; opened == 1 {
				return panicking{port}, err
			}
			return port, err
		}, modem.Config{})
		b := &bench{Gateway: g}
		stop := start(t, g, &sink{})
		defer stop()
		b.await(t, otp.RouteReady, "", 5*time.Second)
	})
}

type panicking struct{ modem.Port }

func (panicking) Read([]byte) (int, error) { panic("on purpose") }

// A Write that the modem does not take ends at its deadline, and the session
// with it.
func TestWatchABlockedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: obliging}
		var mu sync.Mutex
		blocked := false
		g := modem.New("gsm0", func(ctx context.Context) (modem.Port, error) {
			port, err := p.open(ctx)
			return &blocking{Port: port, mu: &mu, blocked: &blocked}, err
		}, modem.Config{})
		b := &bench{Gateway: g}
		stop := start(t, g, &sink{})
		defer stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		mu.Lock()
		blocked = true
		mu.Unlock()
		v, passed := took(b.send)
		if v.Outcome != otp.Refused || v.Reason != otp.ReasonRouteGone || passed > 6*time.Second {
			t.Errorf("verdict %+v after %v", v, passed)
		}
		b.await(t, otp.RouteDown, "no_answer", 25*time.Second)
		mu.Lock()
		blocked = false
		mu.Unlock()
		b.await(t, otp.RouteReady, "", 15*time.Second)
	})
}

// blocking is a port whose Write takes nothing while blocked is set.
type blocking struct {
	modem.Port
	mu       *sync.Mutex
	blocked  *bool
	deadline time.Time
}

func (b *blocking) SetWriteDeadline(t time.Time) error {
	b.deadline = t
	return b.Port.SetWriteDeadline(t)
}

func (b *blocking) Write(p []byte) (int, error) {
	b.mu.Lock()
	blocked := *b.blocked
	b.mu.Unlock()
	if blocked {
		time.Sleep(time.Until(b.deadline))
		return 0, os.ErrDeadlineExceeded
	}
	return b.Port.Write(p)
}

// Noise of any kind ends, and 5 s later the modem is heard again.
func TestWatchNoise(t *testing.T) {
	for _, spec := range []string{"noise@now", "garbage@now", "urc@now", "reboot@now"} {
		t.Run(spec, func(t *testing.T) {
			bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
				b.inject(t, spec)
				synctest.Wait()
				b.await(t, otp.RouteReady, "", 5*time.Second)
				if v := b.send(); v.Outcome != otp.Sent {
					t.Errorf("verdict %+v", v)
				}
			})
		})
	}
}

// Time and again the sink hears when the state changes.
func TestWatchTellsTheSink(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		for _, spec := range []string{"creg=0", "creg=1", "sim=missing", "sim=ready"} {
			before := b.sink.changes()
			b.inject(t, spec)
			time.Sleep(15 * time.Second)
			if b.sink.changes() == before {
				t.Errorf("%s: the sink heard nothing", spec)
			}
		}
	})
}

func TestNull(t *testing.T) {
	n := modem.NewNull("null0")
	stop := start(t, n, &sink{})
	defer stop()
	if status := n.Status(); status.State != otp.RouteReady || status.Free != 64 || status.Slots != 64 || !status.Test || status.Kind != "null" || status.Reports {
		t.Errorf("status %+v", status)
	}
	if v := n.Send(t.Context(), sample()); v.Outcome != otp.Sent || v.Ref != "" {
		t.Errorf("verdict %+v", v)
	}
	if v := n.Send(t.Context(), otp.Outgoing{Dial: "112", Text: "x"}); v.Outcome != otp.Refused {
		t.Errorf("verdict %+v", v)
	}
}
