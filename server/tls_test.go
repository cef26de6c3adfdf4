package server_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/cert"
	"github.com/pinferry/pinferry/server/web"
)

// newLAN starts a box called box1 with an authority of its own, and returns what
// trusts that alone, which it has got from the box itself.
func newLAN(t *testing.T, change func(*server.Config, *[]otp.App)) (*box, *x509.CertPool) {
	t.Helper()
	now := otp.NewClock(otp.ClockSource{}).Now
	file, err := cert.NewAuthority(cert.Names("box1"), now())
	if err != nil {
		t.Fatal(err)
	}
	authority, err := cert.ParseAuthority(file)
	if err != nil {
		t.Fatal(err)
	}
	lan, err := cert.NewLAN(authority, cert.Names("box1"), now, cert.LANConfig{})
	if err != nil {
		t.Fatal(err)
	}
	b := newBox(t, func(c *server.Config, list *[]otp.App) {
		c.TLS, c.Authority = lan, lan
		if change != nil {
			change(c, list)
		}
	})
	roots := x509.NewCertPool()
	if a := b.do("GET", "/ca.crt", "", "Host: box1.local"); a.status != 200 || !roots.AppendCertsFromPEM([]byte(a.body)) {
		t.Fatalf("/ca.crt by plain HTTP: %+v", a)
	}
	return b, roots
}

// dial opens a connection by TLS to the box under a name.
func (b *box) dial(config *tls.Config, name string) (*tls.Conn, error) {
	config = config.Clone()
	config.ServerName = name
	return tls.Dial("tcp", b.addr, config)
}

// secure makes a call by TLS to a name of the box.
func (b *box) secure(roots *x509.CertPool, name, method, target string, headers ...string) (answer, error) {
	conn, err := b.dial(&tls.Config{RootCAs: roots}, name)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n\r\n", method, target, net.JoinHostPort(name, "7467"), strings.Join(append(headers, "X-A: b"), "\r\n"))
	all, err := io.ReadAll(conn)
	if err != nil {
		return answer{}, err
	}
	return b.parse(string(all), method), nil
}

// TestTrustInTheAuthorityIsEnough reaches the box under each of its names with
// nothing but /ca.crt to go by.
func TestTrustInTheAuthorityIsEnough(t *testing.T) {
	b, roots := newLAN(t, nil)
	for _, name := range []string{"box1", "box1.local", "localhost", "127.0.0.1"} {
		a, err := b.secure(roots, name, "GET", "/v1/messages", key(secret))
		if err != nil || a.status != 200 {
			t.Errorf("%s: got %+v, %v", name, a, err)
		}
		if h := a.headers["Strict-Transport-Security"]; h != "" {
			t.Errorf("%s: %q would bind whatever else runs on the machine", name, h)
		}
	}
	for _, name := range []string{"other.local", "bank.example", "8.8.8.8"} {
		if _, err := b.secure(roots, name, "GET", "/healthz"); err == nil {
			t.Errorf("it is believed to be %s", name)
		}
	}
	if _, err := b.secure(x509.NewCertPool(), "box1", "GET", "/healthz"); err == nil {
		t.Error("it is believed by who does not trust its authority")
	}
}

