package ssojet

import (
	"cmp"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
)

// What comes. The vendor's prose and its schemas have different names for the
// same members, and both are taken.
type (
	sendBody struct {
		PhoneID string `json:"phone_id"`
		Phone   string `json:"phone"`
	}
	// stateBody is of resend, which has no otp, and of verify.
	stateBody struct {
		State   string `json:"state"`
		StateID string `json:"state_id"`
		OTP     string `json:"otp"`
	}
)

// idOf reads the handle that send gave.
func idOf(state, stateID string) (otp.ID, error) {
	state = cmp.Or(state, stateID)
	if state == "" {
		return otp.ID{}, web.Invalid(`"state" is missing: what send answered with.`)
	}
	return web.IDOf(state), nil
}

// What goes.
type (
	sendWire struct {
		StateID string `json:"state_id"`
		State   string `json:"state"`
	}
	statusWire struct {
		Authenticated bool      `json:"authenticated"`
		User          *userWire `json:"user,omitempty"`
	}
	refreshWire struct {
		Authenticated bool      `json:"authenticated"`
		OAuth         oauthWire `json:"oauth"`
		User          userWire  `json:"user"`
	}
	// verifyWire joins all that the vendor shows of a verification: the tokens
	// beside the profile as with a code by email, those in oauth beside user as
	// with a link, and the two members of the page's own schema.
	verifyWire struct {
		Authenticated bool        `json:"authenticated"`
		Access        string      `json:"access_token"`
		Refresh       string      `json:"refresh_token"`
		Type          string      `json:"token_type"`
		ExpiresAt     web.Time    `json:"expires_at"`
		Profile       profileWire `json:"profile"`
		OAuth         oauthWire   `json:"oauth"`
		User          userWire    `json:"user"`
		Status        string      `json:"status"`
		Message       string      `json:"message"`
	}
	failureWire struct {
		Code        int    `json:"code"`
		Message     string `json:"message"`
		Description string `json:"description"`
	}
)

type oauthWire struct {
	Access    string   `json:"access_token"`
	Refresh   string   `json:"refresh_token"`
	ExpiresAt web.Time `json:"expires_at"`
	Type      string   `json:"token_type"`
}

// userWire is a user as the status of a login has it.
type userWire struct {
	CreatedAt   web.Time `json:"created_at"`
	UpdatedAt   web.Time `json:"updated_at"`
	Issuer      string   `json:"issuer"`
	ID          string   `json:"user_id"`
	Identifier  string   `json:"identifier"`
	Email       string   `json:"email"`
	LastLoginAt web.Time `json:"last_login_at"`
}

// profileWire is a user as the answer to a code has it. The one name in capitals
// is the vendor's.
type profileWire struct {
	ID          string   `json:"id"`
	Account     string   `json:"account_id"`
	Connection  string   `json:"connection_type"`
	Email       string   `json:"email"`
	FirstName   string   `json:"first_name"`
	LastName    string   `json:"last_name"`
	CreatedAt   web.Time `json:"created_at"`
	ModifiedAt  web.Time `json:"modified_at"`
	Active      bool     `json:"is_active"`
	LastLoginAt web.Time `json:"LastLoginAt"`
}

const bearer = "Bearer"

func oauthOf(set *token.Set) oauthWire {
	return oauthWire{set.Access, set.Refresh, web.Time(set.AccessExpires), bearer}
}

// userOf returns a user as the client sees it that is the issuer of its tokens.
func userOf(u *otp.User, issuer string) userWire {
	return userWire{
		CreatedAt: web.Time(u.Created), UpdatedAt: web.Time(u.Updated), Issuer: issuer,
		ID: u.ID.String(), Identifier: u.Address.E164(), LastLoginAt: web.Time(u.LastLogin),
	}
}

func refreshOf(g *otp.Grant, set *token.Set) refreshWire {
	return refreshWire{Authenticated: true, OAuth: oauthOf(set), User: userOf(&g.User, g.Session.As)}
}

func verifyOf(g *otp.Grant, set *token.Set) verifyWire {
	u := &g.User
	return verifyWire{
		Authenticated: true, Access: set.Access, Refresh: set.Refresh, Type: bearer, ExpiresAt: web.Time(set.AccessExpires),
		Profile: profileWire{
			ID: u.ID.String(), Account: g.Session.As, Connection: "phone", CreatedAt: web.Time(u.Created),
			ModifiedAt: web.Time(u.Updated), Active: !u.Disabled, LastLoginAt: web.Time(u.LastLogin),
		},
		OAuth: oauthOf(set), User: userOf(u, g.Session.As), Status: "success", Message: "The code was right.",
	}
}
