package modem_test

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

// took runs fn and returns its verdict and the time it took.
func took(fn func() otp.Verdict) (otp.Verdict, time.Duration) {
	const step = 100 * time.Millisecond
	verdict := make(chan otp.Verdict, 1)
	go func() { verdict <- fn() }()
	for passed := time.Duration(0); ; passed += step {
		synctest.Wait()
		select {
		case v := <-verdict:
			return v, passed
		default:
			time.Sleep(step)
		}
	}
}

func isESC(unit string) bool { return unit == "\x1b\r" }

func TestDialogueWithoutAPrompt(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		b.inject(t, "no-prompt@*")
		for i := range 3 {
			opened, escaped := b.openings(), b.units.count(isESC)
			v, passed := took(b.send)
			if v.Outcome != otp.Refused || v.Retry != otp.RetryElsewhere || v.Reason != otp.ReasonModemBusy {
				t.Fatalf("verdict %+v", v)
			}
			if passed != 5*time.Second {
				t.Errorf("the verdict took %v, want 5s", passed)
			}
			if b.units.count(isESC) == escaped {
				t.Error("the modem was not led out of the dialogue")
			}
			time.Sleep(time.Second)
			if reopened := b.openings() > opened; reopened != (i == 2) {
				t.Errorf("after %d messages without a prompt: reopened is %v", i+1, reopened)
			}
			b.await(t, otp.RouteReady, "", 5*time.Second)
		}
		if n := b.units.count(isPDU); n != 0 {
			t.Errorf("%d PDUs were written with no prompt", n)
		}
		b.ClearFaults()
		if v := b.send(); v.Outcome != otp.Sent {
			t.Errorf("afterwards: verdict %+v", v)
		}
	})
}

func TestDialogueSilenceAfterCtrlZ(t *testing.T) {
	for _, spec := range []string{"silence@1", "lost-reply@1", "no-ok@1"} {
		t.Run(spec, func(t *testing.T) {
			bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
				b.inject(t, spec)
				opened := b.openings()
				v, passed := took(b.send)
				if v.Outcome != otp.Unknown || v.Reason != otp.ReasonNoAnswer {
					t.Errorf("verdict %+v", v)
				}
				if passed != 30*time.Second {
					t.Errorf("the verdict took %v, want 30s", passed)
				}
				// Nothing else goes on the line until 60 s have passed.
				before := len(b.units.list())
				time.Sleep(29 * time.Second)
				if status := b.Status(); status.Free != 0 {
					t.Errorf("status %+v, want no free slot", status)
				}
				if v := b.send(); v.Outcome != otp.Refused {
					t.Errorf("a second message: verdict %+v", v)
				}
				if len(b.units.list()) != before || b.openings() != opened {
					t.Error("the line was not kept clear")
				}
				time.Sleep(3 * time.Second)
				if b.openings() != opened+1 {
					t.Errorf("the port was opened %d times after 60 s, want once more", b.openings()-opened)
				}
				b.await(t, otp.RouteReady, "", 5*time.Second)
				if v := b.send(); v.Outcome != otp.Sent {
					t.Errorf("the next message: verdict %+v", v)
				}
				if len(b.sink.confirmations()) != 0 {
					t.Error("a message was confirmed that nobody answered for")
				}
			})
		})
	}
}

func TestDialogueLateAnswer(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		b.inject(t, "late-reply=45s@1")
		opened, out := b.openings(), sample()
		v, passed := took(func() otp.Verdict { return b.Send(context.Background(), out) })
		if v.Outcome != otp.Unknown || passed != 30*time.Second {
			t.Fatalf("verdict %+v after %v", v, passed)
		}
		time.Sleep(14 * time.Second)
		if got := b.sink.confirmations(); len(got) != 0 {
			t.Fatal("confirmed before the answer came")
		}
		time.Sleep(2 * time.Second)
		if got := b.sink.confirmations(); len(got) != 1 || got[0] != out.Message {
			t.Errorf("confirmed %v, want %v", got, out.Message)
		}
		if status := b.Status(); status.Free != 1 || b.openings() != opened {
			t.Errorf("status %+v after the answer, opened %d times", status, b.openings()-opened)
		}
	})
	// At 70 s it is too late: the port has been opened anew, and what comes
	// then must not be taken for the answer to anything.
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		b.inject(t, "late-reply=70s@1", "silence@2")
		b.send()
		time.Sleep(35 * time.Second)
		b.await(t, otp.RouteReady, "", time.Second)
		time.Sleep(10 * time.Second)
		if got := b.sink.confirmations(); len(got) != 0 {
			t.Error("confirmed by an answer to nothing")
		}
		if v := b.send(); v.Outcome != otp.Unknown {
			t.Errorf("the next message took the late answer: verdict %+v", v)
		}
	})
}

