package passage_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web/webtest"
)

// published are the vendor's codes: a reader in a typed language knows no other.
const published = " invalid_request invalid_access_token invalid_refresh_token exceeded_attempts operation_not_allowed" +
	" user_not_active app_not_found user_not_found internal_server_error "

// TestEveryCode refuses a login for every reason there is, and writes what each
// is here, one line a code.
func TestEveryCode(t *testing.T) {
	webtest.EveryCode(t, "codes.txt", func(e *otp.Error) webtest.Answer {
		a := refuseLogin(t, e)
		var wire struct{ Code, Error string }
		webtest.Decode(t, a.Body, &wire)
		if !strings.Contains(published, " "+wire.Code+" ") || wire.Error == "" {
			t.Errorf("%s: got %s", e.Code, a.Body)
		}
		return a
	})
}

func TestRetryAfterIsNeverZero(t *testing.T) {
	webtest.Waits(t, func(e *otp.Error) webtest.Answer { return refuseLogin(t, e) })
}

// refuseLogin is what whoever logs in is told by the core.
func refuseLogin(t *testing.T, e *otp.Error) webtest.Answer {
	d := open(t)
	d.core.Err = e
	return d.do(request{method: "POST", path: login, body: `{"identifier":"` + phone + `"}`})
}

// TestFaultsSayNothing of themselves, whoever asks the door to refuse.
func TestFaultsSayNothing(t *testing.T) {
	webtest.Faults(t, func(e *otp.Error) webtest.Answer {
		c := request{method: "GET", path: "/v1/apps/demo"}.http().Call(t.Context())
		return webtest.Refuse(t, open(t).Door, c, e, 0)
	})
}
