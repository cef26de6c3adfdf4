package otp_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// A user comes to exist when the number is proven, and not before.
func TestUserComesToExistAtApproval(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
		c := r.at("descope")
		c.As = "alias"
		p, err := r.v.Start(t.Context(), c, otp.StartRequest{
			To: alice, Purpose: otp.PurposeSignUp, Metadata: []byte(`{"a":1}`),
			Wish: otp.Wish{Name: "Alice@Example.com", Claims: []byte(`{"b":2}`)},
		})
		must(t, err)
		_, err = r.d.Find(t.Context(), r.server(), alice)
		wantCode(t, err, otp.NotRegistered)
		digits := r.sent()
		_, err = r.v.Check(t.Context(), c, p.Verification.ID, wrong(digits, 0))
		wantCode(t, err, otp.CodeWrong)
		_, err = r.d.Find(t.Context(), r.server(), alice)
		wantCode(t, err, otp.NotRegistered)
		p, err = r.v.Check(t.Context(), c, p.Verification.ID, digits)
		must(t, err)
		now := r.box.Clock.Now()
		u, s := p.Grant.User, p.Grant.Session
		if u.Address.Key != alice || u.Created != now || u.Verified != now || u.LastLogin != now || u.Logins != 1 || !p.Grant.First {
			t.Errorf("the user is not as it was made now: %+v", u)
		}
		if !bytes.Equal(u.Metadata, []byte(`{"a":1}`)) || !u.Named("alice@example.COM") || !bytes.Equal(s.Claims, []byte(`{"b":2}`)) {
			t.Error("the wish was not kept")
		}
		if s.App != "demo" || s.Door != "descope" || s.As != "alias" || s.User != u.ID || s.Created != now || s.Rotated != now || s.Expires != now.Add(otp.RefreshLife) || s.Counter != 0 {
			t.Errorf("the session is %+v", s)
		}
		for _, login := range []string{alice, "+41 79 123 45 67", "ALICE@example.com", " alice@example.com"} {
			found, err := r.d.Find(t.Context(), r.server(), login)
			must(t, err)
			if found.ID != u.ID {
				t.Errorf("%q is another user", login)
			}
		}
		again := r.login(c, alice)
		if again.User.ID != u.ID || again.First || again.User.Logins != 2 || again.Session.ID == s.ID || again.Session.As != "alias" {
			t.Error("the second login is not one of the same user")
		}
	})
}

// A door that does not reveal sends in every case and tells the truth after the
// right code, which is used by it.
func TestTruthComesAfterTheRightCode(t *testing.T) {
	for _, test := range []struct {
		name    string
		purpose otp.Purpose
		wish    otp.Wish
		before  func(r *rig)
		want    otp.Code
	}{
		{"sign in", otp.PurposeSignIn, otp.Wish{}, nil, otp.NotRegistered},
		{"sign in", otp.PurposeSignIn, otp.Wish{}, register, ""},
		{"sign up", otp.PurposeSignUp, otp.Wish{}, nil, ""},
		{"sign up", otp.PurposeSignUp, otp.Wish{}, register, otp.AlreadyRegistered},
		{"sign up or in", otp.PurposeSignUpOrIn, otp.Wish{}, nil, ""},
		{"sign up or in", otp.PurposeSignUpOrIn, otp.Wish{}, register, ""},
		{"verify", otp.PurposeVerify, otp.Wish{}, register, ""},
		{"sign in, disabled", otp.PurposeSignIn, otp.Wish{}, disable, otp.UserDisabled},
		{"sign up or in, disabled", otp.PurposeSignUpOrIn, otp.Wish{}, disable, otp.UserDisabled},
		{"verify, disabled", otp.PurposeVerify, otp.Wish{}, disable, ""},
		{"a name that is taken", otp.PurposeSignUp, otp.Wish{Name: "BOB"}, nil, otp.AlreadyRegistered},
		{"a name that is taken", otp.PurposeSignUpOrIn, otp.Wish{Name: "BOB"}, nil, otp.AlreadyRegistered},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				app := openApp("demo")
				app.Private = true
				r := newRig(t, setup{apps: []otp.App{app}})
				_, err := r.prove(r.at("descope"), otp.StartRequest{To: bob, Purpose: otp.PurposeSignUp, Wish: otp.Wish{Name: "bob"}})
				must(t, err)
				if test.before != nil {
					test.before(r)
				}
				c := r.at("passage")
				p, err := r.v.Start(t.Context(), c, otp.StartRequest{To: alice, Purpose: test.purpose, Reveal: true, Wish: test.wish})
				must(t, err)
				digits := r.sent()
				done, err := r.v.Check(t.Context(), c, p.Verification.ID, digits)
				if test.want != "" {
					wantCode(t, err, test.want)
				} else {
					must(t, err)
					if got, want := done.Grant != nil, test.purpose != otp.PurposeVerify; got != want {
						t.Errorf("a grant: %v, want %v", got, want)
					}
				}
				if s := r.verification(p.Verification.ID).Verification.Status; s != otp.Approved {
					t.Errorf("the number is proven and the status is %s", s)
				}
				wantCode(t, second(r.v.Check(t.Context(), c, p.Verification.ID, digits)), otp.CodeUsed)
			})
		})
	}
}

