package passage

import (
	"cmp"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// currentUser answers GET currentuser.
func (d *Door) currentUser(c *web.Call) error {
	g, err := d.signedIn(c)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, userAnswer{userOf(&g.User)})
}

// changePhone refuses PATCH currentuser/phone: the vendor answers it with a
// magic link, which the person opens on the new phone, and this box serves no
// page that a link could lead to.
func (d *Door) changePhone(c *web.Call) error {
	if _, err := d.signedIn(c); err != nil {
		return err
	}
	return &otp.Error{Code: otp.Forbidden, Detail: "A phone is changed by a magic link, and this box sends none."}
}

// find answers GET users. To a page it tells whether there is such a user and
// no more; to the app's server it gives the list of one that the vendor's
// management API has, too.
func (d *Door) find(c *web.Call) error {
	caller, err := d.caller(c)
	if err != nil {
		return err
	}
	identifier := c.Query("identifier")
	if err := checkIdentifier(caller.App, identifier); err != nil {
		return err
	}
	u, err := d.directory.Find(c.Context, caller, identifier)
	if err != nil {
		return err
	}
	if caller.Secret {
		return c.JSON(fasthttp.StatusOK, pageAnswer{User: briefOf(&u), Limit: 1, Page: 1, Total: 1, Users: []userWire{userOf(&u)}})
	}
	return c.JSON(fasthttp.StatusOK, briefAnswer{briefOf(&u)})
}

// create answers POST users. The vendor lets pages call it where an app has
// public sign-up; here a user without a proven number is the word of the app's
// server.
func (d *Door) create(c *web.Call) error {
	caller, err := d.server(c)
	if err != nil {
		return err
	}
	var body createBody
	if err := c.Loose(&body); err != nil {
		return err
	}
	if body.Email != "" && body.Phone != "" {
		return web.Invalid("A user has a phone or an email here, not both: leave one out.")
	}
	body.Identifier = cmp.Or(body.Identifier, body.Phone, body.Email)
	if err := checkIdentifier(caller.App, body.Identifier); err != nil {
		return err
	}
	metadata, err := web.Metadata(metadataMember, body.Metadata)
	if err != nil {
		return err
	}
	u, err := d.directory.Create(c.Context, caller, otp.UserRequest{To: body.Identifier, Metadata: metadata})
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusCreated, userAnswer{userOf(&u)})
}
