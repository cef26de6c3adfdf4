package modem_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestGatewaySends(t *testing.T) {
	bubble(t, simulator.Config{TextMode: true, Latency: 3 * time.Second}, modem.Config{}, func(t *testing.T, b *bench) {
		v := b.send()
		if v.Outcome != otp.Sent || v.Ref == "" {
			t.Fatalf("verdict %+v, want sent with a reference", v)
		}
		got := b.Handset().Messages()
		if len(got) != 1 || got[0].To != "+41791234567" || got[0].Text != sample().Text {
			t.Fatalf("handset has %+v", got)
		}
		time.Sleep(time.Second)
		reports := b.sink.reported()
		if len(reports) != 1 || !reports[0].Delivered || reports[0].Ref != v.Ref || reports[0].Dial != "41791234567" || reports[0].Route != "gsm0" {
			t.Fatalf("reports %+v, want one delivery of %s", reports, v.Ref)
		}
		status := b.Status()
		if status.Free != 1 || status.Operator != "Simulator" || status.Registration != "home" || status.SignalDBm != -73 || !status.Reports {
			t.Errorf("status %+v", status)
		}
	})
}

func TestGatewayFirstWordsOnTheLine(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		if got := b.units.list()[:2]; got[0] != "\x1b\r" || got[1] != "AT\r" {
			t.Errorf("the line began with %q", got)
		}
	})
}

// The modem may be in any state and may refuse what it likes, as long as it
// can send: the message arrives once, and is "sent".
func TestGatewayTolerates(t *testing.T) {
	for _, specs := range [][]string{
		{"cmee-refused"}, {"gcap-error"}, {"refuse=+CNMI"}, {"refuse=+CSMS"}, {"refuse=+CSCA"}, {"refuse=+COPS"},
		{"refuse=+CGREG", "refuse=+CEREG"}, {"refuse=+CSQ"}, {"csq=99"}, {"creg=6"}, {"esc-ignored"},
		{"urc@*"}, {"twice@*"}, {"stuck-prompt@*"}, {"report-early@*"}, {"noise@1"},
	} {
		t.Run(strings.Join(specs, " "), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := plug(simulator.Config{TextMode: true})
				s.inject(t, specs...)
				b := run(t, s, modem.Config{})
				defer b.stop()
				b.await(t, otp.RouteReady, "", 6*time.Second)
				if v := b.send(); v.Outcome != otp.Sent {
					t.Errorf("verdict %+v", v)
				}
				if got := b.Handset().Messages(); len(got) != 1 || got[0].Text != sample().Text {
					t.Errorf("handset has %+v", got)
				}
				b.stop()
				checkUnits(t, b.units.list())
			})
		})
	}
}

// A prompt that a killed process left behind must not swallow our commands.
func TestGatewayLeavesAStuckPrompt(t *testing.T) {
	for _, spec := range []string{"", "esc-ignored"} {
		t.Run(spec, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := plug(simulator.Config{})
				port, err := s.open(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, text := range []string{"ATE0\r", "AT+CMGF=0\r", "AT+CMGS=20\r"} {
					go port.Write([]byte(text))
					got := make([]byte, 64)
					for !strings.ContainsAny(string(got), "K>") {
						if _, err := port.Read(got); err != nil {
							t.Fatal(err)
						}
					}
				}
				port.Close()
				s.units = units{}
				if spec != "" {
					s.inject(t, spec)
				}
				b := run(t, s, modem.Config{})
				defer b.stop()
				b.await(t, otp.RouteReady, "", 7*time.Second)
				if v := b.send(); v.Outcome != otp.Sent {
					t.Errorf("verdict %+v", v)
				}
				if got := b.Handset().Messages(); len(got) != 1 {
					t.Errorf("handset has %d messages, want 1", len(got))
				}
			})
		})
	}
}

