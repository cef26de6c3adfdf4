package strike

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
)

const messagePrefix = "msg_"

// audience is the audience and the role of everybody who has signed in.
const audience = "authenticated"

// sentWire is the answer to a send.
type sentWire struct {
	MessageID string `json:"message_id"`
	Phone     string `json:"phone,omitempty"` // masked
}

// sessionWire is a session in an answer.
type sessionWire struct {
	AccessToken  string    `json:"access_token"`
	TokenType    string    `json:"token_type"`
	ExpiresIn    int       `json:"expires_in"` // seconds
	ExpiresAt    int64     `json:"expires_at"` // seconds since 1970
	RefreshToken string    `json:"refresh_token"`
	User         *userWire `json:"user"`
}

func sessionOf(set *token.Set, u *otp.User) sessionWire {
	return sessionWire{
		AccessToken: set.Access, TokenType: "bearer", ExpiresIn: set.ExpiresIn,
		ExpiresAt: set.AccessExpires.Std().Unix(), RefreshToken: set.Refresh, User: userOf(u),
	}
}

// userWire is a user in an answer. Phones stand without their plus sign.
type userWire struct {
	ID                string          `json:"id"`
	Aud               string          `json:"aud"`
	Role              string          `json:"role"`
	Email             string          `json:"email"`
	Phone             string          `json:"phone"`
	PhoneConfirmedAt  web.Time        `json:"phone_confirmed_at,omitzero"`
	ConfirmedAt       web.Time        `json:"confirmed_at,omitzero"`
	NewPhone          string          `json:"new_phone,omitempty"`
	PhoneChangeSentAt web.Time        `json:"phone_change_sent_at,omitzero"`
	LastSignInAt      web.Time        `json:"last_sign_in_at,omitzero"`
	AppMetadata       appMetadataWire `json:"app_metadata"`
	UserMetadata      jsontext.Value  `json:"user_metadata"`
	Identities        []identityWire  `json:"identities"`
	CreatedAt         web.Time        `json:"created_at"`
	UpdatedAt         web.Time        `json:"updated_at"`
	IsAnonymous       bool            `json:"is_anonymous"`
}

// appMetadataWire says how a user signs in.
type appMetadataWire struct {
	Provider  string   `json:"provider"`
	Providers []string `json:"providers"`
}

const provider = "phone"

var phoneOnly = appMetadataWire{Provider: provider, Providers: []string{provider}}

// methodWire says in a token how and when its user signed in.
type methodWire struct {
	Method    string `json:"method"`
	Timestamp int64  `json:"timestamp"` // seconds since 1970
}

// identityWire is the one identity that a user has here.
type identityWire struct {
	IdentityID   string           `json:"identity_id"`
	ID           string           `json:"id"`
	UserID       string           `json:"user_id"`
	IdentityData identityDataWire `json:"identity_data"`
	Provider     string           `json:"provider"`
	LastSignInAt web.Time         `json:"last_sign_in_at,omitzero"`
	CreatedAt    web.Time         `json:"created_at"`
	UpdatedAt    web.Time         `json:"updated_at"`
}

type identityDataWire struct {
	EmailVerified bool   `json:"email_verified"`
	Phone         string `json:"phone"`
	PhoneVerified bool   `json:"phone_verified"`
	Sub           string `json:"sub"`
}

func userOf(u *otp.User) *userWire {
	id := uuid(u.ID)
	metadata := jsontext.Value(u.Metadata)
	if len(metadata) == 0 {
		metadata = jsontext.Value("{}")
	}
	return &userWire{
		ID: id, Aud: audience, Role: audience, Phone: u.Address.Dial,
		PhoneConfirmedAt: web.Time(u.Verified), ConfirmedAt: web.Time(u.Verified), LastSignInAt: web.Time(u.LastLogin),
		AppMetadata: phoneOnly, UserMetadata: metadata,
		Identities: []identityWire{{
			IdentityID: id, ID: id, UserID: id, Provider: provider,
			IdentityData: identityDataWire{Phone: u.Address.Dial, PhoneVerified: u.Verified != 0, Sub: id},
			LastSignInAt: web.Time(u.LastLogin), CreatedAt: web.Time(u.Created), UpdatedAt: web.Time(u.Updated),
		}},
		CreatedAt: web.Time(u.Created), UpdatedAt: web.Time(u.Updated),
	}
}

// uuid writes an id as clients of these doors expect one.
func uuid(id otp.ID) string {
	s := id.String()
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
