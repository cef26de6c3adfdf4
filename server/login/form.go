package login

import (
	"net/url"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// form is what a page sent.
type form struct{ c *web.Call }

// readForm reads a form that a page of ours sent from this very host. What
// another site's page sends is refused before anything is looked at.
func readForm(c *web.Call) (form, error) {
	if !ownPage(c) {
		return form{}, &otp.Error{Code: otp.Forbidden, Detail: "This form was sent by the page of another site. Begin again at the app."}
	}
	kind, _, _ := strings.Cut(string(c.HTTP.Request.Header.ContentType()), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return form{}, &otp.Error{Code: otp.Forbidden, Detail: "Only the form of this page may be sent here."}
	}
	return form{c}, checkArgs(c.HTTP.PostArgs())
}

// value returns a field of the form, "" if it is not there.
func (f form) value(name string) string { return string(f.c.HTTP.PostArgs().Peek(name)) }

// ownPage tells whether a browser says, where it says anything, that a page of
// this host has sent the request. What it says of the site is its own judgement,
// by the names that it knows: a proxy may have given the box another Host, and no
// Origin fits that. A browser too old to say has to show the token of the form
// all the same.
func ownPage(c *web.Call) bool {
	if site := c.Header("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin := c.Header("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, string(c.HTTP.Host()))
}
