package token

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"
	"github.com/pinferry/pinferry/otp"
)

// Form is how a door wants its tokens to look.
type Form struct {
	Algorithm Algorithm // "" is ES256
	Type      string    // the header's typ; "" is JWT
	Issuer    string    // "" is the id by which the app was addressed
	Subject   string    // "" is usr_ and the user's id
	// Audience is written as a string; "" is the issuer.
	Audience string
	// Audiences takes the place of Audience where it is not nil, and is written
	// as a list, be it of one: there are SDKs that look into a list alone.
	Audiences []string
	// Claims are the vendor's own. They may replace amr and auth_time, but not
	// name a second factor there; iss, sub, aud, iat, nbf, exp, jti, sid and ctr
	// are not theirs to set.
	Claims map[string]any
	// ClaimsName is the one claim under which the client's own claims stand; ""
	// is pinferry_claims.
	ClaimsName string
	// Refresh are claims of a refresh token that must be a JWT too; nil makes an
	// opaque one. The same names as in Claims are not theirs to set.
	Refresh map[string]any
}

// Set is one pair of tokens.
type Set struct {
	Access         string
	Refresh        string
	AccessExpires  otp.Time
	RefreshExpires otp.Time
	ExpiresIn      int // seconds of the access token's life
}

// MaxClaims is how many bytes of JSON a client's own claims may have: with them
// a token must still fit into a cookie. A door refuses more at the start, for at
// the end it is too late.
const MaxClaims = 1 << 10

// claimsName is what [Form.ClaimsName] is by default.
const claimsName = "pinferry_claims"

// own are the claims that no form sets.
var own = []string{"iss", "sub", "aud", "iat", "nbf", "exp", "jti", "sid", "ctr"}

// reserved are the names that are dropped from a client's claims, in any case
// of letters: somebody might read them as the box's word.
var reserved = append([]string{
	"acr", "amr", "aal", "auth_time", "azp", "client_id", "session_id", "scope", "scp", "dct", "drn", "rexp", "su",
	"role", "roles", "groups", "permissions", "tenants", "app_metadata", "user_metadata",
	"phone", "phone_number", "phone_verified", "phone_number_verified", "email", "email_verified",
}, own...)

// Issue makes the tokens of a grant's session. A grant without a session, and a
// form that asks for what it may not have, are faults. With a clock behind the
// build date the error is [otp.Internal], for a session that has ended
// [otp.Unauthorized].
func (m *Mint) Issue(g *otp.Grant, f Form) (Set, error) {
	if g.Session == nil {
		return Set{}, errors.New("make tokens: the grant opens no session")
	}
	if err := m.checkClock(); err != nil {
		return Set{}, err
	}
	issued, ends := seconds(m.now()), seconds(g.Session.Expires)
	if ends <= issued {
		return Set{}, errRefused
	}
	expires := min(issued+int64(otp.AccessLife/time.Second), ends)
	set := Set{
		AccessExpires: otp.Time(expires * 1000), RefreshExpires: otp.Time(ends * 1000),
		ExpiresIn: int(expires - issued),
	}
	claims, err := f.access(g)
	if err == nil {
		claims["iat"], claims["nbf"], claims["exp"] = issued, issued, expires
		set.Access, err = m.sign(g.Session.App, f, claims)
	}
	if err != nil {
		return Set{}, fmt.Errorf("make an access token: %w", err)
	}
	if f.Refresh == nil {
		set.Refresh = m.opaque(g.Session)
		return set, nil
	}
	if claims, err = f.refresh(g); err == nil {
		set.Refresh, err = m.sign(g.Session.App, f, claims)
	}
	if err != nil {
		return Set{}, fmt.Errorf("make a refresh token: %w", err)
	}
	return set, nil
}

// access returns the claims of an access token, but for its times.
func (f *Form) access(g *otp.Grant) (jwt.MapClaims, error) {
	claims, err := f.base(g)
	if err != nil {
		return nil, err
	}
	claims["amr"] = []string{methodOf(&g.User)}
	claims["auth_time"] = seconds(max(g.Session.Created, g.Session.StepUp))
	if err := vend(claims, f.Claims); err != nil {
		return nil, err
	}
	theirs, err := clientClaims(g.Session.Claims)
	if err != nil || len(theirs) == 0 {
		return claims, err
	}
	name := f.ClaimsName
	if name == "" {
		name = claimsName
	}
	if _, taken := claims[name]; taken || slices.Contains(own, name) {
		return nil, fmt.Errorf("the form puts the client's claims under %s, which is taken", name)
	}
	claims[name] = theirs
	return claims, nil
}

// methodOf returns how a user has proven who it is (RFC 8176). A code by mail is
// no SMS: nobody should take it for the proof of a phone.
func methodOf(u *otp.User) string {
	if u.Address.Kind == otp.Email {
		return "otp"
	}
	return "sms"
}

// refresh returns the claims of a refresh token that is a JWT. It says nothing
// of the moment, so that a repeat within the grace makes the same token.
func (f *Form) refresh(g *otp.Grant) (jwt.MapClaims, error) {
	claims, err := f.base(g)
	if err != nil {
		return nil, err
	}
	claims["iat"] = seconds(max(g.Session.Created, g.Session.Rotated))
	claims["exp"] = seconds(g.Session.Expires)
	claims["ctr"] = g.Session.Counter
	return claims, vend(claims, f.Refresh)
}

// base returns what both tokens say of a session.
func (f *Form) base(g *otp.Grant) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{"iss": f.Issuer, "sub": f.Subject, "sid": g.Session.ID.String()}
	if f.Issuer == "" {
		claims["iss"] = issuer(g.Session)
	}
	if f.Subject == "" {
		claims["sub"] = "usr_" + g.Session.User.String()
	}
	switch {
	case f.Audiences != nil && (len(f.Audiences) == 0 || slices.Contains(f.Audiences, "")):
		return nil, errors.New("the form has an audience without a name")
	case f.Audiences != nil:
		claims["aud"] = f.Audiences
	case f.Audience != "":
		claims["aud"] = f.Audience
	default:
		claims["aud"] = claims["iss"]
	}
	return claims, nil
}

// issuer returns the id by which the app of a session was addressed.
func issuer(s *otp.Session) string {
	if s.As != "" {
		return s.As
	}
	return s.App
}

// vend adds a vendor's claims.
func vend(claims jwt.MapClaims, vendors map[string]any) error {
	for _, name := range own {
		if _, found := vendors[name]; found {
			return fmt.Errorf("the form sets the claim %s, which is not its to set", name)
		}
	}
	maps.Copy(claims, vendors)
	return nil
}

// clientClaims returns what a client may say of itself.
func clientClaims(object []byte) (map[string]jsontext.Value, error) {
	if len(object) == 0 {
		return nil, nil
	}
	if len(object) > MaxClaims {
		return nil, fmt.Errorf("the client's claims have %d bytes, more than %d", len(object), MaxClaims)
	}
	var theirs map[string]jsontext.Value
	if err := json.Unmarshal(object, &theirs); err != nil {
		return nil, errors.New("the client's claims are no JSON object")
	}
	maps.DeleteFunc(theirs, func(name string, _ jsontext.Value) bool {
		return slices.Contains(reserved, strings.ToLower(name))
	})
	return theirs, nil
}

// seconds returns a moment as tokens name it, rounded down: none is dated into
// the future, and none outlives its session.
func seconds(t otp.Time) int64 { return int64(t) / 1000 }