// A modem that cannot be told to stop its echo.
func TestDialogueEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: func(unit string) string {
			if unit == "ATE0\r" {
				return unit + "\r\nERROR\r\n"
			}
			return unit + obliging(unit)
		}}
		g := modem.New("gsm0", p.open, modem.Config{})
		stop := start(t, g, &sink{})
		defer stop()
		time.Sleep(3 * time.Second)
		for range 3 {
			if v := g.Send(t.Context(), sample()); v.Outcome != otp.Sent || v.Ref != "1" {
				t.Errorf("verdict %+v", v)
			}
		}
		if n := p.count(isPDU); n != 3 {
			t.Errorf("%d PDUs for 3 messages", n)
		}
	})
}

// Only a reference and the final OK make a message sent.
func TestDialogueNeverSentWithoutBoth(t *testing.T) {
	for answer, want := range map[string]otp.Outcome{
		"\r\nOK\r\n":                                      otp.Unknown,
		"\r\n+CMGS: 1\r\n":                                otp.Unknown,
		"\r\n+CMGS: 256\r\n\r\nOK\r\n":                    otp.Unknown,
		"\r\n+CMGS: -1\r\n\r\nOK\r\n":                     otp.Unknown,
		"\r\n+CMGS:\r\n\r\nOK\r\n":                        otp.Unknown,
		"\r\n+CMGSX: 1\r\n\r\nOK\r\n":                     otp.Unknown,
		"\r\nx+CMGS: 1\r\n\r\nOK\r\n":                     otp.Unknown,
		"\r\n+CMGS: 1\r\n\r\nOKAY\r\n":                    otp.Unknown,
		"\r\n+CMGS: 1\r\n\r\n+CMS ERROR: 38\r\n":          otp.Unknown,
		"\r\n+CMT: ,20\r\nOK\r\n":                         otp.Unknown,
		"\r\nERROR\r\n":                                   otp.Unknown,
		"\r\n+CMS ERROR: network out of order\r\n":        otp.Refused,
		"\r\n+CMS ERROR: it was the goblins\r\n":          otp.Unknown,
		"\r\n+CMGS: 1\r\n\r\nOK\r\n":                      otp.Sent,
		"\r\n+CMGS: 1,\"26/11/22\"\r\n\r\nOK\r\n":         otp.Sent,
		"\r\n+CMGS: 1\r\n+CMGS: 2\r\nOK\r\nOK\r\n":        otp.Sent,
		"00210B\x1a\r\n+CMGS: 1\r\n\r\nOK\r\n":            otp.Sent,
		"\r\nRING\r\n\x00\r\n+CMGS: 1\r\n^RSSI:9\nOK\r\n": otp.Sent,
		"\r\n> \r\n+CMGS: 1\r\n\r\nOK\r\n":                otp.Sent,
	} {
		t.Run(answer, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &peer{answer: func(unit string) string {
					if isPDU(unit) {
						return answer
					}
					return obliging(unit)
				}}
				g := modem.New("gsm0", p.open, modem.Config{})
				stop := start(t, g, &sink{})
				defer stop()
				time.Sleep(3 * time.Second)
				v := g.Send(t.Context(), sample())
				if v.Outcome != want {
					t.Errorf("verdict %+v, want %v", v, want)
				}
				if n := p.count(isPDU); n != 1 {
					t.Errorf("the PDU was written %d times", n)
				}
				if strings.Contains(v.Detail, "goblins") {
					t.Error("the modem's own words are in the verdict")
				}
			})
		})
	}
}

func TestDialoguePortLost(t *testing.T) {
	for point, want := range map[string]struct {
		outcome otp.Outcome
		retry   otp.Retry
		arrived int
	}{
		"before-prompt": {otp.Refused, otp.RetryElsewhere, 0},
		"after-prompt":  {otp.Unknown, 0, 0}, // our Ctrl-Z is faster than the hand that pulls
		"after-submit":  {otp.Unknown, 0, 0},
		"before-reply":  {otp.Unknown, 0, 1},
		"after-reply":   {otp.Sent, 0, 1},
	} {
		t.Run(point, func(t *testing.T) {
			bubble(t, simulator.Config{Latency: time.Second}, modem.Config{}, func(t *testing.T, b *bench) {
				b.inject(t, "hangup="+point+"@1")
				v, passed := took(b.send)
				if v.Outcome != want.outcome {
					t.Errorf("verdict %+v, want %v", v, want.outcome)
				}
				if v.Outcome != otp.Sent && (v.Reason != otp.ReasonRouteGone || v.Retry != want.retry) {
					t.Errorf("verdict %+v", v)
				}
				if passed > 2*time.Second {
					t.Errorf("the verdict took %v", passed)
				}
				if n := len(b.Handset().Messages()); n != want.arrived {
					t.Errorf("%d messages arrived, want %d", n, want.arrived)
				}
				time.Sleep(time.Second)
				b.await(t, otp.RouteReady, "", 5*time.Second)
				if v := b.send(); v.Outcome != otp.Sent {
					t.Errorf("the next message: verdict %+v", v)
				}
			})
		})
	}
}

