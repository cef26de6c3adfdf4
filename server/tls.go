package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// Certificates is what the box shows of itself by TLS.
type Certificates interface {
	// Current returns the certificate to be shown now, with its Leaf. It is
	// called for each connection and each request, from many goroutines.
	Current() *tls.Certificate
}

// Authority hands out what vouches for the box's certificates, so that devices
// can be told to trust it.
type Authority interface {
	// Page answers GET /ca: what to do on which device.
	Page(*web.Call) error
	// Download answers GET /ca.crt: the certificate itself.
	Download(*web.Call) error
}

// handshakeTime bounds a handshake. The reading of a whole request is bounded
// as well, handshake included, but a client that takes nothing could hold up
// the writing.
const handshakeTime = 10 * time.Second

// clientHello is the first byte of whoever begins to speak TLS. No method of
// HTTP begins with it.
const clientHello = 0x16

// inner is what the bytes of HTTP go over.
func (c *conn) inner() net.Conn {
	if secured := c.secured.Load(); secured != nil {
		return secured
	}
	return c.Conn
}

// begin is the first read of a connection where TLS is spoken: it finds out
// whether this client speaks TLS as well, and shakes hands if it does. It runs in
// the goroutine of the connection, so nobody else waits for a slow client.
func (c *conn) begin(p []byte) (int, error) {
	first := p[:min(len(p), 1)]
	n, err := c.Conn.Read(first)
	if n == 0 {
		return n, err
	}
	config := c.tls
	c.tls = nil
	if first[0] != clientHello {
		c.head.read(first)
		return n, err
	}
	secured := tls.Server(&unread{Conn: c.Conn, first: first[0], held: true}, config)
	c.secured.Store(secured) // first, so that nothing is ever sent past a handshake that failed
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTime)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		return 0, err
	}
	return c.Read(p)
}

// unread is a connection of which the first byte was read and put back.
type unread struct {
	net.Conn
	first byte
	held  bool
}

// Read passes on the byte that was put back, and then what comes.
func (u *unread) Read(p []byte) (int, error) {
	if u.held && len(p) > 0 {
		u.held = false
		p[0] = u.first
		return 1, nil
	}
	return u.Conn.Read(p)
}

// openPaths are those that answer without TLS: what leads to trust in the box, and
// what asks whether it lives.
var openPaths = []string{caPath, caFilePath, healthPath}

// keyHeaders are where programs put keys and tokens. A browser that follows a link
// sends none of them.
var keyHeaders = []string{"Authorization", "X-Pinferry-Key", "Apikey"}

// plain returns what answers a request that came without TLS to a box that speaks
// it, in place of its path; nil leaves it to the path. Nothing passes over a
// network from a program on the box itself, and what lies before a proxy is the
// proxy's affair.
func (g *gate) plain(c *web.Call, p *path) web.Handler {
	host := hostName(string(c.HTTP.Request.Header.Host()))
	switch {
	case g.server.config.TLS == nil, c.Secure, web.Within(g.guard.trusted, c.Peer):
		return nil
	case c.Peer.IsLoopback() && isLoopback(host):
		return nil
	case p != nil && slices.Contains(openPaths, p.pattern):
		return nil
	case (c.HTTP.IsGet() || c.HTTP.IsHead()) && !slices.ContainsFunc(keyHeaders, func(name string) bool { return c.Header(name) != "" }):
		return toTLS
	}
	// A program would follow a redirect in silence, and each call after this one
	// would show its key and its code to the network again.
	return func(*web.Call) error {
		return &web.Problem{
			Status: fasthttp.StatusForbidden, Code: string(otp.Forbidden), Title: "TLS needed",
			Detail: "The box takes this by https:// only. If the request held a key, others may have read it.",
		}
	}
}

// toTLS sends a browser to the same place by TLS, on the same port.
func toTLS(c *web.Call) error {
	// The guard knows the name. What stands behind its colon is not known to
	// anybody, so only digits are repeated.
	host := string(c.HTTP.Request.Header.Host())
	name, port := hostName(host), ""
	if _, said, err := net.SplitHostPort(host); err == nil && digits(said) {
		port = ":" + said
	}
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	c.HTTP.Response.Header.Set("Location", "https://"+name+port+string(c.HTTP.Request.Header.RequestURI()))
	c.HTTP.Response.Header.Set("Cache-Control", "no-store")
	c.HTTP.SetStatusCode(fasthttp.StatusPermanentRedirect)
	return nil
}

func digits(s string) bool {
	return s != "" && len(s) <= 5 && strings.Trim(s, "0123456789") == ""
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// strictTime is how long a browser comes back by TLS only.
const strictTime = "max-age=15552000" // 180 days

// strict has browsers come back by TLS only, under names that the operator has
// got a certificate for. The rule binds every port of a name, so it is not made
// for an address, nor for a name in the local network, where other programs of the
// same machine may not speak TLS.
func (g *gate) strict(c *web.Call) {
	if g.server.config.Authority != nil || !secured(c.HTTP) {
		return
	}
	host := hostName(string(c.HTTP.Request.Header.Host()))
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") || strings.HasSuffix(host, ".local") {
		return
	}
	c.HTTP.Response.Header.Set("Strict-Transport-Security", strictTime)
}

// secured tells whether a request came by TLS to the box itself.
func secured(ctx *fasthttp.RequestCtx) bool {
	c, ok := ctx.Conn().(*conn)
	return ok && c.secured.Load() != nil
}
