package strike

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// changeSlot is where the code of a new phone waits. It is found by the new
// number, for the check comes without a token.
const changeSlot = "gotrue:change"

// user answers GET /user.
func (d *Door) user(c *web.Call) error {
	_, grant, err := d.signedIn(c)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, userOf(&grant.User))
}

// changeBody is the body of PUT /user.
type changeBody struct {
	Phone    string         `json:"phone"`
	Channel  string         `json:"channel"`
	Data     jsontext.Value `json:"data"`
	Email    string         `json:"email"`
	Password string         `json:"password"`
}

// changeUser answers PUT /user: a new phone gets a code and counts once that
// came back, data is merged into what is there.
func (d *Door) changeUser(c *web.Call) error {
	caller, grant, err := d.signedIn(c)
	if err != nil {
		return err
	}
	var body changeBody
	if err := d.decode(c, &body); err != nil {
		return err
	}
	if body.Email != "" || body.Password != "" {
		return web.Invalid(`This box knows users by their phone: only "phone" and "data" can be changed.`)
	}
	data, err := web.Metadata("data", body.Data)
	if err != nil {
		return err
	}
	user := &grant.User
	if data != nil { // refused, if it must be, before a code is on its way
		if data, err = merge(user.Metadata, data); err != nil {
			return err
		}
	}
	var sent *otp.Message
	var next otp.Address
	if to := d.spell(body.Phone); to != "" && strings.TrimPrefix(to, "+") != user.Address.Dial {
		p, err := d.verifications.Start(c.Context, caller, otp.StartRequest{
			To: to, Channel: body.Channel, Purpose: otp.PurposeChangePhone,
			Slot: otp.Slot{Door: changeSlot}, Family: grant.Session.ID, Reveal: true,
		})
		if err != nil {
			return d.ended(err)
		}
		sent, next = &p.Message, p.Verification.Address
	}
	if data != nil {
		changed, err := d.directory.Change(c.Context, caller, user.ID, otp.UserChange{Metadata: data})
		if err != nil {
			return err
		}
		user = &changed
	}
	answer := userOf(user)
	if sent != nil {
		answer.NewPhone, answer.PhoneChangeSentAt = next.Dial, web.Time(sent.Created)
	}
	return c.JSON(fasthttp.StatusOK, answer)
}

// merge puts the members of data into old, both JSON objects; null takes one
// out.
func merge(old []byte, data jsontext.Value) ([]byte, error) {
	members := map[string]jsontext.Value{}
	for _, layer := range [][]byte{old, data} {
		if len(layer) == 0 {
			continue
		}
		if err := json.Unmarshal(layer, &members); err != nil {
			return nil, err
		}
	}
	for name, value := range members {
		if value.Kind() == jsontext.KindNull {
			delete(members, name)
		}
	}
	merged, err := json.Marshal(members, json.Deterministic(true))
	if err == nil && len(merged) > web.MaxMetadata {
		err = web.Invalid(`"data" must fit into 1024 bytes with what is there already.`)
	}
	return merged, err
}

// logout answers POST /logout: for all sessions of the user, for this one, or
// for the others.
func (d *Door) logout(c *web.Call) error {
	caller, grant, err := d.signedIn(c)
	if err != nil {
		return err
	}
	switch c.Query("scope") {
	case "", "global":
		err = d.directory.RevokeAll(c.Context, caller, grant.User.ID, otp.ID{})
	case "local":
		err = d.directory.Revoke(c.Context, caller, grant.Session.ID)
	case "others":
		err = d.directory.RevokeAll(c.Context, caller, grant.User.ID, grant.Session.ID)
	default:
		err = web.Invalid("scope must be global, local or others.")
	}
	if err != nil {
		return err
	}
	return c.Empty()
}
