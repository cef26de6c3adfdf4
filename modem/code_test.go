package modem_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

// afterRefusal is what becomes of a message in a box of two sticks, by what the
// refusal of the first leaves to try.
func afterRefusal(outcome otp.Outcome, reason otp.Reason, retry otp.Retry) (state otp.MessageState, route string, within time.Duration) {
	switch {
	case outcome == otp.Unknown:
		return otp.MessageDelivered, "gsm1", 2 * time.Second
	case retry == otp.RetryNever:
		return otp.MessageFailed, "gsm0", 2 * time.Second
	case reason == otp.ReasonStorage, retry == otp.RetryHere: // it makes room, or waits
		return otp.MessageDelivered, "gsm0", 10 * time.Second
	}
	return otp.MessageDelivered, "gsm1", 2 * time.Second
}

// Every code meets a message once, in a box of two sticks: which of them has
// the message then, how long that takes, how often it is transmitted and how it
// ends.
func TestCodes(t *testing.T) {
	var table strings.Builder
	for _, class := range verdicts {
		wantState, wantRoute, within := afterRefusal(class.outcome, class.reason, class.retry)
		for _, code := range class.codes {
			t.Run(class.name+" "+itoa(code), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					sticks := []*stick{plug(simulator.Config{}), plug(simulator.Config{})}
					o := staff(t, sticks...)
					sticks[0].inject(t, "cms="+itoa(code)+"@1")
					p, err := o.start(1)
					if err != nil {
						t.Fatal(err)
					}
					const step = 10 * time.Millisecond
					passed := time.Duration(0)
					m := o.message(p)
					for ; m.State != wantState && passed <= within; passed += step {
						time.Sleep(step)
						m = o.message(p)
					}
					sent := len(sticks[0].Handset().Messages()) + len(sticks[1].Handset().Messages())
					want := 1
					if wantState == otp.MessageFailed {
						want = 0
					}
					if m.State != wantState || m.Route != wantRoute || passed > within || sent != want || m.PossibleDuplicate != (class.outcome == otp.Unknown) {
						t.Errorf("after %v the message is %s (%s) by %s, a possible duplicate: %v, transmitted %d times; want %s by %s", passed, m.State, m.Reason, m.Route, m.PossibleDuplicate, sent, wantState, wantRoute)
					}
					if sticks[0].units.count(isPDU) == 0 {
						t.Error("the stick with the fault was not asked")
					}
					fmt.Fprintf(&table, "\n%4d  %-28s %5.2f s  %s  %d  %s %s", code, class.name, passed.Seconds(), m.Route, sent, m.State, m.Reason)
				})
			})
		}
	}
	t.Logf("+CMS ERROR, class, time, route, transmissions, end%s", table.String())
}
