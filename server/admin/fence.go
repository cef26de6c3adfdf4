package admin

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// pagePolicy is what a browser may do with an answer under /admin/: nothing
// that does not come from the box, and nothing inline. Strings cannot become
// markup at all.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// The cookies of a sign-in. A browser takes the first only over TLS and sends it
// to this host alone; the second is for plain HTTP on the machine itself.
const (
	secureCookie = "__Host-pinferry"
	localCookie  = "pinferry_admin"
)

// fenceHeader must stand in every call that changes something. A page of another
// origin cannot send it without being allowed to, and none is.
const fenceHeader = "Pinferry-Admin"

// prepare sets what every answer of the page has.
func prepare(c *web.Call) {
	h := &c.HTTP.Response.Header
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Referrer-Policy", "no-referrer")
	if c.Secure { // elsewhere browsers pass over it, and complain
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
}

// fenced lets a call through that a page of the box itself may have made, from
// where operators may sign in.
func fenced(handle web.Handler) web.Handler {
	return func(c *web.Call) error {
		if !trusted(c) {
			return &otp.Error{Code: otp.Forbidden, Detail: plainHTTP}
		}
		if refusal := forged(c); refusal != "" {
			return &otp.Error{Code: otp.Forbidden, Detail: refusal}
		}
		return handle(c)
	}
}

// signedIn is fenced for those who have signed in.
func (o *Console) signedIn(handle web.Handler) web.Handler {
	return fenced(func(c *web.Call) error {
		if _, err := o.actions.Operators.Present(c.Context, cookie(c), !isLive(c)); err != nil {
			return err
		}
		c.Caller = otp.Caller{Secret: true, By: otp.OperatorAt(at(c))}
		return handle(c)
	})
}

// plainHTTP says why there is no signing in.
const plainHTTP = "Over plain HTTP operators sign in from the machine itself only: their password and session could be read on the way. " +
	"Set tls in the config file, or reach the box through an SSH tunnel to its loopback address."

// trusted tells whether nobody can read along. A request that came through a
// proxy which is not trusted may be anybody's, whatever machine the proxy is on:
// it tells by what it adds, or by a Host that is a name for others.
func trusted(c *web.Call) bool {
	if c.Secure {
		return true
	}
	for name := range c.HTTP.Request.Header.All() {
		if slices.ContainsFunc(proxyHeaders, func(prefix string) bool {
			return len(name) >= len(prefix) && strings.EqualFold(string(name[:len(prefix)]), prefix)
		}) {
			return false
		}
	}
	return c.Peer.IsLoopback() && c.Client.IsLoopback() && isLocal(string(c.HTTP.Host()))
}

// proxyHeaders are how the headers begin that proxies and tunnels add.
var proxyHeaders = []string{"X-Forwarded", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "X-Original-", "X-Envoy-",
	"Forwarded", "Via", "True-Client-IP", "CF-", "CDN-Loop", "Fastly-", "Fly-", "Tailscale-"}

// isLocal tells whether a Host is one that only the machine itself goes by.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// forged says why a call may have been made by a page of somebody else; "" if it
// cannot have been.
func forged(c *web.Call) string {
	site := c.Header("Sec-Fetch-Site")
	changes := !c.HTTP.IsGet() && !c.HTTP.IsHead()
	switch {
	case site != "" && site != "same-origin" && (changes || site != "none"):
		return "This call came from another site."
	case !changes:
		return ""
	case c.Header(fenceHeader) == "":
		return "The header " + fenceHeader + ": 1 is missing, by which the page shows that it is the box's own."
	case !ownOrigin(c):
		return "This call came from another origin."
	case len(c.HTTP.PostBody()) > 0 && !strings.HasPrefix(strings.ToLower(c.Header("Content-Type")), "application/json"):
		return "The body must be JSON: send Content-Type: application/json."
	}
	return ""
}

// ownOrigin compares Origin with the host that was asked. Every browser sends it
// with a call that changes something; other programs may leave it out, and have
// the header of the fence.
func ownOrigin(c *web.Call) bool {
	origin := c.Header("Origin")
	if origin == "" {
		return true
	}
	scheme := "http://"
	if c.Secure {
		scheme = "https://"
	}
	return strings.EqualFold(origin, scheme+string(c.HTTP.Host()))
}

// cookie returns the secret of the sign-in that came with a call, "" if none did.
func cookie(c *web.Call) string {
	return string(c.HTTP.Request.Header.Cookie(cookieName(c)))
}

func cookieName(c *web.Call) string {
	if c.Secure {
		return secureCookie
	}
	return localCookie
}

// setCookie hands the secret of a sign-in to the browser, which forgets it when it
// is closed; "" takes it back.
func setCookie(c *web.Call, token string) {
	k := fasthttp.AcquireCookie()
	defer fasthttp.ReleaseCookie(k)
	k.SetKey(cookieName(c))
	k.SetValue(token)
	k.SetPath("/")
	k.SetHTTPOnly(true)
	k.SetSecure(c.Secure)
	k.SetSameSite(fasthttp.CookieSameSiteStrictMode)
	if token == "" {
		k.SetMaxAge(-1)
		k.SetExpire(fasthttp.CookieExpireDelete)
	}
	c.HTTP.Response.Header.SetCookie(k)
}

// local is for the admin socket: whoever is let in there may do everything, and
// is known by the user that the process runs as.
func local(handle web.Handler) web.Handler {
	return func(c *web.Call) error {
		c.Caller = otp.Caller{Secret: true, By: socketActor(c)}
		return handle(c)
	}
}

// socketActor is who calls on the admin socket.
func socketActor(c *web.Call) otp.Actor {
	if conn, ok := c.HTTP.Conn().(*Conn); ok {
		return otp.Actor{Who: fmt.Sprintf("socket uid %d", conn.Peer.UID)}
	}
	return otp.Actor{Who: "socket"}
}

// at returns where an operator sits; the zero Addr is the admin socket.
func at(c *web.Call) netip.Addr { return c.Client }
