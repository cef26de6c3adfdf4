package simulator_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem/simulator"
)

const (
	prompt = "\r\n> "
	sent0  = "\r\n+CMGS: 0\r\n\r\nOK\r\n"
)

func TestSend(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.expect("AT+CMGS=19\r", prompt)
		h.expect(hello+"\x1a", sent0)
		if got := h.texts(); !slices.Equal(got, []string{helloSMS}) {
			t.Errorf("handset: %q", got)
		}
	})
}

func TestSendWithEcho(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.expect("AT+CMGS=19\r", "AT+CMGS=19\r"+prompt)
		h.expect(hello+"\x1a", hello+"\x1a"+sent0)
	})
}

func TestESCEndsThePrompt(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.expect(announce(hello), prompt)
		h.expect(hello[:10]+"\x1b", "\r\nOK\r\n")
		h.expect("AT\r", "\r\nOK\r\n")
		if got := h.texts(); got != nil {
			t.Errorf("handset: %q", got)
		}
	})
}

func TestReferenceWraps(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		for i := range 258 {
			if got, want := h.submit(hello), fmt.Sprintf("\r\n+CMGS: %d\r\n\r\nOK\r\n", i%256); got != want {
				t.Fatalf("message %d: %q, want %q", i, got, want)
			}
		}
	})
}

// What comes while a message is on its way waits for the answer.
func TestLatency(t *testing.T) {
	bubble(t, simulator.Config{Latency: 3 * time.Second}, func(t *testing.T, h *host) {
		h.ready()
		if got := h.submit(hello); got != "" {
			t.Fatalf("at once: %q", got)
		}
		h.expect("AT+CSQ\r", "")
		time.Sleep(3*time.Second - time.Nanosecond)
		h.expect("", "")
		if h.texts() != nil {
			t.Error("sent before its time")
		}
		time.Sleep(time.Nanosecond)
		h.expect("", sent0+"\r\n+CSQ: 20,99\r\n\r\nOK\r\n")
	})
}

func TestTextMode(t *testing.T) {
	bubble(t, simulator.Config{TextMode: true}, func(t *testing.T, h *host) {
		h.send("ATE0\r")
		h.expect("AT+CMGS=\""+helloTo+"\"\r", prompt)
		h.expect("two\rlines\x1a", prompt+sent0)
		h.expect("AT+CMGS=\"4x\"\r", "\r\n+CMS ERROR: 305\r\n")
		h.expect("AT+CMGS=\"112\"\r", prompt)
		h.expect("\x1a", "\r\n+CMS ERROR: 305\r\n")
		if got := h.texts(); !slices.Equal(got, []string{helloTo + " two\nlines"}) {
			t.Errorf("handset: %q", got)
		}
	})
}

// The classic wrong-mode bug: in text mode the length becomes the number and
// the hexadecimal the text.
func TestWrongMode(t *testing.T) {
	bubble(t, simulator.Config{TextMode: true}, func(t *testing.T, h *host) {
		h.send("ATE0\r")
		h.expect("AT+CMGS=19\r", prompt)
		h.expect(hello+"\x1a", sent0)
		if got := h.texts(); !slices.Equal(got, []string{"19 " + hello}) {
			t.Errorf("handset: %q", got)
		}
	})
}

