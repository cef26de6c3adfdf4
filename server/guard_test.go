package server_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/web"
)

func TestHost(t *testing.T) {
	b := newBox(t, func(c *server.Config, _ *[]otp.App) { c.Hosts = []string{"Box.Example:8443"} })
	_, port, _ := net.SplitHostPort(b.addr)
	for host, want := range map[string]int{
		b.addr: 200, "127.0.0.1": 200, "localhost": 200, "LOCALHOST:" + port: 200, "localhost.": 200, "[::1]:" + port: 200, "127.0.0.1:1": 200,
		"otp.example.com": 200, "OTP.Example.com:443": 200, "box.example": 200,
		"attacker.tld:" + port: 421, "attacker.tld": 421, "169.254.1.1.nip.io": 421, "169.254.1.1": 421, "192.0.2.7:80": 421, "otp.example.com.evil.tld": 421,
		"xotp.example.com": 421, "localhost@evil.tld": 421, "127.1": 421, "0x7f000001": 421, "2130706433": 421, "[::1": 200, ".": 421,
	} {
		for _, target := range []string{"/healthz", "/metrics", "/v1/routes", "/nothing"} {
			a := b.do("GET", target, "", "Host: "+host, key(secret))
			if (a.status == 421) != (want == 421) {
				t.Errorf("Host %q, %s: got %d", host, target, a.status)
			}
		}
	}
	if got := b.raw("GET /healthz HTTP/1.0\r\nX-A: b\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 421") {
		t.Errorf("no Host: %q", got)
	}
}

