package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"

	"github.com/descope/go-sdk/descope"
	"github.com/descope/go-sdk/descope/client"
)

// door is the SDK at one app, as a backend uses it: with the app's secret key in
// the place of Descope's key for authentication.
type door struct {
	*client.DescopeClient
	suite *suite
}

func openDescope(s *suite, base string, a app) (door, error) {
	c, err := client.NewWithConfig(&client.Config{ProjectID: a.Project, AuthManagementKey: a.Secret, DescopeBaseURL: base})
	return door{c, s}, err
}

// enter logs a phone in.
func (d door) enter(ctx context.Context, p *phone) (*descope.AuthenticationInfo, error) {
	if _, err := d.Auth.OTP().SignUpOrIn(ctx, descope.MethodSMS, p.number, nil); err != nil {
		return nil, err
	}
	return d.verify(ctx, p)
}

func (d door) verify(ctx context.Context, p *phone) (*descope.AuthenticationInfo, error) {
	code, err := p.code()
	if err != nil {
		return nil, err
	}
	info, err := d.Auth.OTP().VerifyCode(ctx, descope.MethodSMS, p.number, code, nil)
	if err != nil {
		return nil, err
	}
	return info, want(info.SessionToken != nil && info.RefreshToken != nil, "a token is missing")
}

// request is one of a page that kept the tokens in cookies.
func request(info *descope.AuthenticationInfo) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: descope.SessionCookieName, Value: info.SessionToken.JWT})
	r.AddCookie(&http.Cookie{Name: descope.RefreshCookieName, Value: info.RefreshToken.JWT})
	return r
}

// is returns an error unless err is the SDK's wanted one.
func is(err, wanted error) error { return want(errors.Is(err, wanted), "%v, want %v", err, wanted) }

