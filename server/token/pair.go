package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
)

// The sizes of an RSA key in bits. Keys made here have rsaBits.
const (
	rsaBits = 2048
	rsaMost = 4096
)

// pair is a signing key with its public half.
type pair struct {
	kid       string
	algorithm Algorithm
	private   crypto.Signer // an ecdsa.PrivateKey on P-256 or an rsa.PrivateKey
}

// newPair makes a pair. sequence is its place among those of its app and
// algorithm.
func newPair(a Algorithm, sequence int) (*pair, error) {
	p := &pair{algorithm: a}
	var err error
	switch a {
	case ES256:
		p.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RS256:
		p.private, err = rsa.GenerateKey(rand.Reader, rsaBits)
	default:
		err = fmt.Errorf("%q is neither ES256 nor RS256", string(a))
	}
	if err != nil {
		return nil, err
	}
	digest, err := p.digest()
	if err != nil {
		return nil, err
	}
	p.kid = fmt.Sprintf("%04d%s", sequence, digest)
	return p, nil
}

// digest returns the 20 hex digits of the public key that end its kid: a key
// that comes back under a used sequence is still another key to whoever
// remembers keys by their kid.
func (p *pair) digest() (string, error) {
	der, err := x509.MarshalPKIXPublicKey(p.private.Public())
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(der)
	return fmt.Sprintf("%x", sum[:10]), nil
}

// pemType is the label of a private key in PKCS #8 (RFC 7468, 10).
const pemType = "PRIVATE KEY"

// encode returns the pair as its file holds it.
func (p *pair) encode() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.private)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), nil
}

// parsePair reads what encode made, and holds it against the name of its file.
func parsePair(a Algorithm, kid string, content []byte) (*pair, error) {
	block, rest := pem.Decode(content)
	if block == nil || block.Type != pemType || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("it is not one private key in PKCS #8 PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		// The parser's words are about the key's bytes, which are nobody's business.
		return nil, errors.New("it is damaged")
	}
	p := &pair{kid: kid, algorithm: a}
	switch private := parsed.(type) {
	case *ecdsa.PrivateKey:
		if a == ES256 && private.Curve == elliptic.P256() {
			p.private = private
		}
	case *rsa.PrivateKey:
		if bits := private.N.BitLen(); a == RS256 && bits >= rsaBits && bits <= rsaMost {
			p.private = private
		}
	}
	if p.private == nil {
		return nil, fmt.Errorf("it is no key for %s", a)
	}
	digest, err := p.digest()
	if err != nil {
		return nil, err
	}
	if kid[4:] != digest {
		return nil, errors.New("it is not the key that its name says")
	}
	return p, nil
}

// public returns what others check the pair's tokens by.
func (p *pair) public() Key {
	k := Key{Kid: p.kid, Alg: string(p.algorithm), Use: "sig"}
	encode := base64.RawURLEncoding.EncodeToString
	switch public := p.private.Public().(type) {
	case *ecdsa.PublicKey:
		k.Kty, k.Crv = "EC", "P-256"
		// 4, then both coordinates at their full width.
		if point, err := public.Bytes(); err == nil {
			k.X, k.Y = encode(point[1:33]), encode(point[33:])
		}
	case *rsa.PublicKey:
		k.Kty = "RSA"
		k.N, k.E = encode(public.N.Bytes()), encode(big.NewInt(int64(public.E)).Bytes())
	}
	return k
}
