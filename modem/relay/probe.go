package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// probeLimit bounds a probe: somebody waits for it.
const probeLimit = 3 * time.Second

// Finding is what a probe found.
type Finding struct {
	// Reason is "" of a server that can be reached, else "no_name", "not_allowed",
	// "unreachable", "certificate", "wrong_clock", "no_tls" or "no_mail".
	Reason string
	// Detail names the server in a sentence, and tells in another what to do. It
	// holds no more of the URL.
	Detail string
}

// Probe looks whether the provider's server can be reached, within 3 s: its
// name resolves to addresses that may be called, it takes a connection, and its
// certificate is good. No message, no credential and no line of HTTP is sent, so
// that it costs nothing and proves no more than it says.
func (r *Relay) Probe(ctx context.Context) Finding {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	server, err := r.carrier.probe(ctx)
	switch {
	case err == nil:
		return Finding{}
	case ctx.Err() != nil && !errors.Is(err, errResolve): // what is cut short fails in many ways
		err = ctx.Err()
	}
	return r.found(shown(server), err)
}

// ProbeAll probes relays, all of them at a time, by name.
func ProbeAll(ctx context.Context, relays map[string]*Relay) map[string]Finding {
	var mu sync.Mutex // guards all
	all := make(map[string]Finding, len(relays))
	var probes sync.WaitGroup
	for name, r := range relays {
		probes.Go(func() {
			found := r.Probe(ctx)
			mu.Lock()
			defer mu.Unlock()
			all[name] = found
		})
	}
	probes.Wait()
	return all
}

// What a probe finds where a server is that has no use for the relay.
var (
	errNoTLS      = errors.New("no TLS")
	errNoStartTLS = errors.New("no STARTTLS")
	errNoMail     = errors.New("no mail server")
)

// hasty returns the same way out for whoever has no more time than a probe: one
// address that is silent must leave some for the next.
func (e *Egress) hasty() *Egress {
	config := e.config
	config.Timeout = probeLimit
	return NewEgress(config)
}

// probe implements carrier.
func (p *provider) probe(ctx context.Context) (server string, err error) {
	u := p.writer.host
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	server = net.JoinHostPort(u.Hostname(), port)
	way := p.way.hasty()
	conn, err := way.Dial(ctx, "tcp", server)
	if err != nil || u.Scheme == "http" {
		if err == nil {
			conn.Close()
		}
		return server, err
	}
	defer conn.Close()
	err = tls.Client(conn, way.tls(u.Hostname())).HandshakeContext(ctx)
	if err != nil && !mistrusts(err) {
		err = fmt.Errorf("%w: %w", errNoTLS, err)
	}
	return server, err
}

// probe implements carrier.
func (m *mailer) probe(ctx context.Context) (server string, err error) {
	server = net.JoinHostPort(m.host, strconv.Itoa(m.port))
	client, err := m.client(ctx, m.way.hasty(), false)
	if err != nil {
		return server, err
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	switch {
	case err == nil:
		client.CloseWithSMTPClient(conn) // it has said all that is to be known
	case strings.Contains(err.Error(), "STARTTLS"): // the library has no value for it
		err = errNoStartTLS
	case !mistrusts(err):
		err = fmt.Errorf("%w: %w", errNoMail, err)
	}
	return server, err
}

// found says what an error means to who can do something about it.
func (r *Relay) found(server string, err error) Finding {
	say := func(reason, format string) Finding { return Finding{reason, fmt.Sprintf(format, server)} }
	var name *net.DNSError
	var reached *net.OpError
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return say("no_name", "There is no such name as that of the server %s. Compare it with url in the relay's section.")
	case errors.Is(err, errResolve):
		return say("no_name", "The name of the server %s does not resolve. See that the box has a name server: `resolvectl status`.")
	case errors.Is(err, errPrivate):
		return say("not_allowed", "The server %s has no public address. List it in the relay's allow if it is meant.")
	case errors.Is(err, syscall.ECONNREFUSED):
		return say("unreachable", "The server %s refuses the connection. Compare its port with url in the relay's section; a firewall may refuse, too.")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return say("unreachable", "The server %s does not answer. See that the box has a network, and that no firewall is in between.")
	case errors.As(err, &reached) && reached.Op == "dial":
		return say("unreachable", "There is no way to the server %s. See that the box has a network: `ip route`.")
	case mistrusts(err):
		return r.mistrusted(server, err)
	case errors.Is(err, errNoTLS):
		return say("no_tls", "What answers at %s speaks no TLS. Compare the port with url in the relay's section.")
	case errors.Is(err, errNoStartTLS):
		return say("no_tls", "The mail server %s offers no STARTTLS. Use its port for submission, 587 as a rule.")
	}
	return say("no_mail", "What answers at %s takes no mail. Compare the port with url in the relay's section.")
}

// mistrusts tells whether an error is about a certificate.
func mistrusts(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate)
}

// mistrusted says what is wrong with a certificate.
func (r *Relay) mistrusted(server string, err error) Finding {
	say := func(reason, format string) Finding { return Finding{reason, fmt.Sprintf(format, server)} }
	var invalid x509.CertificateInvalidError
	var other x509.HostnameError
	var none x509.SystemRootsError
	dated := errors.As(err, &invalid) && invalid.Reason == x509.Expired
	switch {
	case dated && r.config.Now().Std().After(invalid.Cert.NotAfter):
		return say("certificate", "The certificate of %s has expired. Whoever runs that server must renew it.")
	case dated: // the machine's clock is what it was judged by
		return say("wrong_clock", "The certificate of %s is not good yet, or not any more, by the clock of this machine. Run `sudo timedatectl set-ntp true`.")
	case errors.As(err, &other):
		return say("certificate", "The certificate of %s is for another name. Compare the name with url in the relay's section.")
	case errors.As(err, &none):
		return say("certificate", "Nobody vouches for %s, for this machine knows no authorities. Install its package ca-certificates and restart.")
	}
	return say("certificate", "Nobody that this machine knows vouches for %s. If it is your own server, name its authority in ca_file; else somebody is in between.")
}
