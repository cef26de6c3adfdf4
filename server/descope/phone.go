package descope

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// changePhone answers POST /v1/auth/otp/update/phone/{channel}. The code goes to
// the new number, which becomes the user's once the code has come back; the old
// one is no login id from then on, for it may be somebody else's by then.
func (d *Door) changePhone(c *web.Call) error {
	caller, refresh, err := d.admitChannel(c)
	if err != nil {
		return err
	}
	var body phoneBody
	if err := c.Loose(&body); err != nil {
		return err
	}
	if err := checkLoginID(body.LoginID); err != nil {
		return err
	}
	if body.Phone == "" {
		return missing(`"phone" is missing: the new number in international form.`)
	}
	g, err := d.session(c, caller, refresh)
	if err != nil {
		return err
	}
	return d.start(c, caller, body.LoginID, otp.StartRequest{
		Purpose: otp.PurposeChangePhone, To: body.Phone, Locale: body.Locale, Family: g.Session.ID,
		Wish: otp.Wish{Options: body.TemplateOptions},
	})
}
