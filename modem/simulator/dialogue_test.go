package simulator_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem/simulator"
)

func TestCommands(t *testing.T) {
	for _, test := range []struct{ name, send, want string }{
		{"attention", "AT\r", "\r\nOK\r\n"},
		{"any case", "at+cmgf?\r", "\r\n+CMGF: 0\r\n\r\nOK\r\n"},
		{"line feeds are ignored", "\nAT\r\nAT\r\n", "\r\nOK\r\n\r\nOK\r\n"},
		{"empty line", "\r\r", ""},
		{"no command line", "hello\r", ""},
		{"backspace", "AX\bT\r", "\r\nOK\r\n"},
		{"ESC and Ctrl-Z without a prompt", "\x1b\x1a\x1b\rAT\r", "\r\nOK\r\n"},
		{"rest of a message that never began", hello + "\x1aAT\r", "\r\nOK\r\n"},
		{"several", "ATE0V1+CMEE=1;+CMGF?;+CSQ;&D2S0=0\r", "\r\n+CMGF: 0\r\n\r\n+CSQ: 20,99\r\n\r\nOK\r\n"},
		{"stops at the first error", "AT+CMEE=1;+CMEE=7;+CSQ\r", "\r\n+CME ERROR: 50\r\n"},
		{"semicolon in quotes", "AT+CSCA=\"1;2\";+CMGF?\r", "\r\n+CMS ERROR: 305\r\n"},
		{"S-registers", "ATS0=1S3=13S4?\r", "\r\n000\r\n\r\nOK\r\n"},
		{"again", "AT+CSQ\rA/a/", strings.Repeat("\r\n+CSQ: 20,99\r\n\r\nOK\r\n", 3)},
		{"dial", "ATD123;\r", "\r\nNO CARRIER\r\n"},
		{"unknown", "AT+NONSENSE\r", "\r\nERROR\r\n"},
		{"unknown test", "AT+NONSENSE=?\r", "\r\nERROR\r\n"},
		{"broken", "AT+\r", "\r\nERROR\r\n"},
		{"numeric results are not offered", "ATV0\r", "\r\nERROR\r\n"},
		{"too long", "AT" + strings.Repeat("E0", 600) + "\rAT\r", "\r\nERROR\r\n\r\nOK\r\n"},
		{"identity", "ATI\r", "\r\nPinferry\r\nSimulator\r\nRevision: 1\r\n\r\nOK\r\n"},
		{"serial number", "AT+CGSN\r", "\r\n490154203237518\r\n\r\nOK\r\n"},
		{"capabilities", "AT+GCAP\r", "\r\n+GCAP: +CGSM\r\n\r\nOK\r\n"},
		{"subscriber", "AT+CIMI\r", "\r\n001010123456789\r\n\r\nOK\r\n"},
		{"card", "AT+CCID\r", "\r\n+CCID: 8900101012345678901F\r\n\r\nOK\r\n"},
		{"maker", "AT+CGMI;+CGMM;+CGMR\r", "\r\nPinferry\r\n\r\nSimulator\r\n\r\nRevision: 1\r\n\r\nOK\r\n"},
		{"operator", "AT+COPS?\r", "\r\n+COPS: 0,0,\"Simulator\",7\r\n\r\nOK\r\n"},
		{"operator's number", "AT+COPS=3,2;+COPS?\r", "\r\n+COPS: 0,2,\"00101\",7\r\n\r\nOK\r\n"},
		{"registration", "AT+CREG?;+CGREG?;+CEREG?\r", "\r\n+CREG: 0,1\r\n\r\n+CGREG: 0,1\r\n\r\n+CEREG: 0,1\r\n\r\nOK\r\n"},
		{"registration with cell", "AT+CEREG=2;+CEREG?\r", "\r\n+CEREG: 2,1,\"00A1\",\"0000C0DE\",7\r\n\r\nOK\r\n"},
		{"PIN", "AT+CPIN?\r", "\r\n+CPIN: READY\r\n\r\nOK\r\n"},
		{"clock", "AT+CCLK?\r", "\r\n+CCLK: \"00/01/01,00:00:00+00\"\r\n\r\nOK\r\n"},
		{"service centre", "AT+CSCA?\r", "\r\n+CSCA: \"+15550100000\",145\r\n\r\nOK\r\n"},
		{"service centre set", "AT+CSCA=\"491710760000\",145;+CSCA?\r", "\r\n+CSCA: \"+491710760000\",145\r\n\r\nOK\r\n"},
		{"phase 2+", "AT+CSMS=1;+CSMS?;+CNMA\r", "\r\n+CSMS: 1,1,1\r\n\r\n+CSMS: 1,1,1,1\r\n\r\nOK\r\n"},
		{"acknowledgement without phase 2+", "AT+CNMA\r", "\r\n+CMS ERROR: 340\r\n"},
		{"indications", "AT+CNMI=2,1,,1;+CNMI?\r", "\r\n+CNMI: 2,1,0,1,0\r\n\r\nOK\r\n"},
		{"indications out of range", "AT+CNMI=2,1,0,2\r", "\r\n+CMS ERROR: 302\r\n"},
		{"words for errors", "AT+CMEE=2;+CMGD=99\r", "\r\n+CMS ERROR: invalid memory index\r\n"},
		{"no words for errors", "AT+CMEE=0;+CMEE=9\r", "\r\nERROR\r\n"},
		{"question for ranges", "AT+CNMI=?\r", "\r\n+CNMI: (0-3),(0-3),(0-2),(0,1),(0,1)\r\n\r\nOK\r\n"},
		{"USSD", "AT+CUSD=1,\"*100#\",15\r", "\r\nOK\r\n\r\n+CUSD: 0,\"Balance: 10.00\",15\r\n"},
		{"start again", "AT+CFUN=1,1\r", "\r\nOK\r\n\r\nRDY\r\n\r\n+CPIN: READY\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
				h.send("ATE0\r")
				h.expect(test.send, test.want)
			})
		})
	}
}

