package modem_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

const credit = "Guthaben: 10.50 EUR, gültig bis 31.12."

func TestUSSD(t *testing.T) {
	for _, maker := range []string{"", "huawei"} {
		for spec, want := range map[string]string{
			"ussd=ucs2": credit, "ussd=packed": credit, "": "", "ussd=open": "", "ussd=lines": "Hello", "ussd=early": "",
			"ussd=unknown": "!", "ussd=refused": "!", "ussd=silent": "!",
		} {
			t.Run(maker+" "+spec, func(t *testing.T) {
				bubble(t, simulator.Config{Credit: credit, Maker: maker, Latency: time.Second}, modem.Config{}, func(t *testing.T, b *bench) {
					if spec != "" {
						b.inject(t, spec)
					}
					answer, err := b.USSD(t.Context(), "*100#")
					switch {
					case want == "!" && (err == nil || answer != ""):
						t.Errorf("got %q, %v", answer, err)
					case want == "!":
					case err != nil:
						t.Fatal(err)
					case want == "": // as far as the line carries it
						if !strings.Contains(answer, "10.50 EUR") {
							t.Errorf("got %q", answer)
						}
					case !strings.Contains(answer, want):
						t.Errorf("got %q, want %q", answer, want)
					}
					ended := b.units.count(func(unit string) bool { return unit == "AT+CUSD=2\r" })
					if want := map[bool]int{true: 1}[spec == "ussd=open" || spec == "ussd=silent"]; ended != want {
						t.Errorf("the dialogue was ended %d times, want %d", ended, want)
					}
					if v := b.send(); v.Outcome != otp.Sent {
						t.Errorf("verdict %+v", v)
					}
				})
			})
		}
	}
}

// A message goes before a code that the network thinks about.
func TestUSSDYieldsToAMessage(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		b.inject(t, "ussd=silent")
		failed := make(chan error)
		go func() {
			_, err := b.USSD(t.Context(), "*100#")
			failed <- err
		}()
		time.Sleep(5 * time.Second)
		if b.Status().Free != 1 {
			t.Fatal("the slot is taken while the network thinks")
		}
		if v, passed := took(b.send); v.Outcome != otp.Sent || passed > time.Second {
			t.Errorf("verdict %+v after %v", v, passed)
		}
		if err := <-failed; err == nil {
			t.Error("the code was answered")
		}
	})
}

func TestUSSDRefusesWhatIsNoCode(t *testing.T) {
	g := modem.New("gsm0", plug(simulator.Config{}).open, modem.Config{})
	for _, code := range []string{"", "100", "*100", `*100#",15;+CMGD=1,4`, "*100#\r", "*" + strings.Repeat("1", 80) + "#"} {
		if _, err := g.USSD(t.Context(), code); err == nil {
			t.Errorf("%q was dialled", code)
		}
	}
}

// The questions of an operator change nothing and send nothing.
func TestAsk(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		lines, err := b.Ask(t.Context(), "at+csq")
		if err != nil || strings.Join(lines, "|") != "+CSQ: 20,99|OK" {
			t.Errorf("got %q, %v", lines, err)
		}
		if lines, err = b.Ask(t.Context(), "AT^HCSQ?"); err != nil || len(lines) != 1 || !strings.HasPrefix(lines[0], "ERROR") {
			t.Errorf("got %q, %v", lines, err)
		}
		before := len(b.units.list())
		for _, command := range []string{
			"AT+CMGS=20", "AT+CMGD=1,4", "AT+CFUN=1,1", "AT+CFUN=0", "AT+CMGL=4", "AT+CMGR=1", "AT+CPIN=0000", "AT+CSQ;+CMGD=1,4",
			"AT+CSQ\rAT+CFUN=0", "ATD112;", "ATZ", "AT&F", "AT+COPS=?", "AT+CSCA=\"1\"", "", "AT+CMGW=1", "AT+CUSD=1",
		} {
			if _, err := b.Ask(t.Context(), command); err == nil {
				t.Errorf("%q was passed on", command)
			}
		}
		if after := len(b.units.list()); after != before {
			t.Errorf("something was written: %q", b.units.list()[before:])
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := plug(simulator.Config{})
		s.absent = true
		b := run(t, s, modem.Config{})
		defer b.stop()
		if _, err := b.Ask(t.Context(), "AT+CSQ"); err == nil {
			t.Error("a modem that is not there answered")
		}
	})
}

