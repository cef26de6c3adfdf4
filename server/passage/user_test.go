package passage_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

const (
	users = "/v1/apps/demo/users"
	user  = users + "/" + userID
)

func TestCurrentUser(t *testing.T) {
	d := open(t)
	r := request{method: "GET", path: "/v1/apps/demo/currentuser", bearer: "access.token.shown"}
	a := d.do(r)
	d.want(a, 200, "Bearer")
	golden(t, "currentuser", r, a)
	if d.core.Token != "access.token.shown" {
		t.Errorf("%q was shown", d.core.Token)
	}
}

// TestNewUser shows a user without a login or metadata: no list is null, and
// neither is the metadata.
func TestNewUser(t *testing.T) {
	d := open(t)
	u := &d.core.Grant.User
	u.Metadata, u.Verified, u.LastLogin, u.Logins = nil, 0, 0, 0
	r := request{method: "GET", path: user, bearer: secret}
	a := d.do(r)
	d.want(a, 200, "User")
	golden(t, "newuser", r, a)
}

func TestWithoutToken(t *testing.T) {
	for _, bearer := range []string{"", "forged"} {
		d := open(t)
		d.core.Err = &otp.Error{Code: otp.Unauthorized, Detail: "what the mint says"}
		for _, r := range []request{
			{method: "GET", path: "/v1/apps/demo/currentuser", bearer: bearer},
			{method: "PATCH", path: "/v1/apps/demo/currentuser/phone", bearer: bearer, body: `{"new_phone":"` + phone + `"}`},
		} {
			d.core.Called = nil
			a := d.do(r)
			d.want(a, 401, "Bearer")
			if !strings.Contains(a.Body, `"invalid_access_token"`) {
				t.Errorf("got %s", a.Body)
			}
		}
	}
}

func TestChangePhone(t *testing.T) {
	d := open(t)
	r := request{method: "PATCH", path: "/v1/apps/demo/currentuser/phone", bearer: "access.token.shown", body: `{"new_phone":"+41790000000","language":"de"}`}
	a := d.do(r)
	d.want(a, 403, "Bearer")
	golden(t, "changephone", r, a)
}

func TestFind(t *testing.T) {
	d := open(t)
	r := request{method: "GET", path: users + "?identifier=%2B41791234567"}
	a := d.do(r)
	d.want(a, 200, "Find")
	golden(t, "find", r, a)
	if d.core.Login != phone || d.core.Caller.Secret {
		t.Errorf("asked for %q", d.core.Login)
	}
	if strings.Contains(a.Body, phone) || strings.Contains(a.Body, "gold") {
		t.Errorf("a stranger learns %s", a.Body)
	}
}

// TestFindByServer shows the list of one that the management API answers with.
func TestFindByServer(t *testing.T) {
	d := open(t)
	r := request{method: "GET", path: users + "?limit=1&identifier=%2B41791234567", bearer: secret}
	a := d.do(r)
	d.want(a, 200, "Find")
	golden(t, "findbyserver", r, a)
}

func TestFindNobody(t *testing.T) {
	d := open(t)
	d.core.Err = &otp.Error{Code: otp.NotRegistered, Detail: "There is no such user."}
	r := request{method: "GET", path: users + "?identifier=%2B41791234567"}
	a := d.do(r)
	d.want(a, 404, "Find")
	golden(t, "findnobody", r, a)
}

func TestFindRefuses(t *testing.T) {
	for _, query := range []string{"", "?identifier=", "?identifier=ann%40example.com"} {
		d := open(t)
		d.want(d.do(request{method: "GET", path: users + query}), 400)
	}
}