// Whether Ctrl-Z has gone out decides between refused and unknown (F2, F3).
func TestDialoguePortLostInTheMiddleOfThePDU(t *testing.T) {
	const all = -1
	for _, cut := range []int{0, 1, 30, 64, all} {
		synctest.Test(t, func(t *testing.T) {
			p := &peer{answer: obliging}
			g := modem.New("gsm0", func(ctx context.Context) (modem.Port, error) {
				port, err := p.open(ctx)
				return &breaking{port, cut}, err
			}, modem.Config{})
			stop := start(t, g, &sink{})
			defer stop()
			time.Sleep(3 * time.Second)
			v := g.Send(t.Context(), sample())
			want := otp.Verdict{Outcome: otp.Refused, Reason: otp.ReasonRouteGone, Retry: otp.RetryElsewhere}
			if cut == all {
				want = otp.Verdict{Outcome: otp.Unknown, Reason: otp.ReasonRouteGone}
			}
			if v.Outcome != want.Outcome || v.Reason != want.Reason || v.Retry != want.Retry {
				t.Errorf("after %d octets: verdict %+v, want %+v", cut, v, want)
			}
		})
	}
}

// breaking is a port that goes while a PDU is being written.
type breaking struct {
	modem.Port
	octets int // that still go out; less than 0: all
}

func (b *breaking) Write(p []byte) (int, error) {
	if !isPDU(string(p)) {
		return b.Port.Write(p)
	}
	b.Port.Close()
	if b.octets < 0 {
		return len(p), syscall.EIO
	}
	return b.octets, syscall.EIO
}

// A delivery report in the middle of a dialogue is neither lost nor an answer.
func TestDialogueKeepsReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := "\r\n+CDS: 25\r\n" + statusReport(7, 0x46) + "\r\n"
		p := &peer{answer: func(unit string) string {
			switch {
			case isSubmit(unit):
				return report + obliging(unit)
			case isPDU(unit):
				return report + "\r\n+CMGS: 8\r\n" + report + "\r\nOK\r\n"
			case unit == "AT+CSQ\r":
				return "\r\n+CDS: 25\r\nRING\r\n\r\n+CSQ: 31,0\r\n" + report + "\r\nOK\r\n"
			}
			return obliging(unit)
		}}
		g, s := modem.New("gsm0", p.open, modem.Config{}), &sink{}
		stop := start(t, g, s)
		defer stop()
		time.Sleep(3 * time.Second)
		if v := g.Send(t.Context(), sample()); v.Outcome != otp.Sent || v.Ref != "8" {
			t.Fatalf("verdict %+v", v)
		}
		got := s.reported()
		if len(got) != 4 {
			t.Fatalf("%d reports, want 4", len(got))
		}
		for _, r := range got {
			if r.Ref != "7" || r.Delivered || r.Dial != "41791234567" || r.Status != "TP-ST 0x46" {
				t.Errorf("report %+v", r)
			}
		}
		if dBm := g.Status().SignalDBm; dBm != -51 {
			t.Errorf("signal %d dBm", dBm)
		}
	})
}

// A second message is refused while one is in hand, and a pace is measured.
func TestDialogueOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := otp.NewClock(otp.ClockSource{})
		b := run(t, plug(simulator.Config{Latency: 4 * time.Second}), modem.Config{Now: clock.Now})
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		first := make(chan otp.Verdict)
		go func() { first <- b.send() }()
		time.Sleep(time.Second)
		if b.Status().Free != 0 {
			t.Error("a slot is free while a message is in hand")
		}
		if v := b.send(); v.Outcome != otp.Refused || v.Retry != otp.RetryElsewhere {
			t.Errorf("the second: verdict %+v", v)
		}
		if v := <-first; v.Outcome != otp.Sent {
			t.Errorf("the first: verdict %+v", v)
		}
		if status := b.Status(); status.Pace != 4*time.Second || status.Free != 1 {
			t.Errorf("status %+v", status)
		}
	})
}

// Whoever calls the SIM and hangs up must not be able to end a dialogue: what
// the modem says of the call answers nothing.
func TestDialogueThroughACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: func(unit string) string {
			return "\r\nRING\r\n\r\nNO CARRIER\r\n" + obliging(unit)
		}}
		b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{}), sink: &sink{}}
		b.stop = start(t, b.Gateway, b.sink)
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		if v := b.send(); v.Outcome != otp.Sent {
			t.Errorf("verdict %+v", v)
		}
		if n := p.openings(); n != 1 {
			t.Errorf("%d openings, want 1", n)
		}
	})
}
