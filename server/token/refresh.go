package token

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// An opaque refresh token is base64url, without padding, of
//
//	family[16] | counter u32, big-endian | the first 28 bytes of the seal
//
// and the seal is over app, door, family and counter: at another app or door it
// is a bad one. The parts are a multiple of three bytes long, so no letter has
// bits to spare and a token has one spelling.
const (
	sealLabel    = "pinferry refresh v1"
	opaqueBytes  = 16 + 4 + 28
	opaqueLength = opaqueBytes / 3 * 4
)

// grace is how long the parent of a refresh token may still be shown (N16), for
// calls that were on their way when it was used.
const grace = 10 * time.Second

// opaque returns the refresh token of a session's present counter.
func (m *Mint) opaque(s *otp.Session) string {
	return base64.RawURLEncoding.EncodeToString(m.sealed(s.App, s.Door, otp.RefreshToken{Family: s.ID, Counter: s.Counter}))
}

// sealed returns the bytes of an opaque token.
func (m *Mint) sealed(app, door string, t otp.RefreshToken) []byte {
	raw := make([]byte, 0, opaqueBytes)
	raw = binary.BigEndian.AppendUint32(append(raw, t.Family[:]...), t.Counter)
	seal := m.seal(sealLabel, []byte(app), []byte(door), raw[:16], raw[16:])
	return append(raw, seal[:opaqueBytes-len(raw)]...)
}

// readRefresh reads a refresh token of either form.
func (m *Mint) readRefresh(c otp.Caller, text string) (otp.RefreshToken, error) {
	if !strings.Contains(text, ".") {
		return m.readOpaque(c, text)
	}
	claims, err := m.read(c, text)
	switch {
	case claims == nil:
		return otp.RefreshToken{}, err
	case claims.Counter == nil: // an access token, which was once shown to others
		return otp.RefreshToken{}, errRefused
	}
	return otp.RefreshToken{Family: claims.family, Counter: *claims.Counter}, err
}

func (m *Mint) readOpaque(c otp.Caller, text string) (t otp.RefreshToken, err error) {
	if len(text) != opaqueLength || c.App == nil {
		return t, errRefused
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != opaqueBytes { // it passes over line breaks
		return t, errRefused
	}
	t.Family, t.Counter = otp.ID(raw[:16]), binary.BigEndian.Uint32(raw[16:])
	if !hmac.Equal(raw, m.sealed(c.App.ID, c.Door, t)) {
		return otp.RefreshToken{}, errRefused
	}
	return t, nil
}
