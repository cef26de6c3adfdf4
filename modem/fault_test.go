package modem_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

// verdicts are the classes of the radio's refusals, as the operator was
// promised them.
var verdicts = []struct {
	name    string
	codes   []int
	outcome otp.Outcome
	reason  otp.Reason
	retry   otp.Retry
	tries   int // AT+CMGS for one message
}{
	{"recipient", []int{1, 81, 95, 96, 97, 98, 99, 111, 128, 129, 130, 143, 144, 145, 159, 160, 161, 175, 176, 195, 196}, otp.Refused, otp.ReasonRecipient, otp.RetryNever, 1},
	{"recipient, one try elsewhere", []int{50, 69}, otp.Refused, otp.ReasonRecipient, otp.RetryOnce, 1},
	{"SIM", []int{8, 10, 21, 28, 29, 30, 193, 303, 310, 311, 312, 313, 315, 316, 317, 318, 330}, otp.Refused, otp.ReasonSIM, otp.RetryElsewhere, 1},
	{"our bug", []int{304, 305}, otp.Refused, otp.ReasonEncoding, otp.RetryNever, 1},
	{"storage", []int{208, 209, 211, 320, 321, 322}, otp.Refused, otp.ReasonStorage, otp.RetryElsewhere, 2},
	{"temporary", []int{17, 22, 27, 38, 41, 42, 47, 192, 194, 331}, otp.Refused, otp.ReasonTemporary, otp.RetryHere, 1},
	{"busy", []int{300, 301, 302, 314, 512, 513, 538, 9999}, otp.Refused, otp.ReasonModemBusy, otp.RetryHere, 2},
	{"maybe sent", []int{127, 197, 255, 332, 500}, otp.Unknown, otp.ReasonTemporary, 0, 1},
	{"in no table", []int{0, 2, 100, 199, 254}, otp.Refused, otp.ReasonTemporary, otp.RetryHere, 1},
	{"reserved", []int{256, 340, 499, 501, 511}, otp.Refused, otp.ReasonModemBusy, otp.RetryHere, 2},
}

func TestFaultClasses(t *testing.T) {
	for _, class := range verdicts {
		for _, code := range class.codes {
			t.Run(class.name+" "+itoa(code), func(t *testing.T) {
				bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
					b.inject(t, "cms="+itoa(code)+"@*")
					v := b.send()
					if v.Outcome != class.outcome || v.Reason != class.reason || v.Retry != class.retry {
						t.Errorf("verdict %+v, want %v %s %v", v, class.outcome, class.reason, class.retry)
					}
					if !strings.HasPrefix(v.Detail, "+CMS ERROR: "+itoa(code)+" (") {
						t.Errorf("detail %q does not name the code and its meaning", v.Detail)
					}
					if n := b.units.count(isPDU); n != class.tries {
						t.Errorf("%d PDUs, want %d", n, class.tries)
					}
					wantState := otp.RouteReady
					if class.reason == otp.ReasonSIM {
						wantState = otp.RouteDown
					}
					if status := b.Status(); status.State != wantState {
						t.Errorf("status %+v, want %v", status, wantState)
					}
				})
			})
		}
	}
}

// Before the PDU was handed over nothing can have been sent, whatever the code.
func TestFaultBeforeTheMessage(t *testing.T) {
	for _, code := range []int{1, 38, 127, 197, 302, 322, 332, 500} {
		bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
			b.inject(t, "early="+itoa(code)+"@*")
			if v := b.send(); v.Outcome != otp.Refused {
				t.Errorf("code %d: verdict %+v", code, v)
			}
		})
	}
}

func TestFaultOfTheEquipment(t *testing.T) {
	for code, want := range map[int]struct {
		outcome otp.Outcome
		reason  otp.Reason
	}{
		10: {otp.Refused, otp.ReasonSIM}, 11: {otp.Refused, otp.ReasonSIM}, 13: {otp.Refused, otp.ReasonSIM},
		14: {otp.Refused, otp.ReasonModemBusy}, 30: {otp.Refused, otp.ReasonTemporary}, 32: {otp.Refused, otp.ReasonSIM},
		31: {otp.Unknown, otp.ReasonTemporary}, 100: {otp.Unknown, otp.ReasonTemporary}, 3: {otp.Refused, otp.ReasonModemBusy},
	} {
		bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
			b.inject(t, "cme="+itoa(code)+"@*")
			if v := b.send(); v.Outcome != want.outcome || v.Reason != want.reason {
				t.Errorf("code %d: verdict %+v, want %+v", code, v, want)
			}
		})
	}
}

// A SIM that is refused is out of service, shows why, and gets another chance
// once a minute.
func TestFaultOfTheSIM(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		b.inject(t, "cms=8@1")
		opened := b.openings()
		b.send()
		status := b.Status()
		if status.State != otp.RouteDown || status.Reason != "sim_refused" || !strings.Contains(status.Detail, "operator determined barring") {
			t.Fatalf("status %+v", status)
		}
		time.Sleep(50 * time.Second)
		if b.Status().State != otp.RouteDown || b.openings() != opened {
			t.Errorf("status %+v, opened %d times", b.Status(), b.openings()-opened)
		}
		b.await(t, otp.RouteReady, "", 15*time.Second)
		if v := b.send(); v.Outcome != otp.Sent {
			t.Errorf("verdict %+v", v)
		}
	})
}

// A full storage is cleaned, and the message goes out in the same attempt.
func TestFaultStorageFull(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		b.inject(t, "full@now")
		v, passed := took(b.send)
		if passed > 10*time.Second {
			t.Errorf("it took %v", passed)
		}
		if v.Outcome != otp.Sent {
			t.Errorf("verdict %+v", v)
		}
	})
}

// What goes wrong is told without a digit of a number or a piece of a text.
func TestFaultLogsNoSecret(t *testing.T) {
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		b := run(t, plug(simulator.Config{}), modem.Config{Log: zerolog.New(&log)})
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		for _, spec := range []string{"cms=304@1", "cms=8@1", "hangup=after-submit@1", "no-prompt@1", "urc=cds@1"} {
			b.inject(t, spec)
			b.send()
			b.await(t, otp.RouteReady, "", 90*time.Second)
		}
		time.Sleep(time.Minute)
	})
	out := log.String()
	if !strings.Contains(out, "modem refused the PDU") || !strings.Contains(out, "TP-DA 11 digits") {
		t.Errorf("the PDU's header is not in the log:\n%s", out)
	}
	for _, secret := range []string{"123456", "41791234567", "1497214365F7", "D9775D0E", "Your code"} {
		if strings.Contains(out, secret) {
			t.Errorf("%q is in the log:\n%s", secret, out)
		}
	}
}
