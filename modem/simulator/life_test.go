package simulator_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem/simulator"
)

func TestPUK(t *testing.T) {
	bubble(t, simulator.Config{PIN: "4711"}, func(t *testing.T, h *host) {
		h.ready()
		for range 3 {
			h.expect("AT+CPIN=\"0000\"\r", "\r\n+CME ERROR: 16\r\n")
		}
		h.expect("AT+CPIN=\"11111111\",\"2222\"\r", "\r\n+CME ERROR: 16\r\n")
		h.expect("AT+CPIN?\r", "\r\n+CPIN: SIM PUK\r\n\r\nOK\r\n")
		h.expect("AT+CPIN=\"12345678\",\"2222\"\r", "\r\n+CPIN: READY\r\n\r\nOK\r\n")
		h.modem.Reset()
		h.ready()
		h.expect("AT+CPIN=2222\r", "\r\n+CPIN: READY\r\n\r\nOK\r\n")
	})
}

// Ten wrong PUKs are the end of the SIM.
func TestPUKExhausted(t *testing.T) {
	bubble(t, simulator.Config{PIN: "4711"}, func(t *testing.T, h *host) {
		h.ready()
		for range 3 {
			h.send("AT+CPIN=\"0000\"\r")
		}
		for range 10 {
			h.expect("AT+CPIN=\"11111111\",\"2222\"\r", "\r\n+CME ERROR: 16\r\n")
		}
		h.expect("AT+CPIN=\"12345678\",\"2222\"\r", "\r\n+CME ERROR: 16\r\n")
	})
}

func TestMakers(t *testing.T) {
	for maker, want := range map[string]string{
		"":        "Pinferry AT+CPINR +CPINR: SIM PIN,3,3",
		"huawei":  "huawei AT^CPIN? ^CPIN: READY,,10,3,10,3",
		"quectel": `Quectel AT+QPINC="SC" +QPINC: "SC",3,10`,
		"simcom":  "SIMCOM AT+SPIC +SPIC: 3,10,3,10",
	} {
		bubble(t, simulator.Config{Maker: maker}, func(t *testing.T, h *host) {
			h.ready()
			name, rest, _ := strings.Cut(want, " ")
			command, answer, _ := strings.Cut(rest, " ")
			if got := h.send("AT+CGMI\r"); !strings.Contains(got, name) {
				t.Errorf("%q: the maker is %q", maker, got)
			}
			h.expect(command+"\r", "\r\n"+answer+"\r\n\r\nOK\r\n")
			others := 0
			for _, command := range []string{"AT+CPINR\r", "AT^CPIN?\r", "AT+QPINC=\"SC\"\r", "AT+SPIC\r"} {
				if strings.Contains(h.send(command), "ERROR") {
					others++
				}
			}
			if others != 3 {
				t.Errorf("%q: %d of 4 questions were refused, want 3", maker, others)
			}
		})
	}
}

func TestUSSDForms(t *testing.T) {
	bubble(t, simulator.Config{Credit: "1.50 €"}, func(t *testing.T, h *host) {
		h.ready()
		for spec, want := range map[string]string{
			"ussd=text":    "\r\nOK\r\n\r\n+CUSD: 0,\"1.50 €\",15\r\n",
			"ussd=early":   "\r\n+CUSD: 0,\"1.50 €\",15\r\n\r\nOK\r\n",
			"ussd=lines":   "\r\nOK\r\n\r\n+CUSD: 0,\"Hello\r\n1.50 €\",15\r\n",
			"ussd=ucs2":    "\r\nOK\r\n\r\n+CUSD: 0,\"0031002E00350030002020AC\",72\r\n",
			"ussd=open":    "\r\nOK\r\n\r\n+CUSD: 1,\"1.50 €\",15\r\n",
			"ussd=unknown": "\r\nOK\r\n\r\n+CUSD: 4\r\n",
			"ussd=refused": "\r\nERROR\r\n",
			"ussd=silent":  "\r\nOK\r\n",
		} {
			h.inject(spec)
			h.expect("AT+CUSD=1,\"*100#\",15\r", want)
		}
		h.inject("ussd=text")
		h.expect("AT+CUSD=1,\"hello\",15\r", "\r\nOK\r\n\r\n+CUSD: 4\r\n")
	})
	// The code and the answer in septets, packed by hand.
	bubble(t, simulator.Config{Maker: "huawei"}, func(t *testing.T, h *host) {
		h.ready()
		h.expect("AT+CUSD=1,\"*100#\",15\r", "\r\nERROR\r\n")
		h.expect("AT+CUSD=1,\"AA180C3602\",15\r", "\r\nOK\r\n\r\n+CUSD: 0,\"C2303BEC1E9775A018CC058301\",15\r\n")
	})
}

func TestHang(t *testing.T) {
	for hang, heal := range map[string]func(h *host){
		"escape":  func(h *host) { h.send("\x1b") },
		"reopen":  func(h *host) { h.connect() },
		"restart": func(h *host) { h.send("AT+CFUN=1,1\r"); time.Sleep(2 * time.Second); h.heard() },
		"reset":   func(h *host) { h.modem.Reset() },
	} {
		t.Run(hang, func(t *testing.T) {
			bubble(t, simulator.Config{Boot: time.Second}, func(t *testing.T, h *host) {
				h.ready()
				h.inject("hang=" + hang)
				for _, words := range []string{"AT\r", "AT+CFUN=1\r", "\x1a", "AT\r"} {
					h.expect(words, "")
				}
				heal(h)
				synctest.Wait()
				h.send("ATE0\r")
				h.expect("AT\r", "\r\nOK\r\n")
			})
		})
	}
}

func TestServiceCentreLost(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.inject("smsc-lost@now")
		h.expect("AT+CSCA?\r", "\r\n+CSCA: \"\",129\r\n\r\nOK\r\n")
		pdu := pdus(t, "+41791234567", "hello")[0]
		h.send(announce(pdu))
		if got := h.send(pdu + "\x1a"); !strings.Contains(got, "+CMS ERROR: 330") {
			t.Errorf("got %q", got)
		}
		h.send("AT+CSCA=\"+15550100000\",145\r")
		h.submit(pdu)
	})
}

// The clock shows the local time of the network and its zone.
func TestClock(t *testing.T) {
	zone := time.FixedZone("", 5*3600+45*60)
	now := func() time.Time { return time.Date(2026, 11, 22, 15, 0, 30, 0, zone) }
	bubble(t, simulator.Config{Now: now}, func(t *testing.T, h *host) {
		h.ready()
		h.expect("AT+CCLK?\r", "\r\n+CCLK: \"26/11/22,15:00:30+23\"\r\n\r\nOK\r\n")
	})
}
