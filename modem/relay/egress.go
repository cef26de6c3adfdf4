package relay

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultTimeout is how long one exchange may take, and maxTimeout the most that
// may be configured: a provider that is slower holds up the fail-over.
const (
	DefaultTimeout = 8 * time.Second
	maxTimeout     = 10 * time.Second
)

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 64 << 10

// EgressConfig says where an [Egress] may go. Its zero value is the strictest.
type EgressConfig struct {
	// Allow lists networks that are reachable although they are private,
	// loopback or otherwise not public.
	Allow []netip.Prefix
	// Insecure permits http:// beside https://.
	Insecure bool
	// Timeout bounds one exchange; 0 is [DefaultTimeout].
	Timeout time.Duration
	// Roots are the authorities that vouch for a server; nil are the system's.
	Roots *x509.CertPool
	// Lookup resolves a host name; nil asks the system's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Egress is the one way out of the box over the network. It reaches public
// addresses only, judged after the name was resolved and on the very address
// that is dialled; it follows no redirect, asks no proxy, keeps no connection
// and reads no more than 64 KiB of an answer. It may be used from any
// goroutine.
type Egress struct {
	config EgressConfig
	client *http.Client
}

// NewEgress returns a way out.
func NewEgress(config EgressConfig) *Egress {
	config.Timeout = cmp.Or(config.Timeout, DefaultTimeout)
	if config.Lookup == nil {
		config.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	e := &Egress{config: config}
	e.client = &http.Client{
		Transport: &http.Transport{
			Proxy:           nil, // the environment does not choose who sees a code
			DialContext:     e.Dial,
			TLSClientConfig: e.tls(""),
			// A connection that the server closed while it was idle would leave it
			// open whether a message went out on it.
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return e
}

// tls returns the terms on which a server is spoken to.
func (e *Egress) tls(host string) *tls.Config {
	return &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: e.config.Roots}
}

// Fault says why there is no answer. It names neither the URL nor a header,
// for either may hold a secret.
type Fault struct {
	// Left tells that the request may have reached the server.
	Left bool
	Err  error
}

// Error says what went wrong.
func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// The faults that are found before or after the exchange itself.
var (
	errScheme = errors.New("only https is allowed; set insecure = true to permit http")
	errLong   = errors.New("the answer is longer than 64 KiB")
	errGarble = errors.New("what answers cannot be understood")
)

// Do sends a request and returns the answer, whatever its status. The answer
// has been read whole: its Body is in memory and needs no Close. The error is
// always a [*Fault].
func (e *Egress) Do(q *http.Request) (*http.Response, error) {
	if q.URL.Scheme != "https" && (q.URL.Scheme != "http" || !e.config.Insecure) {
		return nil, &Fault{Err: errScheme}
	}
	ctx, cancel := context.WithTimeout(q.Context(), e.config.Timeout)
	defer cancel()
	var left atomic.Bool
	// From the first byte of the head on nobody knows what the server has read.
	a, err := e.client.Do(q.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { left.Store(true) },
	})))
	if err != nil {
		return nil, &Fault{left.Load(), plain(err)}
	}
	body, err := io.ReadAll(io.LimitReader(a.Body, maxAnswer+1))
	a.Body.Close() // what follows was not asked for
	if err == nil && len(body) > maxAnswer {
		err = errLong
	}
	if err != nil {
		return nil, &Fault{true, plain(err)}
	}
	a.Body = io.NopCloser(bytes.NewReader(body))
	return a, nil
}

// plain takes off an error the URL, and what the other side has put into it:
// who cannot be understood is quoted, and may have repeated what it was told.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var line textproto.ProtocolError
	var reply *textproto.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.As(err, &certificate): // came before anything was told
		return err
	case errors.As(err, &line), errors.As(err, &reply), strings.Contains(err.Error(), `"`):
		return errGarble
	}
	return err
}

// Dial connects to host:port if one of the host's addresses may be reached. It
// is the only place of the box where an outgoing connection begins.
func (e *Egress) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	all, err := e.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, a := range all {
		dialer := net.Dialer{Timeout: e.config.Timeout / 2} // leaves time for the next address
		conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(a.String(), port))
		if err == nil {
			return conn, nil
		}
		failed = err
	}
	return nil, failed
}

// resolve returns the addresses of a host that may be reached. An answer that
// mixes in others loses those.
func (e *Egress) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	all := []netip.Addr{}
	if a, err := netip.ParseAddr(host); err == nil {
		all = append(all, a)
	} else if all, err = e.config.Lookup(ctx, host); err != nil {
		return nil, fmt.Errorf("%w: %w", errResolve, err)
	}
	var open []netip.Addr
	for _, a := range all {
		if a = a.Unmap().WithZone(""); e.reachable(a) {
			open = append(open, a)
		}
	}
	if len(open) == 0 {
		return nil, fmt.Errorf("%w: list it in allow if it is meant", errPrivate)
	}
	return open, nil
}

var (
	errResolve = errors.New("resolve the host")
	errPrivate = errors.New("the host's address is not public")
)

func (e *Egress) reachable(a netip.Addr) bool {
	return public(a) || slices.ContainsFunc(e.config.Allow, func(p netip.Prefix) bool { return p.Contains(a) })
}
