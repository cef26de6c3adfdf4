package descope

import (
	"math"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
)

// loginBody is the body of a sign-in, and of a sign-up-or-in.
type loginBody struct {
	LoginID string       `json:"loginId"`
	Options loginOptions `json:"loginOptions"`
}

// signUpBody is the body of a sign-up. phone wins over the one of user.
type signUpBody struct {
	LoginID string       `json:"loginId"`
	Phone   string       `json:"phone"`
	User    profile      `json:"user"`
	Options loginOptions `json:"loginOptions"`
}

// loginOptions are the options of a login that mean something here.
type loginOptions struct {
	StepUp              bool              `json:"stepup"`
	MFA                 bool              `json:"mfa"`
	CustomClaims        jsontext.Value    `json:"customClaims"`
	TemplateOptions     map[string]string `json:"templateOptions"`
	Locale              string            `json:"locale"`
	PKCEChallenge       string            `json:"pkceChallenge"`
	RevokeOtherSessions bool              `json:"revokeOtherSessions"`
}

// profile is what a sign-up says of the user, and what the user's metadata
// keeps of it.
type profile struct {
	Name       string `json:"name,omitempty"`
	GivenName  string `json:"givenName,omitempty"`
	MiddleName string `json:"middleName,omitempty"`
	FamilyName string `json:"familyName,omitempty"`
	Phone      string `json:"phone,omitempty"`
	Email      string `json:"email,omitempty"`
}

// phoneBody is the body of a change of phone.
type phoneBody struct {
	LoginID         string            `json:"loginId"`
	Phone           string            `json:"phone"`
	TemplateOptions map[string]string `json:"templateOptions"`
	Locale          string            `json:"locale"`
}

type verifyBody struct {
	LoginID string `json:"loginId"`
	Code    string `json:"code"`
}

type exchangeBody struct {
	Code         string `json:"code"`
	CodeVerifier string `json:"codeVerifier"`
}

// sentWire is the answer to every start.
type sentWire struct {
	MaskedPhone string `json:"maskedPhone"`
}

// authWire is the answer to a login and to a refresh. The Go SDK reads its times
// into 32 bits.
type authWire struct {
	SessionJWT        string         `json:"sessionJwt"`
	RefreshJWT        string         `json:"refreshJwt"`
	CookieDomain      string         `json:"cookieDomain"`
	CookiePath        string         `json:"cookiePath"`
	CookieMaxAge      int32          `json:"cookieMaxAge"`     // seconds
	CookieExpiration  int32          `json:"cookieExpiration"` // epoch seconds
	User              userWire       `json:"user"`
	FirstSeen         bool           `json:"firstSeen"`
	IDPResponse       jsontext.Value `json:"idpResponse"`       // always null
	SessionExpiration int32          `json:"sessionExpiration"` // epoch seconds
	// Code is there in place of the tokens after a login with a PKCE challenge.
	Code string `json:"code,omitempty"`
}

// userWire is a user. SDKs know the capital members by these names.
type userWire struct {
	LoginIDs         []string   `json:"loginIds"`
	UserID           string     `json:"userId"`
	Name             string     `json:"name"`
	GivenName        string     `json:"givenName"`
	MiddleName       string     `json:"middleName"`
	FamilyName       string     `json:"familyName"`
	Email            string     `json:"email"`
	Phone            string     `json:"phone"`
	VerifiedEmail    bool       `json:"verifiedEmail"`
	VerifiedPhone    bool       `json:"verifiedPhone"`
	RoleNames        []string   `json:"roleNames"`
	UserTenants      []struct{} `json:"userTenants"`
	Status           string     `json:"status"` // enabled or disabled
	ExternalIDs      []string   `json:"externalIds"`
	Picture          string     `json:"picture"`
	Test             bool       `json:"test"`
	CustomAttributes struct{}   `json:"customAttributes"`
	CreatedTime      int32      `json:"createdTime"` // epoch seconds
	TOTP             bool       `json:"TOTP"`
	SAML             bool       `json:"SAML"`
	SCIM             bool       `json:"SCIM"`
	OAuth            struct{}   `json:"OAuth"`
	Webauthn         bool       `json:"webauthn"`
	Password         bool       `json:"password"`
	SSOAppIDs        []string   `json:"ssoAppIds"`
	Editable         bool       `json:"editable"`
}

// loginWire is one login of a history.
type loginWire struct {
	UserID         string `json:"userId"`
	LoginTime      int32  `json:"loginTime"` // epoch seconds
	City           string `json:"city"`
	Country        string `json:"country"`
	IP             string `json:"ip"`
	SelectedTenant string `json:"selectedTenant"`
}

type tenantsWire struct {
	Tenants []struct{} `json:"tenants"`
}

// authOf is the answer that carries a session. The cookie that its members
// describe is for the client to set: the tokens stand in the body.
func authOf(g *otp.Grant, set *token.Set) authWire {
	refreshLife := set.RefreshExpires.Sub(set.AccessExpires) + time.Duration(set.ExpiresIn)*time.Second
	return authWire{
		SessionJWT: set.Access, RefreshJWT: set.Refresh, CookiePath: "/",
		CookieMaxAge: int32(refreshLife / time.Second), CookieExpiration: epoch(set.RefreshExpires),
		User: userOf(&g.User), FirstSeen: g.First, SessionExpiration: epoch(set.AccessExpires),
	}
}

// exchangeOf is the answer that carries a code in place of a session.
func exchangeOf(g *otp.Grant) authWire {
	return authWire{CookiePath: "/", User: userOf(&g.User), FirstSeen: g.First, Code: g.Exchange}
}

// epoch is a moment in seconds since 1970. It stops in 2038 rather than wrap.
func epoch(t otp.Time) int32 {
	return int32(min(t.Std().Unix(), math.MaxInt32))
}
