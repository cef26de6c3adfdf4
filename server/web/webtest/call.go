// Package webtest is what the tests of the doors share: calls as they come to a
// door, answers held against files of testdata, a core and a mint that answer
// what a test says, and the rules that every door's refusals keep. It is for
// tests alone.
package webtest

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// Client is where a call comes from that says nothing else.
const Client = "203.0.113.9"

// RequestID is the id of every call.
const RequestID = "0123456789abcdef"

// Request is a call as it comes to a door.
type Request struct {
	// Method is HTTP's; "" is GET.
	Method string
	// Target is the path with its query.
	Target string
	Body   string
	// Type is the content type of a body that has any letters; "" is
	// application/json.
	Type string
	// Host is "localhost" if it is "".
	Host string
	// From is the address of the caller; "" is [Client].
	From string
	// Bearer is what stands behind Bearer in Authorization; "" leaves it out.
	Bearer string
	// Headers replace those that follow from the rest.
	Headers map[string]string
}

// Call returns the call of a request. ctx is what the handler is given.
func (r Request) Call(ctx context.Context) *web.Call {
	var raw fasthttp.Request
	raw.SetRequestURI(r.Target)
	raw.Header.SetMethod(r.Method)
	raw.Header.SetHost(or(r.Host, "localhost"))
	if r.Body != "" {
		raw.SetBodyString(r.Body)
		raw.Header.SetContentType(or(r.Type, "application/json"))
	}
	if r.Bearer != "" {
		raw.Header.Set("Authorization", "Bearer "+r.Bearer)
	}
	for name, value := range r.Headers {
		raw.Header.Set(name, value)
	}
	client := netip.MustParseAddr(or(r.From, Client))
	http := new(fasthttp.RequestCtx)
	http.Init(&raw, &net.TCPAddr{IP: client.AsSlice()}, nil)
	return &web.Call{HTTP: http, Context: ctx, RequestID: RequestID, Client: client}
}

// Headers returns headers that are written as lines, "apikey: pk_1".
func Headers(lines ...string) map[string]string {
	headers := map[string]string{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		headers[name] = value
	}
	return headers
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Answer is what came back.
type Answer struct {
	Status int
	Body   string
	Head   *fasthttp.ResponseHeader
}

// AnswerOf returns what a call was answered so far.
func AnswerOf(c *web.Call) Answer {
	return Answer{c.HTTP.Response.StatusCode(), string(c.HTTP.Response.Body()), &c.HTTP.Response.Header}
}

// Header returns the header of this name, "" if there is none.
func (a Answer) Header(name string) string { return string(a.Head.Peek(name)) }

// Do makes a call as the server would: the handler of the path is run, an error
// of it goes to the door, once the context of the call has ended. A path that is
// not the door's ends the test.
func Do(t testing.TB, d web.Door, r Request) Answer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := r.Call(ctx)
	handler := Find(t, d, c)
	if err := handler(c); err != nil {
		cancel()
		d.Refuse(c, web.ErrorOf(err), web.StatusOf(err))
	}
	return AnswerOf(c)
}

// Refuse lets a door answer an error of the server, as before any handler has
// told whose call it is, and with half an answer written.
func Refuse(t testing.TB, d web.Door, c *web.Call, err error, status int) Answer {
	t.Helper()
	c.HTTP.WriteString(half)
	d.Refuse(c, web.ErrorOf(err), status)
	a := AnswerOf(c)
	if strings.Contains(a.Body, half) {
		t.Errorf("half an answer left: %s", a.Body)
	}
	return a
}

const half = "half an answer"

// Find returns the handler of a call at a door, and notes in the call what
// stands for {app} and {id}, as the server's router does. A path that is not the
// door's ends the test.
func Find(t testing.TB, d web.Door, c *web.Call) web.Handler {
	t.Helper()
	path, _, _ := strings.Cut(string(c.HTTP.Request.Header.RequestURI()), "?")
	method := string(c.HTTP.Method())
	for _, route := range d.Routes {
		if app, id, ok := match(route.Pattern, path); ok && route.Method == method {
			c.App, c.Param = app, id
			return route.Handle
		}
	}
	t.Fatalf("there is no %s %s", method, path)
	return nil
}

// match holds a path against a pattern, segment by segment.
func match(pattern, path string) (app, id string, ok bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return "", "", false
	}
	for i := range want {
		switch {
		case want[i] == "{app}" && got[i] != "":
			app = got[i]
		case want[i] == "{id}" && got[i] != "":
			id = got[i]
		case want[i] != got[i]:
			return "", "", false
		}
	}
	return app, id, true
}
