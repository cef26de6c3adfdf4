// Package web is what the doors share: the request on its way through the
// house, strict decoding of JSON, and answers in JSON and problem+json. It
// knows no path and no rule.
package web

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/valyala/fasthttp"
)

// Handler answers one call. An error is answered as a problem by the server,
// so a handler that has written its own answer returns nil.
type Handler func(*Call) error

// Call is one request on its way through the house. Nothing of HTTP may be
// kept after the handler returned: its bytes then belong to the next request.
// What Body, Param and Header return are copies.
type Call struct {
	HTTP *fasthttp.RequestCtx
	// Context is for the core: it ends at the call's deadline.
	Context context.Context
	// Life ends when the server is forced to stop; for an answer that is
	// streamed for longer than the deadline.
	Life context.Context
	// RequestID is 16 hex digits of ours; a client's own is not trusted.
	RequestID string
	// Client is the address of the caller, IPv4 unmapped, proxies that are
	// trusted taken off. The zero Addr is the admin socket.
	Client netip.Addr
	// Peer is where the connection itself comes from: the caller, or the proxy
	// nearest to the box. The zero Addr is the admin socket.
	Peer netip.Addr
	// Secure tells whether nobody on the way reads along: the caller speaks TLS
	// with the box, or with a trusted proxy that says so. It is false on the
	// admin socket, where there is no way.
	Secure bool
	// Param is what stood in the path for {id}, App what stood for {app}: the
	// bytes of the segment as they came.
	Param, App string
	// Caller is set by the door once it knows who is asking.
	Caller otp.Caller
}

// Body returns a copy of the request's body.
func (c *Call) Body() []byte { return append([]byte(nil), c.HTTP.PostBody()...) }

// Header returns the request's header of this name, "" if there is none.
func (c *Call) Header(name string) string { return string(c.HTTP.Request.Header.Peek(name)) }

// Bearer returns what stands behind Bearer in Authorization, "" if nothing does.
func (c *Call) Bearer() string {
	scheme, credential, _ := strings.Cut(c.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return credential
}

// Query returns the first query argument of this name, decoded, "" if there is
// none.
func (c *Call) Query(name string) string { return string(c.HTTP.QueryArgs().Peek(name)) }

// Within tells whether one of the prefixes holds the address.
func Within(prefixes []netip.Prefix, address netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(address) })
}
