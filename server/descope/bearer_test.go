package descope_test

import (
	"testing"

	"github.com/pinferry/pinferry/otp"
)

func TestBearer(t *testing.T) {
	type want struct {
		status int
		secret bool
		as     string
	}
	for name, test := range map[string]struct {
		bearer string
		want   want
	}{
		"Project":              {project, want{200, false, project}},
		"AppID":                {"demo", want{200, false, "demo"}},
		"Refresh":              {project + ":" + refreshToken, want{200, false, project}},
		"DeadRefresh":          {project + ":head.dead.seal", want{200, false, project}}, // a page sends what it has stored
		"Secret":               {project + ":" + secret, want{200, true, project}},
		"Publishable":          {project + ":" + publishable, want{200, false, project}},
		"RefreshAndSecret":     {project + ":" + refreshToken + ":" + secret, want{200, true, project}},
		"SecretAndRefresh":     {project + ":" + secret + ":" + refreshToken, want{200, true, project}},
		"EmptyRefresh":         {project + ":", want{200, false, project}},
		"EmptyRefreshSecret":   {project + "::" + secret, want{200, true, project}},
		"WrongSecret":          {project + ":sk_test_0000", want{401, false, ""}},
		"OtherAppsSecret":      {project + ":" + otherSecret, want{401, false, ""}},
		"TwoSecrets":           {project + ":" + secret + ":" + secret, want{401, false, ""}},
		"TwoRefreshes":         {project + ":" + refreshToken + ":" + refreshToken, want{401, false, ""}},
		"ForeignManagementKey": {project + ":" + refreshToken + ":K2foreign", want{401, false, ""}},
		"Nothing":              {"", want{401, false, ""}},
		"None":                 {"-", want{401, false, ""}},
		"OnlyASecret":          {secret, want{401, false, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			a := d.do(post("/v1/auth/otp/signin/sms", `{"loginId":"anna"}`).as(test.bearer))
			if a.Status != test.want.status {
				t.Fatalf("got %d %s", a.Status, a.Body)
			}
			if a.Status != 200 {
				if len(d.core.Called) > 0 {
					t.Errorf("the core was asked to %v", d.core.Called)
				}
				return
			}
			c := d.core.Caller
			if c.Secret != test.want.secret || c.As != test.want.as || c.App.ID != "demo" || c.Door != "descope" {
				t.Errorf("caller is %q of %q by %q, secret %v", c.As, c.App.ID, c.Door, c.Secret)
			}
			if c.Secret == c.Address.IsValid() {
				t.Errorf("address is %v, secret %v", c.Address, c.Secret)
			}
		})
	}
}

func TestHeaderIsNoSourceOfTheProject(t *testing.T) {
	d := open(t)
	r := post("/v1/auth/otp/signin/sms", `{"loginId":"anna"}`)
	r.headers = map[string]string{"x-descope-project-id": private}
	if a := d.do(r); a.Status != 200 || d.core.Caller.App.ID != "demo" {
		t.Errorf("got %d for %q", a.Status, d.core.Caller.App.ID)
	}
}

func TestSchemes(t *testing.T) {
	for header, status := range map[string]int{
		"bearer " + project: 200, "Bearer  " + project: 200, "Basic " + project: 401, project: 401, "Bearer": 401,
	} {
		r := post("/v1/auth/otp/signin/sms", `{"loginId":"anna"}`).as("-")
		r.headers = map[string]string{"Authorization": header}
		if a := open(t).do(r); a.Status != status {
			t.Errorf("%q: got %d, want %d", header, a.Status, status)
		}
	}
}

func TestClosedDoorLooksLikeAnUnknownProject(t *testing.T) {
	d := open(t)
	for _, r := range []request{
		post("/v1/auth/otp/signin/sms", `{"loginId":"anna"}`), post("/v1/auth/refresh", ""), post("/v1/auth/try-refresh", ""),
	} {
		closed, unknown := d.do(r.as("closed")), d.do(r.as("P2nobody"))
		if closed.Status != 401 || string(closed.Body) != string(unknown.Body) || unknown.Status != 401 {
			t.Errorf("%s: got %d %s and %d %s", r.Path, closed.Status, closed.Body, unknown.Status, unknown.Body)
		}
	}
	if len(d.core.Called) > 0 {
		t.Errorf("the core was asked to %v", d.core.Called)
	}
}

// TestNameOfASessionIsNeeded: every call that is made in the name of a session
// refuses to be made without one, and with a dead one.
func TestNameOfASessionIsNeeded(t *testing.T) {
	for _, r := range []request{
		post("/v1/auth/refresh", ""), post("/v1/auth/logout", ""), post("/v1/auth/logoutall", ""), post("/v1/auth/me/tenants", "{}"),
		{Method: "GET", Path: "/v1/auth/me"}, {Method: "GET", Path: "/v1/auth/me/history"},
		post("/v1/auth/otp/update/phone/sms", `{"loginId":"anna","phone":"+41791234567"}`),
	} {
		for _, bearer := range []string{project, project + ":head.dead.seal", project + ":" + secret} {
			d := open(t)
			a := d.do(r.as(bearer))
			if a.Status != 401 || a.member("errorCode") != "E064001" {
				t.Errorf("%s as %s: got %d %s", r.Path, bearer, a.Status, a.Body)
			}
			if d.core.Started.Purpose != otp.Purpose("") || !d.core.ID.IsZero() {
				t.Errorf("%s as %s: the core acted", r.Path, bearer)
			}
		}
	}
}
