package descope

import (
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// bearer is what stands in the Authorization header: "<project>",
// "<project>:<refresh token>", and behind either one a key of the app. Neither
// a JWT nor a key has a colon.
type bearer struct {
	project string
	// refresh is not checked yet, and need not be: a page sends what it has
	// stored with every call, a sign-in not excepted.
	refresh string
	key     string
}

// parseBearer reads the header. The parts behind the project are told apart by
// the beginning of a key; a second part of a kind is refused with the call, for
// one of the two would be ignored silently.
func parseBearer(header string) (b bearer, ok bool) {
	scheme, value, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return bearer{}, false
	}
	b.project, value, _ = strings.Cut(strings.TrimSpace(value), ":")
	for part := range strings.SplitSeq(value, ":") {
		place := &b.refresh
		if web.IsKey(part) {
			place = &b.key
		}
		if *place != "" && part != "" {
			return bearer{}, false
		}
		if part != "" {
			*place = part
		}
	}
	return b, true
}

// admit notes who makes a call, and returns the refresh token that came along,
// "" if there is none.
func (d *Door) admit(c *web.Call) (caller otp.Caller, refresh string, err error) {
	b, ok := parseBearer(c.Header("Authorization"))
	if !ok {
		return otp.Caller{}, "", &otp.Error{
			Code:   otp.Unauthorized,
			Detail: "Send Authorization: Bearer with the project id, then the refresh token and a key of the app, each at most once and behind a colon.",
		}
	}
	caller, err = d.callers.ByID(c, b.project, b.key)
	return caller, b.refresh, err
}

// admitChannel is admit for calls that name a channel in their path.
func (d *Door) admitChannel(c *web.Call) (caller otp.Caller, refresh string, err error) {
	if caller, refresh, err = d.admit(c); err == nil && c.Param != otp.ChannelSMS {
		err = web.Invalid("This box sends one-time passwords by sms only; no other channel is configured.")
	}
	return caller, refresh, err
}

// show returns the session that a call is made in the name of.
func (d *Door) show(c *web.Call) (otp.Caller, otp.Grant, error) {
	caller, refresh, err := d.admit(c)
	if err != nil {
		return otp.Caller{}, otp.Grant{}, err
	}
	g, err := d.session(c, caller, refresh)
	return caller, g, err
}

// session reads a refresh token and the session behind it.
func (d *Door) session(c *web.Call, caller otp.Caller, refresh string) (otp.Grant, error) {
	if refresh == "" {
		return otp.Grant{}, noRefresh()
	}
	return d.mint.Show(c.Context, caller, refresh)
}

func noRefresh() error {
	return &otp.Error{Code: otp.Unauthorized, Detail: "This call needs the refresh token of a session: Authorization: Bearer <project id>:<refresh token>."}
}