// TestFraming sends what two readers could read differently. Each is refused,
// and what follows on the connection is not answered.
func TestFraming(t *testing.T) {
	b := newBox(t, nil)
	const host = "Host: localhost\r\n"
	const hidden = "GET /healthz HTTP/1.1\r\n" + host + "\r\n"
	for name, request := range map[string]string{
		"LengthAndChunked":   "POST /v1/verifications HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"ChunkedAndLength":   "POST /v1/verifications HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
		"TwoLengths":         "POST /v1/verifications HTTP/1.1\r\n" + host + "Content-Length: 0\r\nContent-Length: 47\r\n\r\n",
		"TwoEqualLengths":    "POST /v1/verifications HTTP/1.1\r\n" + host + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
		"LengthList":         "POST /v1/verifications HTTP/1.1\r\n" + host + "Content-Length: 0, 0\r\n\r\n",
		"LengthSigned":       "POST /v1/verifications HTTP/1.1\r\n" + host + "Content-Length: +0\r\n\r\n",
		"LengthNegative":     "POST /v1/verifications HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n",
		"LengthHex":          "POST /v1/verifications HTTP/1.1\r\n" + host + "Content-Length: 0x0\r\n\r\n",
		"LengthHuge":         "POST /v1/verifications HTTP/1.1\r\n" + host + "Content-Length: 18446744073709551616\r\n\r\n",
		"SpaceBeforeColon":   "POST /v1/verifications HTTP/1.1\r\n" + host + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"TabBeforeColon":     "POST /v1/verifications HTTP/1.1\r\n" + host + "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
		"SpaceInName":        "GET /healthz HTTP/1.1\r\n" + host + "Foo Bar: x\r\n\r\n",
		"ChunkedTwice":       "POST /v1/verifications HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"ChunkedList":        "POST /v1/verifications HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"Identity":           "POST /v1/verifications HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\n\r\n",
		"IdentityAndLength":  "POST /v1/verifications HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
		"ChunkedOverHTTP10":  "POST /v1/verifications HTTP/1.0\r\n" + host + "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Folded":             "GET /healthz HTTP/1.1\r\n" + host + "X-A: b\r\n c\r\n\r\n",
		"FoldedByTab":        "GET /healthz HTTP/1.1\r\n" + host + "X-A: b\r\n\tc\r\n\r\n",
		"FoldedFirst":        "GET /healthz HTTP/1.1\r\n X-A: b\r\n" + host + "\r\n",
		"FoldedLength":       "POST /v1/verifications HTTP/1.1\r\n" + host + "Content-Length:\r\n 5\r\n\r\nhello",
		"BareLFInHeader":     "GET /healthz HTTP/1.1\r\nHost: localhost\nX-A: b\r\n\r\n",
		"BareLFRequestLine":  "GET /healthz HTTP/1.1\nHost: localhost\r\n\r\n",
		"BareLFEverywhere":   "GET /healthz HTTP/1.1\nHost: localhost\n\n",
		"BareLFAtTheEnd":     "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\n",
		"BareLFBefore":       "\nGET /healthz HTTP/1.1\r\n" + host + "\r\n",
		"BareCRInValue":      "GET /healthz HTTP/1.1\r\n" + host + "X-A: b\rX-C: d\r\n\r\n",
		"NULInValue":         "GET /healthz HTTP/1.1\r\n" + host + "X-A: b\x00\r\n\r\n",
		"NULInName":          "GET /healthz HTTP/1.1\r\n" + host + "X\x00A: b\r\n\r\n",
		"NoColon":            "GET /healthz HTTP/1.1\r\n" + host + "nonsense\r\n\r\n",
		"EmptyName":          "GET /healthz HTTP/1.1\r\n" + host + ": b\r\n\r\n",
		"TwoHosts":           "GET /healthz HTTP/1.1\r\n" + host + "Host: evil.tld\r\n\r\n",
		"NoHost":             "GET /healthz HTTP/1.1\r\n\r\n",
		"AbsoluteTarget":     "GET http://localhost/healthz HTTP/1.1\r\n" + host + "\r\n",
		"AbsoluteForeign":    "GET http://evil.tld/healthz HTTP/1.1\r\n" + host + "\r\n",
		"AbsoluteHidesHost":  "GET http://localhost/healthz HTTP/1.1\r\nHost: evil.tld\r\n\r\n",
		"AuthorityTarget":    "CONNECT localhost:80 HTTP/1.1\r\n" + host + "\r\n",
		"Asterisk":           "OPTIONS * HTTP/1.1\r\n" + host + "\r\n",
		"SpaceInTarget":      "GET /health z HTTP/1.1\r\n" + host + "\r\n",
		"NoVersion":          "GET /healthz\r\n" + host + "\r\n",
		"HTTP2Preface":       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"LFInChunkExtension": "POST /v1/verifications HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n",
		"BareLFAfterChunk":   "POST /v1/verifications HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n",
		"ChunkSizeSigned":    "POST /v1/verifications HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n",
		"ChunkSizeHuge":      "POST /v1/verifications HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nx\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := b.raw(request + hidden)
			if strings.Count(got, "HTTP/1.1 ") != 1 || !strings.HasPrefix(got, "HTTP/1.1 400") || strings.Contains(got, "alive") {
				t.Errorf("got %q", got)
			}
		})
	}
	for name, test := range map[string]struct {
		request string
		answers int
	}{
		"TwoInOne":           {hidden + hidden, 2},
		"LeadingCRLF":        {"\r\n" + hidden, 1},
		"LFInBody":           {"POST /healthz HTTP/1.1\r\n" + host + "Content-Length: 4\r\n\r\n\n\na\n" + hidden, 2},
		"ChunkedBody":        {"POST /healthz HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n2\r\n\n\n\r\n0\r\n\r\n" + hidden, 2},
		"BodyOfAGETIsNotOne": {"GET /healthz HTTP/1.1\r\n" + host + "Content-Length: " + fmt.Sprint(len(hidden)+len("Connection: close\r\n")) + "\r\nConnection: close\r\n\r\n" + hidden, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := b.raw(strings.TrimSuffix(test.request, "\r\n\r\n") + "\r\nConnection: close\r\n\r\n")
			if strings.Count(got, "HTTP/1.1 ") != test.answers || strings.Contains(got, "HTTP/1.1 400") {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestFramingOnAKeptConnection sends a second request whose body, full of bare
// line feeds, comes in pieces, and a third with a bare LF in its head.
func TestFramingOnAKeptConnection(t *testing.T) {
	b := newBox(t, nil)
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(deadline(t))
	buffer := make([]byte, 4096)
	send := func(pieces ...string) string {
		t.Helper()
		for _, piece := range pieces {
			if _, err := conn.Write([]byte(piece)); err != nil {
				t.Fatal(err)
			}
		}
		n, err := conn.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		return string(buffer[:n])
	}
	get := "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	post := "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n"
	if got := send(get); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("first: %q", got)
	}
	if got := send(post, "\n\n", "\n\n\n\n"); !strings.HasPrefix(got, "HTTP/1.1 405") {
		t.Errorf("in pieces: %q", got)
	}
	if got := send(get+post+"\n", "\n\n\n\n\n"); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("both at once: %q", got)
	} else if !strings.Contains(got, " 405 ") {
		if n, err := conn.Read(buffer); err != nil || !strings.HasPrefix(string(buffer[:n]), "HTTP/1.1 405") {
			t.Errorf("the second of both: %q, %v", buffer[:n], err)
		}
	}
	if got := send("GET /healthz HTTP/1.1\nHost: localhost\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 400") {
		t.Errorf("bare LF: %q", got)
	}
	if n, err := conn.Read(buffer); err == nil {
		t.Errorf("the connection lives on: %q", buffer[:n])
	}
}

// deadline is the test's own, less what it takes to report.
func deadline(t *testing.T) time.Time {
	end, ok := t.Deadline()
	if !ok {
		return time.Time{}
	}
	return end.Add(-time.Second)
}

func TestBodies(t *testing.T) {
	b := newBox(t, nil)
	const head = "POST /v1/verifications HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
	big := strings.Repeat("x", 17<<10)
	for name, test := range map[string]struct {
		request string
		status  int
	}{
		"TooLong":       {head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(big)) + big, 413},
		"GiBClaimed":    {head + "Content-Length: 1073741824\r\n\r\nx", 413},
		"TooManyChunks": {head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+big[:4096]+"\r\n", 5), 413},
		"LargeChunk":    {head + "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\nx", 413},
		"Gzip":          {head + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", 415},
		"Deflate":       {head + "Content-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}", 415},
		"LongHead":      {head + "X-A: " + strings.Repeat("a", 9<<10) + "\r\n\r\n", 431},
		"LongTarget":    {"GET /" + strings.Repeat("a", 9<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431},
		"Continue":      {head + "Expect: 100-continue\r\nContent-Length: 1073741824\r\n\r\n", 413},
		"Full":          {head + key(publishable) + "\r\n" + fmt.Sprintf("Content-Length: %d\r\n\r\n", 16<<10) + `{"to":"x"` + strings.Repeat(" ", 16<<10-10) + "}", 400},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.TrimPrefix(b.raw(test.request), "HTTP/1.1 100 Continue\r\n\r\n")
			a := b.parse(got, "POST")
			if a.status != test.status || a.headers["Content-Type"] != "application/problem+json" || a.headers["Connection"] != "close" {
				t.Errorf("got %d %v %s", a.status, a.headers, a.body)
			}
		})
	}
}

