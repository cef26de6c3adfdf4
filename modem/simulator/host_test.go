package simulator_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/warthog618/sms"
	"github.com/warthog618/sms/encoding/tpdu"

	"github.com/pinferry/pinferry/modem/simulator"
)

// host is the other end of a modem's line, inside a synctest bubble.
type host struct {
	t     *testing.T
	modem *simulator.Modem
	line  net.Conn
	ended chan error // what Serve returned

	mu   sync.Mutex
	said bytes.Buffer // what the modem said and nobody has asked for yet
}

// bubble runs a test with a modem of cfg and a host on its line, which are both
// gone when it ends.
func bubble(t *testing.T, cfg simulator.Config, test func(*testing.T, *host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &host{t: t, modem: simulator.New(cfg)}
		h.connect()
		test(t, h)
		h.line.Close()
		synctest.Wait()
	})
}

// connect opens another line to the modem.
func (h *host) connect() {
	near, far := net.Pipe()
	h.line, h.ended = near, make(chan error, 1)
	ended := h.ended
	go func() { ended <- h.modem.Serve(h.t.Context(), far) }()
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := near.Read(buf)
			h.mu.Lock()
			h.said.Write(buf[:n])
			h.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	synctest.Wait()
}

// send writes s and returns all that the modem says to it without the clock
// moving.
func (h *host) send(s string) string {
	h.t.Helper()
	if _, err := h.line.Write([]byte(s)); err != nil {
		h.t.Fatalf("write %q: %v", s, err)
	}
	return h.heard()
}

// heard returns what the modem said since it was last asked.
func (h *host) heard() string {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.said.String()
	h.said.Reset()
	return s
}

// inject adds faults.
func (h *host) inject(specs ...string) {
	h.t.Helper()
	for _, spec := range specs {
		if err := h.modem.InjectSpec(spec); err != nil {
			h.t.Fatal(err)
		}
	}
}

// ready puts the modem into the state that a gateway works in: no echo, PDU
// mode, numeric errors, reports routed.
func (h *host) ready() {
	h.t.Helper()
	h.send("ATE0\r")
	h.expect("AT+CMEE=1;+CMGF=0;+CNMI=2,1,0,1,0\r", "\r\nOK\r\n")
}

// expect sends s and wants exactly this answer.
func (h *host) expect(s, want string) {
	h.t.Helper()
	if got := h.send(s); got != want {
		h.t.Errorf("%q: got %q, want %q", s, got, want)
	}
}

// submit sends a PDU through a whole dialogue and returns the answer.
func (h *host) submit(pdu string) string {
	h.t.Helper()
	h.expect(announce(pdu), "\r\n> ")
	return h.send(pdu + "\x1a")
}

// gone reports whether Serve has ended, and with what.
func (h *host) gone() (bool, error) {
	synctest.Wait()
	select {
	case err := <-h.ended:
		return true, err
	default:
		return false, nil
	}
}

// texts are what the handset shows.
func (h *host) texts() []string {
	var list []string
	for _, s := range h.modem.Handset().Messages() {
		list = append(list, s.To+" "+s.Text)
	}
	return list
}

// announce is the AT+CMGS for a PDU whose service centre part is one octet.
func announce(pdu string) string { return fmt.Sprintf("AT+CMGS=%d\r", len(pdu)/2-1) }

// pdus encodes a text as SMS-SUBMITs in hexadecimal that ask for reports.
func pdus(t testing.TB, to, text string) []string {
	t.Helper()
	parts, err := sms.Encode([]byte(text), sms.To(to), sms.WithTemplate(tpdu.TPDU{
		Direction: tpdu.MO, FirstOctet: tpdu.FirstOctet(tpdu.MtSubmit) | tpdu.FoSRR, DA: tpdu.NewAddress(tpdu.FromNumber(to)),
	}))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, p := range parts {
		b, err := p.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, "00"+strings.ToUpper(hex.EncodeToString(b)))
	}
	return list
}

// hello is a good PDU: "hello" to +4915112345678. The other one asks for a
// report.
const (
	hello         = "0001000D91945111325476F8000005E8329BFD06"
	helloReported = "0021000D91945111325476F8000005E8329BFD06"
)

const (
	helloTo   = "+4915112345678"
	helloText = "hello"
	helloSMS  = helloTo + " " + helloText
)
