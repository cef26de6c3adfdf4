package otp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"time"
)

// The life of an exchange code, how many wrong verifiers it bears, and the
// length of a verifier (N17).
const (
	exchangeLife             = 60 * time.Second
	maxVerifiers             = 3
	minVerifier, maxVerifier = 43, 128
)

// exchangeRow is what a one-time code stands for. It outlives its use: a
// second one must find the session that the first one opened.
type exchangeRow struct {
	_ struct{} `cbor:",toarray"`

	App, Door string
	User      ID
	Era       uint32
	First     bool
	Claims    []byte
	Challenge string
	Redirect  string // "" for a code that was handed to no place

	Expires Time
	Wrong   uint8 // verifiers or redirects
	Session ID    // zero until it is used
	Used    Time
}

func exchangeKey(code string) Key {
	sum := sha256.Sum256([]byte(code))
	return Key{KindExchange, string(sum[:])}
}

// openExchange makes the code that stands for a session of u until it is
// redeemed. Only its digest is stored.
func openExchange(tx Tx, c Caller, u *User, w *Wish, first bool, now Time) string {
	var random [32]byte
	rand.Read(random[:])
	code := base64.RawURLEncoding.EncodeToString(random[:])
	row := exchangeRow{
		App: u.App, Door: c.Door, User: u.ID, Era: u.Era, First: first, Claims: w.Claims, Challenge: w.Challenge, Redirect: w.Redirect,
		Expires: now.Add(exchangeLife),
	}
	save(tx, exchangeKey(code), row, row.Expires)
	return code
}

// live tells whether the code may still be redeemed. One with more than its
// life left is of a time that an accepted step back of the clock has undone.
func (row *exchangeRow) live(now Time) bool {
	return row.Wrong < maxVerifiers && now < row.Expires && row.Expires.Sub(now) <= exchangeLife+clockSlack
}

// Exchange redeems the one-time code of a verification with a PKCE challenge:
// once, within 60 s, with the verifier (43 to 128 of A-Z a-z 0-9 - . _ ~) whose
// SHA-256 the challenge is, and with the [Wish].Redirect that it was handed to,
// "" for none. Three wrong verifiers or redirects burn the code; a use more than
// ten seconds after the first ends the session that the first one opened. All
// refusals are [CodeUnknown].
func (d *Directory) Exchange(ctx context.Context, c Caller, code, verifier, redirect string) (Grant, error) {
	key, challenge := exchangeKey(code), challengeOf(verifier)
	var g Grant
	done := false
	err := d.box.Store.Update(ctx, func(tx Tx) error {
		now := d.box.Clock.Now()
		var row exchangeRow
		found, err := load(tx, key, &row)
		if err != nil || !found || row.App != c.App.ID || row.Door != c.Door {
			return err
		}
		if !row.Session.IsZero() {
			// A client that asks twice at once has not lost its code.
			if now.Sub(row.Used) > refreshGrace {
				tx.Delete(sessionKey(row.Session))
				d.box.Clock.Mark(tx)
			}
			return nil
		}
		if !row.live(now) {
			return nil
		}
		if subtle.ConstantTimeCompare([]byte(challenge), []byte(row.Challenge)) != 1 || redirect != row.Redirect {
			row.Wrong++
			save(tx, key, row, row.Expires)
			d.box.Clock.Mark(tx)
			return nil
		}
		u, found, err := loadUser(tx, row.App, row.User)
		if err != nil || !found || u.Disabled || u.Era != row.Era {
			return err
		}
		s := openSession(tx, c, &u, row.Claims, now)
		row.Session, row.Used = s.ID, now
		save(tx, key, row, s.Expires)
		d.box.Clock.Mark(tx)
		g, done = Grant{User: u, Session: s, First: row.First}, true
		return nil
	})
	switch {
	case err != nil:
		return Grant{}, err
	case !done:
		return Grant{}, refuse(CodeUnknown, wrongCode)
	}
	return g, nil
}

// challengeOf returns the S256 challenge of a verifier; what cannot be one has
// a challenge that fits none.
func challengeOf(verifier string) string {
	const charset = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	if len(verifier) < minVerifier || len(verifier) > maxVerifier || strings.Trim(verifier, charset) != "" {
		return ""
	}
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
