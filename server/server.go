// Package server is the box as HTTP sees it: the listeners with their limits,
// the guard before every path, the one table of paths, and the problem that
// every refusal becomes. The doors behind the paths stand in folders of their
// own.
package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/admin"
	"github.com/pinferry/pinferry/server/api"
	"github.com/pinferry/pinferry/server/captcha"
	"github.com/pinferry/pinferry/server/cert"
	"github.com/pinferry/pinferry/server/web"
	"github.com/rs/zerolog"
	"github.com/valyala/fasthttp"
)

// DefaultListen is where a box listens that is told nothing else.
const DefaultListen = "127.0.0.1:7467"

// The limits that are not configurable (N18), in bytes.
const (
	maxBody   = 16 << 10
	maxHeader = 8 << 10
)

// backupTime bounds the one answer that is longer than any other.
const backupTime = time.Hour

// modemTime bounds what a network may take for a USSD code.
const modemTime = time.Minute

// Config is what a server is made of. Apps, Verifications, Outbox, Directory,
// Mint and Log are required.
type Config struct {
	// Listen is host:port; port 0 takes a free one. "" is DefaultListen.
	Listen string
	// Socket is the path of the admin socket; "" opens none.
	Socket string
	// Hosts are names beside those of the apps, the listen address, localhost
	// and the box's own addresses, under which the box answers.
	Hosts []string
	// TrustedProxies are peers whose X-Forwarded-For and X-Forwarded-Proto are
	// believed.
	TrustedProxies []netip.Prefix
	// Monitors are networks that may have the metrics, and may know why the box is
	// not ready; the box itself always may.
	Monitors []netip.Prefix
	// TLS is spoken with what this shows; nil: it is not spoken. Whoever does not
	// speak it is then sent to it on the same port, but for [openPaths]. The box
	// also answers to the names in the certificate.
	TLS Certificates
	// Authority is what vouches for the certificate in the local network, and is
	// offered to devices at /ca; nil mounts no such path.
	Authority Authority

	Apps          Apps
	Verifications api.Verifications
	Outbox        api.Outbox
	Directory     api.Directory
	Mint          api.Mint
	Log           zerolog.Logger

	// Doors are the wire formats beside the native one: [Doors]. A door that no
	// app has opened is not there.
	Doors []web.Door

	// Captcha hands out captchas; nil: there are none to be had.
	Captcha *captcha.Door

	// Metrics is served at /metrics and counts the requests; nil serves none.
	Metrics *metrics.Set
	// Causes tells why the box is not ready, beyond what the server sees by
	// itself (no app, no route); nil: nothing.
	Causes func() []Cause
	// Admin is behind the admin paths of the socket.
	Admin admin.Actions
	// Hooks answers POST /hooks/{id}, where providers report what became of a
	// message, and GET, by which some make sure of it; nil mounts no such path.
	// It must not believe a caller who proves nothing.
	Hooks web.Handler
	// Seal is [otp.Keys.Seal], under which the sign-in page seals its cookies; nil
	// mounts no such page.
	Seal func(label string, parts ...[]byte) [32]byte
	// Handset is what the virtual handset of a demo has received; nil mounts no
	// handset.
	Handset func() []Arrival
	// Text has the virtual handset send an SMS to the box; nil: it cannot.
	Text func(from, text string) error

	// ReadTimeout bounds the reading of a whole request, default 10 s;
	// WriteTimeout that of an answer and the time the core has for it, default
	// 10 s; IdleTimeout the wait for the next request, default 60 s.
	ReadTimeout, WriteTimeout, IdleTimeout time.Duration
	// ConnsPerAddress bounds the connections of one address (an IPv6 /64 is
	// one), default 256; trusted proxies are not bounded. Conns bounds them all,
	// default 4096.
	ConnsPerAddress, Conns int
}

// Apps is what the server asks of [otp.Apps].
type Apps interface {
	web.Apps
	admin.Apps
}

var _ Apps = (*otp.Apps)(nil)

// Server answers HTTP on one TCP address and one unix socket.
type Server struct {
	config Config
	// life ends when a shutdown has lost its patience.
	life context.Context
	end  context.CancelFunc

	network, socket entrance
	console         *admin.Console
}

// entrance is a listener with what answers on it.
type entrance struct {
	listener net.Listener
	http     *fasthttp.Server
}