func TestFactorySettings(t *testing.T) {
	bubble(t, simulator.Config{TextMode: true}, func(t *testing.T, h *host) {
		h.expect("AT\r", "AT\r\r\nOK\r\n")
		h.expect("AT+CMEE?;+CMGF?;+CNMI?\r", "AT+CMEE?;+CMGF?;+CNMI?\r"+
			"\r\n+CMEE: 0\r\n\r\n+CMGF: 1\r\n\r\n+CNMI: 0,0,0,0,0\r\n\r\nOK\r\n")
		h.ready()
		h.expect("ATZ\r", "\r\nOK\r\n")
		h.expect("AT+CMGF?\r", "AT+CMGF?\r\r\n+CMGF: 1\r\n\r\nOK\r\n")
	})
}

func TestBoot(t *testing.T) {
	bubble(t, simulator.Config{Boot: 5 * time.Second}, func(t *testing.T, h *host) {
		h.ready()
		h.expect("AT+CFUN=1,1\r", "\r\nOK\r\n")
		h.expect("AT\r", "")
		time.Sleep(5 * time.Second)
		if got := h.heard(); got != "\r\nRDY\r\n\r\n+CPIN: READY\r\n" {
			t.Errorf("after the boot: %q", got)
		}
		h.expect("AT\r", "AT\r\r\nOK\r\n")
	})
}

func TestTraceHoldsWhatTheHostWrote(t *testing.T) {
	var trace bytes.Buffer
	bubble(t, simulator.Config{Trace: &trace}, func(t *testing.T, h *host) {
		h.ready()
		trace.Reset()
		h.submit(hello)
		if want := announce(hello) + hello + "\x1a"; trace.String() != want {
			t.Errorf("trace %q, want %q", trace.String(), want)
		}
	})
}

// A port that is closed and opened again finds the modem as it was; a modem
// without power forgets.
func TestReopenedLine(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.expect(announce(hello), "\r\n> ")
		h.line.Close()
		if ended, err := h.gone(); !ended || err != nil {
			t.Fatalf("Serve ended %v with %v", ended, err)
		}
		h.connect()
		h.expect(hello+"\x1a", "\r\n+CMGS: 0\r\n\r\nOK\r\n")
		h.modem.Reset()
		h.expect("AT\r", "AT\r\r\nOK\r\n")
		h.ready()
		if got := h.submit(hello); !strings.Contains(got, "+CMGS: 1") {
			t.Errorf("after the power cycle: %q", got)
		}
	})
}

// One line at a time: a new one ends the old one.
func TestSecondLine(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		old, ended := h.line, h.ended
		h.connect()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if _, err := old.Write([]byte("AT\r")); err == nil {
			t.Error("the old line takes bytes")
		}
		h.send("ATE0\r")
		h.expect("AT\r", "\r\nOK\r\n")
	})
}

// A host that does not read must not stop the modem.
func TestHostThatDoesNotRead(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.mu.Lock() // the reader stops at its next read
		for range 100 {
			if _, err := h.line.Write([]byte("AT+CSQ\r")); err != nil {
				t.Fatal(err)
			}
		}
		h.mu.Unlock()
		if got := strings.Count(h.heard(), "OK"); got != 100 {
			t.Errorf("%d answers of 100", got)
		}
	})
}

// Whatever a host writes, the modem lives, and a resynchronisation gets it
// back.
func FuzzHostileHost(f *testing.F) {
	f.Add([]byte("ATE0V1;+CNMI=2,1,0,1\rA/AT+CMGL=4;+CMGR=1;+CMGD=1,4\r"))
	f.Fuzz(func(t *testing.T, input []byte) {
		bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
			h.inject("full@now", "late-reply=1s@2", "urc@3", "cmgf-reset@4")
			h.send(string(input))
			h.send("\x1b\x1a\r")
			h.modem.ClearFaults()
			if got := h.send("AT\r"); !strings.HasSuffix(got, "\r\nOK\r\n") {
				t.Errorf("no answer after %q: %q", input, got)
			}
		})
	})
}