// An operator who asks a modem that is not there hears so soon, and one who asks
// beside a message is patient.
func TestAskWithoutAModem(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		b.inject(t, "late-reply=20s@1")
		sent := make(chan otp.Verdict)
		go func() { sent <- b.send() }()
		time.Sleep(time.Second)
		if _, err := b.Ask(t.Context(), "AT+CSQ"); err != nil {
			t.Errorf("beside a message: %v", err)
		}
		<-sent
		b.pull(true)
		time.Sleep(time.Second)
		before := b.Status()
		passed := make(chan error)
		go func() {
			_, err := b.Ask(t.Context(), "AT+CSQ")
			passed <- err
		}()
		select {
		case err := <-passed:
			if err == nil || !strings.Contains(err.Error(), "modem status") {
				t.Errorf("without a modem (%s): %v", before.Reason, err)
			}
		case <-time.After(15 * time.Second):
			t.Error("an operator waits for a modem that is not there")
			<-passed
		}
	})
}

func TestBalance(t *testing.T) {
	for said, want := range map[string]string{
		"Balance: 10.00":                      "10.00",
		"Guthaben 1.234,50 EUR":               "1234.50",
		"CHF 1'050.05, valid to 31.12.2026":   "1050.05",
		"41791234567 has 3 EUR":               "3",
		"Credit -0.40":                        "-0.40",
		"You have 1,000 units":                "1000",
		"Your credit is 007.5":                "7.5",
		"No credit":                           "",
		"Call 00418008080800 for your credit": "",
	} {
		t.Run(said, func(t *testing.T) {
			cfg := modem.Config{Balance: modem.Balance{Code: "*100#", Low: 2}}
			bubble(t, simulator.Config{Credit: said}, cfg, func(t *testing.T, b *bench) {
				time.Sleep(2 * time.Minute)
				if got := b.Status().Balance; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		})
	}
}

// The balance is asked on its schedule, and a low one is told once.
func TestBalanceSchedule(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	left := "9.00"
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		p := &peer{answer: func(unit string) string {
			mu.Lock()
			defer mu.Unlock()
			if strings.HasPrefix(unit, "AT+CUSD=1") {
				asked++
				return "\r\nOK\r\n\r\n+CUSD: 0,\"You have " + left + "\",15\r\n"
			}
			return obliging(unit)
		}}
		now := otp.Time(1000)
		g := modem.New("gsm0", p.open, modem.Config{
			Balance: modem.Balance{Code: "*100#", Every: 6 * time.Hour, Low: 2},
			Log:     zerolog.New(&log).Level(zerolog.WarnLevel), Now: func() otp.Time { return now },
		})
		stop := start(t, g, &sink{})
		defer stop()
		time.Sleep(5 * time.Minute)
		if s := g.Status(); s.Balance != "9.00" || s.BalanceLow || s.BalanceAt != now {
			t.Errorf("status %q %v %v", s.Balance, s.BalanceLow, s.BalanceAt)
		}
		mu.Lock()
		left = "1.50"
		mu.Unlock()
		time.Sleep(24 * time.Hour)
		if s := g.Status(); s.Balance != "1.50" || !s.BalanceLow {
			t.Errorf("status %q %v", s.Balance, s.BalanceLow)
		}
		mu.Lock()
		defer mu.Unlock()
		if asked != 5 {
			t.Errorf("asked %d times in a day, want 5", asked)
		}
	})
	if n := strings.Count(log.String(), "balance of the SIM is low"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, log.String())
	}
}

// Whatever a network answers, it is text without control characters.
func FuzzUSSD(f *testing.F) {
	for _, said := range []string{
		`0,"Balance: 10.00",15`, `0,"00420061006C",72`, `0,"C2303B4D0E83E0",15`, `1`, `2,""`, `4`, `0,"`, `0,"00",17`, `0,"D83D",72`, `9,"x",1`, `0,"AA180C3602",15`,
	} {
		f.Add(said, false)
		f.Add(said, true)
	}
	f.Fuzz(func(t *testing.T, said string, packed bool) {
		if strings.ContainsAny(said, "\r\n") || len(said) > 2000 {
			return
		}
		cfg := simulator.Config{}
		synctest.Test(t, func(t *testing.T) {
			maker := "Pinferry"
			if packed {
				maker = "huawei"
			}
			p := &peer{answer: func(unit string) string {
				switch {
				case strings.HasPrefix(unit, "AT+CUSD=1"):
					return "\r\nOK\r\n\r\n+CUSD: " + said + "\r\n"
				case unit == "AT+CGMI\r":
					return "\r\n" + maker + "\r\n\r\nOK\r\n"
				}
				return obliging(unit)
			}}
			b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{}), stick: plug(cfg)}
			stop := start(t, b.Gateway, &sink{})
			defer stop()
			b.await(t, otp.RouteReady, "", 3*time.Second)
			answer, err := b.USSD(t.Context(), "*100#")
			if err != nil && answer != "" {
				t.Errorf("both %q and %v", answer, err)
			}
			if strings.ContainsFunc(answer, unicode.IsControl) || len([]rune(answer)) > 256 {
				t.Errorf("got %q", answer)
			}
			b.await(t, otp.RouteReady, "", 20*time.Second)
			if v := b.send(); v.Outcome != otp.Sent {
				t.Errorf("verdict %+v", v)
			}
		})
	})
}
