package ssojet_test

import (
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web/webtest"
)

// TestEveryCode refuses a code for every reason there is, and writes what each
// is here, one line a code.
func TestEveryCode(t *testing.T) {
	webtest.EveryCode(t, "codes.txt", func(e *otp.Error) webtest.Answer {
		a := refuseSend(t, e)
		var wire struct {
			Code                 int
			Message, Description string
		}
		webtest.Decode(t, a.Body, &wire)
		if wire.Code != a.Status || wire.Message == "" || wire.Description == "" {
			t.Errorf("%s: got %s", e.Code, a.Body)
		}
		return a
	})
}

func TestRetryAfterIsNeverZero(t *testing.T) {
	webtest.Waits(t, func(e *otp.Error) webtest.Answer { return refuseSend(t, e) })
}

// refuseSend is what whoever asks for a code is told by the core.
func refuseSend(t *testing.T, e *otp.Error) webtest.Answer {
	d := open(t)
	d.core.Err = e
	return d.do(sendIt)
}

// TestFaultsSayNothing of themselves, whoever asks the door to refuse.
func TestFaultsSayNothing(t *testing.T) {
	webtest.Faults(t, func(e *otp.Error) webtest.Answer {
		return webtest.Refuse(t, open(t).Door, sendIt.Call(t.Context()), e, 0)
	})
}
