package admin

import (
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// sessionWire is where somebody stands with the page.
type sessionWire struct {
	// State is "setup" (there is no password yet), "signed_out", "signed_in" or
	// "refused" (nobody signs in this way; Detail says why).
	State  string `json:"state"`
	Detail string `json:"detail,omitempty"`
	// The rest is told only to who is signed in.
	Version      string   `json:"version,omitempty"`
	Name         string   `json:"name,omitempty"` // on the admin socket
	SecondFactor bool     `json:"second_factor"`
	Since        web.Time `json:"since,omitzero"`
	IdleExpires  web.Time `json:"idle_expires_at,omitzero"`
	Expires      web.Time `json:"expires_at,omitzero"`
}

// Session answers GET /admin/session, to everybody.
func (o *Console) Session(c *web.Call) error {
	if !trusted(c) {
		return c.JSON(fasthttp.StatusOK, sessionWire{State: "refused", Detail: plainHTTP})
	}
	if o.actions.Operators.SetupSecret() != "" {
		return c.JSON(fasthttp.StatusOK, sessionWire{State: "setup",
			Detail: "Enter the setup secret: it stands in the log of the box (`journalctl -u pinferry`), and `sudo pinferry admin setup` shows it."})
	}
	return o.session(c, cookie(c))
}

// session answers with the sign-in of a secret.
func (o *Console) session(c *web.Call, token string) error {
	s, err := o.actions.Operators.Present(c.Context, token, false)
	if err != nil {
		if otp.AsError(err).Code == otp.Unauthorized {
			return c.JSON(fasthttp.StatusOK, sessionWire{State: "signed_out"})
		}
		return err
	}
	account, err := o.actions.Operators.Account(c.Context)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, sessionWire{
		State: "signed_in", Version: o.actions.Version, SecondFactor: account.Phone != "",
		Since: web.Time(s.Created), IdleExpires: web.Time(s.IdleExpires()), Expires: web.Time(s.Expires),
	})
}

// SetupBody is the body of POST /admin/setup.
type SetupBody struct {
	Secret   string `json:"secret"`
	Password string `json:"password"`
}

// SetUp answers POST /admin/setup, which is good once.
func (o *Console) SetUp(c *web.Call) error {
	var body SetupBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	token, err := o.actions.Operators.SetUp(c.Context, at(c), body.Secret, body.Password)
	if err != nil {
		return err
	}
	setCookie(c, token)
	return o.session(c, token)
}

// LoginBody is the body of POST /admin/login.
type LoginBody struct {
	Password     string `json:"password"`
	Verification string `json:"verification"`
	Code         string `json:"code"`
}

// factorWire is a code that was sent to an operator.
type factorWire struct {
	Verification string   `json:"verification"`
	To           string   `json:"to"` // masked
	Expires      web.Time `json:"expires_at"`
	ResendAfter  int      `json:"resend_after"` // seconds
	CodeLength   int      `json:"code_length"`
}

// sent answers that a code is on its way.
func sent(c *web.Call, p *otp.Progress) error {
	return c.JSON(fasthttp.StatusAccepted, struct {
		SecondFactor factorWire `json:"second_factor"`
	}{factorWire{
		Verification: verificationPrefix + p.Verification.ID.String(), To: p.Verification.Address.Masked(),
		Expires: web.Time(p.Verification.Expires), ResendAfter: web.Seconds(p.ResendAfter), CodeLength: int(p.Verification.Length),
	}})
}

// Login answers POST /admin/login.
func (o *Console) Login(c *web.Call) error {
	var body LoginBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	login := otp.Login{Password: body.Password, Code: strings.TrimSpace(body.Code)}
	if body.Verification != "" {
		id, ok := web.ParseID(verificationPrefix, body.Verification)
		if !ok {
			return web.Invalid(`"verification" is not an id that this call has returned.`)
		}
		login.Verification = id
	}
	token, code, err := o.actions.Operators.SignIn(c.Context, at(c), login)
	switch {
	case err != nil:
		return err
	case code != nil:
		return sent(c, code)
	}
	setCookie(c, token)
	return o.session(c, token)
}

// Logout answers POST /admin/logout.
func (o *Console) Logout(c *web.Call) error {
	if err := o.actions.Operators.SignOut(c.Context, c.Caller.By, cookie(c)); err != nil {
		return err
	}
	setCookie(c, "")
	return c.Empty()
}

// LogoutAll answers POST /admin/logout-everywhere.
func (o *Console) LogoutAll(c *web.Call) error {
	if err := o.actions.Operators.SignOutAll(c.Context, c.Caller.By); err != nil {
		return err
	}
	setCookie(c, "")
	return c.Empty()
}

// setupWire is the setup secret, for the admin socket.
type setupWire struct {
	SetUp  bool    `json:"set_up"`
	Secret *string `json:"secret"` // null once a password is set
}

// Setup answers GET /admin/setup on the admin socket.
func (o *Console) Setup(c *web.Call) error {
	secret := o.actions.Operators.SetupSecret()
	return c.JSON(fasthttp.StatusOK, setupWire{SetUp: secret == "", Secret: web.OrNull(secret)})
}

// Reset answers POST /admin/reset on the admin socket: password, second factor
// and sign-ins are gone, and there is a new setup secret.
func (o *Console) Reset(c *web.Call) error {
	if err := o.actions.Operators.Reset(c.Context, c.Caller.By); err != nil {
		return err
	}
	return o.Setup(c)
}
