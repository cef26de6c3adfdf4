package passage

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// metadataMember is what the vendor calls a user's metadata.
const metadataMember = "user_metadata"

// named is server for calls on the one user that the path names. What cannot be
// an id names nobody.
func (d *Door) named(c *web.Call) (otp.Caller, otp.ID, error) {
	caller, err := d.server(c)
	if err != nil {
		return caller, otp.ID{}, err
	}
	id, ok := otp.ParseID(c.Param)
	if !ok {
		err = &otp.Error{Code: otp.NotRegistered, Detail: "There is no such user."}
	}
	return caller, id, err
}

// show answers GET users/{id}.
func (d *Door) show(c *web.Call) error {
	caller, id, err := d.named(c)
	if err != nil {
		return err
	}
	u, err := d.directory.User(c.Context, caller, id)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, userAnswer{userOf(&u)})
}

// update answers PATCH users/{id}, which changes the metadata. A phone is
// changed by who holds the new one, not by whoever edits users.
func (d *Door) update(c *web.Call) error {
	caller, id, err := d.named(c)
	if err != nil {
		return err
	}
	var body updateBody
	if err := c.Loose(&body); err != nil {
		return err
	}
	if body.Email != "" || body.Phone != "" {
		return &otp.Error{Code: otp.Forbidden, Detail: "Only user_metadata can be changed here: a phone or an email has to be proven by its holder."}
	}
	metadata, err := web.Metadata(metadataMember, body.Metadata)
	if err != nil {
		return err
	}
	return d.change(c, caller, id, otp.UserChange{Metadata: metadata})
}

// enable answers PATCH users/{id}/activate and users/{id}/deactivate.
func (d *Door) enable(on bool) web.Handler {
	return func(c *web.Call) error {
		caller, id, err := d.named(c)
		if err != nil {
			return err
		}
		return d.change(c, caller, id, otp.UserChange{Enabled: &on})
	}
}

// remove answers DELETE users/{id}.
func (d *Door) remove(c *web.Call) error {
	caller, id, err := d.named(c)
	if err == nil {
		err = d.directory.Remove(c.Context, caller, id)
	}
	if err != nil {
		return err
	}
	return done(c)
}

// signOut answers DELETE users/{id}/tokens: all sessions of the user end.
func (d *Door) signOut(c *web.Call) error {
	caller, id, err := d.named(c)
	if err == nil {
		err = d.directory.RevokeAll(c.Context, caller, id, otp.ID{})
	}
	if err != nil {
		return err
	}
	return done(c)
}

// change changes a user and answers with it.
func (d *Door) change(c *web.Call, caller otp.Caller, id otp.ID, change otp.UserChange) error {
	u, err := d.directory.Change(c.Context, caller, id, change)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, userAnswer{userOf(&u)})
}
