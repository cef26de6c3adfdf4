package passage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

const ann = "ann@example.com"

// byEmail makes the core's user one of an email address.
func byEmail(t *testing.T) *door {
	d := open(t)
	d.core.Grant.User.App = "mail"
	d.core.Grant.User.Address = otp.Address{Kind: otp.Email, Key: ann, Dial: ann}
	d.core.Grant.Session.As = "mail"
	return d
}

// An app that wants email has email addresses wherever the vendor has
// identifiers.
func TestEmailIdentifier(t *testing.T) {
	for path, purpose := range map[string]otp.Purpose{"login": otp.PurposeSignIn, "register": otp.PurposeSignUp} {
		d := byEmail(t)
		r := request{method: "POST", path: "/v1/apps/mail/" + path + "/otp", body: `{"identifier":"` + ann + `"}`}
		a := d.do(r)
		d.want(a, 201, "Start")
		if s := d.core.Started; s.To != ann || !s.Email || s.Channel != "" || s.Purpose != purpose {
			t.Errorf("%s: got %+v", path, s)
		}
	}
	d := byEmail(t)
	r := request{method: "GET", path: "/v1/apps/mail/users?identifier=ann%40example.com"}
	d.want(d.do(r), 200, "Find")
	if d.core.Login != ann {
		t.Errorf("asked for %q", d.core.Login)
	}
	d = byEmail(t)
	r = request{method: "GET", path: "/v1/apps/mail/currentuser", bearer: "access.token.shown"}
	a := d.do(r)
	d.want(a, 200, "Bearer")
	golden(t, "emailuser", r, a)
	r = request{method: "GET", path: "/v1/apps/mail"}
	golden(t, "emailapp", r, d.do(r))
}

func TestCreateByEmail(t *testing.T) {
	for _, body := range []string{`{"identifier":"` + ann + `"}`, `{"email":"` + ann + `"}`} {
		d := byEmail(t)
		d.want(d.do(request{method: "POST", path: "/v1/apps/mail/users", bearer: mailing, body: body}), 201, "Create")
		if d.core.Created.To != ann {
			t.Errorf("%s: asked for %q", body, d.core.Created.To)
		}
	}
	d := byEmail(t)
	d.want(d.do(request{method: "POST", path: "/v1/apps/mail/users", bearer: mailing, body: `{"email":"` + ann + `","phone":"` + phone + `"}`}), 400)
}

// an email address is a bad request while no route can carry it, and a
// route that is down for a while is the box's trouble.
func TestEmailWithoutARoute(t *testing.T) {
	d := byEmail(t)
	r := request{method: "POST", path: "/v1/apps/mail/login/otp", body: `{"identifier":"` + ann + `"}`}
	d.core.Err = &otp.Error{Code: otp.ChannelUnavailable, Detail: "x"}
	a := d.do(r)
	d.want(a, 400, "Start")
	if !strings.Contains(a.Body, "no relay for email is configured") {
		t.Errorf("got %s", a.Body)
	}
	d.core.Called, d.core.Err = nil, &otp.Error{Code: otp.ChannelUnavailable, Detail: "x", RetryAfter: time.Minute}
	d.want(d.do(r), 503, "Start")
}
