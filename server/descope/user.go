package descope

import (
	"github.com/go-json-experiment/json"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// me answers GET /v1/auth/me.
func (d *Door) me(c *web.Call) error {
	_, g, err := d.show(c)
	if err != nil {
		return err
	}
	return c.JSON(200, userOf(&g.User))
}

// history answers GET /v1/auth/me/history with the one login that the box
// remembers, the last. Where it came from is not kept.
func (d *Door) history(c *web.Call) error {
	_, g, err := d.show(c)
	if err != nil {
		return err
	}
	logins := []loginWire{}
	if g.User.LastLogin != 0 {
		logins = append(logins, loginWire{UserID: userID(&g.User), LoginTime: epoch(g.User.LastLogin)})
	}
	return c.JSON(200, logins)
}

// tenants answers POST /v1/auth/me/tenants. There are none here.
func (d *Door) tenants(c *web.Call) error {
	if _, _, err := d.show(c); err != nil {
		return err
	}
	return c.JSON(200, tenantsWire{Tenants: []struct{}{}})
}

// userID is the id of a user as the subject of its tokens has it.
func userID(u *otp.User) string { return "usr_" + u.ID.String() }

// userOf is a user in an answer. The profile is what was said at sign-up, by
// whoever held the phone: none of it is verified but the phone.
func userOf(u *otp.User) userWire {
	var said profile
	if json.Unmarshal(u.Metadata, &said) != nil {
		said = profile{} // the app keeps something else there
	}
	phone := u.Address.E164()
	w := userWire{
		LoginIDs: append([]string{phone}, u.Names...), UserID: userID(u),
		Name: said.Name, GivenName: said.GivenName, MiddleName: said.MiddleName, FamilyName: said.FamilyName,
		Email: said.Email, Phone: phone, VerifiedPhone: u.Verified != 0,
		RoleNames: []string{}, UserTenants: []struct{}{}, Status: "enabled", ExternalIDs: []string{},
		CreatedTime: epoch(u.Created), SSOAppIDs: []string{},
	}
	if u.Disabled {
		w.Status = "disabled"
	}
	return w
}
