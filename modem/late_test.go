package modem_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/otp"
)

// A late refusal frees the line and confirms nothing.
func TestDialogueLateRefusal(t *testing.T) {
	// 38 is temporary; after the others a message that is still wanted would be
	// tried once more by the gateway itself.
	for _, code := range []string{"38", "322", "302", "512"} {
		t.Run(code, func(t *testing.T) { lateRefusal(t, code) })
	}
}

func lateRefusal(t *testing.T, code string) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: func(unit string) string {
			if isPDU(unit) {
				return "" // said below
			}
			return obliging(unit)
		}}
		g, s := modem.New("gsm0", p.open, modem.Config{}), &sink{}
		stop := start(t, g, s)
		defer stop()
		time.Sleep(3 * time.Second)
		go func() {
			time.Sleep(40 * time.Second)
			p.say("\r\n+CMS ERROR: " + code + "\r\n")
		}()
		v, passed := took(func() otp.Verdict { return g.Send(t.Context(), sample()) })
		if v.Outcome != otp.Unknown || passed != 30*time.Second {
			t.Errorf("verdict %+v after %v", v, passed)
		}
		time.Sleep(9 * time.Second)
		if g.Status().Free != 0 {
			t.Error("free before the answer")
		}
		time.Sleep(12 * time.Second) // a busy modem is given time
		if g.Status().Free != 1 || len(s.confirmations()) != 0 || p.openings() != 1 {
			t.Errorf("status %+v, %d confirmed, %d opened", g.Status(), len(s.confirmations()), p.openings())
		}
		handed := 0
		for _, unit := range p.list() {
			if isPDU(unit) {
				handed++
			}
		}
		if handed != 1 {
			t.Errorf("the message was handed over %d times", handed)
		}
	})
}
