package cert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/rs/zerolog"
)

// How long a certificate lasts. Some systems take none of more than 398 days.
// It begins early for devices whose clock is behind the box's, and is replaced
// well before its end for those whose clock is ahead.
const (
	lanLife  = 397 * 24 * time.Hour
	lanEarly = 30 * 24 * time.Hour
	lanSpare = 30 * 24 * time.Hour
)

// askEvery is how often the addresses of the box are looked at while
// connections come in.
const askEvery = 10 * time.Second

// maxAddresses bounds a certificate: a machine with many containers has many
// addresses.
const maxAddresses = 100

// LAN shows certificates that the box's own authority signs. There is a new
// one, with a new key, whenever the addresses of the box change and before the
// old one ends. They are in memory only.
type LAN struct {
	authority *Authority
	names     []string
	refused   []string
	now       func() otp.Time
	config    LANConfig

	mu    sync.Mutex
	pair  *tls.Certificate
	held  []netip.Addr // that pair is for
	asked otp.Time
	fault error // of the last attempt to make another
}

// LANConfig is what a LAN may be given.
type LANConfig struct {
	// Addresses returns the addresses of the box; nil asks the system.
	Addresses func() ([]netip.Addr, error)
	// Log is told of new certificates. The zero logger tells nobody.
	Log zerolog.Logger
}

// NewLAN makes the first certificate, for the names of the box that authority
// may vouch for. now is box time.
func NewLAN(authority *Authority, names []string, now func() otp.Time, config LANConfig) (*LAN, error) {
	if config.Addresses == nil {
		config.Addresses = Addresses
	}
	l := &LAN{authority: authority, now: now, config: config}
	for _, name := range names {
		if authority.vouches(name) {
			l.names = append(l.names, name)
		} else {
			l.refused = append(l.refused, name)
		}
	}
	l.refresh()
	if l.pair == nil {
		return nil, l.fault
	}
	return l, nil
}

// OpenLAN opens the authority of a box, which is made at its first start, and
// makes the first certificate. host is the name of the machine, "" if it has
// none. keep returns the content of a key's file by its name, or that of create
// if there is no such file yet.
func OpenLAN(host string, clock *otp.Clock, keep func(name string, create func() ([]byte, error)) ([]byte, error), config LANConfig) (*LAN, error) {
	if host == "" {
		config.Log.Warn().Msg("the host has no name that it tells, so the certificate is for its addresses alone")
	}
	names, passed := Names(host), clock.Build()
	if passed == 0 {
		passed = clock.Now() // such a build does not know its date
	}
	file, err := keep(AuthorityFile, func() ([]byte, error) { return NewAuthority(names, passed) })
	if err != nil {
		return nil, err
	}
	authority, err := ParseAuthority(file)
	if err != nil {
		return nil, fmt.Errorf("keys/%s in the data directory: %w; take the file from a backup, or remove it: the next start makes another authority, which every device has to be told to trust",
			AuthorityFile, err)
	}
	config.Log.Info().Str("authority", authority.Name()).Str("fingerprint", authority.Fingerprint()).Msg("devices that trust the authority believe the box; /ca tells how")
	return NewLAN(authority, names, clock.Now, config)
}

// Current returns the certificate to be shown now.
func (l *LAN) Current() *tls.Certificate {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now().Sub(l.asked).Abs() >= askEvery { // box time can be set back
		l.refresh()
	}
	return l.pair
}

// addresses are those that the certificate is for.
func (l *LAN) addresses() []netip.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held // never changed, only replaced
}

// State tells how the certificate and the authority stand now.
func (l *LAN) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refresh()
	return State{
		Names: namesOf(l.pair), Until: min(otp.TimeOf(l.pair.Leaf.NotAfter), l.authority.Until()), Trouble: l.fault,
		Refused: slices.Clone(l.refused), Fingerprint: l.authority.Fingerprint(),
	}
}

// refresh makes another certificate if the present one does not do any more.
// The caller holds mu, or is the only one who knows l.
func (l *LAN) refresh() {
	now := l.now()
	l.asked = now
	addresses, err := l.config.Addresses()
	if err != nil {
		err = fmt.Errorf("ask for the addresses of the box: %w", err)
		addresses = l.held // those of before are better than none
	}
	addresses = slices.DeleteFunc(slices.Clone(addresses), func(a netip.Addr) bool { return !l.authority.reaches(a) })
	slices.SortFunc(addresses, netip.Addr.Compare)
	addresses = slices.Compact(addresses)
	addresses = addresses[:min(len(addresses), maxAddresses)]
	if l.pair == nil || !slices.Equal(addresses, l.held) || !l.lasts(now.Std()) {
		var pair *tls.Certificate
		var failed error
		if pair, failed = l.issue(addresses, now.Std()); failed == nil {
			l.pair, l.held = pair, addresses
			l.config.Log.Info().Strs("names", namesOf(pair)).Time("until", pair.Leaf.NotAfter).Msg("the certificate is new")
		} else {
			err = failed
		}
	}
	if err != nil && l.fault == nil {
		l.config.Log.Error().Err(err).Msg("the certificate cannot be renewed")
	}
	l.fault = err
}

// lasts tells whether the certificate is good for a while. Box time may have
// been put right, in either direction, since it was made.
func (l *LAN) lasts(now time.Time) bool {
	return now.After(l.pair.Leaf.NotBefore) && now.Before(l.pair.Leaf.NotAfter.Add(-lanSpare))
}

func (l *LAN) issue(addresses []netip.Addr, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "pinferry"},
		NotBefore:             now.Add(-lanEarly),
		NotAfter:              now.Add(lanLife - lanEarly),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:              l.names,
	}
	for _, a := range addresses {
		template.IPAddresses = append(template.IPAddresses, net.IP(a.AsSlice()))
	}
	der, err := l.authority.sign(template, key.Public())
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}
