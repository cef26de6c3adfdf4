package webtest

import (
	"context"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
)

// Mint is a [Core] as a mint. A right token stands for its grant.
type Mint struct{ *Core }

// SetOf returns tokens as they would be made at [Moment].
func SetOf(access, refresh string) token.Set {
	return token.Set{
		Access: access, Refresh: refresh, ExpiresIn: int(otp.AccessLife.Seconds()),
		AccessExpires: Moment.Add(otp.AccessLife), RefreshExpires: Moment.Add(otp.RefreshLife),
	}
}

// Issue makes the tokens of a session.
func (m Mint) Issue(g *otp.Grant, f token.Form) (token.Set, error) {
	m.Issued, m.Form = g, &f
	return m.Set, nil
}

// Bearer takes an access token.
func (m Mint) Bearer(_ context.Context, c otp.Caller, access string) (otp.Grant, error) {
	m.Token = access
	return m.Grant, m.Note("Bearer", c)
}

// Show looks at a refresh token and leaves it as it is.
func (m Mint) Show(_ context.Context, _ otp.Caller, refresh string) (otp.Grant, error) {
	return m.Grant, m.known(refresh)
}

// Refresh makes new tokens from a refresh token.
func (m Mint) Refresh(_ context.Context, c otp.Caller, refresh string, form func(*otp.Grant) token.Form) (token.Set, otp.Grant, error) {
	m.Token = refresh
	err := m.Note("Refresh", c)
	if err == nil {
		err = m.known(refresh)
	}
	if err != nil {
		return token.Set{}, otp.Grant{}, err
	}
	set, err := m.Issue(&m.Grant, form(&m.Grant))
	return set, m.Grant, err
}

// Revoke ends the session of a refresh token.
func (m Mint) Revoke(_ context.Context, c otp.Caller, refresh string) error {
	m.Token = refresh
	if err := m.Note("Revoke", c); err != nil {
		return err
	}
	return m.known(refresh)
}

// KeySet returns a key of the app for each algorithm.
func (m Mint) KeySet(app *otp.App, algorithms ...token.Algorithm) (set token.KeySet) {
	m.Called = append(m.Called, "KeySet")
	m.Algorithms = algorithms
	for _, a := range algorithms {
		key := token.Key{Kid: "0001" + app.ID, Alg: string(a), Use: "sig"}
		if a == token.RS256 {
			key.Kty, key.N, key.E = "RSA", "bg", "AQAB"
		} else {
			key.Kty, key.Crv, key.X, key.Y = "EC", "P-256", "eA", "eQ"
		}
		set.Keys = append(set.Keys, key)
	}
	return set
}

func (m Mint) known(refresh string) error {
	if m.Known != "" && m.Known != refresh {
		return &otp.Error{Code: otp.Unauthorized, Detail: "The refresh token is not valid."}
	}
	return nil
}
