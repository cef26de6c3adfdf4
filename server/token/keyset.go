package token

// ring is the keys of one app: of each algorithm the signer, then the retired
// ones.
type ring map[Algorithm][]*pair

// find returns the key of a kid, or nil.
func (r ring) find(kid string) *pair {
	for _, pairs := range r {
		for _, p := range pairs {
			if p.kid == kid {
				return p
			}
		}
	}
	return nil
}

func (r ring) public(algorithms []Algorithm) KeySet {
	set := KeySet{Keys: []Key{}}
	for _, a := range algorithms {
		for _, p := range r[a] {
			set.Keys = append(set.Keys, p.public())
		}
	}
	return set
}

// KeySet is a JSON Web Key Set (RFC 7517) with the single member keys, for
// there are SDKs that read any other member as a list of keys too.
type KeySet struct {
	Keys []Key `json:"keys"`
}

// Key is one public key of a set. Its numbers are in base64url without padding
// (RFC 7518, 6.2 and 6.3).
type Key struct {
	Kid string `json:"kid"`
	Kty string `json:"kty"` // EC or RSA
	Alg string `json:"alg"`
	Use string `json:"use"`           // sig
	Crv string `json:"crv,omitempty"` // EC: P-256
	X   string `json:"x,omitempty"`   // EC: 32 bytes each
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"` // RSA
	E   string `json:"e,omitempty"`
}
