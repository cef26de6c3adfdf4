package otp

import "time"

// The lives of a session (N15, N16).
const (
	AccessLife   = 15 * time.Minute
	RefreshLife  = 30 * 24 * time.Hour // absolute
	refreshIdle  = 7 * 24 * time.Hour
	refreshGrace = 10 * time.Second // in which the parent of a refresh token gets the same successor
)

// Session is a family of refresh tokens: each use raises the counter, and
// only the token of the present counter is good. The tokens themselves are
// never stored; server/token makes them from the family and the counter.
type Session struct {
	_ struct{} `cbor:",toarray"`

	ID   ID // of the family
	App  string
	User ID
	Door string // where it was opened; it is good there only
	// As is the id or alias by which the app was addressed when the session was
	// opened: what its tokens name as issuer and audience.
	As      string
	Counter uint32
	// Era is the user's era that the session belongs to.
	Era uint32

	Created Time
	Rotated Time // when the counter was raised last
	Expires Time // absolute
	// StepUp is when the user proved the number once more within the session, 0
	// for never.
	StepUp Time
	// Claims is a JSON object of the client's own, or nil. It stands under one
	// namespaced claim of the access token and nowhere else.
	Claims []byte
}

// Grant is what an approval, a refresh or an exchange gives.
type Grant struct {
	User User
	// Session is nil where none is opened: for purpose verify, for an app
	// without sessions, and for a verification with a PKCE challenge.
	Session *Session
	// First is true at the user's first login.
	First bool
	// Exchange is the one-time code that a verification with a PKCE challenge
	// gives in place of a session, 32 bytes in base64url.
	Exchange string
}

// RefreshToken names one token of a family; server/token reads it from what the
// client sent, once its seal was found good.
type RefreshToken struct {
	Family  ID
	Counter uint32
}

func sessionKey(family ID) Key { return Key{KindSession, family.key()} }

func saveSession(tx Tx, s *Session) {
	save(tx, sessionKey(s.ID), s, min(s.Expires, s.Rotated.Add(refreshIdle)))
}

// openSession begins a family for a user at the caller's door.
func openSession(tx Tx, c Caller, u *User, claims []byte, now Time) *Session {
	s := Session{
		ID: NewID(), App: u.App, User: u.ID, Door: c.Door, As: c.As, Era: u.Era,
		Created: now, Rotated: now, Expires: now.Add(RefreshLife), Claims: claims,
	}
	if s.As == "" {
		s.As = u.App
	}
	saveSession(tx, &s)
	return &s
}

// loadSession reads a session of the caller's app and door. Another's is as
// unknown as none.
func loadSession(tx Tx, c Caller, family ID) (s Session, found bool, err error) {
	found, err = load(tx, sessionKey(family), &s)
	return s, found && s.App == c.App.ID && s.Door == c.Door, err
}

// liveSession reads a session of the caller's app and door that has not ended,
// and its user.
func liveSession(tx Tx, c Caller, family ID, now Time) (s Session, u User, live bool, err error) {
	s, found, err := loadSession(tx, c, family)
	if err != nil || !found || !s.within(now) {
		return s, u, false, err
	}
	u, found, err = loadUser(tx, s.App, s.User)
	return s, u, found && !u.Disabled && u.Era == s.Era, err
}

// within tells whether now lies in the life of the session. One that was used
// later than now is of a time that an accepted step back of the clock has
// undone.
func (s *Session) within(now Time) bool {
	return now < s.Expires && now < s.Rotated.Add(refreshIdle) && s.Rotated.Sub(now) <= clockSlack
}

func noSession() *Error {
	return refuse(Unauthorized, "There is no such session, or it has ended. Log in again.")
}