func register(r *rig) {
	_, err := r.d.Create(context.Background(), r.server(), otp.UserRequest{To: alice})
	must(r.t, err)
}

func disable(r *rig) {
	register(r)
	u, err := r.d.Find(context.Background(), r.server(), alice)
	must(r.t, err)
	off := false
	_, err = r.d.Change(context.Background(), r.server(), u.ID, otp.UserChange{Enabled: &off})
	must(r.t, err)
}

// a code is good for what it was asked for, at the door that asked.
func TestPurposeAndDoorAreBound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo"), openApp("other")}})
		g := r.login(r.at("descope"), alice)
		sessions := r.rows(otp.KindSession)
		p, err := r.prove(r.at("descope"), otp.StartRequest{Purpose: otp.PurposeStepUp, Family: g.Session.ID})
		must(t, err)
		if r.rows(otp.KindSession) != sessions || p.Grant.Session.ID != g.Session.ID {
			t.Error("a step-up opened a session")
		}
		_, err = r.prove(r.at("descope"), otp.StartRequest{To: bob, Purpose: otp.PurposeVerify})
		must(t, err)
		_, err = r.prove(r.at("descope"), otp.StartRequest{To: bob, Purpose: otp.PurposeSignIn})
		wantCode(t, err, otp.NotRegistered)
		if u, err := r.d.User(t.Context(), r.server(), g.User.ID); err != nil || u.Address.Key != alice {
			t.Errorf("a login code changed a phone (%v)", err)
		}

		p, err = r.v.Start(t.Context(), r.at("descope"), otp.StartRequest{To: alice, Purpose: otp.PurposeSignIn})
		must(t, err)
		digits := r.sent()
		other := r.at("descope")
		other.App = r.box.Apps.All()[1]
		for _, c := range []otp.Caller{r.at("passage"), r.server(), other} {
			_, err := r.v.Check(t.Context(), c, p.Verification.ID, digits)
			wantCode(t, err, otp.CodeUnknown)
			_, err = r.v.Resend(t.Context(), c, p.Verification.ID, "")
			wantCode(t, err, otp.CodeUnknown)
			wantCode(t, r.v.Cancel(t.Context(), c, p.Verification.ID), otp.CodeUnknown)
		}
		for _, c := range []otp.Caller{r.at("passage"), r.at(""), other} {
			_, err := r.v.Get(t.Context(), c, p.Verification.ID)
			wantCode(t, err, otp.CodeUnknown)
		}
		if left := r.verification(p.Verification.ID).Verification.AttemptsLeft(); left != 5 {
			t.Errorf("others used up tries: %d left", left)
		}
		must(t, second(r.v.Check(t.Context(), r.at("descope"), p.Verification.ID, digits)))
	})
}

