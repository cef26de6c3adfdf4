package modem_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

func isCentre(unit string) bool { return strings.HasPrefix(unit, "AT+CSCA=") }

// A service centre that the SIM loses is given back: at the message that fails
// for it, or by itself within minutes, and after a restart of the box too.
func TestCentreIsGivenBack(t *testing.T) {
	const set = `AT+CSCA="+15550100000",145` + "\r"
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		if got := b.Status().SMSC; got != "+15550100000" {
			t.Errorf("the service centre shows as %q", got)
		}
		b.inject(t, "smsc-lost@now")
		if v := b.send(); v.Outcome != otp.Sent {
			t.Errorf("verdict %+v", v)
		}
		if n := b.units.count(isCentre); n != 1 || !slices.Contains(b.units.list(), set) {
			t.Errorf("the service centre was set %d times", n)
		}
		b.inject(t, "smsc-lost@now")
		time.Sleep(11 * time.Minute)
		if n := b.units.count(isCentre); n != 2 {
			t.Errorf("a lost service centre was not seen within 10 minutes: set %d times", n)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		store := otptest.NewMemory()
		s := plug(simulator.Config{})
		cfg := modem.Config{Memory: modem.NewMemory(store), Seal: seal}
		b := run(t, s, cfg)
		b.await(t, otp.RouteReady, "", 3*time.Second)
		b.stop()
		s.inject(t, "smsc-lost@now")
		b = run(t, s, cfg)
		b.await(t, otp.RouteReady, "", 3*time.Second)
		if v := b.send(); v.Outcome != otp.Sent || !slices.Contains(s.units.list(), set) {
			t.Errorf("verdict %+v", v)
		}
		b.stop()
	})
}

// A modem that leaves out the + of a service centre has it all the same: the SIM
// is not written at each look.
func TestCentreWithoutItsPlus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: func(unit string) string {
			if unit == "AT+CSCA?\r" {
				return "\r\n+CSCA: \"15550100000\",145\r\n\r\nOK\r\n"
			}
			return obliging(unit)
		}}
		b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{SMSC: "+15550100000"}), sink: &sink{}}
		b.stop = start(t, b.Gateway, b.sink)
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		time.Sleep(time.Hour)
		if n := p.count(isCentre); n != 0 {
			t.Errorf("the service centre was set %d times", n)
		}
	})
}

// The centre of one SIM is never given to another.
func TestCentreStaysWithItsSIM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card, centre := "8900101012345678901", "+15550100000"
		p := &peer{}
		p.answer = func(unit string) string {
			switch {
			case unit == "AT+CCID\r":
				return "\r\n" + card + "\r\n\r\nOK\r\n" // without its name, as many do
			case unit == "AT+CSCA?\r":
				return "\r\n+CSCA: \"" + centre + "\",145\r\n\r\nOK\r\n"
			}
			return obliging(unit)
		}
		store := otptest.NewMemory()
		for range 2 {
			b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{Memory: modem.NewMemory(store), Seal: seal})}
			stop := start(t, b.Gateway, &sink{})
			b.await(t, otp.RouteReady, "", 3*time.Second)
			if got := b.Status().ICCID; got != card {
				t.Errorf("the SIM is %q, want %q", got, card)
			}
			stop()
			card, centre = "8900101012345678919", ""
		}
		if n := p.count(isCentre); n != 0 {
			t.Errorf("another SIM got the service centre: %q", p.list())
		}
	})
}

func TestBearer(t *testing.T) {
	for bearer, want := range map[string]string{
		"packet": "0", "circuit": "1", "packet_preferred": "2", "circuit_preferred": "3",
	} {
		bubble(t, simulator.Config{}, modem.Config{Bearer: bearer}, func(t *testing.T, b *bench) {
			if !slices.Contains(b.units.list(), "AT+CGSMS="+want+"\r") {
				t.Errorf("%s was not set", bearer)
			}
		})
	}
	g := modem.New("gsm0", plug(simulator.Config{}).open, modem.Config{Bearer: "pigeon"})
	if err := g.Run(t.Context(), &sink{}); err == nil {
		t.Error("Run took a bearer that is none")
	}
}
