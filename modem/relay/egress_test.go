package relay_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem/relay"
)

// lookup is a resolver with one name that has these addresses.
func lookup(addresses ...string) func(context.Context, string) ([]netip.Addr, error) {
	return func(_ context.Context, host string) (all []netip.Addr, err error) {
		if host != "provider.example" {
			return nil, errors.New("no such host")
		}
		for _, a := range addresses {
			all = append(all, netip.MustParseAddr(a))
		}
		return all, nil
	}
}

// What is not public is refused after the name was resolved, however it is
// written.
func TestPrivate(t *testing.T) {
	for _, address := range []string{
		"127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "10.0.0.5", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255",
		"169.254.169.254", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "224.0.0.1", "239.1.1.1", "ff02::1", "240.0.0.1", "255.255.255.255",
		"192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.0.0.8", "::ffff:127.0.0.1", "::ffff:10.0.0.5", "::ffff:169.254.169.254",
		"::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:4136:e378::1", "2001:db8::1", "3fff::1", "4000::1",
	} {
		way := relay.NewEgress(relay.EgressConfig{Lookup: lookup(address)})
		for _, host := range []string{"provider.example", address} {
			conn, err := way.Dial(t.Context(), "tcp", net.JoinHostPort(host, "443"))
			if err == nil {
				conn.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "not public") {
				t.Errorf("%s by %s: %v", address, host, err)
			}
		}
	}
}

// A public address is dialled: it fails for want of a network or of time, not by
// the rule. An answer that mixes it with another loses that one.
func TestPublic(t *testing.T) {
	for _, addresses := range [][]string{{"8.8.8.8"}, {"2606:4700:4700::1111"}, {"10.0.0.5", "1.1.1.1"}, {"::ffff:8.8.8.8"}} {
		way := relay.NewEgress(relay.EgressConfig{Lookup: lookup(addresses...)})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := way.Dial(ctx, "tcp", "provider.example:443"); !errors.Is(err, context.Canceled) && !strings.Contains(err.Error(), "canceled") {
			t.Errorf("%v: %v", addresses, err)
		}
	}
}

// What is listed is reachable, and nothing beside it.
func TestAllow(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	way := relay.NewEgress(relay.EgressConfig{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Lookup: lookup("127.0.0.2", "::ffff:127.0.0.1")})
	conn, err := way.Dial(t.Context(), "tcp", "provider.example:"+port)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if _, err := way.Dial(t.Context(), "tcp", "127.0.0.2:"+port); err == nil {
		t.Error("an address beside the listed one is reachable")
	}
}

func get(t *testing.T, way *relay.Egress, target string) (*http.Response, error) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), "GET", target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return way.Do(q)
}

func TestScheme(t *testing.T) {
	plain := httptest.NewServer(says(200, "{}"))
	defer plain.Close()
	for insecure, want := range map[bool]bool{false: false, true: true} {
		way := relay.NewEgress(relay.EgressConfig{Allow: loopback, Insecure: insecure})
		if _, err := get(t, way, plain.URL); (err == nil) != want {
			t.Errorf("insecure %v: %v", insecure, err)
		}
		for _, target := range []string{"ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/"} {
			if _, err := get(t, way, target); err == nil {
				t.Errorf("%s is allowed", target)
			}
		}
	}
}

// A redirect is an answer, and its target is not asked.
func TestRedirect(t *testing.T) {
	asked := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/target" {
			asked = true
		}
		http.Redirect(w, r, "/target", http.StatusTemporaryRedirect)
	}))
	way := relay.NewEgress(relay.EgressConfig{Allow: loopback, Insecure: true})
	a, err := get(t, way, s.URL)
	s.Close()
	if err != nil || a.StatusCode != 307 || asked {
		t.Errorf("status %v, asked %v, %v", a, asked, err)
	}
}

// The environment does not choose who sees a code.
func TestProxy(t *testing.T) {
	proxy := newProvider(t, says(200, "{}"))
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	direct := httptest.NewServer(says(200, "{}"))
	defer direct.Close()
	way := relay.NewEgress(relay.EgressConfig{Allow: loopback, Insecure: true})
	if _, err := get(t, way, direct.URL); err != nil || len(proxy.requests()) != 0 {
		t.Errorf("%v, %d requests at the proxy", err, len(proxy.requests()))
	}
}

// A server that says nothing holds nobody up, and has not got the message.
func TestSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel connects, nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	way := relay.NewEgress(relay.EgressConfig{Allow: loopback, Timeout: 100 * time.Millisecond})
	_, err = get(t, way, "https://"+l.Addr().String())
	var f *relay.Fault
	if !errors.As(err, &f) || f.Left || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// Versions of TLS that are broken are not spoken.
func TestOldTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(says(200, "{}"))
	s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11}
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	defer s.Close()
	way := relay.NewEgress(relay.EgressConfig{Allow: loopback, Roots: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs})
	_, err := get(t, way, s.URL)
	var f *relay.Fault
	if !errors.As(err, &f) || f.Left {
		t.Errorf("got %v", err)
	}
}

// A fault names neither the URL nor what stands in it.
func TestFaultIsQuiet(t *testing.T) {
	way := relay.NewEgress(relay.EgressConfig{Allow: loopback, Insecure: true, Timeout: time.Second, Lookup: lookup("127.0.0.1")})
	for _, target := range []string{"https://provider.example:1/?key=SECRET", "http://other.example/SECRET", "ftp://x/SECRET"} {
		_, err := get(t, way, target)
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", target, err)
		}
	}
}
