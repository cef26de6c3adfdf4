package modem_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// office is a box whose routes are gateways of simulated sticks, in a bubble.
type office struct {
	t      *testing.T
	caller otp.Caller
	outbox *otp.Outbox
	starts *otp.Verifications
	// gateways are the routes, in the order of the sticks.
	gateways []*modem.Gateway
}

func staff(t *testing.T, sticks ...*stick) *office {
	t.Helper()
	apps, err := otp.NewApps([]otp.App{{
		ID: "demo", Name: "Demo", Countries: []string{"*"}, Keys: [][32]byte{sha256.Sum256([]byte("sk_demo"))},
	}}, modem.Segments)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := otp.NewKeys(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	box := &otp.Box{
		Store: otptest.NewMemory(), Clock: otp.NewClock(otp.ClockSource{}), Keys: keys, Apps: apps,
		Metrics: otp.NewMetrics(metrics.NewSet()), Log: zerolog.Nop(),
	}
	if _, err := box.Open(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, caller: otp.Caller{App: apps.All()[0], Secret: true}}
	var routes []otp.Route
	for n, s := range sticks {
		g := modem.New(fmt.Sprintf("gsm%d", n), s.open, modem.Config{})
		routes, o.gateways = append(routes, g), append(o.gateways, g)
	}
	o.outbox = otp.NewOutbox(box, routes)
	o.starts = otp.NewVerifications(box, o.outbox)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.outbox.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	time.Sleep(10 * time.Second) // until the sticks are ready
	return o
}

// start begins the verification of the n-th number.
func (o *office) start(n int) (otp.Progress, error) {
	return o.starts.Start(o.t.Context(), o.caller, otp.StartRequest{
		To: number(n), Purpose: otp.PurposeVerify,
	})
}

// number is the n-th number, of 900.
func number(n int) string { return fmt.Sprintf("+4179%03d00%02d", 100+n, n%100) }

func (o *office) message(p otp.Progress) otp.Message {
	o.t.Helper()
	m, err := o.outbox.Get(o.t.Context(), o.caller, p.Message.ID)
	if err != nil {
		o.t.Fatal(err)
	}
	return m
}

// of thirty starts at once at a stick that takes three seconds for each
// message, as many are accepted as are sent within a minute, about when they
// were told, and the rest is told to come back.
func TestSlowStickPromisesWhatItKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := plug(simulator.Config{})
		slow.inject(t, "late-reply=3s@*")
		o := staff(t, slow)
		if _, err := o.start(99); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second) // its pace is known now
		synctest.Wait()
		accepted := map[int]otp.Progress{}
		waits := map[int]time.Duration{}
		for n := range 30 {
			p, err := o.start(n)
			if e := otp.AsError(err); err != nil && (e.Code != otp.Busy || e.RetryAfter < time.Second) {
				t.Fatal(err)
			} else if err != nil {
				waits[n] = e.RetryAfter
				continue
			}
			accepted[n] = p
		}
		if len(accepted) < 15 || len(accepted) > 20 {
			t.Errorf("%d accepted", len(accepted))
		}
		began := time.Duration(0)
		for n := range 30 { // those who were refused, each at its time: later and later
			wait, refused := waits[n]
			if !refused {
				continue
			}
			time.Sleep(wait - began)
			began = wait
			synctest.Wait()
			p, err := o.start(n)
			if err != nil {
				t.Errorf("start %d is refused again after %v: %v", n, wait, err)
				continue
			}
			accepted[n] = p
		}
		time.Sleep(2 * time.Minute)
		for n, p := range accepted {
			m := o.message(p)
			took := m.Updated.Sub(m.Created)
			if m.State != otp.MessageSent && m.State != otp.MessageDelivered || took > time.Minute+4*time.Second {
				t.Errorf("message %d is %s (%s) after %v", n, m.State, m.Reason, took)
			}
			if p.ETA > 2*took || took > 2*p.ETA {
				t.Errorf("message %d: told %v, took %v", n, p.ETA, took)
			}
		}
	})
}

// F2, F3: with one stick of two pulled out in the middle of a message, the other
// sends it within five seconds, and nobody gets it a third time.
func TestPoolOutlivesAStick(t *testing.T) {
	for _, at := range []struct {
		fault   string
		arrives int // at the handsets of both
	}{{"hangup=before-prompt@1", 1}, {"hangup=after-submit@1", 1}, {"hangup=before-reply@1", 2}} {
		t.Run(at.fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bad, good := plug(simulator.Config{}), plug(simulator.Config{})
				bad.inject(t, at.fault)
				o := staff(t, bad, good)
				p, err := o.start(1)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Second)
				synctest.Wait()
				m := o.message(p)
				if m.Route != "gsm1" || m.State != otp.MessageSent && m.State != otp.MessageDelivered {
					t.Errorf("after five seconds the message is %s by %s", m.State, m.Route)
				}
				time.Sleep(5 * time.Minute)
				if n := len(bad.Handset().Messages()) + len(good.Handset().Messages()); n != at.arrives {
					t.Errorf("it arrived %d times, want %d", n, at.arrives)
				}
			})
		})
	}
}
