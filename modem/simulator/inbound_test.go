package simulator_test

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/warthog618/sms"
	"github.com/warthog618/sms/encoding/tpdu"

	"github.com/pinferry/pinferry/modem/simulator"
)

// deliver has a handset text the modem.
func (h *host) deliver(from, text string) {
	h.t.Helper()
	if err := h.modem.Deliver(from, text); err != nil {
		h.t.Fatal(err)
	}
}

// delivered reads the SMS-DELIVERs of an answer, each behind a service centre.
func delivered(t *testing.T, answer string) (all []*tpdu.TPDU) {
	t.Helper()
	for _, line := range regexp.MustCompile(`(?m)^[0-9A-F]{20,}\r?$`).FindAllString(answer, -1) {
		octets, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		p, err := sms.Unmarshal(octets[1+int(octets[0]):], sms.AsMT)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func TestDeliverIsStoredAndTold(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.send("AT+CNMI=0\r")
		h.deliver("+41791234567", "untold")
		h.expect("", "")
		h.expect("AT+CNMI=2,1\r", "\r\nOK\r\n")
		h.deliver("MyBank", "told")
		h.expect("", "\r\n+CMTI: \"SM\",2\r\n")
		listed := delivered(t, h.send("AT+CMGL=4\r"))
		if len(listed) != 2 || listed[0].OA.Number() != "+41791234567" || listed[1].OA.Addr != "MyBank" {
			t.Fatalf("listed %v", listed)
		}
		if text, err := sms.Decode([]*tpdu.TPDU{delivered(t, h.send("AT+CMGR=2\r"))[0]}); err != nil || string(text) != "told" {
			t.Errorf("read %q, %v", text, err)
		}
		h.expect("AT+CMGD=1\r", "\r\nOK\r\n")
		if n := h.modem.Stored(); n != 1 {
			t.Errorf("%d are stored", n)
		}
	})
}

func TestDeliverInParts(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		text := strings.Repeat("a long text ", 20)
		h.deliver("+41791234567", text)
		h.deliver("+41791234567", text)
		listed := delivered(t, h.send("AT+CMGL=4\r"))
		if len(listed) != 4 {
			t.Fatalf("%d parts", len(listed))
		}
		if got, err := sms.Decode(listed[:2]); err != nil || string(got) != text {
			t.Errorf("read %q, %v", got, err)
		}
		_, _, first, _ := listed[0].ConcatInfo()
		if _, _, second, _ := listed[2].ConcatInfo(); first == second {
			t.Error("two texts have one reference")
		}
	})
}

// A pushed message stays with the network until it was acknowledged; without
// that the modem shows no more.
func TestDeliverIsPushedAndAcknowledged(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.send("AT+CSMS=1;+CNMI=2,2\r")
		h.deliver("+41791234567", "one")
		h.deliver("+41791234567", "two")
		if got := h.send(""); strings.Count(got, "+CMT: ,") != 1 {
			t.Fatalf("pushed %q", got)
		}
		h.expect("AT+CNMA\r", "\r\nOK\r\n")
		time.Sleep(time.Second)
		if got := h.send(""); strings.Count(got, "+CMT: ,") != 1 {
			t.Fatalf("after the acknowledgement %q", got)
		}
		time.Sleep(time.Minute)
		if got := h.send("AT+CNMI?\r"); !strings.HasPrefix(got, "\r\n+CNMI: 2,0,") {
			t.Errorf("after a minute %q", got)
		}
		if n := h.modem.Stored(); n != 0 {
			t.Errorf("%d are stored", n)
		}
		if got := h.send("AT+CNMI=2,1\r"); got != "\r\nOK\r\n" {
			t.Fatal(got)
		}
		time.Sleep(time.Second)
		h.expect("", "\r\n+CMTI: \"SM\",1\r\n")
	})
}

// What finds the SIM full, or the modem without a network, comes later.
func TestDeliverWaits(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.inject("creg=2")
		for i := range 21 {
			h.deliver("+41791234567", fmt.Sprint("message ", i))
		}
		if n := h.modem.Stored(); n != 0 {
			t.Fatalf("%d came without a network", n)
		}
		h.modem.ClearFaults()
		if n := h.modem.Stored(); n != 20 {
			t.Fatalf("%d are stored", n)
		}
		h.send("")
		h.expect("AT+CMGD=7\r", "\r\nOK\r\n")
		time.Sleep(time.Second)
		if text, err := sms.Decode(delivered(t, h.send("AT+CMGR=7\r"))); err != nil || string(text) != "message 20" {
			t.Errorf("the last one is %q, %v", text, err)
		}
	})
}

func TestDeliverRefusesWhatNoNetworkCarries(t *testing.T) {
	m := simulator.New(simulator.Config{})
	for _, c := range [][2]string{{"", "text"}, {"+41791234567", ""}, {"A name that is too long", "text"}, {"日本", "text"}} {
		if err := m.Deliver(c[0], c[1]); err == nil {
			t.Errorf("%q from %q was taken", c[1], c[0])
		}
	}
}