// what needs a session gets nowhere without a live one of the same user,
// and sends nothing.
func TestWhatNeedsASession(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo"), openApp("other")}})
		c := r.at("descope")
		mine, hers := r.login(c, alice), r.login(c, bob)
		elsewhere := r.login(r.at("passage"), alice)
		ended := r.login(c, alice)
		must(t, r.d.Revoke(t.Context(), c, ended.Session.ID))
		synctest.Wait()
		sent := len(r.routes[0].Given())
		const third = "+41791112233"
		bad := map[string]otp.ID{"none": {}, "unknown": otp.NewID(), "ended": ended.Session.ID, "another door's": elsewhere.Session.ID}
		for name, family := range bad {
			for _, request := range []otp.StartRequest{
				{To: third, Purpose: otp.PurposeChangePhone, Family: family},
				{To: alice, Purpose: otp.PurposeStepUp, Family: family},
				{To: alice, Purpose: otp.PurposeSignIn, Family: family, Wish: otp.Wish{RevokeOthers: true}},
			} {
				_, err := r.v.Start(t.Context(), c, request)
				if e := otp.AsError(err); e == nil || e.Code != otp.Unauthorized {
					t.Errorf("%s with %s session: %v", request.Purpose, name, err)
				}
			}
		}
		named := otp.Slot{Door: "descope", Login: bob, Named: true}
		for name, test := range map[string]struct {
			request otp.StartRequest
			want    otp.Code
		}{
			"a step-up to another number":       {otp.StartRequest{To: bob, Purpose: otp.PurposeStepUp, Family: mine.Session.ID}, otp.InvalidRequest},
			"others revoked by somebody else":   {otp.StartRequest{To: alice, Purpose: otp.PurposeSignIn, Family: hers.Session.ID, Wish: otp.Wish{RevokeOthers: true}}, otp.Unauthorized},
			"others revoked at a new number":    {otp.StartRequest{To: third, Purpose: otp.PurposeSignUp, Family: mine.Session.ID, Wish: otp.Wish{RevokeOthers: true}}, otp.Unauthorized},
			"a step-up in another's slot":       {otp.StartRequest{Purpose: otp.PurposeStepUp, Family: mine.Session.ID, Slot: named}, otp.Unauthorized},
			"a change of phone in another's":    {otp.StartRequest{To: third, Purpose: otp.PurposeChangePhone, Family: mine.Session.ID, Slot: named}, otp.Unauthorized},
			"a change of phone without a phone": {otp.StartRequest{Purpose: otp.PurposeChangePhone, Family: mine.Session.ID}, otp.InvalidPhone},
			"to another's phone, revealing":     {otp.StartRequest{To: bob, Purpose: otp.PurposeChangePhone, Family: mine.Session.ID, Reveal: true}, otp.AlreadyRegistered},
		} {
			_, err := r.v.Start(t.Context(), c, test.request)
			if e := otp.AsError(err); e == nil || e.Code != test.want {
				t.Errorf("%s: %v, want %s", name, err, test.want)
			}
		}
		synctest.Wait()
		if n := len(r.routes[0].Given()) - sent; n != 0 {
			t.Errorf("%d messages were sent", n)
		}
	})
}

// a change of phone takes a live session and the new number; it
// ends every other session and frees the old number.
func TestChangeOfPhone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		c := r.at("descope")
		mine, other, elsewhere := r.login(c, alice), r.login(c, alice), r.login(r.at("passage"), alice)
		request := otp.StartRequest{To: bob, Purpose: otp.PurposeChangePhone, Family: mine.Session.ID, Wish: otp.Wish{Name: "alice"}}
		pass(time.Second)
		p, err := r.prove(c, request)
		must(t, err)
		u := p.Grant.User
		if u.ID != mine.User.ID || u.Address.Key != bob || u.Verified != r.box.Clock.Now() || !u.Named("alice") {
			t.Errorf("the user is %+v", u)
		}
		if p.Grant.Session.ID != mine.Session.ID || !r.alive(mine.Session) {
			t.Error("the session that asked has ended")
		}
		if r.alive(other.Session) || r.alive(elsewhere.Session) {
			t.Error("another session lives on")
		}
		for login, there := range map[string]bool{alice: false, bob: true, "alice": true} {
			if _, err := r.d.Find(t.Context(), r.server(), login); (err == nil) != there {
				t.Errorf("%s: %v", login, err)
			}
		}
		if fresh := r.login(c, alice); fresh.User.ID == u.ID || !fresh.First {
			t.Error("the old number is the user's still")
		}

		// The number of another user: not revealed at the start, and refused once
		// it is proven.
		request.To = alice
		_, err = r.prove(c, request)
		wantCode(t, err, otp.AlreadyRegistered)
		if !r.alive(mine.Session) {
			t.Error("a refused change ended the session")
		}
		// The session ends in between.
		const third = "+41791112233"
		request.To = third
		p, err = r.v.Start(t.Context(), c, request)
		must(t, err)
		digits := r.sent()
		must(t, r.d.Revoke(t.Context(), c, mine.Session.ID))
		_, err = r.v.Check(t.Context(), c, p.Verification.ID, digits)
		wantCode(t, err, otp.Unauthorized)
		_, err = r.d.Find(t.Context(), r.server(), third)
		wantCode(t, err, otp.NotRegistered)
	})
}

