package server

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// guard decides before any path is looked at whether a request is one that a
// door may see, and where it came from.
type guard struct {
	hosts   map[string]bool
	shown   Certificates // nil without TLS
	trusted []netip.Prefix
}

func newGuard(config *Config) *guard {
	g := &guard{hosts: map[string]bool{"localhost": true}, shown: config.TLS, trusted: config.TrustedProxies}
	if host, _, err := net.SplitHostPort(config.Listen); err == nil && host != "" {
		g.hosts[hostName(host)] = true
	}
	for _, host := range config.Hosts {
		g.hosts[hostName(host)] = true
	}
	for _, app := range config.Apps.All() {
		for _, host := range app.Hosts {
			g.hosts[hostName(host)] = true
		}
	}
	return g
}

// checkHost refuses a Host that is no name of the box: a page on a foreign
// name that has been made to point here would otherwise be same-origin with
// the box.
func (g *guard) checkHost(ctx *fasthttp.RequestCtx) error {
	name := hostName(string(ctx.Request.Header.Host()))
	if g.hosts[name] {
		return nil
	}
	if address, err := netip.ParseAddr(name); err == nil {
		address = address.Unmap()
		if address.IsLoopback() || address == addressOf(ctx.LocalAddr()) {
			return nil
		}
	}
	// Whoever vouches for the box has made sure that the name is its own.
	if g.shown != nil && g.shown.Current().Leaf.VerifyHostname(name) == nil {
		return nil
	}
	return &web.Problem{
		Status: fasthttp.StatusMisdirectedRequest, Code: string(otp.InvalidRequest), Title: "Misdirected request",
		Detail: "The box does not answer to this Host. Names of its own are listed under hosts in the config file.",
	}
}

// hostName returns a Host without port, brackets, case and final dot.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// client returns the address that a request counts for: the peer, or behind a
// trusted proxy the last hop that is none. Every entry further left, and every
// other header, is what the client says of itself.
func (g *guard) client(ctx *fasthttp.RequestCtx) netip.Addr {
	address := addressOf(ctx.RemoteAddr())
	if !web.Within(g.trusted, address) {
		return address
	}
	fields := ctx.Request.Header.PeekAll("X-Forwarded-For")
	for _, field := range slices.Backward(fields) {
		hops := strings.Split(string(field), ",")
		for _, hop := range slices.Backward(hops) {
			next, ok := parseHop(strings.TrimSpace(hop))
			if !ok {
				return address // the nearest hop that is known
			}
			if address = next; !web.Within(g.trusted, address) {
				return address
			}
		}
	}
	return address
}

// secure tells whether the trusted proxy before the box says that a request came
// to it by TLS. From anybody else the header is what the client says of itself.
func (g *guard) secure(ctx *fasthttp.RequestCtx) bool {
	if !web.Within(g.trusted, addressOf(ctx.RemoteAddr())) {
		return false
	}
	fields := ctx.Request.Header.PeekAll("X-Forwarded-Proto")
	if len(fields) == 0 {
		return false
	}
	said := string(fields[len(fields)-1])
	return strings.EqualFold(strings.TrimSpace(said[strings.LastIndexByte(said, ',')+1:]), "https")
}

// parseHop reads an entry of X-Forwarded-For: an address, with or without a
// port.
func parseHop(s string) (netip.Addr, bool) {
	if pair, err := netip.ParseAddrPort(s); err == nil {
		return pair.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return a.Unmap().WithZone(""), err == nil
}

// checkFraming refuses what two readers of the same bytes could take for
// different requests. The parser has refused more already: two Hosts, two
// Content-Lengths, a space before a colon, an LF inside a chunk's line.
func checkFraming(ctx *fasthttp.RequestCtx) error {
	if c, ok := ctx.Conn().(*conn); ok && c.head.bare {
		return errFraming
	}
	if target := ctx.Request.Header.RequestURI(); len(target) == 0 || target[0] != '/' {
		// An absolute target would stand in for Host.
		return web.Invalid("The request target must be a path.")
	}
	if !framed(ctx.Request.Header.RawHeaders()) {
		return errFraming
	}
	if len(ctx.Request.Header.Peek("Content-Encoding")) > 0 {
		return &web.Problem{
			Status: fasthttp.StatusUnsupportedMediaType, Code: string(otp.InvalidRequest), Title: "Unsupported media type",
			Detail: "The body must come as it is, without Content-Encoding.",
		}
	}
	return nil
}

var errFraming = web.Invalid("The head of the request is ambiguous.")

// framed reads the head's lines as they came: each ends in CRLF and begins
// with a name, and there is at most one statement of the body's length.
func framed(raw []byte) bool {
	lengths := 0
	for len(raw) > 0 {
		end := bytes.IndexByte(raw, '\n')
		if end < 1 || raw[end-1] != '\r' {
			return false
		}
		line := raw[:end-1]
		raw = raw[end+1:]
		if len(line) == 0 {
			return len(raw) == 0 && lengths <= 1
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 1 || !isToken(line[:colon]) { // a folded line begins with a space
			return false
		}
		switch name := line[:colon]; {
		case equalFold(name, "content-length"):
			lengths++
		case equalFold(name, "transfer-encoding"):
			lengths++
			if !equalFold(bytes.TrimSpace(line[colon+1:]), "chunked") {
				return false
			}
		}
	}
	return false // there is no empty line, or no line at all
}

// equalFold compares with a lower-case word, without allocating.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range b {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// isToken tells whether b is a name as RFC 9110 writes one.
func isToken(b []byte) bool {
	for _, c := range b {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return true
}
