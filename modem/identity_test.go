package modem_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

func TestIdentity(t *testing.T) {
	for _, maker := range []string{"", "huawei", "quectel", "simcom"} {
		bubble(t, simulator.Config{Maker: maker, Operator: "Swisscom"}, modem.Config{}, func(t *testing.T, b *bench) {
			s := b.Status()
			if s.IMEI != "490154203237518" || s.IMSI != "001010123456789" || s.ICCID != "8900101012345678901" {
				t.Errorf("%s: the modem is %q, its SIM %q %q", maker, s.IMEI, s.IMSI, s.ICCID)
			}
			if s.Operator != "Swisscom" || s.Technology != "4g" || s.Registration != "home" || s.SignalDBm != -73 {
				t.Errorf("%s: the network is %q %q %q %d dBm", maker, s.Operator, s.Technology, s.Registration, s.SignalDBm)
			}
			b.inject(t, "sim=missing")
			time.Sleep(10 * time.Second)
			if s := b.Status(); s.IMEI == "" || s.ICCID != "" || s.IMSI != "" {
				t.Errorf("%s: without a SIM it is %q, its SIM %q %q", maker, s.IMEI, s.ICCID, s.IMSI)
			}
			b.inject(t, "sim=ready")
			b.await(t, otp.RouteReady, "", time.Minute)
			if s := b.Status(); s.ICCID == "" || s.IMSI == "" {
				t.Errorf("%s: the SIM that is back is %q %q", maker, s.ICCID, s.IMSI)
			}
		})
	}
}

// What names a SIM comes in many forms, and nothing else passes for it.
func TestIdentityForms(t *testing.T) {
	for said, want := range map[string]string{
		"+CCID: 8941010203040506070F":       "8941010203040506070",
		`+CCID: "89410102030405060708"`:     "89410102030405060708",
		"8941010203040506070":               "8941010203040506070",
		"+CCID: 984110203040506070F0":       "8914010203040506070", // turned, with its filler
		"+CCID: 98140120304050607080":       "89411002030405060708",
		"+CCID: ERROR":                      "",
		"+CCID: 1; DROP":                    "",
		"+CCID: " + strings.Repeat("8", 40): "",
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &peer{answer: func(unit string) string {
				if unit == "AT+CCID\r" {
					return "\r\n" + said + "\r\n\r\nOK\r\n"
				}
				return obliging(unit)
			}}
			b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{})}
			stop := start(t, b.Gateway, &sink{})
			defer stop()
			b.await(t, otp.RouteReady, "", 3*time.Second)
			if got := b.Status().ICCID; got != want {
				t.Errorf("%q gave %q, want %q", said, got, want)
			}
		})
	}
}

// Where AT+CSQ knows nothing, AT+CESQ does.
func TestSignalOfNewNetworks(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		b.inject(t, "csq=99")
		time.Sleep(10 * time.Second)
		if got := b.Status().SignalDBm; got != -100 {
			t.Errorf("%d dBm, want -100", got)
		}
		b.inject(t, "refuse=+CESQ")
		time.Sleep(10 * time.Second)
		if got := b.Status().SignalDBm; got != 0 {
			t.Errorf("%d dBm, want unknown", got)
		}
	})
}

// The network's time is offered with its zone taken off, and a modem that has
// none to tell offers none.
func TestNetworkTime(t *testing.T) {
	for said, want := range map[string]string{
		`"26/11/22,10:15:30+04"`: "2026-11-22T09:15:30Z",
		`"26/11/22,10:15:30-20"`: "2026-11-22T15:15:30Z",
		`"26/11/22,10:15:30+23"`: "2026-11-22T04:30:30Z",
		`"04/01/01,00:00:10"`:    "",
		`"80/01/06,00:00:10+00"`: "",
		`"26/13/22,10:15:30+04"`: "",
		`"26/11/22,10:15:30+99"`: "",
		`"26/11/22 10:15:30+04"`: "",
		``:                       "",
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &peer{answer: func(unit string) string {
				if unit == "AT+CCLK?\r" {
					return "\r\n+CCLK: " + said + "\r\n\r\nOK\r\n"
				}
				return obliging(unit)
			}}
			var mu sync.Mutex
			var heard []otp.Time
			b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{Heard: func(at otp.Time) {
				mu.Lock()
				defer mu.Unlock()
				heard = append(heard, at)
			}})}
			stop := start(t, b.Gateway, &sink{})
			defer stop()
			time.Sleep(25 * time.Minute)
			mu.Lock()
			defer mu.Unlock()
			if want == "" && len(heard) != 0 || want != "" && len(heard) != 3 {
				t.Fatalf("%s: heard %d times", said, len(heard))
			}
			if want != "" && heard[0].Std().Format(time.RFC3339) != want {
				t.Errorf("%s: heard %v, want %s", said, heard[0].Std(), want)
			}
		})
	}
}

// The memory is looked at from time to time, and shown.
func TestStorageIsShown(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		time.Sleep(time.Second)
		if s := b.Status(); s.Stored != 0 || s.StoreSize != 20 {
			t.Errorf("%d of %d", s.Stored, s.StoreSize)
		}
		b.inject(t, "full@now")
		if v, passed := took(b.send); v.Outcome != otp.Sent || passed > 10*time.Second {
			t.Errorf("verdict %+v after %v", v, passed)
		}
	})
}