// New returns a server that does not listen yet.
func New(config Config) *Server {
	if config.Listen == "" {
		config.Listen = DefaultListen
	}
	config.ReadTimeout = cmp.Or(config.ReadTimeout, 10*time.Second)
	config.WriteTimeout = cmp.Or(config.WriteTimeout, 10*time.Second)
	config.IdleTimeout = cmp.Or(config.IdleTimeout, 60*time.Second)
	config.ConnsPerAddress = cmp.Or(config.ConnsPerAddress, 256)
	config.Conns = cmp.Or(config.Conns, 4096)
	s := &Server{config: config, console: admin.NewConsole(config.Admin)}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// Open checks the configuration and listens: a taken port or socket is an
// error here, not a line in a log.
func (s *Server) Open() error {
	c := &s.config
	if c.Apps == nil || c.Verifications == nil || c.Outbox == nil || c.Directory == nil || c.Mint == nil {
		return errors.New("open the server: Apps, Verifications, Outbox, Directory and Mint are required")
	}
	network, err := s.networkGate()
	if err != nil {
		return fmt.Errorf("open the server: %w", err)
	}
	paths, err := newRouter(s.socketDoors(), nil)
	if err != nil {
		return fmt.Errorf("open the admin socket: %w", err)
	}
	inner, err := net.Listen("tcp", s.config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.config.Listen, err)
	}
	var spoken *tls.Config
	if c.TLS != nil {
		spoken = cert.Config(c.TLS.Current)
	}
	s.network.listener = newListener(inner, c.ConnsPerAddress, c.TrustedProxies, spoken)
	s.network.http = s.http(network)
	s.network.http.HeaderReceived = longer
	s.network.http.ConnState = follow
	if s.config.Socket == "" {
		return nil
	}
	socket, err := admin.Listen(s.config.Socket, s.config.Log)
	if err != nil {
		inner.Close()
		return err
	}
	s.socket.listener = socket
	s.socket.http = s.http(&gate{server: s, paths: paths})
	s.socket.http.HeaderReceived = longer
	return nil
}

// longer gives the calls that last the time that they need.
func longer(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	switch string(pathOf(h.RequestURI())) {
	case admin.BackupPath:
		return fasthttp.RequestConfig{WriteTimeout: backupTime}
	case admin.ModemPath:
		return fasthttp.RequestConfig{WriteTimeout: modemTime}
	case admin.LivePath:
		return fasthttp.RequestConfig{WriteTimeout: admin.LiveTime}
	}
	return fasthttp.RequestConfig{}
}

func (s *Server) networkGate() (*gate, error) {
	doors, err := s.networkDoors()
	if err != nil {
		return nil, err
	}
	paths, err := newRouter(doors, s.config.Metrics)
	if err != nil {
		return nil, err
	}
	return &gate{server: s, paths: paths, guard: newGuard(&s.config), cors: newCORS(s.config.Apps.All())}, nil
}

// Handler returns what answers a request from the network once it is parsed,
// for measuring it without a socket. It needs no Open; the error is that of
// the table of paths.
func (s *Server) Handler() (fasthttp.RequestHandler, error) {
	g, err := s.networkGate()
	if err != nil {
		return nil, err
	}
	return g.handle, nil
}

// http returns the HTTP server of an entrance, with every limit that fasthttp
// leaves open shut.
func (s *Server) http(g *gate) *fasthttp.Server {
	return &fasthttp.Server{
		Handler:            g.handle,
		ErrorHandler:       g.malformed,
		ReadTimeout:        s.config.ReadTimeout,
		WriteTimeout:       s.config.WriteTimeout,
		IdleTimeout:        s.config.IdleTimeout,
		MaxRequestBodySize: maxBody,
		ReadBufferSize:     maxHeader,
		Concurrency:        s.config.Conns,
		CloseOnShutdown:    true,

		DisablePreParseMultipartForm: true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		// Date would be the wall clock, which a box without a network does not
		// vouch for.
		NoDefaultDate: true,

		SecureErrorLogMessage: true,
		Logger:                quiet{s.config.Log},
	}
}

// Serve answers until Shutdown, and then returns nil; or it returns the error
// that ended a listener.
func (s *Server) Serve() error {
	failures := make(chan error, 2)
	open := 0
	for _, e := range []entrance{s.network, s.socket} {
		if e.http == nil {
			continue
		}
		open++
		go func() { failures <- e.http.Serve(e.listener) }()
	}
	for range open {
		if err := <-failures; err != nil {
			return fmt.Errorf("serve HTTP: %w", err)
		}
	}
	return nil
}

// Shutdown stops listening, lets the requests under way finish until ctx ends,
// and returns when none is left; an error means that some were. After it the
// store may be closed.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.end()
	s.console.Close()
	failures := make(chan error, 2)
	open := 0
	for _, e := range []entrance{s.network, s.socket} {
		if e.http == nil {
			continue
		}
		open++
		go func() {
			e.listener.Close() // what was opened but never served is not known to the HTTP server
			failures <- e.http.ShutdownWithContext(ctx)
		}()
	}
	var all error
	for range open {
		if err := <-failures; err != nil && !errors.Is(err, net.ErrClosed) {
			all = errors.Join(all, fmt.Errorf("stop HTTP: %w", err))
		}
	}
	return all
}

// URL returns where the server listens: "http://127.0.0.1:7467", with https
// where it speaks TLS. It is valid after Open.
func (s *Server) URL() string {
	scheme := "http://"
	if s.config.TLS != nil {
		scheme = "https://"
	}
	return scheme + s.network.listener.Addr().String()
}

// quiet keeps what fasthttp says of a connection out of the log, for it quotes
// what the client sent, keys and codes with it. The format alone tells what
// kind of trouble there was.
type quiet struct{ log zerolog.Logger }

func (q quiet) Printf(format string, _ ...any) {
	q.log.Debug().Str("trouble", format).Msg("connection")
}
