package relay_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem/relay"
	"github.com/pinferry/pinferry/otp"
)

// answer is a handler that also sets headers, "Name: value".
func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Set(name, value)
		}
		says(status, body)(w, r)
	}
}

func TestVerdicts(t *testing.T) {
	refused := func(reason otp.Reason, retry otp.Retry) otp.Verdict {
		return otp.Verdict{Outcome: otp.Refused, Reason: reason, Retry: retry}
	}
	unknown := otp.Verdict{Outcome: otp.Unknown, Reason: otp.ReasonNoAnswer}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   otp.Verdict
		state  otp.RouteState
		reason string
	}{
		"Taken":        {says(202, `{"id":"r1","status":"queued"}`), otp.Verdict{Outcome: otp.Sent, Ref: "r1"}, otp.RouteReady, ""},
		"LongNumberID": {says(200, `{"id":12345678901234567890,"status":"queued"}`), otp.Verdict{Outcome: otp.Sent, Ref: "12345678901234567890"}, otp.RouteReady, ""},
		"OtherValue":   {says(200, `{"id":"r1","status":"rejected"}`), refused(otp.ReasonRoute, otp.RetryElsewhere), otp.RouteReady, ""},
		"NameTwice":    {says(200, `{"status":"queued","status":"queued"}`), refused(otp.ReasonRoute, otp.RetryElsewhere), otp.RouteReady, ""},
		"BadRequest":   {says(400, `{}`), refused(otp.ReasonRoute, otp.RetryOnce), otp.RouteReady, ""},
		"NotFound":     {says(404, ``), refused(otp.ReasonRoute, otp.RetryOnce), otp.RouteReady, ""},
		"Unauthorized": {says(401, `{}`), refused(otp.ReasonRoute, otp.RetryElsewhere), otp.RouteDown, "unauthorized"},
		"NoCredit":     {says(402, `{}`), refused(otp.ReasonRoute, otp.RetryElsewhere), otp.RouteDown, "unauthorized"},
		"Forbidden":    {says(403, `{}`), refused(otp.ReasonRoute, otp.RetryElsewhere), otp.RouteDown, "unauthorized"},
		"Throttled":    {answer(429, `{}`, "Retry-After: 7"), refused(otp.ReasonTemporary, otp.RetryHere), otp.RouteComing, "throttled"},
		"ThrottledLong": {
			answer(429, `{}`, "Retry-After: 11"), refused(otp.ReasonTemporary, otp.RetryElsewhere), otp.RouteDown, "throttled",
		},
		"ThrottledDate": {
			answer(429, `{}`, "Retry-After: "+now().Add(time.Hour).Std().Format(http.TimeFormat)), refused(otp.ReasonTemporary, otp.RetryElsewhere), otp.RouteDown, "throttled",
		},
		"ThrottledNoWord": {says(429, `{}`), refused(otp.ReasonTemporary, otp.RetryHere), otp.RouteReady, ""},
		"ThrottledPast":   {answer(429, `{}`, "Retry-After: -5"), refused(otp.ReasonTemporary, otp.RetryHere), otp.RouteReady, ""},
		"Unavailable":     {answer(503, `{}`, "Retry-After: 3"), refused(otp.ReasonTemporary, otp.RetryHere), otp.RouteComing, "throttled"},
		"Fault":           {says(500, `{}`), refused(otp.ReasonTemporary, otp.RetryHere), otp.RouteReady, ""},
		"NotRead":         {says(408, `{}`), refused(otp.ReasonTemporary, otp.RetryHere), otp.RouteReady, ""},
		"BadGateway":      {says(502, `{}`), unknown, otp.RouteReady, ""},
		"GatewayTimeout":  {says(504, `{}`), unknown, otp.RouteReady, ""},
		"Portal":          {answer(200, "<html>", "Content-Type: text/html"), refused(otp.ReasonRoute, otp.RetryElsewhere), otp.RouteReady, ""},
		"Redirect":        {answer(302, "", "Location: https://elsewhere.example/"), refused(otp.ReasonRoute, otp.RetryElsewhere), otp.RouteReady, ""},
		"TooLong":         {says(200, `{"status":"queued","id":"`+strings.Repeat("x", 64<<10)+`"}`), refused(otp.ReasonRoute, otp.RetryElsewhere), otp.RouteReady, ""},
		"CutOff": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"status":"queued"`)
			panic(http.ErrAbortHandler)
		}, unknown, otp.RouteReady, ""},
		"HungUp": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, unknown, otp.RouteReady, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t, test.answer)
			r := open(t, hooked(t, p))
			got := r.Send(t.Context(), outgoing())
			if got.Detail == "" || len(got.Detail) > 300 {
				t.Errorf("detail %q", got.Detail)
			}
			got.Detail = ""
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if s := r.Status(); s.State != test.state || s.Reason != test.reason || (s.Free == 8) != (test.state == otp.RouteReady) {
				t.Errorf("status %+v, want %v %q", s, test.state, test.reason)
			}
			if n := len(p.requests()); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

// What says that nothing was taken must not depend on a provider's kindness:
// its own error codes say whose fault it is.
func TestFaultCodes(t *testing.T) {
	for kind, answers := range map[string]map[string]otp.Retry{
		"twilio":   {`{"code":21211}`: otp.RetryNever, `{"code":21610}`: otp.RetryNever, `{"code":20429}`: otp.RetryHere, `{"code":30002}`: otp.RetryElsewhere, `{"code":99}`: otp.RetryOnce},
		"whatsapp": {`{"error":{"code":131026}}`: otp.RetryNever, `{"error":{"code":130429}}`: otp.RetryHere, `{"error":{"code":190}}`: otp.RetryElsewhere},
		"pinferry": {`{"code":"number_refused"}`: otp.RetryNever, `{"code":"country_refused"}`: otp.RetryElsewhere},
	} {
		for body, want := range answers {
			p := newProvider(t, says(400, body))
			r := lines()[kind].open(t, kind, p)
			if v := r.Send(t.Context(), outgoing()); v.Outcome != otp.Refused || v.Retry != want {
				t.Errorf("%s %s: got %+v, want %v", kind, body, v, want)
			}
		}
	}
}

func TestUnreachable(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	closed.Close()
	foreign := newProvider(t, says(202, `{"id":"1","status":"queued"}`))
	plain, err := net.Listen("tcp", "127.0.0.1:0") // answers a TLS handshake with something else
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	go func() {
		for {
			c, err := plain.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			c.Close()
		}
	}()
	for name, c := range map[string]relay.Config{
		"Refused": {URL: "https://" + address + "/"},
		"DNS": {URL: "https://no-such-host.example/", Lookup: func(context.Context, string) ([]netip.Addr, error) {
			return nil, errors.New("no such host")
		}},
		"Certificate": {URL: foreign.URL}, // signed by nobody that the system knows
		"NoTLS":       {URL: "https://" + plain.Addr().String() + "/"},
	} {
		t.Run(name, func(t *testing.T) {
			c.Kind, c.Webhook.SuccessField = "webhook", "/id"
			c.Allow, c.Now = loopback, now
			r := open(t, c)
			v := r.Send(t.Context(), outgoing())
			if v.Outcome != otp.Refused || v.Retry != otp.RetryHere || v.Reason != otp.ReasonRouteGone {
				t.Errorf("got %+v", v)
			}
		})
	}
	if n := len(foreign.requests()); n != 0 {
		t.Errorf("a server whose certificate nobody vouches for got %d requests", n)
	}
}

// An answer that does not come leaves open whether the message went out. It may
// be repeated there only if the provider knows it by our id.
func TestLostAnswer(t *testing.T) {
	for header, want := range map[string]otp.Retry{"": otp.RetryNever, "X-Request-Key": otp.RetryHere} {
		ctx, cancel := context.WithCancel(t.Context())
		p := newProvider(t, func(_ http.ResponseWriter, r *http.Request) {
			cancel() // the message is read; whoever waits for the answer waits no longer
			<-r.Context().Done()
			panic(http.ErrAbortHandler) // a return would answer, and might be heard while the connection goes
		})
		c := hooked(t, p)
		c.Webhook.IdempotencyHeader = header
		v := open(t, c).Send(ctx, outgoing())
		if v.Outcome != otp.Unknown || v.Reason != otp.ReasonNoAnswer || v.Retry != want {
			t.Errorf("idempotency header %q: got %+v", header, v)
		}
		if got := p.requests(); header != "" && got[0].header.Get(header) != id.String() {
			t.Errorf("our id is not sent: %v", got[0].header)
		}
	}
}

// An attempt that was refused slowly has no time left for another.
func TestSlow(t *testing.T) {
	for pace, want := range map[time.Duration]otp.Retry{time.Second: otp.RetryHere, 4 * time.Second: otp.RetryElsewhere} {
		c := hooked(t, newProvider(t, says(500, "{}")))
		passed := 0
		c.Now = func() otp.Time { // each look at the clock takes this long
			passed++
			return now().Add(time.Duration(passed) * pace / 3)
		}
		if v := open(t, c).Send(t.Context(), outgoing()); v.Outcome != otp.Refused || v.Retry != want {
			t.Errorf("%s: got %+v", pace, v)
		}
	}
}

// A message whose time is over is not sent.
func TestOverdue(t *testing.T) {
	p := newProvider(t, says(202, `{"id":"1","status":"queued"}`))
	r := open(t, hooked(t, p))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v := r.Send(ctx, outgoing()); v.Outcome != otp.Refused || v.Reason != otp.ReasonTooLate || len(p.requests()) != 0 {
		t.Errorf("got %+v", v)
	}
}

// A plain message has no code, and WhatsApp carries nothing else.
func TestCodesOnly(t *testing.T) {
	p := newProvider(t, says(200, lines()["whatsapp"].answer))
	r := lines()["whatsapp"].open(t, "whatsapp", p)
	out := outgoing()
	out.Code = ""
	if v := r.Send(t.Context(), out); v.Outcome != otp.Refused || v.Retry != otp.RetryElsewhere || len(p.requests()) != 0 {
		t.Errorf("got %+v", v)
	}
}

// A verdict's detail and a status hold nothing of the message, the number or
// the secret, whatever the provider echoes.
func TestEcho(t *testing.T) {
	for _, body := range []string{
		`{"code":21211,"message":"The 'To' number +41791234567 is not valid: 123456 ` + "\u202e" + `tok"}`,
		`{"code":"41791234567","message":"123 456"}`,
		`{"code":"123456","message":"` + strings.Repeat("long ", 200) + `"}`,
		`{"code":1,"message":"key: ` + key + `"}`,
	} {
		for _, status := range []int{400, 401, 429, 500} {
			p := newProvider(t, says(status, body))
			r := lines()["twilio"].open(t, "twilio", p)
			v := r.Send(t.Context(), outgoing())
			for _, words := range []string{v.Detail, r.Status().Detail} {
				if strings.Contains(words, dial) || strings.Contains(words, code) || strings.Contains(words, key) || strings.Contains(words, "\u202e") || len(words) > 500 {
					t.Errorf("%d %s: says %q", status, body, words)
				}
			}
		}
	}
}

// Who does not speak HTTP at all, and repeats what it hears, is not quoted.
func TestParrot(t *testing.T) {
	for _, before := range []string{"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: "} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			heard := make([]byte, 4096)
			n, _ := conn.Read(heard)
			io.WriteString(conn, before)
			conn.Write(heard[:n])
		}()
		c := hooked(t, newProvider(t, nil))
		c.URL, c.Insecure, c.Webhook.Method = "http://"+l.Addr().String()+"/send/{to}/{text}/{secret}", true, "GET"
		v := open(t, c).Send(t.Context(), outgoing())
		for _, quiet := range []string{dial, code, key} {
			if v.Detail == "" || strings.Contains(v.Detail, quiet) {
				t.Errorf("after %q the detail says %q", before, v.Detail)
			}
		}
	}
}

// A number that one box does not send to says nothing about the next number.
func TestCountryRefused(t *testing.T) {
	p := newProvider(t, says(403, `{"code":"country_refused"}`))
	r := lines()["pinferry"].open(t, "pinferry", p)
	if v := r.Send(t.Context(), outgoing()); v.Outcome != otp.Refused || v.Retry != otp.RetryElsewhere || v.Reason != otp.ReasonRecipient {
		t.Errorf("got %+v", v)
	}
	if s := r.Status(); s.State != otp.RouteReady {
		t.Errorf("status %+v", s)
	}
}

// A life that the service would refuse is cut to the longest that it takes.
func TestLongLife(t *testing.T) {
	p := newProvider(t, says(201, `{"sid":"SM1"}`))
	out := outgoing()
	out.Deadline = now().Add(24 * time.Hour)
	lines()["twilio"].open(t, "twilio", p).Send(t.Context(), out)
	if body := p.requests()[0].body; !strings.Contains(body, "ValidityPeriod=14400&") {
		t.Errorf("it is sent %q", body)
	}
}
