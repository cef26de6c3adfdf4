package otp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"time"
)

// The life of an operator's sign-in (N26).
const (
	SignInIdle = 30 * time.Minute
	SignInLife = 12 * time.Hour // absolute
)

// seenEvery is how often the use of a sign-in is written.
const seenEvery = time.Minute

// SignIn is one sign-in of an operator. Its secret is with the browser alone.
type SignIn struct {
	From    string // the address it was made from
	Created Time
	Seen    Time // the last use, give or take a minute
	Expires Time // absolute
	Current bool // the one that asks
}

// IdleExpires is when the sign-in ends if it is not used.
func (s *SignIn) IdleExpires() Time { return min(s.Seen.Add(SignInIdle), s.Expires) }

// signInRow is a [SignIn] as it is kept.
type signInRow struct {
	_                      struct{} `cbor:",toarray"`
	From                   string
	Created, Seen, Expires Time
	Era                    uint32
}

func (r *signInRow) signIn() SignIn {
	return SignIn{From: r.From, Created: r.Created, Seen: r.Seen, Expires: r.Expires}
}

// signInKey is where the sign-in of a secret stands: the store has its digest
// alone.
func signInKey(token string) Key {
	d := sha256.Sum256([]byte(token))
	return Key{KindSignIn, string(d[:])}
}

func saveSignIn(tx Tx, k Key, r *signInRow) { save(tx, k, r, r.Expires) }

// live tells whether the sign-in is good now. One that was used later than now
// is of a time that an accepted step back of the clock has undone.
func (r *signInRow) live(row *accountRow, now Time) bool {
	return row.Hash != "" && r.Era == row.Era && now < r.Expires && now < r.Seen.Add(SignInIdle) && r.Seen.Sub(now) <= clockSlack
}

// signIn opens a sign-in and notes it in the audit trail.
func (p *Operators) signIn(tx Tx, row *accountRow, from netip.Addr, action string) (token string, err error) {
	var secret [32]byte
	rand.Read(secret[:])
	token = base64.RawURLEncoding.EncodeToString(secret[:])
	now, by := p.box.Clock.Now(), OperatorAt(from)
	saveSignIn(tx, signInKey(token), &signInRow{From: by.From, Created: now, Seen: now, Expires: now.Add(SignInLife), Era: row.Era})
	p.box.Clock.Mark(tx)
	return token, p.box.audit(tx, by, action, "")
}

// carryOver takes the sign-in of token along from the era before, if it has not
// ended by then.
func carryOver(tx Tx, token string, era uint32) error {
	k := signInKey(token)
	var r signInRow
	found, err := load(tx, k, &r)
	if err == nil && found && r.Era == era-1 {
		r.Era = era
		saveSignIn(tx, k, &r)
	}
	return err
}

// Login is what an operator signs in with.
type Login struct {
	Password string
	// Verification and Code are the second factor; the zero ID asks for a code if
	// the account has one.
	Verification ID
	Code         string
}

// SignIn opens a sign-in and returns its secret, or, for an account with a
// second factor and a login without one, the verification of the code that was
// sent. Refusals: [Unauthorized], [LimitAddress], the code_ refusals, and what
// keeps the code from being sent.
func (p *Operators) SignIn(ctx context.Context, from netip.Addr, l Login) (token string, sent *Progress, err error) {
	row, spare, err := p.prove(ctx, from, l.Password)
	if err != nil {
		return "", nil, err
	}
	if row.Phone.Kind == Phone {
		if l.Verification.IsZero() {
			// The password was right, whether or not the code can be sent.
			if err := p.giveBack(ctx, spare); err != nil {
				return "", nil, err
			}
			sent, err = p.sendCode(ctx, row.Phone.E164())
			return "", sent, err
		}
		to, err := p.checkCode(ctx, l.Verification, l.Code, row.Phone.Key)
		if err != nil {
			return "", nil, err
		}
		row.Phone = to
	}
	stale := false
	err = p.box.Store.Update(ctx, func(tx Tx) error {
		var present accountRow
		if _, err := load(tx, accountKey, &present); err != nil {
			return err
		}
		// It may have been changed, or reset, while the password was compared.
		if stale = present.Hash != row.Hash || present.Phone.Key != row.Phone.Key; stale {
			return nil
		}
		spare(tx)
		token, err = p.signIn(tx, &present, from, "operator.login")
		return err
	})
	if err == nil && stale {
		return "", nil, changedMeanwhile()
	}
	return token, nil, err
}

func changedMeanwhile() *Error {
	return refuse(Unauthorized, "The password was changed meanwhile. Sign in again.")
}

// Present reads the sign-in of a secret; use keeps it from ending idle. It is
// [Unauthorized] when there is none or it has ended.
func (p *Operators) Present(ctx context.Context, token string, use bool) (s SignIn, err error) {
	k := signInKey(token)
	now := p.box.Clock.Now()
	var row signInRow
	live := false
	read := func(tx Tx) error {
		var account accountRow
		row, live = signInRow{}, false
		found, err := load(tx, k, &row)
		if err != nil || !found {
			return err
		}
		if _, err := load(tx, accountKey, &account); err != nil {
			return err
		}
		live, s = row.live(&account, now), row.signIn()
		return nil
	}
	if err = p.box.Store.View(ctx, read); err != nil {
		return s, err
	}
	if live && use && now.Sub(s.Seen) >= seenEvery {
		err = p.box.Store.Update(ctx, func(tx Tx) error {
			if err := read(tx); err != nil || !live {
				return err // it has ended meanwhile
			}
			row.Seen, s.Seen = now, now
			saveSignIn(tx, k, &row)
			return nil
		})
		if err != nil && AsError(err).Code == StorageLow {
			err = nil // who looks for what fills the disk must not be kept from it
		}
	}
	s.Current = true
	if err == nil && !live {
		err = refuse(Unauthorized, "You are not signed in, or your session has ended. Sign in again.")
	}
	return s, err
}

// SignOut ends the sign-in of a secret.
func (p *Operators) SignOut(ctx context.Context, by Actor, token string) error {
	return p.box.Store.Update(ctx, func(tx Tx) error {
		tx.Delete(signInKey(token))
		return p.box.audit(tx, by, "operator.logout", "")
	})
}

// SignOutAll ends every sign-in.
func (p *Operators) SignOutAll(ctx context.Context, by Actor) error {
	return p.change(ctx, by, "", "operator.logout_all", "", func(_ Tx, row *accountRow) error {
		row.Era++
		return nil
	})
}

// endSignIns ends every sign-in while the box begins.
func endSignIns(tx Tx) error {
	var row accountRow
	found, err := load(tx, accountKey, &row)
	if err == nil && found {
		row.Era++
		save(tx, accountKey, row, 0)
	}
	return err
}

// SignIns lists the sign-ins that live. token is the one that asks.
func (p *Operators) SignIns(ctx context.Context, token string) (all []SignIn, err error) {
	own, now := signInKey(token), p.box.Clock.Now()
	err = p.box.Store.View(ctx, func(tx Tx) error {
		var account accountRow
		if _, err := load(tx, accountKey, &account); err != nil {
			return err
		}
		return tx.Scan(Key{Kind: KindSignIn}, Key{}, 0, func(k Key, row []byte) bool {
			var r signInRow
			if decodeRecord(row, &r) == nil && r.live(&account, now) { // one that cannot be read is none
				s := r.signIn()
				s.Current = k == own
				all = append(all, s)
			}
			return true
		})
	})
	return all, err
}
