package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/golang-jwt/jwt/v5"
)

// Algorithm is how a token is signed: an alg of RFC 7518.
type Algorithm string

// The algorithms.
const (
	ES256 Algorithm = "ES256" // the default
	RS256 Algorithm = "RS256" // for vendors whose SDK demands it
)

// method returns the library's method of an algorithm that a key was made for.
func (a Algorithm) method() jwt.SigningMethod {
	if a == RS256 {
		return jwt.SigningMethodRS256
	}
	return steady{jwt.SigningMethodES256}
}

// steady is ES256 with the nonces of RFC 6979: what is signed twice has the
// same signature, as with RS256. So two answers to one refresh carry the same
// successor byte for byte, and no token rests on the randomness of the moment.
type steady struct{ *jwt.SigningMethodECDSA }

// Sign returns r and s of the signature, 32 bytes each (RFC 7518, 3.4).
func (steady) Sign(text string, key any) ([]byte, error) {
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, jwt.ErrInvalidKeyType
	}
	digest := sha256.Sum256([]byte(text))
	der, err := private.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	var signature struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &signature); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	raw := make([]byte, 64)
	signature.R.FillBytes(raw[:32])
	signature.S.FillBytes(raw[32:])
	return raw, nil
}