func TestGatewayKeepsToPDUMode(t *testing.T) {
	t.Run("a modem that falls into text mode and does not say so", func(t *testing.T) {
		bubble(t, simulator.Config{TextMode: true}, modem.Config{}, func(t *testing.T, b *bench) {
			b.inject(t, "cmgf-reset@*")
			for range 3 {
				if v := b.send(); v.Outcome != otp.Sent {
					t.Fatalf("verdict %+v", v)
				}
			}
			for _, sms := range b.Handset().Messages() {
				if sms.To != "+41791234567" || sms.Text != sample().Text {
					t.Errorf("a message went to %s", sms.To)
				}
			}
		})
	})
	t.Run("a modem that starts again", func(t *testing.T) {
		bubble(t, simulator.Config{TextMode: true, Boot: time.Second}, modem.Config{}, func(t *testing.T, b *bench) {
			b.inject(t, "reboot@1")
			if v := b.send(); v.Outcome != otp.Sent {
				t.Fatalf("verdict %+v", v)
			}
			time.Sleep(15 * time.Second)
			b.await(t, otp.RouteReady, "", 10*time.Second)
			if v := b.send(); v.Outcome != otp.Sent {
				t.Fatalf("verdict %+v", v)
			}
			for _, sms := range b.Handset().Messages() {
				if sms.To != "+41791234567" {
					t.Errorf("a message went to %s", sms.To)
				}
			}
		})
	})
	for _, spec := range []string{"cmgf-ignored", "cmgf-refused"} {
		t.Run(spec, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := plug(simulator.Config{TextMode: true})
				s.inject(t, spec)
				b := run(t, s, modem.Config{})
				defer b.stop()
				b.await(t, otp.RouteDown, "no_answer", 15*time.Second)
				if v := b.send(); v.Outcome != otp.Refused {
					t.Errorf("verdict %+v", v)
				}
				if n := b.units.count(isSubmit); n != 0 {
					t.Errorf("AT+CMGS was written %d times", n)
				}
			})
		})
	}
}

func TestGatewaySendsLongTexts(t *testing.T) {
	long := strings.Repeat("A text {with} some [brackets] and €. ", 20)
	wide := strings.Repeat("Код подтверждения 😀 ", 15)
	for _, text := range []string{long, wide} {
		bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
			v := b.Send(t.Context(), otp.Outgoing{Dial: "41791234567", Text: text})
			if v.Outcome != otp.Sent {
				t.Fatalf("verdict %+v", v)
			}
			got := b.Handset().Messages()
			if len(got) != 1 || got[0].Text != text {
				t.Fatalf("handset has %+v", got)
			}
			if n := b.units.count(isPDU); n != modem.Segments(text) || n < 4 {
				t.Errorf("%d PDUs, Segments says %d", n, modem.Segments(text))
			}
		})
	}
}

// A piece of a message has reached the handset: that is neither sent nor
// refused.
func TestGatewayPartOfALongText(t *testing.T) {
	text := strings.Repeat("0123456789", 40) // three parts
	for spec, want := range map[string]otp.Outcome{"cms=38@1": otp.Refused, "cms=38@2": otp.Unknown, "cms=1@3": otp.Unknown, "no-prompt@2": otp.Unknown} {
		t.Run(spec, func(t *testing.T) {
			bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
				b.inject(t, spec)
				v := b.Send(t.Context(), otp.Outgoing{Dial: "41791234567", Text: text})
				if v.Outcome != want {
					t.Errorf("verdict %+v, want %v", v, want)
				}
			})
		})
	}
}

// However hostile a text or number is, the line carries hex and our own
// commands only.
func TestGatewayHostileTexts(t *testing.T) {
	texts := []string{
		"\r", "\n", "\x1a", "\x1b", "\x00", `"`, ";", "AT+CPWROFF", "\r\nAT+CMGD=1,4\r\n", "+CMGS: 7\r\n\r\nOK",
		"\u202e\u2028", "\xed\xa0\x80", "\xff\xfe", "@@@@@@@", strings.Repeat("x", 10_000), strings.Repeat("\x1b", 159) + "€", "",
	}
	numbers := []string{"*#06#", "+1234*99#", "112", "911", "12345", "041791234567", "41791234567\r\nATD112;\r", "417912345671234567", "", "４１７９１２３４５６７"}
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		for _, text := range texts {
			v := b.Send(t.Context(), otp.Outgoing{Dial: "41791234567", Text: text})
			if v.Outcome != otp.Sent && v.Reason != otp.ReasonEncoding {
				t.Errorf("text %.20q: verdict %+v", text, v)
			}
		}
		sent := b.units.count(isSubmit)
		for _, dial := range numbers {
			v := b.Send(t.Context(), otp.Outgoing{Dial: dial, Text: "hello"})
			if v.Outcome != otp.Refused || v.Reason != otp.ReasonRecipient || v.Retry != otp.RetryNever {
				t.Errorf("number %q: verdict %+v", dial, v)
			}
		}
		if n := b.units.count(isSubmit); n != sent {
			t.Errorf("%d submits for numbers that are none", n-sent)
		}
		for _, sms := range b.Handset().Messages() {
			if sms.To != "+41791234567" {
				t.Errorf("a message went to %s", sms.To)
			}
		}
	})
}

