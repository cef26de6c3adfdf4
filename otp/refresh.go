package otp

import (
	"context"
	"errors"
)

// ErrReused is the cause of the refusal by which a used refresh token ended its
// family. What the refusal tells is the same as ever, and who has such a token
// once had a good one: a door whose vendor has a word for it may say so.
var ErrReused = errors.New("the refresh token was used before")

// Session reads a live session and its user: what an access token, or a refresh
// token that is only shown, must stand for. One that was logged out, belongs to
// a disabled user or to another door is [Unauthorized].
func (d *Directory) Session(ctx context.Context, c Caller, family ID) (Grant, error) {
	var s Session
	var u User
	var live bool
	err := d.box.Store.View(ctx, func(tx Tx) (err error) {
		s, u, live, err = liveSession(tx, c, family, d.box.Clock.Now())
		return err
	})
	switch {
	case err != nil:
		return Grant{}, err
	case !live:
		return Grant{}, noSession()
	}
	return Grant{User: u, Session: &s}, nil
}

// Refresh raises the counter of a family. The parent of the present token gets
// the same successor for ten seconds, without a write; any other earlier token,
// and one of the future, ends the family. All refusals are [Unauthorized]: a
// token at another app or door, too, which ends nothing. That of an earlier
// token has the cause [ErrReused].
func (d *Directory) Refresh(ctx context.Context, c Caller, t RefreshToken) (Grant, error) {
	var s Session
	var u User
	var live, reused bool
	err := d.box.Store.Update(ctx, func(tx Tx) (err error) {
		now := d.box.Clock.Now()
		if s, u, live, err = liveSession(tx, c, t.Family, now); err != nil || !live {
			return err
		}
		switch {
		case t.Counter == s.Counter:
			s.Counter++
			s.Rotated = now
			saveSession(tx, &s)
		case s.Counter > 0 && t.Counter == s.Counter-1 && now.Sub(s.Rotated) < refreshGrace:
			return nil // an answer was lost, or two pages asked at once
		default:
			live, reused = false, t.Counter < s.Counter
			tx.Delete(sessionKey(s.ID))
		}
		d.box.Clock.Mark(tx)
		return nil
	})
	switch {
	case err != nil:
		return Grant{}, err
	case reused:
		refusal := noSession()
		refusal.Err = ErrReused
		return Grant{}, refusal
	case !live:
		return Grant{}, noSession()
	}
	return Grant{User: u, Session: &s}, nil
}

// Revoke ends a family of the caller's app and door; one that has ended already
// is no error.
func (d *Directory) Revoke(ctx context.Context, c Caller, family ID) error {
	return d.box.Store.Update(ctx, func(tx Tx) error {
		_, found, err := loadSession(tx, c, family)
		if err != nil || !found {
			return err
		}
		tx.Delete(sessionKey(family))
		d.box.Clock.Mark(tx)
		return nil
	})
}

// RevokeAll ends all sessions of a user, at every door, but one; a zero ID
// spares none. An unknown user is [NotRegistered].
func (d *Directory) RevokeAll(ctx context.Context, c Caller, user, except ID) error {
	_, err := d.update(ctx, c, user, func(tx Tx, u *User, now Time) error {
		var spared Session
		found, err := load(tx, sessionKey(except), &spared)
		if err != nil {
			return err
		}
		// One that is dead already must not come to life again.
		spare := found && spared.App == u.App && spared.User == u.ID && spared.Era == u.Era
		u.Era++
		if spare {
			spared.Era = u.Era
			saveSession(tx, &spared)
		}
		return d.box.audit(tx, c.By, "user.sign_out", "usr_"+u.ID.String())
	})
	return err
}