// Each fault of the answer: what the host reads and whether the SMS is sent.
func TestMessageFaults(t *testing.T) {
	const (
		ring = "\r\nRING\r\n"
		ok   = "\r\nOK\r\n"
	)
	for _, test := range []struct {
		fault, prompt, reply string
		sent                 bool
	}{
		{"cms=38", prompt, "\r\n+CMS ERROR: 38\r\n", false},
		{"cms=513", prompt, "\r\n+CMS ERROR: 513\r\n", false},
		{"cme=10", prompt, "\r\n+CME ERROR: 10\r\n", false},
		{"error", prompt, "\r\nERROR\r\n", false},
		{"early=302", "\r\n+CMS ERROR: 302\r\n", "", false},
		{"no-prompt", "", "", false},
		{"stuck-prompt", prompt + prompt, sent0, true},
		{"silence", prompt, "", false},
		{"lost-reply", prompt, "", true},
		{"ok-only", prompt, ok, true},
		{"no-ok", prompt, "\r\n+CMGS: 0\r\n", true},
		{"twice", prompt, "\r\n+CMGS: 0\r\n" + sent0, true},
		{"urc=ring", ring + prompt, ring + "\r\n+CMGS: 0\r\n" + ring + ok, true},
		{"full", prompt, "\r\n+CMS ERROR: 322\r\n", false},
		{"creg=2", prompt, "\r\n+CMS ERROR: 331\r\n", false},
		{"creg=6", prompt, sent0, true},
		{"sim", "\r\n+CMS ERROR: 310\r\n", "", false},
		{"sim=pin", "\r\n+CMS ERROR: 311\r\n", "", false},
		{"sim=puk", "\r\n+CMS ERROR: 316\r\n", "", false},
		{"dead", "", "", false},
	} {
		t.Run(test.fault, func(t *testing.T) {
			bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
				h.ready()
				h.inject(test.fault)
				h.heard() // what the fault itself makes the modem say
				h.expect(announce(hello), test.prompt)
				h.expect(hello+"\x1a", test.reply)
				if got := h.texts() != nil; got != test.sent {
					t.Errorf("sent %v, want %v", got, test.sent)
				}
				// Nothing of it is left, but for what stands until cleared.
				h.modem.ClearFaults()
				h.send("AT+CMGD=1,4\r")
				if got := h.submit(hello); !strings.HasSuffix(got, ok) || !strings.Contains(got, "+CMGS: ") {
					t.Errorf("afterwards: %q", got)
				}
			})
		})
	}
}

func TestWordsForErrors(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.inject("cms=38@1", "cms=513@2", "cme=10@3")
		h.send("AT+CMEE=2\r")
		for _, want := range []string{"+CMS ERROR: network out of order", "+CMS ERROR: 513", "+CME ERROR: SIM not inserted"} {
			if got := h.submit(hello); got != "\r\n"+want+"\r\n" {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

func TestLateReply(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.inject("late-reply=40s@1", "cms=42@2", "late-reply=10s@2")
		if got := h.submit(hello); got != "" || h.texts() == nil {
			t.Fatalf("answer %q, handset %q", got, h.texts())
		}
		// Other commands are answered meanwhile: their answers must not be
		// taken for the late one, nor the late one for theirs.
		h.expect("AT\r", "\r\nOK\r\n")
		time.Sleep(40 * time.Second)
		h.expect("", sent0)
		if got := h.submit(hello); got != "" {
			t.Fatal(got)
		}
		time.Sleep(10 * time.Second)
		h.expect("", "\r\n+CMS ERROR: 42\r\n")
	})
}

// A late answer finds the line that is open then, but not a modem that lost
// its power.
func TestLateReplyOnAnotherLine(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.inject("late-reply=40s@1", "late-reply=40s@2")
		h.submit(hello)
		h.line.Close()
		h.connect()
		time.Sleep(40 * time.Second)
		h.expect("", sent0)
		h.submit(hello)
		h.modem.Reset()
		time.Sleep(time.Minute)
		h.expect("", "")
	})
}

func TestHangUp(t *testing.T) {
	for _, test := range []struct {
		point   string
		written int // how much of the dialogue the host gets to write
		sent    bool
	}{
		{"before-prompt", 1, false},
		{"after-prompt", 1, false},
		{"after-submit", 2, false},
		{"before-reply", 2, true},
		{"after-reply", 2, true},
	} {
		t.Run(test.point, func(t *testing.T) {
			bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
				h.ready()
				h.inject("hangup=" + test.point + "@1")
				said := h.send(announce(hello))
				if test.written > 1 {
					said += h.send(hello + "\x1a")
				}
				time.Sleep(time.Second)
				if gone, err := h.gone(); !gone || !errors.Is(err, simulator.ErrHangUp) {
					t.Errorf("gone %v, %v", gone, err)
				}
				if _, err := h.line.Write([]byte("AT\r")); err == nil {
					t.Error("the line takes bytes")
				}
				want := map[string]string{"after-prompt": prompt, "after-submit": prompt, "before-reply": prompt, "after-reply": prompt + sent0}
				if said != want[test.point] {
					t.Errorf("said %q, want %q", said, want[test.point])
				}
				if got := h.texts() != nil; got != test.sent {
					t.Errorf("sent %v", got)
				}
				// The stick that comes back has just been powered on.
				h.connect()
				h.expect("AT\r", "AT\r\r\nOK\r\n")
			})
		})
	}
}

