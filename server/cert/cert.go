// Package cert is what the box shows of itself by TLS: the operator's own
// certificate files, read again when they change, or certificates that an
// authority of the box's own signs for its names and addresses in the local
// network. It also hands out that authority, and tells people how to trust it.
package cert

import (
	"crypto/tls"
	"net"
	"slices"

	"github.com/pinferry/pinferry/otp"
)

// State is how the certificate stands.
type State struct {
	// Names are the host names and addresses that it is for.
	Names []string
	// Until is when it ends, or the first of those that it hangs on does.
	Until otp.Time
	// Trouble is why what lies on the disk now is not in use; nil: it is.
	Trouble error
	// Loose is the path of a key that everybody on the machine may read; "": none.
	Loose string
	// Refused are names of the box that its authority may not vouch for.
	Refused []string
	// Fingerprint is that of the authority, as [Authority.Fingerprint] writes it;
	// "" for files.
	Fingerprint string
}

// Config returns the settings of TLS for a server that shows what current
// returns. No version below 1.2 is spoken, and of 1.2 nothing that has no
// forward secrecy or does not authenticate what it encrypts.
func Config(current func() *tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{ // of TLS 1.2 alone
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current(), nil },
	}
}

// namesOf returns what a certificate is for.
func namesOf(c *tls.Certificate) []string {
	names := slices.Clone(c.Leaf.DNSNames)
	for _, ip := range c.Leaf.IPAddresses {
		names = append(names, net.IP(ip).String())
	}
	return names
}
