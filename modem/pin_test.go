package modem_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// seal is a keyed digest as the box has one.
func seal(label string, parts ...[]byte) [32]byte {
	mac := hmac.New(sha256.New, []byte("the key of a test"))
	mac.Write([]byte(label))
	for _, p := range parts {
		mac.Write(p)
	}
	return [32]byte(mac.Sum(nil))
}

func isPIN(unit string) bool { return strings.HasPrefix(unit, "AT+CPIN=") }

func TestPINOpensTheSIM(t *testing.T) {
	for _, maker := range []string{"", "huawei", "quectel", "simcom"} {
		t.Run(maker, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := plug(simulator.Config{PIN: "4711", Maker: maker})
				b := run(t, s, modem.Config{PIN: "4711"})
				defer b.stop()
				b.await(t, otp.RouteReady, "", 10*time.Second)
				if tries := b.Status().PINTries; tries != 3 {
					t.Errorf("%d tries are shown, want 3", tries)
				}
				// Again and again: a PIN that was taken costs no try.
				for range 5 {
					s.Reset()
					b.inject(t, "reboot@now")
					b.await(t, otp.RouteDown, "sim_pin", 5*time.Second)
					b.await(t, otp.RouteReady, "", 10*time.Second)
				}
				if v := b.send(); v.Outcome != otp.Sent {
					t.Errorf("verdict %+v", v)
				}
			})
		})
	}
}

// A wrong PIN is tried once, whatever happens after that.
func TestPINWrongOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		store := otptest.NewMemory()
		s := plug(simulator.Config{PIN: "4711"})
		life := func(pin string) {
			b := run(t, s, modem.Config{PIN: pin, Memory: modem.NewMemory(store), Seal: seal, Log: zerolog.New(&log)})
			b.await(t, otp.RouteDown, "sim_pin", 15*time.Second)
			for range 3 {
				b.inject(t, "reboot@now")
				time.Sleep(time.Minute)
			}
			b.pull(true)
			time.Sleep(time.Minute)
			b.pull(false)
			time.Sleep(time.Minute)
			b.await(t, otp.RouteDown, "sim_pin", 0)
			b.stop()
		}
		for range 10 { // restarts of the box
			life("1234")
		}
		if n := s.units.count(isPIN); n != 1 {
			t.Fatalf("a wrong PIN was tried %d times", n)
		}
		life("5678") // another value is another try, and then there is one left
		life("9999")
		life("4711")
		if n := s.units.count(isPIN); n != 2 {
			t.Errorf("the last try was made: %d tries", n)
		}
		for _, secret := range []string{"1234", "5678", "4711", "8900101012345678901"} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log holds %s:\n%s", secret, log.String())
			}
		}
		if err := store.View(t.Context(), func(tx otp.Tx) error {
			return tx.Scan(otp.Key{Kind: otp.KindModem}, otp.Key{}, 0, func(_ otp.Key, row []byte) bool {
				if bytes.Contains(row, []byte("1234")) {
					t.Error("the store holds the PIN")
				}
				return true
			})
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// A modem that does not count its tries gets one PIN, and no other after a
// refusal.
func TestPINWithoutACount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := otptest.NewMemory()
		s := plug(simulator.Config{PIN: "4711"})
		s.inject(t, "refuse=+CPINR")
		for _, pin := range []string{"1111", "2222", "3333", "1111"} {
			b := run(t, s, modem.Config{PIN: pin, Memory: modem.NewMemory(store), Seal: seal})
			b.await(t, otp.RouteDown, "sim_pin", 15*time.Second)
			time.Sleep(time.Minute)
			b.stop()
		}
		if n := s.units.count(isPIN); n != 1 {
			t.Errorf("%d tries, want 1", n)
		}
	})
}

// A box that dies between the command and its answer does not know whether it
// counted: it tries again only if the SIM says that nothing was refused.
func TestPINCutOff(t *testing.T) {
	for name, c := range map[string]struct {
		left, want int
	}{"counted": {2, 1}, "not counted": {3, 2}, "not known": {0, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				left, open := 3, false
				var p *peer
				p = &peer{answer: func(unit string) string {
					switch {
					case isPIN(unit):
						if p.count(isPIN) > 1 {
							open = true
							return "\r\nOK\r\n"
						}
						left = c.left
						return "" // and no more
					case unit == "AT+CPIN?\r" && !open:
						return "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n"
					case unit == "AT+CCID\r":
						return "\r\n+CCID: 8900101012345678901F\r\n\r\nOK\r\n"
					case unit == "AT+CPINR\r" && left > 0:
						return "\r\n+CPINR: SIM PIN," + itoa(left) + ",3\r\n\r\nOK\r\n"
					}
					return obliging(unit)
				}}
				store := otptest.NewMemory()
				for range 3 {
					g := modem.New("gsm0", p.open, modem.Config{PIN: "4711", Memory: modem.NewMemory(store), Seal: seal})
					stop := start(t, g, &sink{})
					time.Sleep(time.Minute)
					stop()
				}
				if n := p.count(isPIN); n != c.want {
					t.Errorf("%d tries, want %d", n, c.want)
				}
			})
		})
	}
}

