package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/pinferry/pinferry/server/web/webtest"
	"github.com/valyala/fasthttp"
)

func newCall(body, contentType string) *web.Call {
	var request fasthttp.Request
	request.SetBodyString(body)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.Header.SetContentType(contentType)
	ctx := new(fasthttp.RequestCtx)
	ctx.Init(&request, nil, nil)
	return &web.Call{HTTP: ctx, RequestID: "0123456789abcdef"}
}

// TestProblemsOfEveryCode writes what each code of the closed list is over
// HTTP, one line a code.
func TestProblemsOfEveryCode(t *testing.T) {
	webtest.EveryCode(t, "problems.txt", func(e *otp.Error) webtest.Answer {
		c := newCall("", "")
		c.Refuse(web.ProblemOf(e))
		if kind := string(c.HTTP.Response.Header.ContentType()); kind != "application/problem+json" {
			t.Errorf("%s: content type %q", e.Code, kind)
		}
		return webtest.AnswerOf(c)
	})
}

func TestRefusalsOfACodeAreOne(t *testing.T) {
	var first string
	for _, code := range []otp.Code{otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeExhausted, otp.CodeUnknown} {
		c := newCall("", "")
		c.Refuse(web.ProblemOf(&otp.Error{Code: code, Detail: "Reason " + string(code)}))
		if first == "" {
			first = c.HTTP.Response.String()
		}
		if got := c.HTTP.Response.String(); got != first {
			t.Errorf("%s is told apart:\n%s\n%s", code, got, first)
		}
	}
}

func TestRetryIsRoundedUpAndAtLeastOne(t *testing.T) {
	for wait, want := range map[time.Duration]int{0: 1, 1: 1, time.Second: 1, time.Second + 1: 2, 59*time.Second + 999*time.Millisecond: 60} {
		p := web.ProblemOf(&otp.Error{Code: otp.Busy, RetryAfter: wait})
		if got, ok := p.Retry(); !ok || got != want {
			t.Errorf("%v: got %d, %v; want %d", wait, got, ok, want)
		}
	}
	if _, ok := web.ProblemOf(&otp.Error{Code: otp.InvalidPhone, RetryAfter: time.Minute}).Retry(); ok {
		t.Error("a 400 tells to wait")
	}
}

func TestFaultsSayNothingOfThemselves(t *testing.T) {
	const secret = "disk of 10.0.0.7 is on fire"
	for _, err := range []error{
		errors.New(secret),
		fmt.Errorf("outer: %w", errors.New(secret)),
		&otp.Error{Code: otp.Internal, Detail: secret},
		&otp.Error{Code: "no_such_code", Detail: secret},
	} {
		c := newCall("", "")
		p := web.ProblemOf(err)
		c.Refuse(p)
		if c.HTTP.Response.StatusCode() != 500 || strings.Contains(c.HTTP.Response.String(), secret) {
			t.Errorf("%v: %s", err, c.HTTP.Response.String())
		}
		if !errors.Is(p, err) {
			t.Errorf("%v: the cause is lost for the log", err)
		}
	}
}

// TestErrorsOfEveryCode takes each code through a problem and back.
func TestErrorsOfEveryCode(t *testing.T) {
	for _, code := range otp.Codes() {
		sent := &otp.Error{Code: code, Detail: "What the core says.", RetryAfter: time.Minute}
		if e := web.ErrorOf(sent); e.Code != code || code != otp.Internal && e != sent {
			t.Errorf("%s becomes %+v", code, e)
		}
		want := code
		if strings.HasPrefix(string(code), "code_") {
			want = otp.CodeWrong // a problem no longer knows which it was
		}
		if e := web.ErrorOf(fmt.Errorf("outer: %w", web.ProblemOf(sent))); e.Code != want || code != otp.Internal && e.RetryAfter != time.Minute {
			t.Errorf("the problem of %s becomes %+v", code, e)
		}
	}
	for cause, want := range map[error]otp.Code{context.DeadlineExceeded: otp.Busy, context.Canceled: otp.ShuttingDown, io.EOF: otp.Internal} {
		err := fmt.Errorf("update: %w", cause)
		if e := web.ErrorOf(err); e.Code != want || !errors.Is(e, err) || strings.Contains(e.Detail, cause.Error()) {
			t.Errorf("%v becomes %+v", err, e)
		}
	}
}

func TestProblemIsOneJSONObject(t *testing.T) {
	c := newCall("", "")
	c.HTTP.WriteString("half an answer")
	c.Refuse(web.Invalid("\"quoted\" \u2028 <b>"))
	var members map[string]any
	if err := json.Unmarshal(c.HTTP.Response.Body(), &members); err != nil {
		t.Fatalf("%v: %s", err, c.HTTP.Response.Body())
	}
	if members["request_id"] != "0123456789abcdef" || members["type"] != "/docs/errors#invalid_request" {
		t.Errorf("got %v", members)
	}
}

// TestStatusOf has that only HTTP's own refusals bring a status to a vendor's
// door: what the vendor has a code for is for the vendor's map.
func TestStatusOf(t *testing.T) {
	invalid := string(otp.InvalidRequest)
	for want, errs := range map[int][]error{
		404: {&web.Problem{Status: 404, Code: invalid}},
		405: {fmt.Errorf("outer: %w", &web.Problem{Status: 405, Code: invalid})},
		415: {&web.Problem{Status: 415, Code: invalid}},
		0: {
			web.Invalid("What is wrong."), &web.Problem{Status: 422, Code: web.CodeRejected}, errors.New("fault"),
			&otp.Error{Code: otp.InvalidRequest}, web.ProblemOf(&otp.Error{Code: otp.LimitPhone}), nil,
		},
	} {
		for _, err := range errs {
			if got := web.StatusOf(err); got != want {
				t.Errorf("%v: got %d, want %d", err, got, want)
			}
		}
	}
}

func TestFail(t *testing.T) {
	for status, wait := range map[int]string{400: "", 429: "2", 503: "2", 500: ""} {
		c := newCall("", "")
		c.HTTP.WriteString("half an answer")
		c.Fail(status, 1500*time.Millisecond, struct{ X string }{"y"})
		r := &c.HTTP.Response
		if r.StatusCode() != status || string(r.Body()) != `{"X":"y"}` || string(r.Header.Peek("Retry-After")) != wait {
			t.Errorf("got %s", r)
		}
	}
	c := newCall("", "")
	c.Fail(429, 0, struct{ X string }{"\xff"}) // which no JSON can hold
	if r := &c.HTTP.Response; r.StatusCode() != 429 || len(r.Body()) > 0 || string(r.Header.Peek("Retry-After")) != "1" {
		t.Errorf("got %s", r)
	}
}

func TestPublic(t *testing.T) {
	for want, vary := range map[string][]string{"": nil, "Apikey, X-Client-Id": {"Apikey", "X-Client-Id"}} {
		c := newCall("", "")
		if err := c.Public(struct{}{}, vary...); err != nil {
			t.Fatal(err)
		}
		if h := &c.HTTP.Response.Header; string(h.Peek("Cache-Control")) != "public, max-age=300" || string(h.Peek("Vary")) != want {
			t.Errorf("got %s", h)
		}
	}
}