func TestCreate(t *testing.T) {
	for name, body := range map[string]string{
		"create":        `{"identifier":"` + phone + `","user_metadata":{"plan":"gold"}}`,
		"createbyphone": `{"phone":"` + phone + `","user_metadata":{"plan":"gold"}}`,
	} {
		d := open(t)
		r := request{method: "POST", path: users, bearer: secret, body: body}
		a := d.do(r)
		d.want(a, 201, "Create")
		golden(t, name, r, a)
		if q := d.core.Created; q.To != phone || string(q.Metadata) != `{"plan":"gold"}` {
			t.Errorf("got %s", q.Metadata)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	for _, body := range []string{
		`{"email":"ann@example.com"}`, `{"email":"ann@example.com","phone":"` + phone + `"}`, `{"identifier":"ann@example.com"}`, `{}`,
		`{"phone":"` + phone + `","user_metadata":[1]}`, `{"phone":"` + phone + `","user_metadata":"x"}`,
		`{"phone":"` + phone + `","user_metadata":{"a":"` + strings.Repeat("m", 1024) + `"}}`,
	} {
		d := open(t)
		d.want(d.do(request{method: "POST", path: users, bearer: secret, body: body}), 400)
	}
}

// TestServerCalls: no call that changes or reads a user without its own token
// can be made by a page.
func TestServerCalls(t *testing.T) {
	calls := []request{
		{method: "POST", path: users, body: `{"identifier":"` + phone + `"}`},
		{method: "GET", path: user},
		{method: "PATCH", path: user, body: `{"user_metadata":{"plan":"gold"}}`},
		{method: "DELETE", path: user},
		{method: "PATCH", path: user + "/activate"},
		{method: "PATCH", path: user + "/deactivate"},
		{method: "DELETE", path: user + "/tokens"},
	}
	for _, r := range calls {
		for bearer, headers := range map[string]map[string]string{
			"": nil, "access.token.shown": nil, publishable: nil, "x": {"X-Pinferry-Key": publishable},
		} {
			d := open(t)
			r.bearer, r.headers = bearer, headers
			a := d.do(r)
			d.want(a, 403)
			if !strings.Contains(a.Body, `"operation_not_allowed"`) {
				t.Errorf("%s %s: got %s", r.method, r.path, a.Body)
			}
		}
		d := open(t)
		r.bearer, r.headers = "", map[string]string{"X-Pinferry-Key": secret}
		if a := d.do(r); a.Status >= 300 {
			t.Errorf("%s %s: got %d %s", r.method, r.path, a.Status, a.Body)
		}
	}
	d := open(t)
	golden(t, "notaserver", calls[0], d.do(calls[0]))
}

func TestManagement(t *testing.T) {
	d := open(t)
	for name, test := range map[string]struct {
		r      request
		called string
	}{
		"show":       {request{method: "GET", path: user}, "User"},
		"update":     {request{method: "PATCH", path: user, body: `{"user_metadata":{"plan":"gold"}}`}, "Change"},
		"remove":     {request{method: "DELETE", path: user}, "Remove"},
		"activate":   {request{method: "PATCH", path: user + "/activate"}, "Change"},
		"deactivate": {request{method: "PATCH", path: user + "/deactivate"}, "Change"},
		"signout":    {request{method: "DELETE", path: user + "/tokens"}, "RevokeAll"},
	} {
		d.core.Called, d.core.ID, d.core.Changed = nil, otp.ID{}, otp.UserChange{}
		test.r.bearer = secret
		a := d.do(test.r)
		d.want(a, 200, test.called)
		golden(t, "user"+name, test.r, a)
		if d.core.ID.String() != userID {
			t.Errorf("%s: asked for %s", name, d.core.ID)
		}
		enabled := d.core.Changed.Enabled
		if set := name == "activate" || name == "deactivate"; (enabled != nil) != set || set && *enabled != (name == "activate") {
			t.Errorf("%s: enabled is %v", name, enabled)
		}
		if got := string(d.core.Changed.Metadata); (got != "") != (name == "update") {
			t.Errorf("%s: metadata is %s", name, got)
		}
	}
}

// TestNoUserHasThisID: what cannot be an id is a user that is not there.
func TestNoUserHasThisID(t *testing.T) {
	for _, id := range []string{"x", "usr_" + userID, strings.ToUpper(userID), userID + "0"} {
		d := open(t)
		d.want(d.do(request{method: "GET", path: users + "/" + id, bearer: secret}), 404)
	}
}

// TestServerCannotProveAPhone: who edits a user changes neither its phone nor
// its address.
func TestServerCannotProveAPhone(t *testing.T) {
	for _, body := range []string{`{"phone":"+41790000000"}`, `{"email":"ann@example.com","user_metadata":{}}`} {
		d := open(t)
		d.want(d.do(request{method: "PATCH", path: user, bearer: secret, body: body}), 403)
	}
}
