package simulator_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/warthog618/sms"

	"github.com/pinferry/pinferry/modem/simulator"
)

func TestFullStorage(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.inject("full@1")
		if got := h.submit(hello); got != "\r\n+CMS ERROR: 322\r\n" {
			t.Fatal(got)
		}
		h.expect("AT+CPMS?\r", "\r\n+CPMS: \"SM\",20,20,\"SM\",20,20,\"SM\",20,20\r\n\r\nOK\r\n")
		h.expect("AT+CMGD=7\r", "\r\nOK\r\n")
		h.expect("AT+CPMS=\"SM\",\"SM\"\r", "\r\n+CPMS: 19,20,19,20,19,20\r\n\r\nOK\r\n")
		h.expect("AT+CMGR=7\r", "\r\n+CMS ERROR: 321\r\n")
		if got := h.submit(hello); got != sent0 {
			t.Errorf("with room: %q", got)
		}
		h.expect("AT+CMGD=0,1\r", "\r\nOK\r\n") // nothing was seen yet
		h.expect("AT+CPMS=\"SM\"\r", "\r\n+CPMS: 19,20,19,20,19,20\r\n\r\nOK\r\n")
		h.expect("AT+CMGD=1,4\r", "\r\nOK\r\n")
		h.expect("AT+CMGL=4\r", "\r\nOK\r\n")
	})
}

func TestIndicationsDoNotFillTheStorage(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.inject("urc@*")
		for i := range 30 {
			h.send(announce(hello))
			if got := h.send(hello + "\x1a"); !strings.Contains(got, "+CMGS: ") {
				t.Fatalf("message %d: %q", i, got)
			}
		}
	})
}

func TestStoredMessage(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.inject("urc=cmti@now")
		h.expect("", "\r\n+CMTI: \"SM\",1\r\n")
		listed := h.send("AT+CMGL\r")
		lines := strings.Split(listed, "\r\n")
		if len(lines) < 3 || !strings.HasPrefix(lines[1], "+CMGL: 1,0,,") {
			t.Fatalf("listed %q", listed)
		}
		raw, err := hex.DecodeString(lines[2])
		if err != nil {
			t.Fatal(err)
		}
		pdu, err := sms.Unmarshal(raw[1+raw[0]:])
		if err != nil || pdu.OA.Number() != "+15550100001" {
			t.Errorf("PDU from %v, %v", pdu, err)
		}
		h.expect("AT+CMGL\r", "\r\nOK\r\n") // it is no longer unseen
		if got := h.send("AT+CMGR=1\r"); !strings.HasPrefix(got, "\r\n+CMGR: 1,,") {
			t.Errorf("read %q", got)
		}
		h.send("AT+CMGF=1\r")
		h.expect("AT+CMGL=\"REC READ\"\r", "\r\n+CMGL: 1,\"REC READ\",\"+15550100001\",,\"00/01/01,00:00:00+00\"\r\nA stored message\r\n\r\nOK\r\n")
		h.expect("AT+CMGD=1,1\r", "\r\nOK\r\n")
		h.expect("AT+CMGL=\"ALL\"\r", "\r\nOK\r\n")
	})
}