// TestPlainHTTPIsSentOn speaks plain HTTP to the port of a box with TLS.
func TestPlainHTTPIsSentOn(t *testing.T) {
	b, _ := newLAN(t, nil)
	_, port, _ := net.SplitHostPort(b.addr)
	for name, test := range map[string]struct {
		method, target, host, to string
		status                   int
		headers                  []string
	}{
		"Page":        {"GET", "/docs?a=b%0d%0a", "box1.local:" + port, "https://box1.local:" + port + "/docs?a=b%0d%0a", 308, nil},
		"Head":        {"HEAD", "/", "box1", "https://box1/", 308, nil},
		"ManyCases":   {"GET", "/x", "BOX1.local.:443", "https://box1.local:443/x", 308, nil},
		"TwoSlashes":  {"GET", "//evil.tld/", "box1", "https://box1//evil.tld/", 308, nil},
		"StrangePort": {"GET", "/", "box1:7467@evil.tld", "https://box1/", 308, nil},
		"NoPort":      {"GET", "/", "box1:", "https://box1/", 308, nil},
		"WordForPort": {"GET", "/", "box1:evil", "", 400, nil},
		"ForeignHost": {"GET", "/", "evil.tld", "", 421, nil},
		"ForeignCA":   {"GET", "/ca.crt", "evil.tld", "", 421, nil},
		"CA":          {"GET", "/ca", "box1.local", "", 200, nil},
		"CAFile":      {"GET", "/ca.crt", "127.0.0.1", "", 200, nil},
		"Alive":       {"GET", "/healthz", "box1", "", 200, nil},
		"Metrics":     {"GET", "/metrics", "box1", "https://box1/metrics", 308, nil},
		"Call":        {"POST", "/v1/verifications", "box1", "", 403, []string{key(publishable)}},
		"CallNoKey":   {"POST", "/v1/verifications", "box1", "", 403, nil},
		"Preflight":   {"OPTIONS", "/v1/verifications", "box1", "", 403, nil},
		"GetWithKey":  {"GET", "/v1/messages", "box1", "", 403, []string{key(secret)}},
		"VendorsKey":  {"GET", "/v1/messages", "box1", "", 403, []string{"apikey: " + publishable}},
		"OurHeader":   {"GET", "/v1/messages", "box1", "", 403, []string{"x-pinferry-key: " + secret}},
		"OnTheBox":    {"GET", "/v1/messages", "127.0.0.1:" + port, "", 200, []string{key(secret)}},
		"ByLocalhost": {"GET", "/v1/messages", "localhost", "", 200, []string{key(secret)}},
	} {
		body := ""
		if test.method == "POST" {
			body = `{"to":"+41791234567"}`
		}
		a := b.do(test.method, test.target, body, append(test.headers, "Host: "+test.host)...)
		if a.status != test.status || a.headers["Location"] != test.to {
			t.Errorf("%s: got %d to %q, want %d to %q", name, a.status, a.headers["Location"], test.status, test.to)
		}
		if a.headers["Strict-Transport-Security"] != "" {
			t.Errorf("%s: a promise that anybody on the way could have made", name)
		}
	}
	if a := b.do("POST", "/v1/verifications", `{"to":"+41791234567"}`, "Host: box1", key(secret)); !strings.Contains(a.body, "https://") || a.headers["Content-Type"] != "application/problem+json" {
		t.Errorf("got %+v", a)
	}
	if n := len(b.route.Given()); n != 0 {
		t.Errorf("%d messages were sent for calls that were refused", n)
	}
}

