package server

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// listener bounds the connections of one address. An IPv6 customer has a /64
// to himself, so that counts as one address.
type listener struct {
	net.Listener
	limit   int
	trusted []netip.Prefix // many people share a proxy, so it has no bound
	tls     *tls.Config    // nil: TLS is not spoken

	mu   sync.Mutex
	open map[netip.Prefix]int
}

func newListener(inner net.Listener, limit int, trusted []netip.Prefix, spoken *tls.Config) *listener {
	return &listener{Listener: inner, limit: limit, trusted: trusted, tls: spoken, open: map[netip.Prefix]int{}}
}

// tooMany is all that an address above its bound gets to read. It fits into
// the empty buffer of a fresh connection, so writing it does not block.
const tooMany = "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"

// Accept returns the next connection of an address within its bound.
func (l *listener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		leave, ok := l.enter(addressOf(inner.RemoteAddr()))
		if ok {
			return &conn{Conn: inner, leave: sync.OnceFunc(leave), tls: l.tls, head: head{active: true}}, nil
		}
		inner.Write([]byte(tooMany))
		inner.Close()
	}
}

// enter counts a connection, or refuses it.
func (l *listener) enter(address netip.Addr) (leave func(), ok bool) {
	if !address.IsValid() || web.Within(l.trusted, address) {
		return func() {}, true
	}
	bits := 32
	if address.Is6() {
		bits = 64
	}
	bucket, err := address.Prefix(bits)
	if err != nil {
		return nil, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[bucket] >= l.limit {
		return nil, false
	}
	l.open[bucket]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.open[bucket]--; l.open[bucket] == 0 {
			delete(l.open, bucket)
		}
	}, true
}

// addressOf returns the IP address of a peer, IPv4 unmapped, zones dropped.
func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// conn watches the line ends in the heads of requests: the parser behind it
// takes a bare LF for a line end, where a proxy in front may not, and does not
// show the request line it took. Where TLS is spoken, it also finds out whether
// this client does.
type conn struct {
	net.Conn // as it came from the network
	leave    func()
	// secured is what goes over Conn, if that is TLS.
	secured atomic.Pointer[tls.Conn]
	// head and tls belong to the goroutine that serves the connection. tls is nil
	// once it is known what the client speaks.
	head head
	tls  *tls.Config
}

var errBareLF = errors.New("bare LF in the head of a request")

// Read passes on what came. After a bare LF nothing more is read.
func (c *conn) Read(p []byte) (int, error) {
	if c.head.bare {
		return 0, errBareLF
	}
	if c.tls != nil {
		return c.begin(p)
	}
	n, err := c.inner().Read(p)
	c.head.read(p[:n])
	return n, err
}

// Write sends p, under TLS if the client speaks it.
func (c *conn) Write(p []byte) (int, error) { return c.inner().Write(p) }

// Close closes the connection and gives its place back. It may be called by
// another goroutine than the one that serves the connection.
func (c *conn) Close() error {
	// TLS says good-bye first, which may take seconds. Until then the address
	// keeps its place, or those that close would come on top of those allowed.
	defer c.leave()
	return c.inner().Close()
}

// follow tells a connection where its requests begin.
func follow(nc net.Conn, state fasthttp.ConnState) {
	c, ok := nc.(*conn)
	if !ok {
		return
	}
	switch state {
	case fasthttp.StateIdle:
		c.head = head{bare: c.head.bare, next: true}
	case fasthttp.StateActive:
		// Nothing was read since the last answer: this request came along with
		// the one before it, and what is read next may be its body. Its header
		// lines are checked by the guard all the same.
		c.head.next = false
	}
}

// head scans the head of one request as it comes in.
type head struct {
	active bool // bytes of a head are coming
	next   bool // the next byte that is read begins a head
	bare   bool // a bare LF was seen
	begun  bool // the request line has ended
	line   int  // bytes of the line so far
	last   byte // the last of them
}

func (h *head) read(p []byte) {
	if h.next && len(p) > 0 {
		h.next, h.active = false, true
	}
	for h.active && len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			h.line += len(p)
			h.last = p[len(p)-1]
			return
		}
		if i > 0 {
			h.last = p[i-1]
		}
		if h.line += i; h.line == 0 || h.last != '\r' {
			h.bare, h.active = true, false
			return
		}
		switch {
		case h.line > 1:
			h.begun = true
		case h.begun:
			h.active = false // the empty line
		}
		h.line, h.last, p = 0, 0, p[i+1:]
	}
}