func runDescope(ctx context.Context, s *suite, given given) {
	var here, there door
	s.step("start", "the client opens", func() (err error) {
		if here, err = openDescope(s, given.Base, given.Apps.A); err == nil {
			there, err = openDescope(s, given.Base, given.Apps.B)
		}
		return err
	})
	if here.DescopeClient == nil || there.DescopeClient == nil {
		return
	}
	known := s.phone()
	s.step("login", "the code of a sign-up logs in, for the first time", func() error {
		if _, err := here.Auth.OTP().SignUp(ctx, descope.MethodSMS, known.number, &descope.User{Name: "Ada"}, nil); err != nil {
			return err
		}
		info, err := here.verify(ctx, known)
		if err != nil {
			return err
		}
		return want(info.FirstSeen && info.User.Name == "Ada" && info.User.VerifiedPhone, "the user is not as it was signed up")
	})
	s.step("login", "the code of a sign-in logs in", func() error {
		if _, err := here.Auth.OTP().SignIn(ctx, descope.MethodSMS, known.number, nil, nil); err != nil {
			return err
		}
		info, err := here.verify(ctx, known)
		if err != nil {
			return err
		}
		return want(!info.FirstSeen, "it is the first time again")
	})
	s.step("start", "who is known cannot sign up", func() error {
		_, err := here.Auth.OTP().SignUp(ctx, descope.MethodSMS, known.number, nil, nil)
		return is(err, descope.ErrUserAlreadyExists)
	})
	s.step("start", "who is unknown cannot sign in", func() error {
		_, err := here.Auth.OTP().SignIn(ctx, descope.MethodSMS, s.phone().number, nil, nil)
		return is(err, &descope.Error{Code: "E062108"})
	})
	s.step("wrong", "a wrong code, and too many", func() error {
		p := s.phone()
		if _, err := here.Auth.OTP().SignUpOrIn(ctx, descope.MethodSMS, p.number, nil); err != nil {
			return err
		}
		right, err := p.code()
		if err != nil {
			return err
		}
		for range 4 {
			_, err := here.Auth.OTP().VerifyCode(ctx, descope.MethodSMS, p.number, p.wrong(), nil)
			if err := is(err, descope.ErrInvalidOneTimeCode); err != nil {
				return err
			}
			if !descope.IsUnauthorizedError(err) {
				return errors.New("a wrong code is not unauthorized")
			}
		}
		_, _ = here.Auth.OTP().VerifyCode(ctx, descope.MethodSMS, p.number, p.wrong(), nil)
		_, err = here.Auth.OTP().VerifyCode(ctx, descope.MethodSMS, p.number, right, nil)
		return is(err, &descope.Error{Code: "E061103"})
	})
	s.step("used", "a used code is refused", func() error {
		p := s.phone()
		if _, err := here.enter(ctx, p); err != nil {
			return err
		}
		_, err := here.Auth.OTP().VerifyCode(ctx, descope.MethodSMS, p.number, p.last, nil)
		return want(descope.IsUnauthorizedError(err), "%v", err)
	})
	s.step("token", "a session validates with the key set of the box", func() error {
		info, err := here.enter(ctx, s.phone())
		if err != nil {
			return err
		}
		ok, token, err := here.Auth.ValidateSessionWithToken(ctx, info.SessionToken.JWT)
		if err != nil || !ok {
			return errors.Join(errors.New("it does not"), err)
		}
		return want(token.ID == info.User.UserID && token.ProjectID == given.Apps.A.Project, "it is somebody else's")
	})
	s.step("other", "a token of one app is none of another", func() error {
		info, err := there.enter(ctx, s.phone())
		if err != nil {
			return err
		}
		if ok, _, err := there.Auth.ValidateSessionWithToken(ctx, info.SessionToken.JWT); err != nil || !ok {
			return errors.Join(errors.New("its own app refuses it"), err)
		}
		ok, _, err := here.Auth.ValidateSessionWithToken(ctx, info.SessionToken.JWT)
		return want(!ok && err != nil, "it was accepted")
	})
	s.step("refresh", "a refresh, whose new tokens go to the cookies", func() error {
		info, err := here.enter(ctx, s.phone())
		if err != nil {
			return err
		}
		answer := httptest.NewRecorder()
		ok, token, err := here.Auth.RefreshSessionWithRequest(request(info), answer)
		if err != nil || !ok {
			return errors.Join(errors.New("it was refused"), err)
		}
		if ok, _, err := here.Auth.ValidateSessionWithToken(ctx, token.JWT); err != nil || !ok {
			return errors.Join(errors.New("the new session is none"), err)
		}
		for _, cookie := range answer.Result().Cookies() {
			if cookie.Name == descope.RefreshCookieName {
				return want(cookie.Value != info.RefreshToken.JWT, "the refresh token is the one of before")
			}
		}
		return errors.New("no cookie has the new refresh token")
	})
	s.step("logout", "a refresh token is over once it was logged out", func() error {
		info, err := here.enter(ctx, s.phone())
		if err != nil {
			return err
		}
		if err := here.Auth.Logout(request(info), httptest.NewRecorder()); err != nil {
			return err
		}
		_, _, err = here.Auth.RefreshSessionWithToken(ctx, info.RefreshToken.JWT)
		if err := is(err, descope.ErrTokenExpiredByLoggedOut); err != nil {
			return err
		}
		_, err = here.Auth.Me(request(info))
		return want(err != nil, "the token still stands for somebody")
	})
	s.step("limit", "the fourth send says how long to wait", func() error {
		p := s.phone()
		for range 3 {
			if _, err := here.Auth.OTP().SignUpOrIn(ctx, descope.MethodSMS, p.number, nil); err != nil {
				return err
			}
		}
		_, err := here.Auth.OTP().SignUpOrIn(ctx, descope.MethodSMS, p.number, nil)
		if err := is(err, descope.ErrRateLimitExceeded); err != nil {
			return err
		}
		var e *descope.Error
		errors.As(err, &e)
		wait, _ := e.Info[descope.ErrorInfoKeys.RateLimitExceededRetryAfter].(int)
		return want(wait > 0, "Retry-After is %v", e.Info)
	})
	s.step("more", "me", func() error {
		info, err := here.enter(ctx, s.phone())
		if err != nil {
			return err
		}
		me, err := here.Auth.Me(request(info))
		if err != nil {
			return err
		}
		return want(me.UserID == info.User.UserID, "it is somebody else")
	})
	s.step("more", "a call that is not there", func() error {
		_, err := here.Auth.MagicLink().SignIn(ctx, descope.MethodEmail, "anna@example.com", "https://shop.example", nil, nil)
		return is(err, &descope.Error{Code: "E011003"})
	})
	s.step("more", "another phone, once its code came back", func() error {
		from, to := s.phone(), s.phone()
		info, err := here.enter(ctx, from)
		if err != nil {
			return err
		}
		if _, err := here.Auth.OTP().UpdateUserPhone(ctx, descope.MethodSMS, from.number, to.number, nil, request(info)); err != nil {
			return err
		}
		code, err := to.code()
		if err != nil {
			return err
		}
		changed, err := here.Auth.OTP().VerifyCode(ctx, descope.MethodSMS, from.number, code, nil)
		if err != nil {
			return err
		}
		return want(changed.User.UserID == info.User.UserID && changed.User.Phone == to.number, "the phone is not the new one")
	})
	s.step("more", "a step-up of a session", func() error {
		p := s.phone()
		info, err := here.enter(ctx, p)
		if err != nil {
			return err
		}
		if _, err := here.Auth.OTP().SignIn(ctx, descope.MethodSMS, p.number, request(info), &descope.LoginOptions{Stepup: true}); err != nil {
			return err
		}
		raised, err := here.verify(ctx, p)
		if err != nil {
			return err
		}
		return want(raised.SessionToken.Claims["su"] == true, "the token does not say so")
	})
}
