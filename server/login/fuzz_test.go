package login_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/login"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

const place = "https://shop.example/welcome"

// core is a core that approves everything.
type core struct{ id otp.ID }

func (k core) progress() (otp.Progress, error) {
	return otp.Progress{
		Verification: otp.Verification{ID: k.id, Status: otp.Pending, Length: 6, MaxTries: 5},
		Grant:        &otp.Grant{Exchange: "the-code"},
	}, nil
}

func (k core) Start(context.Context, otp.Caller, otp.StartRequest) (otp.Progress, error) {
	return k.progress()
}

func (k core) Get(context.Context, otp.Caller, otp.ID) (otp.Progress, error) { return k.progress() }

func (k core) Check(context.Context, otp.Caller, otp.ID, string) (otp.Progress, error) {
	return k.progress()
}

func (k core) Resend(context.Context, otp.Caller, otp.ID, string) (otp.Progress, error) {
	return k.progress()
}

func (core) Cancel(context.Context, otp.Caller, otp.ID) error { return nil }

func (core) Exchange(context.Context, otp.Caller, string, string, string) (otp.Grant, error) {
	return otp.Grant{}, nil
}

// FuzzPages sends whatever it likes as query, form, cookie and language, to every
// page. Nobody is ever sent to a place that is not registered, and no markup of a
// visitor's is in a page.
func FuzzPages(f *testing.F) {
	apps, err := otp.NewApps([]otp.App{{
		ID: "demo", Countries: []string{"*"}, Sessions: true, Login: true, Inbound: true, InboundSignIn: true, Redirects: []string{place},
	}}, func(string) int { return 1 })
	if err != nil {
		f.Fatal(err)
	}
	k := core{otp.NewID()}
	doors := login.Doors(login.Config{
		Apps: apps, Verifications: k, Directory: k, Demo: true,
		Seal: func(string, ...[]byte) [32]byte { return [32]byte{1} },
	}, "native")
	const whole = "app=demo&redirect_uri=https%3A%2F%2Fshop.example%2Fwelcome&code_challenge_method=S256&code_challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	f.Add(whole, "phone=%2B41791234567&region=CH", "AAAA", "de-CH")
	f.Add(whole+"&state=%3Cscript%3E&locale=%00", "do=change&token=AAAA&flow=x", "", "*")
	f.Add("app=demo&app=demo", "a=1&a=2", "%", ",;q=")
	f.Fuzz(func(t *testing.T, query, form, cookie, language string) {
		for _, door := range doors {
			for _, route := range door.Routes {
				c := &web.Call{HTTP: &fasthttp.RequestCtx{}, Context: t.Context(), Client: netip.MustParseAddr("203.0.113.9")}
				request := &c.HTTP.Request
				request.Header.SetMethod(route.Method)
				request.SetRequestURI(route.Pattern)
				request.URI().SetQueryString(query)
				request.Header.SetHost("otp.example.com")
				request.Header.SetContentType("application/x-www-form-urlencoded")
				request.Header.Set("Accept-Language", language)
				request.Header.SetCookie("pinferry_login", cookie)
				request.SetBodyString(form)
				if err := route.Handle(c); err != nil {
					if p := web.ProblemOf(err); p.Status >= 500 {
						t.Errorf("%s %s: %v", route.Method, route.Pattern, err)
					}
					continue
				}
				to := string(c.HTTP.Response.Header.Peek("Location"))
				if to != "" && !strings.HasPrefix(to, "/login") && !strings.HasPrefix(to, place+"?") {
					t.Errorf("%s %s leads to %q", route.Method, route.Pattern, to)
				}
				if strings.HasPrefix(string(c.HTTP.Response.Header.ContentType()), "text/html") && strings.Contains(string(c.HTTP.Response.Body()), "<script>") {
					t.Errorf("%s %s shows markup of %q, %q", route.Method, route.Pattern, query, form)
				}
			}
		}
	})
}