// A modem reads the number of a busy SIM at one start and not at the next. The
// PIN that the SIM has refused stays refused.
func TestPINOfASIMWithoutANumber(t *testing.T) {
	for name, shown := range map[string][]bool{ // at each start
		"then known": {false, true, true}, "then unknown": {true, false, false}, "never known": {false, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, counts := range []bool{true, false} {
				synctest.Test(t, func(t *testing.T) {
					store := otptest.NewMemory()
					s := plug(simulator.Config{PIN: "4711"})
					for _, now := range shown {
						s.ClearFaults()
						if !now {
							s.inject(t, "refuse=+CCID", "refuse=+ICCID", "refuse=^ICCID", "refuse=+QCCID")
						}
						if !counts {
							s.inject(t, "refuse=+CPINR")
						}
						b := run(t, s, modem.Config{PIN: "1234", Memory: modem.NewMemory(store), Seal: seal})
						b.await(t, otp.RouteDown, "sim_pin", 15*time.Second)
						time.Sleep(time.Minute)
						b.stop()
					}
					if n := s.units.count(isPIN); n != 1 {
						t.Errorf("counts %v: the wrong PIN was tried %d times", counts, n)
					}
					s.ClearFaults()
					if !counts {
						return // an operator must: nobody can count
					}
					b := run(t, s, modem.Config{PIN: "4711", Memory: modem.NewMemory(store), Seal: seal})
					defer b.stop()
					b.await(t, otp.RouteReady, "", 15*time.Second)
				})
			}
		})
	}
}

// broken is a memory on a disk that fails.
type broken struct{ read, write error }

func (m broken) Load(context.Context, string) ([]byte, error) { return nil, m.read }
func (m broken) Save(context.Context, string, []byte) error   { return m.write }

// What cannot be noted is not tried.
func TestPINWithoutAMemory(t *testing.T) {
	fault := errors.New("input/output error")
	for _, m := range []broken{{read: fault}, {write: fault}} {
		synctest.Test(t, func(t *testing.T) {
			s := plug(simulator.Config{PIN: "4711"})
			b := run(t, s, modem.Config{PIN: "4711", Memory: m, Seal: seal})
			defer b.stop()
			b.await(t, otp.RouteDown, "sim_pin", 15*time.Second)
			time.Sleep(time.Minute)
			if n := s.units.count(isPIN); n != 0 {
				t.Errorf("%d tries", n)
			}
		})
	}
}

// An operator may have a refused PIN tried again, but not the last time.
func TestPINByTheOperator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := plug(simulator.Config{PIN: "4711"})
		b := run(t, s, modem.Config{PIN: "1234"})
		defer b.stop()
		b.await(t, otp.RouteDown, "sim_pin", 15*time.Second)
		if err := b.EnterPIN(t.Context()); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("a wrong PIN gave %v", err)
		}
		if err := b.EnterPIN(t.Context()); err == nil || !strings.Contains(err.Error(), "one try") {
			t.Errorf("the last try gave %v", err)
		}
		if n := s.units.count(isPIN); n != 2 {
			t.Errorf("%d tries, want 2", n)
		}
	})
	bubble(t, simulator.Config{}, modem.Config{PIN: "4711"}, func(t *testing.T, b *bench) {
		if err := b.EnterPIN(t.Context()); err == nil {
			t.Error("a SIM without a lock took a PIN")
		}
	})
}

func TestPINForm(t *testing.T) {
	for _, pin := range []string{"123", "123456789", "12a4", `1234";+CMGD=1,4;"`} {
		g := modem.New("gsm0", plug(simulator.Config{}).open, modem.Config{PIN: pin})
		if err := g.Run(t.Context(), &sink{}); err == nil || strings.Contains(err.Error(), pin) {
			t.Errorf("PIN %q gave %v", pin, err)
		}
	}
}
