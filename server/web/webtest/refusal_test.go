package webtest_test

import (
	"fmt"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/pinferry/pinferry/server/web/webtest"
)

// problem is a door that refuses as the native one does.
func problem(c *web.Call, e *otp.Error, _ int) { c.Refuse(web.ProblemOf(e)) }

// refuser asks a door for its refusals.
func refuser(t testing.TB, refuse func(*web.Call, *otp.Error, int)) func(*otp.Error) webtest.Answer {
	return func(e *otp.Error) webtest.Answer {
		c := webtest.Request{Method: "POST", Target: "/"}.Call(t.Context())
		return webtest.Refuse(t, web.Door{Refuse: refuse}, c, e, 0)
	}
}

// TestRules has the rules of refusals complain of doors that break one each,
// and of no sound one.
func TestRules(t *testing.T) {
	files(t)
	breaches := map[string]func(*web.Call, *otp.Error, int){
		"Sound": problem,
		"TellsTheCause": func(c *web.Call, e *otp.Error, _ int) {
			c.Fail(web.ProblemOf(e).Status, e.RetryAfter, struct{ Why string }{e.Detail + fmt.Sprint(e.Err)})
		},
		"NeverWaits": func(c *web.Call, e *otp.Error, status int) {
			problem(c, e, status)
			c.HTTP.Response.Header.Del("Retry-After")
		},
		"AlwaysWaits": func(c *web.Call, e *otp.Error, status int) {
			problem(c, e, status)
			c.HTTP.Response.Header.Set("Retry-After", "91")
		},
		"OnlyFaults":   func(c *web.Call, _ *otp.Error, _ int) { c.Fail(500, 0, struct{}{}) },
		"NoFaults":     func(c *web.Call, e *otp.Error, _ int) { c.Fail(400, 0, struct{}{}) },
		"HalfAnAnswer": func(c *web.Call, e *otp.Error, _ int) { c.HTTP.SetStatusCode(web.ProblemOf(e).Status) },
	}
	seen := map[string]bool{}
	for name, refuse := range breaches {
		sound := name == "Sound"
		write(t, "codes.txt", "")
		every := complaints(t, func(t testing.TB) { webtest.EveryCode(t, "codes.txt", refuser(t, refuse)) })
		// The file is empty, so one complaint is about it alone.
		if (len(every) == 1) != sound {
			t.Errorf("%s: complaints are %q", name, every)
		}
		for rule, run := range map[string]func(testing.TB){
			"Faults": func(t testing.TB) { webtest.Faults(t, refuser(t, refuse)) },
			"Waits":  func(t testing.TB) { webtest.Waits(t, refuser(t, refuse)) },
		} {
			got := complaints(t, run)
			if sound && len(got) > 0 {
				t.Errorf("%s: complaints are %q", rule, got)
			}
			seen[rule] = seen[rule] || len(got) > 0
		}
	}
	if !seen["Faults"] || !seen["Waits"] {
		t.Errorf("a rule complains of nothing: %v", seen)
	}
}

func TestBody(t *testing.T) {
	for name, test := range map[string]struct {
		body     string
		answer   webtest.Answer
		asked    []string
		complain bool
	}{
		"Taken":      {`{"a":1}`, webtest.Answer{Status: 200, Body: "{}"}, []string{"Start"}, false},
		"Refused":    {`[`, webtest.Answer{Status: 400, Body: "{}"}, nil, false},
		"Fault":      {`{}`, webtest.Answer{Status: 500, Body: "{}"}, nil, true},
		"NoJSON":     {`{}`, webtest.Answer{Status: 400, Body: "<p>"}, nil, true},
		"ListTaken":  {`[]`, webtest.Answer{Status: 200, Body: "{}"}, []string{"Start"}, true},
		"TwoObjects": {`{}{}`, webtest.Answer{Status: 200, Body: "{}"}, []string{"Start"}, true},
	} {
		must(t, name, test.complain, func(t testing.TB) { webtest.Body(t, []byte(test.body), test.answer, test.asked) })
	}
}
