// Package token makes and reads what a session is shown by: access tokens
// (signed JWTs), refresh tokens, and the key sets that let others check them.
// Whether a session lives is decided in otp; this room knows formats and keys.
//
// Doors call [Mint.Issue] once an approval was written, [Mint.Bearer] for each
// call that comes with an access token, and [Mint.Refresh] for a new pair.
// Nothing of a token, good or forged, stands in an error or in the log.
package token

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/pinferry/pinferry/otp"
	"github.com/rs/zerolog"
)

// Sessions is what the mint asks of [otp.Directory].
type Sessions interface {
	Session(ctx context.Context, c otp.Caller, family otp.ID) (otp.Grant, error)
	Refresh(ctx context.Context, c otp.Caller, t otp.RefreshToken) (otp.Grant, error)
	Revoke(ctx context.Context, c otp.Caller, family otp.ID) error
}

var _ Sessions = (*otp.Directory)(nil)

// Config is what a mint is made of. Nothing may be missing but Needs, Build and
// Log.
type Config struct {
	// Dir is the folder of the signing keys. It is made if it is not there.
	Dir string
	// Apps are the apps of the box. Those without sessions get no keys.
	Apps []*otp.App
	// Needs returns the algorithms that the open doors of an app with sessions
	// ask for beside ES256; nil: none does.
	Needs    func(*otp.App) []Algorithm
	Sessions Sessions
	// Seal is [otp.Keys.Seal].
	Seal func(label string, parts ...[]byte) [32]byte
	Now  func() otp.Time
	// Build is the date of this build: at an earlier box time no token is made.
	Build otp.Time
	Log   zerolog.Logger
}

// Mint makes and reads tokens. Its methods may be called from any goroutine: no
// field changes once it is open.
type Mint struct {
	sessions Sessions
	seal     func(label string, parts ...[]byte) [32]byte
	now      func() otp.Time
	build    otp.Time
	rings    map[string]ring   // by the app's id
	owners   map[string]string // the app's id, by its id and aliases
	parser   *jwt.Parser
}

// Open reads the signing keys of the apps and makes those that are missing. A
// key file that others may read, or that does not hold what its name says, is
// an error that names it.
func Open(config Config) (*Mint, error) {
	if config.Dir == "" || config.Sessions == nil || config.Seal == nil || config.Now == nil {
		return nil, errors.New("open the mint: Dir, Sessions, Seal and Now are needed")
	}
	m := &Mint{
		sessions: config.Sessions, seal: config.Seal, now: config.Now, build: config.Build,
		rings: map[string]ring{}, owners: map[string]string{},
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{string(ES256), string(RS256)}),
			jwt.WithStrictDecoding(), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
			jwt.WithLeeway(leeway), jwt.WithTimeFunc(func() time.Time { return config.Now().Std() }),
		),
	}
	keys := folder(config.Dir)
	for _, app := range config.Apps {
		for _, name := range append([]string{app.ID}, app.Aliases...) {
			m.owners[name] = app.ID
		}
		held, err := keys.ring(app.ID)
		if err != nil {
			return nil, fmt.Errorf("open signing keys: %w", err)
		}
		m.rings[app.ID] = held
		for _, a := range algorithms(app, config.Needs) {
			if len(held[a]) > 0 {
				continue
			}
			p, err := keys.add(app.ID, a, 1)
			if err != nil {
				return nil, fmt.Errorf("make a signing key: %w", err)
			}
			held[a] = []*pair{p}
			config.Log.Info().Str("app", app.ID).Str("algorithm", string(a)).Str("kid", p.kid).Msg("made a signing key")
		}
	}
	return m, nil
}

// algorithms returns what an app needs a key for; one may stand there twice.
func algorithms(app *otp.App, needs func(*otp.App) []Algorithm) []Algorithm {
	if !app.Sessions {
		return nil
	}
	all := []Algorithm{ES256}
	if needs != nil {
		all = append(all, needs(app)...)
	}
	return all
}

// Bearer reads an access token of the caller's app and door, and the session it
// stands for, which must live at this moment. All refusals are
// [otp.Unauthorized].
func (m *Mint) Bearer(ctx context.Context, c otp.Caller, access string) (otp.Grant, error) {
	claims, err := m.read(c, access)
	if err != nil {
		return otp.Grant{}, err
	}
	if claims.Counter != nil { // a refresh token
		return otp.Grant{}, errRefused
	}
	return m.sessions.Session(ctx, c, claims.family)
}

// Show reads a refresh token without using it up, as Descope's calls do that
// are made in the name of a session. It must be the token of the session's
// present counter, or for ten seconds its parent.
func (m *Mint) Show(ctx context.Context, c otp.Caller, refresh string) (otp.Grant, error) {
	t, err := m.readRefresh(c, refresh)
	if err != nil {
		return otp.Grant{}, err
	}
	g, err := m.sessions.Session(ctx, c, t.Family)
	if err != nil {
		return otp.Grant{}, err
	}
	parent := t.Counter+1 == g.Session.Counter && m.now().Sub(g.Session.Rotated) < grace
	if t.Counter != g.Session.Counter && !parent {
		return otp.Grant{}, errRefused
	}
	return g, nil
}

// Refresh turns a refresh token into its successor. form is asked once the
// session is known. All refusals are [otp.Unauthorized], with the cause
// [otp.ErrReused] where a used token has ended its session.
func (m *Mint) Refresh(ctx context.Context, c otp.Caller, refresh string, form func(*otp.Grant) Form) (Set, otp.Grant, error) {
	// Before the counter is raised: a client that got no successor would be left
	// with a token that is used up.
	if err := m.checkClock(); err != nil {
		return Set{}, otp.Grant{}, err
	}
	t, err := m.readRefresh(c, refresh)
	if err != nil {
		return Set{}, otp.Grant{}, err
	}
	g, err := m.sessions.Refresh(ctx, c, t)
	if err != nil {
		return Set{}, otp.Grant{}, err
	}
	set, err := m.Issue(&g, form(&g))
	return set, g, err
}

// Revoke ends the session of a refresh token. A token that is none of ours is
// [otp.Unauthorized]; one whose session has ended is no error.
func (m *Mint) Revoke(ctx context.Context, c otp.Caller, refresh string) error {
	t, err := m.readRefresh(c, refresh)
	if err == errExpired {
		return nil
	}
	if err != nil {
		return err
	}
	return m.sessions.Revoke(ctx, c, t.Family)
}

// KeySet returns the public keys of an app for an algorithm, retired ones that
// may still have live tokens included, the newest first. It is never null in
// JSON.
func (m *Mint) KeySet(app *otp.App, algorithms ...Algorithm) KeySet {
	return m.rings[app.ID].public(algorithms)
}

// checkClock refuses to date a token by a clock that is known to be wrong.
func (m *Mint) checkClock() error {
	if m.now() >= m.build {
		return nil
	}
	return &otp.Error{
		Code:   otp.Internal,
		Detail: "The box does not know the time, so it gives out no tokens. Its operator can set that right with pinferry clock.",
		Err:    errors.New("the clock is behind the build date"),
	}
}

// What is told of a token that is not accepted, whatever the reason. The two
// are apart for [Mint.Revoke] alone.
var (
	errRefused = refused()
	errExpired = refused()
)

func refused() error {
	return &otp.Error{Code: otp.Unauthorized, Detail: "The token is not valid here, or not any more. A new login gives a good one."}
}
