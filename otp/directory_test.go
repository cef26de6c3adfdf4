package otp_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

func TestOnlyASecretKeyVouchesForAUser(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := openApp("demo")
		app.Countries = []string{"CH"}
		r := newRig(t, setup{apps: []otp.App{app}})
		_, err := r.d.Create(t.Context(), r.from("192.0.2.1"), otp.UserRequest{To: alice})
		wantCode(t, err, otp.Forbidden)
		for to, want := range map[string]otp.Code{"hello": otp.InvalidPhone, "+41900123456": otp.NumberRefused, bob: otp.CountryRefused} {
			_, err := r.d.Create(t.Context(), r.server(), otp.UserRequest{To: to})
			wantCode(t, err, want)
		}
		u, err := r.d.Create(t.Context(), r.server(), otp.UserRequest{To: "+41 79 123 45 67", Metadata: []byte(`{"a":1}`)})
		must(t, err)
		if u.Verified != 0 || u.Logins != 0 || u.LastLogin != 0 || u.Address.Key != alice || string(u.Metadata) != `{"a":1}` {
			t.Errorf("the user is %+v", u)
		}
		_, err = r.d.Create(t.Context(), r.server(), otp.UserRequest{To: alice})
		wantCode(t, err, otp.AlreadyRegistered)
		g := r.login(r.at("passage"), alice)
		if g.User.ID != u.ID || !g.First || g.User.Verified == 0 || string(g.User.Metadata) != `{"a":1}` {
			t.Errorf("the first login gives %+v", g)
		}
	})
}

func TestChangeAndRemove(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		p, err := r.prove(r.at("descope"), otp.StartRequest{To: alice, Purpose: otp.PurposeSignUp, Wish: otp.Wish{Name: "alice"}})
		must(t, err)
		u := p.Grant.User
		pass(1e9)
		changed, err := r.d.Change(t.Context(), r.server(), u.ID, otp.UserChange{Metadata: []byte(`{}`)})
		must(t, err)
		if string(changed.Metadata) != "{}" || changed.Disabled || changed.Updated <= u.Updated || !r.alive(p.Grant.Session) {
			t.Errorf("the user is %+v", changed)
		}
		changed, err = r.d.Change(t.Context(), r.server(), u.ID, otp.UserChange{})
		must(t, err)
		if string(changed.Metadata) != "{}" {
			t.Error("a change of nothing took the metadata away")
		}
		must(t, r.d.Remove(t.Context(), r.server(), u.ID))
		for _, login := range []string{alice, "alice"} {
			_, err = r.d.Find(t.Context(), r.server(), login)
			wantCode(t, err, otp.NotRegistered)
		}
		wantCode(t, second(r.d.User(t.Context(), r.server(), u.ID)), otp.NotRegistered)
		wantCode(t, second(r.d.Change(t.Context(), r.server(), u.ID, otp.UserChange{})), otp.NotRegistered)
		wantCode(t, r.d.Remove(t.Context(), r.server(), u.ID), otp.NotRegistered)
		if r.rows(otp.KindUser)+r.rows(otp.KindUserName) != 0 {
			t.Error("rows of the user are left")
		}
		p, err = r.prove(r.at("descope"), otp.StartRequest{To: bob, Purpose: otp.PurposeSignUp, Wish: otp.Wish{Name: "alice"}})
		must(t, err)
		if p.Grant.User.ID == u.ID {
			t.Error("another holder got the old user")
		}
	})
}

func TestUsersOfOneAppInPages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo"), openApp("demo2")}})
		other := r.server()
		other.App = r.box.Apps.All()[1]
		must(t, second(r.d.Create(t.Context(), other, otp.UserRequest{To: alice})))
		var want []string
		for n := range 7 {
			u, err := r.d.Create(t.Context(), r.server(), otp.UserRequest{To: fmt.Sprintf("+4179111223%d", n)})
			must(t, err)
			want = append(want, u.ID.String())
		}
		slices.Sort(want)
		for limit := range 9 {
			var got []string
			cursor := ""
			for {
				page, next, err := r.d.Users(t.Context(), r.server(), limit, cursor)
				must(t, err)
				if len(page) > max(limit, 1) {
					t.Fatalf("a page of %d users, want %d", len(page), limit)
				}
				for _, u := range page {
					got = append(got, u.ID.String())
				}
				if cursor = next; cursor == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("pages of %d: %d users, want %d", limit, len(got), len(want))
			}
		}
		_, _, err := r.d.Users(t.Context(), r.server(), 10, "x")
		wantCode(t, err, otp.InvalidRequest)
	})
}

// users of another app are as unknown as none.
func TestUsersOfAnotherApp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo"), openApp("other")}})
		u, err := r.d.Create(t.Context(), r.server(), otp.UserRequest{To: alice})
		must(t, err)
		other := r.server()
		other.App = r.box.Apps.All()[1]
		off := false
		wantCode(t, second(r.d.User(t.Context(), other, u.ID)), otp.NotRegistered)
		wantCode(t, second(r.d.Find(t.Context(), other, alice)), otp.NotRegistered)
		wantCode(t, second(r.d.Change(t.Context(), other, u.ID, otp.UserChange{Enabled: &off})), otp.NotRegistered)
		wantCode(t, r.d.Remove(t.Context(), other, u.ID), otp.NotRegistered)
		twin, err := r.d.Create(t.Context(), other, otp.UserRequest{To: alice})
		must(t, err)
		if twin.ID == u.ID {
			t.Error("two apps share a user")
		}
		if again, err := r.d.User(t.Context(), r.server(), u.ID); err != nil || again.Disabled {
			t.Errorf("it was changed from elsewhere (%v)", err)
		}
	})
}

// Looking people up costs a caller without a secret key: sixty in ten minutes,
// found or not. A private app tells such a caller nothing.
func TestFindIsNoWayToEnumerate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		open, private := openApp("demo"), openApp("private")
		private.Private = true
		r := newRig(t, setup{apps: []otp.App{open, private}})
		for _, app := range r.box.Apps.All() {
			c := otp.Caller{App: app, Secret: true}
			must(t, second(r.d.Create(t.Context(), c, otp.UserRequest{To: alice})))
			must(t, second(r.d.Find(t.Context(), c, alice)))
		}
		stranger := r.from("192.0.2.1")
		stranger.App = r.box.Apps.All()[1]
		wantCode(t, second(r.d.Find(t.Context(), stranger, alice)), otp.NotRegistered)
		stranger.App = r.app
		must(t, second(r.d.Find(t.Context(), stranger, alice)))
		for n := range 58 {
			wantCode(t, second(r.d.Find(t.Context(), stranger, fmt.Sprintf("nobody %d\x00", n%2))), otp.NotRegistered)
		}
		e := wantCode(t, second(r.d.Find(t.Context(), stranger, alice)), otp.LimitAddress)
		if e.RetryAfter <= 0 {
			t.Error("a limit without a wait")
		}
		must(t, second(r.d.Find(t.Context(), r.from("192.0.2.2"), alice)))
		pass(e.RetryAfter)
		must(t, second(r.d.Find(t.Context(), stranger, alice)))
	})
}
