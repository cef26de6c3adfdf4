package webtest_test

import (
	"errors"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/pinferry/pinferry/server/web/webtest"
)

// TestDo goes the way of a call: to the handler of its path, and with an error
// of that to the door, when nothing can be asked of the core any more.
func TestDo(t *testing.T) {
	var ended error
	door := web.Door{
		Routes: []web.Route{
			{Method: "GET", Pattern: "/{app}/users/{id}", Handle: func(c *web.Call) error {
				c.HTTP.SetBodyString(c.App + " " + c.Param + " " + c.Query("q") + " " + c.Client.String())
				return nil
			}},
			{Method: "POST", Pattern: "/{app}/users/{id}", Handle: func(c *web.Call) error {
				ended = c.Context.Err()
				return errors.New(c.Header("X-Why"))
			}},
		},
		Refuse: func(c *web.Call, e *otp.Error, _ int) {
			ended = errors.Join(ended, c.Context.Err())
			c.HTTP.Error(e.Err.Error(), 500)
		},
	}
	if a := webtest.Do(t, door, webtest.Request{Target: "/demo/users/%37?q=1", From: "192.0.2.1"}); a.Status != 200 || a.Body != "demo %37 1 192.0.2.1" {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
	a := webtest.Do(t, door, webtest.Request{Method: "POST", Target: "/demo/users/7", Headers: webtest.Headers("X-Why: because: so")})
	if a.Status != 500 || a.Body != "because: so" || ended == nil {
		t.Errorf("got %d %s, the context ended with %v", a.Status, a.Body, ended)
	}
	for _, target := range []string{"/demo/users", "/demo/users/", "//users/7", "/demo/user/7", "/demo/users/7/8"} {
		must(t, target, true, func(t testing.TB) { webtest.Do(t, door, webtest.Request{Target: target}) })
	}
	must(t, "DELETE", true, func(t testing.TB) { webtest.Do(t, door, webtest.Request{Method: "DELETE", Target: "/demo/users/7"}) })
}
