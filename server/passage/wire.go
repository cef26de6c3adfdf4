package passage

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
)

// What comes.
type (
	// startBody is of login/otp and register/otp.
	startBody struct {
		Identifier string `json:"identifier"`
		Language   string `json:"language"`
	}
	activateBody struct {
		OTP string `json:"otp"`
		ID  string `json:"otp_id"`
	}
	refreshBody struct {
		Refresh string `json:"refresh_token"`
	}
	// createBody is of both APIs: pages name an identifier, servers a phone.
	createBody struct {
		Identifier string         `json:"identifier"`
		Email      string         `json:"email"`
		Phone      string         `json:"phone"`
		Metadata   jsontext.Value `json:"user_metadata"`
	}
	updateBody struct {
		Email    string         `json:"email"`
		Phone    string         `json:"phone"`
		Metadata jsontext.Value `json:"user_metadata"`
	}
)

// What goes.
type (
	startWire struct {
		ID string `json:"otp_id"`
	}
	resultAnswer struct {
		Result resultWire `json:"auth_result"`
	}
	resultWire struct {
		Access         string `json:"auth_token"`
		RedirectURL    string `json:"redirect_url"`
		Refresh        string `json:"refresh_token"`
		RefreshExpires int64  `json:"refresh_token_expiration"` // Unix seconds
	}
	failureWire struct {
		Code string `json:"code"`
		Text string `json:"error"`
	}
)

func resultOf(app *otp.App, set *token.Set) resultAnswer {
	return resultAnswer{resultWire{set.Access, app.Redirect(""), set.Refresh, set.RefreshExpires.Std().Unix()}}
}

// userAnswer is a user as the user itself and the app's server see it.
type userAnswer struct {
	User userWire `json:"user"`
}

// userWire joins what the two APIs of the vendor say of a user. Lists are never
// null, for SDKs walk them unasked.
type userWire struct {
	ID            string         `json:"id"`
	Email         string         `json:"email"`
	EmailVerified bool           `json:"email_verified"`
	Phone         string         `json:"phone"`
	PhoneVerified bool           `json:"phone_verified"`
	Status        string         `json:"status"`
	ExternalID    string         `json:"external_id"`
	CreatedAt     web.Time       `json:"created_at"`
	UpdatedAt     web.Time       `json:"updated_at"`
	LastLoginAt   web.Time       `json:"last_login_at"`
	LoginCount    uint32         `json:"login_count"`
	RecentEvents  []struct{}     `json:"recent_events"`
	Passkey       bool           `json:"webauthn"`
	Devices       []struct{}     `json:"webauthn_devices"`
	PasskeyTypes  []struct{}     `json:"webauthn_types"`
	Metadata      jsontext.Value `json:"user_metadata"`
	Social        struct{}       `json:"social_connections"`
}

func userOf(u *otp.User) userWire {
	verified := u.Verified != 0
	w := userWire{
		ID: u.ID.String(), Status: statusOf(u),
		Phone: u.Address.E164(), PhoneVerified: verified && u.Address.Kind == otp.Phone,
		Email: u.Address.Email(), EmailVerified: verified && u.Address.Kind == otp.Email,
		CreatedAt: web.Time(u.Created), UpdatedAt: web.Time(u.Updated), LastLoginAt: web.Time(u.LastLogin), LoginCount: u.Logins,
		RecentEvents: []struct{}{}, Devices: []struct{}{}, PasskeyTypes: []struct{}{}, Metadata: u.Metadata,
	}
	if len(w.Metadata) == 0 {
		w.Metadata = jsontext.Value("{}")
	}
	return w
}

// statusOf returns the vendor's word for how a user stands.
func statusOf(u *otp.User) string {
	switch {
	case u.Disabled:
		return "inactive"
	case u.Verified == 0:
		return "pending"
	}
	return "active"
}

// briefAnswer is what a look-up finds for a page.
type briefAnswer struct {
	User briefWire `json:"user"`
}

// briefWire is a user as anybody may see it: nothing that was not asked with.
type briefWire struct {
	ID           string     `json:"id"`
	Status       string     `json:"status"`
	Passkey      bool       `json:"webauthn"`
	PasskeyTypes []struct{} `json:"webauthn_types"`
}

func briefOf(u *otp.User) briefWire {
	return briefWire{ID: u.ID.String(), Status: statusOf(u), PasskeyTypes: []struct{}{}}
}

// pageAnswer is what it finds for a server: the same, and a page of the list
// that the management API has in its place.
type pageAnswer struct {
	User    briefWire  `json:"user"`
	Created int        `json:"created_before"`
	Limit   int        `json:"limit"`
	Page    int        `json:"page"`
	Total   int        `json:"total_users"`
	Users   []userWire `json:"users"`
}

// appAnswer is an app as pages see it.
type appAnswer struct {
	App appWire `json:"app"`
}

type appWire struct {
	ID                        string      `json:"id"`
	Name                      string      `json:"name"`
	AuthOrigin                string      `json:"auth_origin"`
	RedirectURL               string      `json:"redirect_url"`
	LoginURL                  string      `json:"login_url"`
	AuthMethods               methodsWire `json:"auth_methods"`
	AllowedIdentifier         string      `json:"allowed_identifier"`
	RequiredIdentifier        string      `json:"required_identifier"`
	RequireEmailVerified      bool        `json:"require_email_verification"`
	RequireIdentifierVerified bool        `json:"require_identifier_verification"`
	PublicSignup              bool        `json:"public_signup"`
	ProfileManagement         bool        `json:"profile_management"`
	PassageBranding           bool        `json:"passage_branding"`
	Ephemeral                 bool        `json:"ephemeral"`
	SessionTimeout            int         `json:"session_timeout_length"` // seconds
	RefreshEnabled            bool        `json:"refresh_enabled"`
	RefreshLife               int         `json:"refresh_absolute_lifetime"` // seconds
	FallbackMethod            string      `json:"auth_fallback_method"`
	FallbackTTL               int         `json:"auth_fallback_method_ttl"` // seconds
	DefaultLanguage           string      `json:"default_language"`
	RSAPublicKey              string      `json:"rsa_public_key"`
	MetadataSchema            []struct{}  `json:"user_metadata_schema"`
	Layouts                   layoutsWire `json:"layouts"`
	Social                    struct{}    `json:"social_connections"`
	Elements                  struct{}    `json:"element_customization"`
	DarkElements              struct{}    `json:"element_customization_dark"`
}

// methodsWire lists the ways to log in; a way that is missing is closed.
type methodsWire struct {
	OTP passcodeWire `json:"otp"`
}

type passcodeWire struct {
	TTL  int    `json:"ttl"` // seconds, whatever the unit says
	Unit string `json:"ttl_display_unit"`
}

type layoutsWire struct {
	Profile      []struct{} `json:"profile"`
	Registration []struct{} `json:"registration"`
}

// configurationWire is the vendor's part of OpenID Connect Discovery.
type configurationWire struct {
	Authorization string `json:"authorization_endpoint"` // empty: the box has no hosted page for it
	Issuer        string `json:"issuer"`
	Keys          string `json:"jwks_uri"`
}