// TestSlowRequests sends a byte now and then; the box does not wait for ever.
func TestSlowRequests(t *testing.T) {
	b := newBox(t, func(c *server.Config, _ *[]otp.App) {
		c.ReadTimeout, c.IdleTimeout = 200*time.Millisecond, 200*time.Millisecond
	})
	for name, start := range map[string]string{
		"Nothing":     "",
		"RequestLine": "GET /heal",
		"Head":        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ",
		"Body":        "POST /v1/verifications HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
		"Idle":        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", b.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.Write([]byte(start))
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			closed := make(chan struct{})
			go func() {
				defer close(closed)
				buffer := make([]byte, 4096)
				for {
					if _, err := conn.Read(buffer); err != nil {
						return
					}
				}
			}()
			limit := time.NewTimer(5 * time.Second)
			defer limit.Stop()
			for {
				select {
				case <-closed:
					return
				case <-limit.C:
					t.Error("the connection is still open")
					return
				case <-tick.C:
					if start != "" && name != "Idle" {
						conn.Write([]byte("x"))
					}
				}
			}
		})
	}
}

func TestClientAddress(t *testing.T) {
	// Ten starts from one address, and no more, get through.
	starts := func(b *box, from func(i int) []string) (last answer) {
		for i := range 11 {
			headers := append(from(i), key(publishable))
			last = b.do("POST", "/v1/verifications", fmt.Sprintf(`{"to":"+41791%06d"}`, 234567+i), headers...)
			if i < 10 && last.status != 201 {
				b.t.Fatalf("start %d: %+v", i, last)
			}
		}
		return last
	}
	spread := func(c *server.Config, list *[]otp.App) { (*list)[0].SafePrefixes = []string{"+41"} }
	trusting := func(c *server.Config, list *[]otp.App) {
		spread(c, list)
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:ffff::/48")}
	}
	for name, test := range map[string]struct {
		change  func(*server.Config, *[]otp.App)
		headers func(i int) []string
		limited bool
	}{
		"UntrustedPeerSaysAnything": {spread, func(i int) []string {
			ip := fmt.Sprintf("192.0.2.%d", i)
			return []string{"X-Forwarded-For: " + ip, "X-Real-IP: " + ip, "Forwarded: for=" + ip, "True-Client-IP: " + ip, "CF-Connecting-IP: " + ip}
		}, true},
		"ProxyNamesClients":   {trusting, func(i int) []string { return []string{fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", i)} }, false},
		"ClientPretendsFirst": {trusting, func(i int) []string { return []string{fmt.Sprintf("X-Forwarded-For: 192.0.2.%d, 203.0.113.5", i)} }, true},
		"ClientPretendsTwice": {trusting, func(i int) []string {
			return []string{fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", i), "X-Forwarded-For: 203.0.113.5"}
		}, true},
		"ProxiesInARow": {trusting, func(i int) []string {
			return []string{fmt.Sprintf("X-Forwarded-For: 192.0.2.%d, 10.1.2.3, 10.4.5.6", i)}
		}, false},
		"WithPorts": {trusting, func(i int) []string { return []string{fmt.Sprintf("X-Forwarded-For: 203.0.113.5:%d", 1000+i)} }, true},
		"MappedIPv4": {trusting, func(i int) []string {
			return []string{[]string{"X-Forwarded-For: ::ffff:203.0.113.5", "X-Forwarded-For: 203.0.113.5"}[i%2]}
		}, true},
		"OneIPv6Network":         {trusting, func(i int) []string { return []string{fmt.Sprintf("X-Forwarded-For: 2001:db8:1:2::%d", i+1)} }, true},
		"IPv6InBrackets":         {trusting, func(i int) []string { return []string{fmt.Sprintf("X-Forwarded-For: [2001:db8:%d::1]:443", i+1)} }, false},
		"GarbageCountsForTheHop": {trusting, func(i int) []string { return []string{fmt.Sprintf("X-Forwarded-For: 192.0.2.%d, unknown", i)} }, true},
		"OtherHeadersAreIgnored": {trusting, func(i int) []string {
			ip := fmt.Sprintf("192.0.2.%d", i)
			return []string{"X-Real-IP: " + ip, "Forwarded: for=" + ip}
		}, true},
		"TrustedHopNeverTheUsers": {trusting, func(i int) []string { return []string{fmt.Sprintf("X-Forwarded-For: 10.9.9.9, 192.0.2.%d", i)} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, test.change)
			last := starts(b, test.headers)
			if limited := last.status == 429; limited != test.limited {
				t.Errorf("the eleventh start got %d %s", last.status, last.body)
			}
		})
	}
}

func TestConnectionsOfOneAddress(t *testing.T) {
	b := newBox(t, func(c *server.Config, _ *[]otp.App) { c.ConnsPerAddress = 3 })
	var held []net.Conn
	for range 3 {
		conn, err := net.Dial("tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"))
		if _, err := conn.Read(make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	if got := b.raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 429") && got != "" {
		t.Errorf("a fourth connection got %q", got)
	}
	held[0].Close()
	for range 1000 {
		if got := b.raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); strings.HasPrefix(got, "HTTP/1.1 200") {
			return
		}
	}
	t.Error("the place of a closed connection is not given back")
}

// TestWayOfARequest has a door tell what the guard found out about the way.
func TestWayOfARequest(t *testing.T) {
	door := web.Door{Name: "descope", Routes: []web.Route{{Method: "GET", Pattern: "/v9/way", Handle: func(c *web.Call) error {
		c.HTTP.SetBodyString(fmt.Sprint(c.Secure, " ", c.Peer))
		return nil
	}}}}
	for _, trusting := range []bool{false, true} {
		b := newBox(t, func(c *server.Config, list *[]otp.App) {
			(*list)[0].Doors, c.Doors = []string{"native", door.Name}, []web.Door{door}
			if trusting {
				c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
			}
		})
		for header, secure := range map[string]bool{
			"X-Forwarded-Proto: https": true, "X-Forwarded-Proto: HTTPS": true, "X-Forwarded-Proto: http, https": true,
			"X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http": false, "X-Forwarded-Proto: https, http": false,
			"X-Forwarded-Proto: http": false, "X-Forwarded-Proto:": false, "X-Forwarded-Ssl: on": false, "Forwarded: proto=https": false,
		} {
			a := b.do("GET", "/v9/way", "", header, "X-Forwarded-For: 203.0.113.5")
			if want := fmt.Sprint(secure && trusting, " 127.0.0.1"); a.body != want {
				t.Errorf("trusting %t, %q: got %q, want %q", trusting, header, a.body, want)
			}
		}
	}
}
