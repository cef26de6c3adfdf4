package cert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// AuthorityFile is the name of the authority's file in the folder of the keys.
const AuthorityFile = "lan.ca"

// authorityYears is how long an authority lasts. To replace it, somebody has to
// go to every device.
const authorityYears = 20

// private are the networks that an authority may vouch for: those that belong
// to nobody on the internet.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("::1/128"),
}

// Authority signs what the box shows in the local network. Devices are told to
// trust it, so it is bound to the box's own names, to private networks and to
// servers: whoever gets hold of its key cannot pretend to be a bank with it.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte // of cert
}

// NewAuthority makes the authority of a box with these host names, of which
// there is one at least, and returns its file: the certificate and the key in
// PEM. It is valid from a day before a time that has certainly passed, such as
// the date of the build: what the clock of a new box shows need not be true.
func NewAuthority(names []string, passed otp.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	from := passed.Std().Add(-24 * time.Hour)
	// Two boxes may have one name, and devices find an authority by its subject,
	// which has 64 letters at most.
	name := names[0][:min(len(names[0]), 40)]
	tag := make([]byte, 4)
	rand.Read(tag)
	template := &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"pinferry"}, CommonName: fmt.Sprintf("pinferry on %s (%x)", name, tag)},
		NotBefore:             from,
		NotAfter:              from.AddDate(authorityYears, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         names,
	}
	for _, p := range private {
		template.PermittedIPRanges = append(template.PermittedIPRanges, &net.IPNet{
			IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		})
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	file := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...), nil
}

// ParseAuthority reads what [NewAuthority] has made.
func ParseAuthority(file []byte) (*Authority, error) {
	a := &Authority{}
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		var err error
		switch block.Type {
		case "CERTIFICATE":
			a.pem = pem.EncodeToMemory(block)
			a.cert, err = x509.ParseCertificate(block.Bytes)
		case "PRIVATE KEY":
			var key any
			if key, err = x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
				a.key, _ = key.(*ecdsa.PrivateKey)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("read the authority: %w", err)
		}
	}
	if a.cert == nil || a.key == nil || !a.cert.IsCA {
		return nil, errors.New("read the authority: the file does not hold one")
	}
	if public, ok := a.cert.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(a.key.Public()) {
		return nil, errors.New("read the authority: its certificate and its key do not belong together")
	}
	return a, nil
}

// Fingerprint returns the SHA-256 of the certificate as devices show it:
// "3F:0A:...", 32 bytes.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	pairs := make([]string, len(sum))
	for i := range sum {
		pairs[i] = strings.ToUpper(hex.EncodeToString(sum[i : i+1]))
	}
	return strings.Join(pairs, ":")
}

// Name is what devices call the authority in their lists.
func (a *Authority) Name() string { return a.cert.Subject.CommonName }

// Until is when the authority ends.
func (a *Authority) Until() otp.Time { return otp.TimeOf(a.cert.NotAfter) }

// vouches tells whether the authority may sign for a host name.
func (a *Authority) vouches(name string) bool {
	for _, domain := range a.cert.PermittedDNSDomains {
		if name == domain || strings.HasSuffix(name, "."+domain) {
			return true
		}
	}
	return false
}

// reaches tells whether the authority may sign for an address.
func (a *Authority) reaches(address netip.Addr) bool {
	for _, network := range a.cert.PermittedIPRanges {
		if network.Contains(address.AsSlice()) {
			return true
		}
	}
	return false
}

// sign signs a certificate for a key.
func (a *Authority) sign(template *x509.Certificate, public crypto.PublicKey) ([]byte, error) {
	return x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
}
