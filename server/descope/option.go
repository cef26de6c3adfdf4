package descope

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
)

// reserved are names that mean something to who reads a token. Custom claims
// come from whoever knows the project id, so they may not even look like one of
// these.
var reserved = []string{
	"acr", "act", "amr", "app_metadata", "aud", "auth_time", "azp", "cnf", "ctr", "dct", "drn", "dsub", "email", "email_verified",
	"exp", "iat", "iss", "jti", "nbf", "nsec", "permissions", "phone", "phone_number", "phone_number_verified", "phone_verified",
	"rexp", "role", "roles", "scope", "sid", "su", "sub", "tenants", "user_metadata",
}

// apply puts the login options into a start. Whatever reaches beyond the login
// itself is done in the name of a session, and is refused here without its
// refresh token; the core sees to it that its user is the one who logs
// in.
func (d *Door) apply(c *web.Call, caller otp.Caller, refresh string, o *loginOptions, r *otp.StartRequest) error {
	if err := o.check(); err != nil {
		return err
	}
	r.Locale = o.Locale
	r.Wish.Challenge = o.PKCEChallenge
	r.Wish.RevokeOthers = o.RevokeOtherSessions
	r.Wish.Options = o.TemplateOptions
	if o.hasClaims() {
		r.Wish.Claims = o.CustomClaims
	}
	if o.StepUp || o.MFA {
		r.Purpose = otp.PurposeStepUp
	}
	if o.StepUp || o.MFA || o.RevokeOtherSessions {
		g, err := d.session(c, caller, refresh)
		if err != nil {
			return err
		}
		r.Family = g.Session.ID
	}
	return nil
}

// check refuses what the core would take as it is.
func (o *loginOptions) check() error {
	if o.PKCEChallenge != "" {
		sum, err := base64.RawURLEncoding.Strict().DecodeString(o.PKCEChallenge)
		if err != nil || len(sum) != 32 || len(o.PKCEChallenge) != 43 {
			return web.Invalid(`"pkceChallenge" is the SHA-256 of the verifier in base64url without padding: 43 characters.`)
		}
	}
	if !o.hasClaims() {
		return nil
	}
	if o.CustomClaims.Kind() != jsontext.KindBeginObject || len(o.CustomClaims) > token.MaxClaims {
		return web.Invalid(`"customClaims" is an object of at most 1024 bytes.`)
	}
	var claims map[string]jsontext.Value
	if err := json.Unmarshal(o.CustomClaims, &claims); err != nil {
		return web.Invalid(`"customClaims" is not valid JSON.`)
	}
	for name := range claims {
		if slices.Contains(reserved, strings.ToLower(name)) {
			return web.Invalid(`"customClaims" has a name that tokens use themselves; choose another one.`)
		}
	}
	return nil
}

func (o *loginOptions) hasClaims() bool {
	return len(o.CustomClaims) > 0 && o.CustomClaims.Kind() != jsontext.KindNull && string(o.CustomClaims) != "{}"
}
