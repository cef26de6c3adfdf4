package api_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

func TestUser(t *testing.T) {
	d := open(t)
	status, body := d.do(d.User, request{key: secret, param: userID})
	if status != 200 || "usr_"+d.core.ID.String() != userID {
		t.Fatalf("got %d %s", status, body)
	}
	golden(t, "user", body)
}

func TestUsers(t *testing.T) {
	d := open(t)
	if status, body := d.do(d.Users, request{key: secret}); status != 200 || body != `{"users":[],"next_cursor":null}` || d.core.limit != 20 {
		t.Errorf("got %d %s", status, body)
	}
	second := d.core.Grant.User
	second.ID, second.Names, second.Metadata, second.Verified, second.Disabled = otp.ID{15: 1}, nil, nil, 0, true
	d.core.users, d.core.next = []otp.User{d.core.Grant.User, second}, "c0ffee"
	status, body := d.do(d.Users, request{key: secret, query: "limit=2&cursor=abc"})
	if status != 200 || d.core.limit != 2 || d.core.cursor != "abc" {
		t.Errorf("got %d, limit %d, cursor %q", status, d.core.limit, d.core.cursor)
	}
	golden(t, "users", body)
	if status, body := d.do(d.Users, request{key: secret, query: "limit=101"}); status != 400 {
		t.Errorf("got %d %s", status, body)
	}
}

func TestUserOfAPhone(t *testing.T) {
	d := open(t)
	// Few remember that a plus sign in a query is a blank.
	for _, query := range []string{"phone=%2B41791234567", "phone=+41791234567", "phone=%2041791234567"} {
		d.core.Login = ""
		status, body := d.do(d.Users, request{key: secret, query: query})
		if status != 200 || d.core.called() != "Find" || d.core.Login != phone || !strings.Contains(body, userID) {
			t.Errorf("%s: got %d %s; core: %q for %q", query, status, body, d.core.called(), d.core.Login)
		}
	}
	d.core.Err = &otp.Error{Code: otp.NotRegistered, Detail: "x"}
	if status, body := d.do(d.Users, request{key: secret, query: "phone=%2B41791234567"}); status != 200 || body != `{"users":[],"next_cursor":null}` {
		t.Errorf("nobody: got %d %s", status, body)
	}
	d.core.Err = &otp.Error{Code: otp.InvalidPhone, Detail: "x"}
	if status, _ := d.do(d.Users, request{key: secret, query: "phone=x"}); status != 400 {
		t.Errorf("no phone: got %d", status)
	}
}

// TestUserOfAnEmail shows a user who has an email address and no phone.
func TestUserOfAnEmail(t *testing.T) {
	d := open(t)
	d.core.Grant.User.Address = otp.Address{Kind: otp.Email, Key: "ann+x@example.com", Dial: "ann+x@example.com"}
	const want = `"phone":"","phone_verified":false,"email":"ann+x@example.com","email_verified":true`
	for _, query := range []string{"email=ann%2Bx@example.com", "email=ann%2Bx%40example.com", "email=ann+x@example.com"} {
		d.core.Login = ""
		status, body := d.do(d.Users, request{key: secret, query: query})
		if status != 200 || d.core.Login != "ann+x@example.com" || !strings.Contains(body, want) {
			t.Errorf("%s: got %d %s for %q", query, status, body, d.core.Login)
		}
	}
	d.core.Grant.User.Verified = 0
	if _, body := d.do(d.User, request{key: secret, param: userID}); strings.Contains(body, "_verified\":true") {
		t.Errorf("verified without a proof: %s", body)
	}
}

// TestUserOfALoginName has nobody found by what anybody may have taken as a login
// name without a proof.
func TestUserOfALoginName(t *testing.T) {
	d := open(t)
	d.core.Grant.User.Address, d.core.Grant.User.Names = otp.Address{Kind: otp.Phone, Key: phone, Dial: phone[1:]}, []string{"ann@example.com"}
	if status, body := d.do(d.Users, request{key: secret, query: "email=ann@example.com"}); status != 200 || body != `{"users":[],"next_cursor":null}` {
		t.Errorf("got %d %s", status, body)
	}
	d.core.Grant.User.Address = otp.Address{Kind: otp.Email, Key: "ann@example.com", Dial: "ann@example.com"}
	if status, body := d.do(d.Users, request{key: secret, query: "phone=ann@example.com"}); status != 200 || body != `{"users":[],"next_cursor":null}` {
		t.Errorf("got %d %s", status, body)
	}
}

func TestChangeUser(t *testing.T) {
	d := open(t)
	d.core.Grant.User.Disabled = true
	status, body := d.do(d.ChangeUser, request{key: secret, param: userID, body: `{"enabled":false}`})
	if c := d.core.Changed; status != 200 || c.Enabled == nil || *c.Enabled || c.Metadata != nil || "usr_"+d.core.ID.String() != userID {
		t.Errorf("got %d %s, asked %+v", status, body, c)
	}
	golden(t, "blocked", body)
	d.do(d.ChangeUser, request{key: secret, param: userID, body: `{"metadata":{"tier":"gold"}}`})
	if c := d.core.Changed; c.Enabled != nil || string(c.Metadata) != `{"tier":"gold"}` {
		t.Errorf("asked %+v", c)
	}
	for name, body := range map[string]string{
		"Nothing": `{}`, "Nulls": `{"enabled":null,"metadata":null}`, "Word": `{"enabled":"no"}`, "Phone": `{"phone":"` + phone + `"}`,
		"MetadataArray": `{"metadata":[]}`, "MetadataLarge": `{"metadata":{"a":"` + strings.Repeat("m", 1024) + `"}}`,
	} {
		d := open(t)
		if status, answer := d.do(d.ChangeUser, request{key: secret, param: userID, body: body}); status != 400 || d.core.called() != "" || strings.Contains(answer, phone) {
			t.Errorf("%s: got %d %s; core: %q", name, status, answer, d.core.called())
		}
	}
}

func TestRemoveUser(t *testing.T) {
	d := open(t)
	if status, body := d.do(d.RemoveUser, request{key: secret, param: userID}); status != 204 || body != "" || d.core.called() != "Remove" {
		t.Errorf("got %d %s", status, body)
	}
}

func TestUnknownUsers(t *testing.T) {
	d := open(t)
	d.core.Err = &otp.Error{Code: otp.NotRegistered, Detail: "There is no such user."}
	for _, param := range []string{userID, "x", "usr_", userID[4:], id, strings.ToUpper(userID)} {
		for _, call := range []func(request) (int, string){
			func(r request) (int, string) { return d.do(d.User, r) },
			func(r request) (int, string) { return d.do(d.RemoveUser, r) },
			func(r request) (int, string) { r.body = `{"enabled":true}`; return d.do(d.ChangeUser, r) },
		} {
			status, body := call(request{key: secret, param: param})
			if status != 404 {
				t.Errorf("%s: got %d", param, status)
			}
			golden(t, "missinguser", body)
		}
	}
}