func TestHangUpNow(t *testing.T) {
	bubble(t, simulator.Config{Latency: time.Second}, func(t *testing.T, h *host) {
		h.ready()
		h.submit(hello)
		h.inject("hangup@now")
		if gone, err := h.gone(); !gone || !errors.Is(err, simulator.ErrHangUp) {
			t.Errorf("gone %v, %v", gone, err)
		}
		time.Sleep(time.Minute)
		if got := h.texts(); got != nil {
			t.Errorf("a modem without power sent %q", got)
		}
	})
}

func TestESCIgnored(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.inject("esc-ignored")
		h.expect(announce(hello), prompt)
		h.expect("\x1b\rAT\r", "")
		h.expect("\x1a", "\r\n+CMS ERROR: 304\r\n")
		h.expect("AT\r", "\r\nOK\r\n")
	})
}

func TestRubbish(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.inject("garbage=50@1", "noise@2")
		for _, want := range []struct{ before, after int }{{50, 50}, {0, 1 << 20}} {
			before, found := strings.CutSuffix(h.send(announce(hello)), prompt)
			if !found || len(before) != want.before || strings.ContainsAny(before, "\r\n") {
				t.Errorf("%d bytes before the prompt, want %d", len(before), want.before)
			}
			after, _, found := strings.Cut(h.send(hello+"\x1a"), "\r\n+CMGS: ")
			if !found || len(after) != want.after || strings.ContainsAny(after, "\r\n") {
				t.Errorf("%d bytes before the answer, want %d", len(after), want.after)
			}
		}
		h.inject("noise=3@now")
		if got := h.heard(); len(got) != 3 {
			t.Errorf("now: %q", got)
		}
	})
}

func TestSettingsFaults(t *testing.T) {
	bubble(t, simulator.Config{TextMode: true}, func(t *testing.T, h *host) {
		h.send("ATE0\r")
		h.inject("gcap-error", "cmee-refused", "cmgf-refused", "refuse=+cnmi")
		for _, c := range []string{"AT+GCAP\r", "AT+CMEE=1\r", "AT+CMGF=0\r", "AT+CNMI=2,1\r"} {
			h.expect(c, "\r\nERROR\r\n")
		}
		h.modem.ClearFaults()
		h.inject("cmgf-ignored")
		h.expect("AT+CMGF=0\r", "\r\nOK\r\n")
		h.expect("AT+CMGF?\r", "\r\n+CMGF: 1\r\n\r\nOK\r\n")
		h.modem.ClearFaults()
		h.ready()
		h.inject("cmgf-reset@1")
		h.submit(hello)
		h.expect("AT+CMGF?\r", "\r\n+CMGF: 1\r\n\r\nOK\r\n")
		h.ready()
		h.inject("reboot@1")
		if got := h.submit(hello); !strings.HasSuffix(got, "OK\r\n\r\nRDY\r\n\r\n+CPIN: READY\r\n") {
			t.Errorf("reboot: %q", got)
		}
		h.expect("AT\r", "AT\r\r\nOK\r\n")
	})
}

func TestSelectors(t *testing.T) {
	const refusal = "\r\n+CMS ERROR: 38\r\n"
	for selector, want := range map[string]string{
		"": "xxxxx", "@*": "xxxxx", "@1": "x....", "@once": "x....", "@3": "..x..", "@4+": "...xx",
	} {
		t.Run(selector, func(t *testing.T) {
			bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
				h.ready()
				h.submit(hello) // messages before the injection do not count
				h.inject("cms=38" + selector)
				var got strings.Builder
				for range 5 {
					if h.submit(hello) == refusal {
						got.WriteByte('x')
					} else {
						got.WriteByte('.')
					}
				}
				if got.String() != want {
					t.Errorf("refused %s, want %s", got.String(), want)
				}
			})
		})
	}
}