// TestProxyBeforeTLS lets a trusted proxy that ends TLS speak plain HTTP.
func TestProxyBeforeTLS(t *testing.T) {
	b, _ := newLAN(t, func(c *server.Config, _ *[]otp.App) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	if a := b.do("GET", "/v1/messages", "", "Host: otp.example.com", key(secret), "X-Forwarded-Proto: https"); a.status != 200 {
		t.Errorf("got %+v", a)
	}
}

// TestWithoutTLS finds a box that has no certificate as it always was.
func TestWithoutTLS(t *testing.T) {
	b := newBox(t, nil)
	if a := b.do("GET", "/v1/messages", "", "Host: otp.example.com", key(secret)); a.status != 200 {
		t.Errorf("got %+v", a)
	}
	if a := b.do("GET", "/ca", ""); a.status != 404 {
		t.Errorf("got %+v", a)
	}
	if conn, err := b.dial(&tls.Config{InsecureSkipVerify: true}, "localhost"); err == nil {
		conn.Close()
		t.Error("it speaks TLS")
	}
}

// TestOldTLS offers what nobody should speak any more.
func TestOldTLS(t *testing.T) {
	b, roots := newLAN(t, nil)
	for name, config := range map[string]*tls.Config{
		"TLS 1.1": {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"CBC":     {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}},
	} {
		config.RootCAs = roots
		if conn, err := b.dial(config, "box1"); err == nil {
			conn.Close()
			t.Errorf("%s: it shakes hands", name)
		}
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		conn, err := b.dial(&tls.Config{RootCAs: roots, MinVersion: version, MaxVersion: version}, "box1")
		if err != nil {
			t.Errorf("%s: %v", tls.VersionName(version), err)
			continue
		}
		conn.Close()
	}
}

// TestSessionsAreTakenUpAgain comes back with a ticket: a small box is spared a
// signature.
func TestSessionsAreTakenUpAgain(t *testing.T) {
	b, roots := newLAN(t, nil)
	config := &tls.Config{RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	for i := range 2 {
		conn, err := b.dial(config, "box1")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: box1\r\nConnection: close\r\n\r\n")
		io.Copy(io.Discard, conn)
		conn.Close()
		if again := conn.ConnectionState().DidResume; again != (i == 1) {
			t.Errorf("connection %d: resumed %t", i, again)
		}
	}
}

// TestRequestsInARow sends several on one connection by TLS, the last of them with
// a bare LF, which is found there too.
func TestRequestsInARow(t *testing.T) {
	b, roots := newLAN(t, nil)
	conn, err := b.dial(&tls.Config{RootCAs: roots}, "box1")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for i, test := range []struct{ end, want string }{{"\r\n", "200"}, {"\r\n", "200"}, {"\n", "400"}} {
		fmt.Fprintf(conn, "GET /healthz HTTP/1.1%sHost: box1\r\n\r\n", test.end)
		line, err := r.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "HTTP/1.1 "+test.want) {
			t.Fatalf("request %d: got %q, %v", i, line, err)
		}
		for strings.TrimSpace(line) != "" {
			if line, err = r.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		io.CopyN(io.Discard, r, int64(len(`{"status":"alive"}`)))
	}
}

// TestSlowHandshakes begins to speak TLS and does not go on: the connection does
// not stay, and others of that address count with it.
func TestSlowHandshakes(t *testing.T) {
	b, roots := newLAN(t, func(c *server.Config, _ *[]otp.App) {
		c.ReadTimeout, c.ConnsPerAddress = 300*time.Millisecond, 3
	})
	var held []net.Conn
	for _, begun := range []string{"", "\x16", "\x16\x03\x01\x02\x00\x01"} {
		conn, err := net.Dial("tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, begun)
		held = append(held, conn)
	}
	if got := b.raw("GET /healthz HTTP/1.1\r\nHost: box1\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 429") && got != "" {
		t.Errorf("a fourth connection got %q", got)
	}
	for i, conn := range held {
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Logf("connection %d: %v", i, err)
		}
	}
	for range 1000 {
		if a, err := b.secure(roots, "box1", "GET", "/healthz"); err == nil && a.status == 200 {
			return
		}
	}
	t.Error("the places of closed connections are not given back")
}

// TestNothingFollowsAFailedHandshake sends what begins like TLS and is none: no
// plain text comes back.
func TestNothingFollowsAFailedHandshake(t *testing.T) {
	b, _ := newLAN(t, nil)
	if got := b.raw("\x16\x03\x01\x00\x05hello GET / HTTP/1.1\r\n\r\n"); strings.Contains(got, "HTTP") {
		t.Errorf("got %q", got)
	}
	if log := b.log.String(); strings.Contains(log, "hello") || strings.Contains(log, `"level":"error"`) {
		t.Errorf("the log says %s", log)
	}
}

// own shows a certificate of the operator's for two names.
type own struct{ pair *tls.Certificate }

func (o own) Current() *tls.Certificate { return o.pair }

// TestOwnCertificate answers to the names of the operator's own certificate, and
// has browsers come back by TLS where that is certain to be meant.
func TestOwnCertificate(t *testing.T) {
	pair := ownPair(t, "codes.shop.example", "*.tills.example", "till.local", "127.0.0.1")
	b := newBox(t, func(c *server.Config, list *[]otp.App) {
		c.TLS = own{pair}
		(*list)[0].Doors, c.Doors = []string{"native", "descope"}, []web.Door{{Name: "descope", Routes: []web.Route{{
			Method: "GET", Pattern: "/v9/way", Handle: func(c *web.Call) error {
				c.HTTP.SetBodyString(fmt.Sprint(c.Secure, " ", c.Peer))
				return nil
			},
		}}}}
	})
	roots := x509.NewCertPool()
	roots.AddCert(pair.Leaf)
	for name, strict := range map[string]bool{"codes.shop.example": true, "one.tills.example": true, "till.local": false, "127.0.0.1": false} {
		a, err := b.secure(roots, name, "GET", "/v9/way")
		if err != nil || a.status != 200 || a.body != "true 127.0.0.1" {
			t.Errorf("%s: got %+v, %v", name, a, err)
		}
		if h := a.headers["Strict-Transport-Security"]; (h != "") != strict || strings.Contains(h, "preload") || strings.Contains(h, "include") {
			t.Errorf("%s: got %q", name, h)
		}
	}
	if a := b.do("GET", "/", "", "Host: one.tills.example"); a.status != 308 || a.headers["Location"] != "https://one.tills.example/" {
		t.Errorf("got %+v", a)
	}
	if a := b.do("GET", "/", "", "Host: tills.example"); a.status != 421 {
		t.Errorf("got %+v", a)
	}
	if a, err := b.secure(roots, "127.0.0.1", "GET", "/ca"); err != nil || a.status != 404 {
		t.Errorf("there is no authority to trust: %+v, %v", a, err)
	}
}

// ownPair is a certificate that vouches for itself.
func ownPair(t *testing.T, names ...string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := otp.NewClock(otp.ClockSource{}).Now().Std()
	template := &x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
