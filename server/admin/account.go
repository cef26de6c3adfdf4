package admin

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// accountWire is the operators' account.
type accountWire struct {
	Changed      web.Time       `json:"password_changed_at"`
	SecondFactor secondWire     `json:"second_factor"`
	Sessions     []presenceWire `json:"sessions"`
}

type secondWire struct {
	Enabled     bool    `json:"enabled"`
	Phone       *string `json:"phone"` // masked
	App         *string `json:"app"`   // whose codes are sent
	Unavailable *string `json:"unavailable"`
}

// presenceWire is one sign-in that lives.
type presenceWire struct {
	Current bool     `json:"current"`
	From    string   `json:"from"`
	Created web.Time `json:"created_at"`
	Seen    web.Time `json:"seen_at"`
	Expires web.Time `json:"expires_at"`
}

// Account answers GET /admin/account.
func (o *Console) Account(c *web.Call) error {
	account, err := o.actions.Operators.Account(c.Context)
	if err != nil {
		return err
	}
	all, err := o.actions.Operators.SignIns(c.Context, cookie(c))
	if err != nil {
		return err
	}
	w := accountWire{Changed: web.Time(account.Changed), Sessions: make([]presenceWire, len(all))}
	w.SecondFactor = secondWire{Enabled: account.Phone != "", Phone: web.OrNull(account.Phone), App: web.OrNull(account.App)}
	if account.App == "" {
		w.SecondFactor.Unavailable = web.OrNull("There is no app whose codes could be sent: name one as app under [admin] in the config file.")
	}
	for i, s := range all {
		w.Sessions[i] = presenceWire{s.Current, s.From, web.Time(s.Created), web.Time(s.Seen), web.Time(s.Expires)}
	}
	return c.JSON(fasthttp.StatusOK, w)
}

// PasswordBody is the body of POST /admin/password.
type PasswordBody struct {
	Password    string `json:"password"`
	NewPassword string `json:"new_password"`
}

// ChangePassword answers POST /admin/password.
func (o *Console) ChangePassword(c *web.Call) error {
	var body PasswordBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	err := o.actions.Operators.ChangePassword(c.Context, c.Caller.By, at(c), cookie(c), body.Password, body.NewPassword)
	if err != nil {
		return wrongPassword(err)
	}
	return c.Empty()
}

// wrongPassword is a refusal of a password within a session, which goes on: 401
// would say that it has ended.
func wrongPassword(err error) error {
	if e := otp.AsError(err); e.Code == otp.Unauthorized {
		return &otp.Error{Code: otp.Forbidden, Detail: e.Detail}
	}
	return err
}

// PhoneBody is the body of POST /admin/account/phone.
type PhoneBody struct {
	Password string `json:"password"`
	Phone    string `json:"phone"`
}

// SetPhone answers POST /admin/account/phone: a code goes to it.
func (o *Console) SetPhone(c *web.Call) error {
	var body PhoneBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	code, err := o.actions.Operators.SetPhone(c.Context, at(c), body.Password, body.Phone)
	if err != nil {
		return wrongPassword(err)
	}
	return sent(c, code)
}

// ConfirmBody is the body of POST /admin/account/phone/confirm.
type ConfirmBody struct {
	Verification string `json:"verification"`
	Code         string `json:"code"`
}

// ConfirmPhone answers POST /admin/account/phone/confirm: from now on a code to
// that phone is asked for.
func (o *Console) ConfirmPhone(c *web.Call) error {
	var body ConfirmBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	id, ok := web.ParseID(verificationPrefix, body.Verification)
	if !ok {
		return web.Invalid(`"verification" is not an id that POST /admin/account/phone has returned.`)
	}
	if err := o.actions.Operators.ConfirmPhone(c.Context, c.Caller.By, id, body.Code); err != nil {
		return err
	}
	return c.Empty()
}

// ProofBody is the password once more.
type ProofBody struct {
	Password string `json:"password"`
}

// RemovePhone answers POST /admin/account/phone/remove.
func (o *Console) RemovePhone(c *web.Call) error {
	var body ProofBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	if err := o.actions.Operators.RemovePhone(c.Context, c.Caller.By, at(c), body.Password); err != nil {
		return wrongPassword(err)
	}
	return c.Empty()
}
