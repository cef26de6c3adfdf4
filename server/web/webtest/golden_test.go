package webtest_test

import (
	"testing"

	"github.com/pinferry/pinferry/server/web/webtest"
)

func TestGolden(t *testing.T) {
	files(t)
	write(t, "a.json", "{}\n")
	must(t, "Same", false, func(t testing.TB) { webtest.Answer{Body: "{}"}.Golden(t, "a") })
	must(t, "OtherBody", true, func(t testing.TB) { webtest.Answer{Body: "{ }"}.Golden(t, "a") })
	must(t, "NoFile", true, func(t testing.TB) { webtest.Answer{Body: "{}"}.Golden(t, "b") })

	r, a := webtest.Request{Method: "POST", Target: "/x?y=<", Body: `{"a":1}`}, webtest.Answer{Status: 204}
	t.Setenv("UPDATE", "1")
	webtest.Exchange(t, "c", r, a)
	t.Setenv("UPDATE", "")
	must(t, "SameExchange", false, func(t testing.TB) { webtest.Exchange(t, "c", r, a) })
	a.Status = 200
	must(t, "OtherStatus", true, func(t testing.TB) { webtest.Exchange(t, "c", r, a) })
	a.Status, r.Target = 204, "/x"
	must(t, "OtherTarget", true, func(t testing.TB) { webtest.Exchange(t, "c", r, a) })
	a.Body = "{"
	must(t, "NoJSON", true, func(t testing.TB) { webtest.Exchange(t, "c", r, a) })
}
