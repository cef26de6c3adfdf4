package token

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"
	"github.com/pinferry/pinferry/otp"
)

// maxToken bounds a signed token in bytes. It is what a browser keeps as one
// cookie, and what a stranger can make the box look at.
const maxToken = 4 << 10

// sign returns the signed token of an app.
func (m *Mint) sign(app string, f Form, claims jwt.MapClaims) (string, error) {
	algorithm, kind := f.Algorithm, f.Type
	if algorithm == "" {
		algorithm = ES256
	}
	if kind == "" {
		kind = "JWT"
	}
	pairs := m.rings[app][algorithm]
	if len(pairs) == 0 {
		return "", fmt.Errorf("app %s has no key for %s", app, algorithm)
	}
	t := jwt.NewWithClaims(algorithm.method(), claims)
	t.Header["kid"], t.Header["typ"] = pairs[0].kid, kind
	text, err := t.SignedString(pairs[0].private)
	if err != nil {
		return "", err
	}
	if len(text) > maxToken {
		return "", fmt.Errorf("it has %d bytes, more than %d", len(text), maxToken)
	}
	return text, nil
}

// alphabet is that of base64url. A decoder of the standard library passes over
// line breaks, so what it decodes may not be what was signed.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// header is all that may stand in front of a token of ours. Members that tell a
// reader where to find a key, or what else to obey, are refused by their
// absence from this list.
type header struct {
	Algorithm string `json:"alg"`
	Kid       string `json:"kid"`
	Type      string `json:"typ"`
}

// parseHeader reads the first part of what may be a token, and looks at the
// rest for its alphabet alone.
func parseHeader(text string) (h header, ok bool) {
	if len(text) > maxToken {
		return h, false
	}
	first, rest, _ := strings.Cut(text, ".")
	second, third, _ := strings.Cut(rest, ".")
	for _, part := range []string{first, second, third} {
		if part == "" || strings.Trim(part, alphabet) != "" {
			return h, false
		}
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(first)
	if err != nil {
		return h, false
	}
	return h, json.Unmarshal(raw, &h, json.RejectUnknownMembers(true)) == nil
}

// read checks everything of a signed token but the life of its session: that
// its key is one of the caller's app, that the key signed it with the one
// algorithm that it is for, and that it is of this time. What comes with
// [errExpired] was signed by the app, and nothing else of it is certain.
func (m *Mint) read(c otp.Caller, text string) (*claims, error) {
	h, ok := parseHeader(text)
	if !ok || c.App == nil {
		return nil, errRefused
	}
	key := m.rings[c.App.ID].find(h.Kid)
	if key == nil || h.Algorithm != string(key.algorithm) {
		return nil, errRefused
	}
	var read claims
	// The library looks at the times last: a token that it calls expired was
	// signed by us.
	_, err := m.parser.ParseWithClaims(text, &read, func(*jwt.Token) (any, error) { return key.private.Public(), nil })
	expired := errors.Is(err, jwt.ErrTokenExpired) || err == nil && seconds(m.now()) >= read.Expires
	switch {
	case expired:
		return &read, errExpired
	case err != nil:
		return nil, errRefused
	}
	// Keys are an app's own, so this is for two apps whose operator gave them
	// the same key.
	if owner, known := m.owners[read.Issuer]; known && owner != c.App.ID {
		return nil, errRefused
	}
	return &read, nil
}