// 50 queued messages take as long as the modem takes, and a message at an idle
// modem is on the line at once: virtual time shows any pause of ours.
func TestGatewaySendsAtOnce(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		time.Sleep(time.Hour)
		clock, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		for range 50 {
			if v := b.send(); v.Outcome != otp.Sent {
				t.Fatalf("verdict %+v", v)
			}
			if b.Status().Free != 1 {
				t.Fatal("the slot is not free after the verdict")
			}
		}
		if clock.Err() != nil {
			t.Error("50 messages through an instant modem took time")
		}
	})
}

func TestGatewayEndsTheDialogueBeforeItStops(t *testing.T) {
	bubble(t, simulator.Config{Latency: 20 * time.Second}, modem.Config{}, func(t *testing.T, b *bench) {
		verdict := make(chan otp.Verdict)
		go func() { verdict <- b.send() }()
		time.Sleep(time.Second)
		go b.stop()
		if v := <-verdict; v.Outcome != otp.Sent {
			t.Errorf("verdict %+v", v)
		}
		b.stop()
		if status := b.Status(); status.State != otp.RouteDown || status.Reason != "stopped" || status.Free != 0 {
			t.Errorf("status %+v", status)
		}
		if v := b.send(); v.Outcome != otp.Refused {
			t.Errorf("verdict of a stopped gateway %+v", v)
		}
	})
}

func TestGatewayRefusesWhatIsTooLate(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		before := b.units.count(isSubmit)
		if v := b.Send(ctx, sample()); v.Outcome != otp.Refused {
			t.Errorf("verdict %+v", v)
		}
		if n := b.units.count(isSubmit); n != before {
			t.Error("a message that was too late was sent")
		}
	})
}

func TestGatewayRunRefusesABadSMSC(t *testing.T) {
	g := modem.New("gsm0", plug(simulator.Config{}).open, modem.Config{SMSC: `1";+CMGD=1`})
	if err := g.Run(t.Context(), &sink{}); err == nil {
		t.Error("Run took an SMSC that is no number")
	}
}

func TestGatewaySetsTheSMSC(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{SMSC: "+41790000000"}, func(t *testing.T, b *bench) {
		if !slices.Contains(b.units.list(), `AT+CSCA="+41790000000",145`+"\r") {
			t.Error("the configured service centre was not set")
		}
	})
}

// Reports come in the words that the modem takes, or not at all.
func TestGatewayAsksForReports(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := plug(simulator.Config{})
			s.inject(t, "refuse=+CNMI")
			b := run(t, s, modem.Config{})
			defer b.stop()
			b.await(t, otp.RouteReady, "", 3*time.Second)
			if v := b.send(); v.Outcome != otp.Sent || v.Ref != "" || b.Status().Reports {
				t.Errorf("verdict %+v from a modem that gives no reports", v)
			}
		})
	})
	t.Run("phase 2+", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			phase := ""
			p := &peer{answer: func(unit string) string {
				switch {
				case strings.HasPrefix(unit, "AT+CSMS="):
					phase = unit
				case strings.HasPrefix(unit, "AT+CNMI=") && phase != "AT+CSMS=1\r":
					return "\r\nERROR\r\n"
				case isPDU(unit):
					return "\r\n+CMGS: 9\r\n\r\nOK\r\n\r\n+CDS: 25\r\n" + statusReport(9, 0) + "\r\n"
				}
				return obliging(unit)
			}}
			g := modem.New("gsm0", p.open, modem.Config{})
			s := &sink{}
			stop := start(t, g, s)
			defer stop()
			time.Sleep(3 * time.Second)
			if v := g.Send(t.Context(), sample()); v.Outcome != otp.Sent || v.Ref != "9" {
				t.Fatalf("verdict %+v", v)
			}
			time.Sleep(time.Second)
			if len(s.reported()) != 1 || p.count(func(unit string) bool { return unit == "AT+CNMA\r" }) != 1 {
				t.Errorf("%d reports, units %q", len(s.reported()), p.list())
			}
		})
	})
}