func TestFiveLoginNames(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		c := r.at("descope")
		g := r.login(c, alice)
		request := otp.StartRequest{To: alice, Purpose: otp.PurposeChangePhone, Family: g.Session.ID}
		for _, name := range []string{"a", "b", "c", "d", "e", "A"} {
			request.Wish.Name = name
			must(t, second(r.prove(c, request)))
		}
		u, err := r.d.User(t.Context(), r.server(), g.User.ID)
		must(t, err)
		if !slices.Equal(u.Names, []string{"a", "b", "c", "d", "e"}) {
			t.Errorf("the names are %q", u.Names)
		}
		request.Wish.Name = "f"
		wantCode(t, second(r.v.Start(t.Context(), c, request)), otp.InvalidRequest)
	})
}

func TestStepUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		c := r.at("descope")
		mine, other := r.login(c, alice), r.login(c, alice)
		request := otp.StartRequest{Purpose: otp.PurposeStepUp, Family: mine.Session.ID}
		pass(5 * time.Second)
		p, err := r.prove(c, request)
		must(t, err)
		if s := p.Grant.Session; s.ID != mine.Session.ID || s.StepUp != r.box.Clock.Now() || p.Verification.Address.Key != alice {
			t.Errorf("the session is %+v", s)
		}
		if g, err := r.d.Session(t.Context(), c, mine.Session.ID); err != nil || g.Session.StepUp == 0 || g.User.Logins != 2 {
			t.Errorf("it was not kept, or counted as a login (%v)", err)
		}
		if g, err := r.d.Session(t.Context(), c, other.Session.ID); err != nil || g.Session.StepUp != 0 {
			t.Errorf("another session is stepped up (%v)", err)
		}
		request.Wish.RevokeOthers = true
		must(t, second(r.prove(c, request)))
		if !r.alive(mine.Session) || r.alive(other.Session) {
			t.Error("not the others, and only they, have ended")
		}

		// A step-up code to a phone that is no longer the user's is worth nothing.
		request.Wish.RevokeOthers = false
		p, err = r.v.Start(t.Context(), c, request)
		must(t, err)
		digits := r.sent()
		must(t, second(r.prove(c, otp.StartRequest{To: bob, Purpose: otp.PurposeChangePhone, Family: mine.Session.ID})))
		_, err = r.v.Check(t.Context(), c, p.Verification.ID, digits)
		wantCode(t, err, otp.Unauthorized)
	})
}

func TestLoginThatRevokesOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		c := r.at("descope")
		mine, other := r.login(c, alice), r.login(r.at("passage"), alice)
		p, err := r.prove(c, otp.StartRequest{To: alice, Purpose: otp.PurposeSignIn, Family: mine.Session.ID, Wish: otp.Wish{RevokeOthers: true}})
		must(t, err)
		if r.alive(mine.Session) || r.alive(other.Session) || !r.alive(p.Grant.Session) {
			t.Error("not the new session alone lives")
		}
	})
}

func TestAppWithoutSessions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		g := r.login(r.server(), alice)
		if g.Session != nil || g.Exchange != "" || g.User.Address.Key != alice || r.rows(otp.KindSession) != 0 {
			t.Errorf("the grant is %+v", g)
		}
	})
}
