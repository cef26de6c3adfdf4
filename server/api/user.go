package api

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// userWire is a user as it stands in an answer to the user. It has a phone or an
// email address, never both.
type userWire struct {
	ID            string         `json:"id"`
	Phone         string         `json:"phone"` // E.164; "" is none
	PhoneVerified bool           `json:"phone_verified"`
	Email         string         `json:"email,omitempty"`
	EmailVerified bool           `json:"email_verified,omitzero"`
	CreatedAt     web.Time       `json:"created_at"`
	Metadata      jsontext.Value `json:"metadata"` // null if there is none
}

func userWireOf(u *otp.User) userWire {
	verified := u.Verified != 0
	return userWire{
		ID: userPrefix + u.ID.String(), Phone: u.Address.E164(), PhoneVerified: verified && u.Address.Kind == otp.Phone,
		Email: u.Address.Email(), EmailVerified: verified && u.Address.Kind == otp.Email,
		CreatedAt: web.Time(u.Created), Metadata: u.Metadata,
	}
}

// recordWire is a user as the app's own server sees it.
type recordWire struct {
	userWire
	Names       []string `json:"names"` // login names beside the phone
	Enabled     bool     `json:"enabled"`
	UpdatedAt   web.Time `json:"updated_at"`
	LastLoginAt web.Time `json:"last_login_at"` // null before the first
	Logins      int      `json:"logins"`
}

func recordWireOf(u *otp.User) recordWire {
	return recordWire{
		userWire: userWireOf(u), Names: u.Names, Enabled: !u.Disabled,
		UpdatedAt: web.Time(u.Updated), LastLoginAt: web.Time(u.LastLogin), Logins: int(u.Logins),
	}
}

// usersWire is a page of users, in the order of their ids.
type usersWire struct {
	Users []recordWire `json:"users"`
	Next  *string      `json:"next_cursor"` // null at the end
}

// ChangeBody is the body of PATCH /v1/users/{id}.
type ChangeBody struct {
	Enabled  *bool          `json:"enabled"`
	Metadata jsontext.Value `json:"metadata"`
}

// Users answers GET /v1/users: a page of them, or with the argument phone or
// email the one that has it.
func (d *Door) Users(c *web.Call) error {
	if err := d.admitSecret(c); err != nil {
		return err
	}
	limit, err := c.PageLimit()
	if err != nil {
		return err
	}
	var users []otp.User
	var next string
	if phone := c.QueryPhone(); phone != "" {
		users, err = d.find(c, phone, otp.Phone)
	} else if email := c.Query("email"); email != "" {
		users, err = d.find(c, strings.ReplaceAll(email, " ", "+"), otp.Email)
	} else {
		users, next, err = d.directory.Users(c.Context, c.Caller, limit, c.Query("cursor"))
	}
	if err != nil {
		return err
	}
	page := usersWire{Users: make([]recordWire, len(users)), Next: web.OrNull(next)}
	for i := range users {
		page.Users[i] = recordWireOf(&users[i])
	}
	return c.JSON(fasthttp.StatusOK, page)
}

// find returns the user whom login names and who has an address of that kind, or
// none: what looks like an email address may be a login name, which needs no proof.
func (d *Door) find(c *web.Call, login string, kind otp.AddressKind) ([]otp.User, error) {
	user, err := d.directory.Find(c.Context, c.Caller, login)
	switch {
	case err == nil && user.Address.Kind == kind:
		return []otp.User{user}, nil
	case err == nil, otp.AsError(err).Code == otp.NotRegistered:
		return nil, nil
	}
	return nil, err
}

// User answers GET /v1/users/{id}.
func (d *Door) User(c *web.Call) error {
	id, err := d.userID(c)
	if err != nil {
		return err
	}
	user, err := d.directory.User(c.Context, c.Caller, id)
	if err != nil {
		return missing(err)
	}
	return c.JSON(fasthttp.StatusOK, recordWireOf(&user))
}

// ChangeUser answers PATCH /v1/users/{id}. To disable a user ends all sessions
// of it.
func (d *Door) ChangeUser(c *web.Call) error {
	id, err := d.userID(c)
	if err != nil {
		return err
	}
	var body ChangeBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	change := otp.UserChange{Enabled: body.Enabled}
	if change.Metadata, err = web.Metadata("metadata", body.Metadata); err != nil {
		return err
	}
	if change.Enabled == nil && change.Metadata == nil {
		return web.Invalid(`Nothing is to be changed: give "enabled" or "metadata".`)
	}
	user, err := d.directory.Change(c.Context, c.Caller, id, change)
	if err != nil {
		return missing(err)
	}
	return c.JSON(fasthttp.StatusOK, recordWireOf(&user))
}

// RemoveUser answers DELETE /v1/users/{id}.
func (d *Door) RemoveUser(c *web.Call) error {
	id, err := d.userID(c)
	if err != nil {
		return err
	}
	if err := d.directory.Remove(c.Context, c.Caller, id); err != nil {
		return missing(err)
	}
	return c.Empty()
}

// userID admits a call about one user and reads which.
func (d *Door) userID(c *web.Call) (otp.ID, error) {
	if err := d.admitSecret(c); err != nil {
		return otp.ID{}, err
	}
	id, ok := web.ParseID(userPrefix, c.Param)
	if !ok {
		return otp.ID{}, noUser
	}
	return id, nil
}

var noUser = missing(&otp.Error{Code: otp.NotRegistered, Detail: "There is no such user."})
