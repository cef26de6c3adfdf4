package admin

import (
	"slices"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// userWire is a user as the operator sees it.
type userWire struct {
	ID        string   `json:"id"`
	App       string   `json:"app"`
	Phone     string   `json:"phone"` // masked
	Names     []string `json:"names"`
	Enabled   bool     `json:"enabled"`
	Verified  bool     `json:"verified"`
	Created   web.Time `json:"created_at"`
	Updated   web.Time `json:"updated_at"`
	LastLogin web.Time `json:"last_login_at"`
	Logins    int      `json:"logins"`
}

func userOf(u *otp.User) userWire {
	return userWire{
		ID: idOf(userPrefix, u.ID), App: u.App, Phone: u.Address.Masked(), Names: u.Names, Enabled: !u.Disabled, Verified: u.Verified != 0,
		Created: web.Time(u.Created), Updated: web.Time(u.Updated), LastLogin: web.Time(u.LastLogin), Logins: int(u.Logins),
	}
}

// appsOf returns the apps that a list is of: one, or all.
func (o *Console) appsOf(id string) ([]*otp.App, error) {
	if id == "" {
		return o.actions.Apps.All(), nil
	}
	app, ok := o.actions.Apps.ByID(id)
	if !ok {
		return nil, unknownApp(o.actions.Apps, id)
	}
	return []*otp.App{app}, nil
}

// Users answers GET /admin/users: those of one app, or of all one after the
// other.
func (o *Console) Users(c *web.Call) error {
	limit, err := c.PageLimit()
	if err != nil {
		return err
	}
	apps, err := o.appsOf(c.Query("app"))
	if err != nil {
		return err
	}
	var users []otp.User
	var next string
	if phone := c.QueryPhone(); phone != "" {
		users, err = o.holders(c, apps, phone)
	} else {
		users, next, err = o.usersOf(c, apps, limit)
	}
	if err != nil {
		return err
	}
	w := struct {
		Users []userWire `json:"users"`
		Next  *string    `json:"next_cursor"`
	}{make([]userWire, len(users)), web.OrNull(next)}
	for i := range users {
		w.Users[i] = userOf(&users[i])
	}
	return c.JSON(fasthttp.StatusOK, w)
}

// holders returns who has a phone, at each of the apps.
func (o *Console) holders(c *web.Call, apps []*otp.App, phone string) (users []otp.User, err error) {
	for _, app := range apps {
		user, err := o.actions.Directory.Find(c.Context, otp.Caller{App: app, Secret: true}, phone)
		switch {
		case err == nil:
			users = append(users, user)
		case otp.AsError(err).Code != otp.NotRegistered:
			return nil, err
		}
	}
	return users, nil
}

// cursorMark stands in a cursor between the app and the place in its list.
const cursorMark = "."

// usersOf reads a page of the users of several apps, one app after the other.
func (o *Console) usersOf(c *web.Call, apps []*otp.App, limit int) (users []otp.User, next string, err error) {
	if cursor := c.Query("cursor"); cursor != "" {
		var app string
		app, next, _ = strings.Cut(cursor, cursorMark)
		i := slices.IndexFunc(apps, func(a *otp.App) bool { return a.ID == app })
		if i < 0 {
			return nil, "", web.Invalid("cursor is not one that this call has returned.")
		}
		apps = apps[i:]
	}
	for i, app := range apps {
		var page []otp.User
		if page, next, err = o.actions.Directory.Users(c.Context, otp.Caller{App: app, Secret: true}, limit-len(users), next); err != nil {
			return nil, "", err
		}
		users = append(users, page...)
		switch {
		case next != "":
			return users, app.ID + cursorMark + next, nil
		case len(users) == limit && i+1 < len(apps):
			return users, apps[i+1].ID + cursorMark, nil
		case len(users) == limit:
			return users, "", nil
		}
	}
	return users, "", nil
}

// userCall reads which user a call is about, and by which app.
func (o *Console) userCall(c *web.Call, app string) (caller otp.Caller, id otp.ID, err error) {
	id, ok := web.ParseID(userPrefix, c.Param)
	if !ok {
		return caller, id, noSuch("user")
	}
	apps, err := o.appsOf(app)
	if err != nil {
		return caller, id, err
	}
	for _, a := range apps {
		caller = c.Caller
		caller.App = a
		if _, err = o.actions.Directory.User(c.Context, caller, id); err == nil || otp.AsError(err).Code != otp.NotRegistered {
			return caller, id, err
		}
	}
	return caller, id, noSuch("user")
}

// User answers GET /admin/users/{id}.
func (o *Console) User(c *web.Call) error {
	caller, id, err := o.userCall(c, c.Query("app"))
	if err != nil {
		return err
	}
	user, err := o.actions.Directory.User(c.Context, caller, id)
	if err != nil {
		return web.Missing(err)
	}
	return c.JSON(fasthttp.StatusOK, userOf(&user))
}

// UserBody is the body of the calls that change a user, and may be left out.
type UserBody struct {
	App string `json:"app"`
}

// changeUser answers a call that changes a user with the user as it is then.
func (o *Console) changeUser(c *web.Call, change func(otp.Caller, otp.ID) error) error {
	caller, id, err := o.changedUser(c)
	if err != nil {
		return err
	}
	if err := change(caller, id); err != nil {
		return web.Missing(err)
	}
	user, err := o.actions.Directory.User(c.Context, caller, id)
	if err != nil {
		return web.Missing(err)
	}
	return c.JSON(fasthttp.StatusOK, userOf(&user))
}

func (o *Console) changedUser(c *web.Call) (otp.Caller, otp.ID, error) {
	var body UserBody
	if err := c.DecodeOptional(&body); err != nil {
		return otp.Caller{}, otp.ID{}, err
	}
	return o.userCall(c, body.App)
}

// BlockUser answers POST /admin/users/{id}/block: all its sessions end.
func (o *Console) BlockUser(c *web.Call) error { return o.enableUser(c, false) }

// UnblockUser answers POST /admin/users/{id}/unblock.
func (o *Console) UnblockUser(c *web.Call) error { return o.enableUser(c, true) }

func (o *Console) enableUser(c *web.Call, enabled bool) error {
	return o.changeUser(c, func(caller otp.Caller, id otp.ID) error {
		_, err := o.actions.Directory.Change(c.Context, caller, id, otp.UserChange{Enabled: &enabled})
		return err
	})
}

// SignOutUser answers POST /admin/users/{id}/sign-out: all its sessions end.
func (o *Console) SignOutUser(c *web.Call) error {
	return o.changeUser(c, func(caller otp.Caller, id otp.ID) error {
		return o.actions.Directory.RevokeAll(c.Context, caller, id, otp.ID{})
	})
}

// RemoveUser answers POST /admin/users/{id}/remove.
func (o *Console) RemoveUser(c *web.Call) error {
	caller, id, err := o.changedUser(c)
	if err != nil {
		return err
	}
	if err := o.actions.Directory.Remove(c.Context, caller, id); err != nil {
		return web.Missing(err)
	}
	return c.Empty()
}
