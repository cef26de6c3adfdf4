package token

import (
	"errors"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"
	"github.com/pinferry/pinferry/otp"
)

// leeway is how far ahead of box time a token may be dated.
const leeway = 30 * time.Second

// latest is the last second that a claim may name, in the year 2106: what is
// later was not written here.
const latest = 1<<32 - 1

// claims is what the box reads of a token of its own. It is decoded strictly:
// names match to the letter, none stands twice, and a number is an integer.
type claims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  audience `json:"aud"`
	Issued    int64    `json:"iat"`
	NotBefore *int64   `json:"nbf"`
	Expires   int64    `json:"exp"`
	Family    string   `json:"sid"`
	// Counter is there in a refresh token, and in no access token.
	Counter *uint32 `json:"ctr"`

	family otp.ID // of Family, once validated
}

var (
	_ jwt.Claims          = (*claims)(nil)
	_ jwt.ClaimsValidator = (*claims)(nil)

	errClaims = errors.New("a claim is missing or is not what it should be")
)

// UnmarshalJSON puts the strict decoder in the place of the library's.
func (c *claims) UnmarshalJSON(text []byte) error {
	type fields claims
	return json.Unmarshal(text, (*fields)(c))
}

// Validate wants every claim that a token of ours has. The library calls it
// after it has held the times against the clock.
func (c *claims) Validate() error {
	var ok bool
	c.family, ok = otp.ParseID(c.Family)
	if ok && c.Issuer != "" && c.Subject != "" && len(c.Audience) > 0 && !slices.Contains(c.Audience, "") &&
		dated(c.Issued) && dated(c.Expires) && (c.NotBefore == nil || dated(*c.NotBefore)) {
		return nil
	}
	return errClaims
}

func dated(second int64) bool { return second > 0 && second <= latest }

// The times and names as the library asks for them.

// GetExpirationTime returns exp, or nil.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.Expires), nil }

// GetIssuedAt returns iat, or nil.
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error) { return date(c.Issued), nil }

// GetNotBefore returns nbf, or nil.
func (c *claims) GetNotBefore() (*jwt.NumericDate, error) {
	if c.NotBefore == nil {
		return nil, nil
	}
	return date(*c.NotBefore), nil
}

// GetIssuer returns iss.
func (c *claims) GetIssuer() (string, error) { return c.Issuer, nil }

// GetSubject returns sub.
func (c *claims) GetSubject() (string, error) { return c.Subject, nil }

// GetAudience returns aud.
func (c *claims) GetAudience() (jwt.ClaimStrings, error) { return jwt.ClaimStrings(c.Audience), nil }

// date returns nil for what Validate refuses.
func date(second int64) *jwt.NumericDate {
	if !dated(second) {
		return nil
	}
	return jwt.NewNumericDate(time.Unix(second, 0))
}

// audience is a string or a list of them (RFC 7519, 4.1.3).
type audience []string

// UnmarshalJSON reads either.
func (a *audience) UnmarshalJSON(text []byte) error {
	if jsontext.Value(text).Kind() == '"' {
		*a = []string{""}
		return json.Unmarshal(text, &(*a)[0])
	}
	return json.Unmarshal(text, (*[]string)(a))
}
