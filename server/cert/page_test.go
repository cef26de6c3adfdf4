package cert_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/server/cert"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// visit asks for the page over a connection that came in on an address of the box.
func visit(t *testing.T, lan *cert.LAN, host, browser, local string) (body string, header *fasthttp.ResponseHeader) {
	t.Helper()
	ctx := &fasthttp.RequestCtx{}
	var request fasthttp.Request
	request.Header.SetHost(host)
	request.Header.SetUserAgent(browser)
	ctx.Init2(&side{local: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(local))}, nil, false)
	request.CopyTo(&ctx.Request)
	if err := lan.Page(&web.Call{HTTP: ctx}); err != nil {
		t.Fatal(err)
	}
	return string(ctx.Response.Body()), &ctx.Response.Header
}

// side is a connection of which only the ends matter.
type side struct {
	net.Conn
	local net.Addr
}

func (s *side) LocalAddr() net.Addr  { return s.local }
func (s *side) RemoteAddr() net.Addr { return s.local }

func newLAN(t *testing.T, at ...string) (*cert.LAN, *cert.Authority) {
	t.Helper()
	authority, _, _ := newAuthority(t, "box1")
	lan, err := cert.NewLAN(authority, cert.Names("box1"), (&clock{at: begun}).now, cert.LANConfig{
		Addresses: func() ([]netip.Addr, error) { return addresses(at...), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return lan, authority
}

// TestPage looks for what a person needs: the file, the fingerprint, the guide
// for the device at hand, and where to go then.
func TestPage(t *testing.T) {
	lan, authority := newLAN(t, "192.168.1.5", "fd00::5")
	body, header := visit(t, lan, "box1.local:7467", "Mozilla/5.0 (Linux; Android 16) Chrome/142", "192.168.1.5:7467")
	for _, want := range []string{
		`href="/ca.crt"`, authority.Fingerprint(), authority.Name(), `<details open><summary>Android`, `<svg class="qr" role="img"`,
		`href="https://box1.local:7467/admin/"`, `href="https://192.168.1.5:7467/admin/"`, `href="https://[fd00::5]:7467/admin/"`, "http://192.168.1.5:7467/ca<",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("it does not have %s", want)
		}
	}
	if n := strings.Count(body, "<details open>"); n != 1 {
		t.Errorf("%d guides are unfolded", n)
	}
	// The policy names the one style sheet there is, and lets nothing else in.
	_, rest, _ := strings.Cut(body, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	policy := string(header.Peek("Content-Security-Policy"))
	if want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"; !strings.Contains(policy, want) || strings.Contains(policy, "unsafe") {
		t.Errorf("got %s, want %s", policy, want)
	}
	if strings.Contains(body, "style=") || strings.Contains(body, "<script") {
		t.Error("something stands in the page that the policy forbids")
	}
}

// TestWhereAPhoneFindsTheBox comes to the page by several ways.
func TestWhereAPhoneFindsTheBox(t *testing.T) {
	lan, _ := newLAN(t, "127.0.0.1", "169.254.7.7", "192.168.1.5", "fd00::5")
	for _, test := range []struct{ host, local, want string }{
		{"box1.local:7467", "192.168.1.5:7467", "http://192.168.1.5:7467/ca"},
		{"box1:7467", "[fd00::5]:7467", "http://[fd00::5]:7467/ca"},
		{"10.1.1.1:8443", "172.17.0.2:7467", "http://10.1.1.1:8443/ca"}, // a port is forwarded
		{"[fd00::9]", "[fd00::9]:443", "http://[fd00::9]:443/ca"},
		{"localhost:7467", "127.0.0.1:7467", "http://192.168.1.5:7467/ca"},
		{"127.0.0.1", "127.0.0.1:443", "http://192.168.1.5:443/ca"},
		{"box1:0", "192.168.1.5:7467", "http://192.168.1.5:7467/ca"},
	} {
		if body, _ := visit(t, lan, test.host, "", test.local); !strings.Contains(body, "<code>"+test.want+"</code>") {
			t.Errorf("%s at %s: not %s", test.host, test.local, test.want)
		}
	}
	alone, _ := newLAN(t, "127.0.0.1")
	if body, _ := visit(t, alone, "localhost:7467", "", "127.0.0.1:7467"); !strings.Contains(body, "<code>http://localhost:7467/ca</code>") {
		t.Error("a box without a network has no address to offer but its own")
	}
}

func TestGuideForTheDevice(t *testing.T) {
	lan, _ := newLAN(t, "192.168.1.5")
	for browser, want := range map[string]string{
		"Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) Safari": "iPhone and iPad", "Mozilla/5.0 (iPad; CPU OS 17)": "iPhone and iPad",
		"Mozilla/5.0 (Windows NT 10.0; Win64)": "Windows", "Mozilla/5.0 (Macintosh; Intel Mac OS X)": "macOS",
		"Mozilla/5.0 (X11; Linux x86_64)": "Linux", "curl/8.14": "",
	} {
		body, _ := visit(t, lan, "box1", browser, "192.168.1.5:7467")
		_, rest, found := strings.Cut(body, "<details open><summary>")
		got, _, _ := strings.Cut(rest, "<")
		if found != (want != "") || got != want {
			t.Errorf("%s: got %q, want %q", browser, got, want)
		}
	}
}

func TestDownload(t *testing.T) {
	lan, authority := newLAN(t, "192.168.1.5")
	c := &web.Call{HTTP: &fasthttp.RequestCtx{}}
	if err := lan.Download(c); err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(c.HTTP.Response.Body())
	if block == nil || block.Type != "CERTIFICATE" || len(rest) != 0 {
		t.Fatalf("got %v and %d bytes more", block, len(rest))
	}
	sum := sha256.Sum256(block.Bytes)
	if got := strings.ReplaceAll(authority.Fingerprint(), ":", ""); !strings.EqualFold(got, hex.EncodeToString(sum[:])) {
		t.Errorf("the fingerprint is that of something else")
	}
	if kind := string(c.HTTP.Response.Header.ContentType()); kind != "application/x-x509-ca-cert" {
		t.Errorf("got %s", kind)
	}
}
