// Package captcha is the box's own captcha: a proof of work by the protocol of
// ALTCHA, version 1, which needs no network and no secure context. It hands out
// challenges and the program that solves them in a page, and judges solutions.
// When one is needed, and that each is good once, is decided in otp.
package captcha

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	altcha "github.com/altcha-org/altcha-lib-go"

	"github.com/pinferry/pinferry/otp"
)

// Life is how long a challenge may be solved for. It is short: solutions that
// are worked out ahead are what a flood is made of.
const Life = 5 * time.Minute

// The bounds of the work that a challenge asks for: the largest number that a
// solver has to try. A phone tries some hundred thousand in a second, and finds
// the right one half-way on average.
const (
	DefaultWork      = 100_000
	MinWork, MaxWork = 1_000, 10_000_000
)

// harder is how many times the work grows while the limits run hot.
const harder = 4

// Altcha makes challenges and judges their solutions. It keeps nothing: a
// challenge carries the seal of the box. It may be used from any goroutine.
type Altcha struct {
	seal func(label string, parts ...[]byte) [32]byte
	now  func() otp.Time
}

var _ otp.Prover = (*Altcha)(nil)

// NewAltcha returns the maker over the box's seals ([otp.Keys.Seal]) and box
// time.
func NewAltcha(seal func(label string, parts ...[]byte) [32]byte, now func() otp.Time) *Altcha {
	return &Altcha{seal: seal, now: now}
}

// key is what signs the challenges of an app: those of another are forged ones.
func (a *Altcha) key(app *otp.App) string {
	sum := a.seal("pinferry captcha v1", []byte(app.ID))
	return hex.EncodeToString(sum[:])
}

// Challenge returns a fresh challenge for a page of app, which has a solution
// among the numbers from 0 to work, and when it is too old to be solved.
func (a *Altcha) Challenge(app *otp.App, work int) (altcha.Challenge, otp.Time, error) {
	expires := a.now().Add(Life).Std().Truncate(time.Second) // the protocol knows no parts of one
	c, err := altcha.CreateChallenge(altcha.ChallengeOptions{
		Algorithm: altcha.SHA256, MaxNumber: int64(work), HMACKey: a.key(app), Expires: &expires,
	})
	if err != nil {
		return c, 0, fmt.Errorf("make a challenge: %w", err)
	}
	return c, otp.TimeOf(expires), nil
}

// Prove judges the solution of a challenge of the caller's app.
func (a *Altcha) Prove(_ context.Context, c otp.Caller, solution string) (otp.Proof, error) {
	p, err := parse(solution)
	if err != nil {
		return otp.Proof{}, refused("The captcha's solution cannot be read: send what the solver of /captcha.js returns, as it is.", err)
	}
	// Not the library's own check of the age: it goes by the wall clock.
	good, err := altcha.VerifySolutionSafe(p, a.key(c.App), false)
	if err != nil || !good {
		return otp.Proof{}, refused("The captcha's solution is wrong, or that of another app's captcha.", err)
	}
	expires, err := strconv.ParseInt(altcha.ExtractParams(p).Get("expires"), 10, 64)
	if err != nil {
		return otp.Proof{}, refused("The captcha's solution is wrong.", err)
	}
	until := otp.TimeOf(time.Unix(expires, 0))
	if left := until.Sub(a.now()); left <= 0 || left > Life {
		return otp.Proof{}, refused("The captcha is too old. Solve a new one: GET /v1/captcha has one.", nil)
	}
	// The salt can be spelt in two ways, the challenge in one.
	return otp.Proof{ID: sha256.Sum256([]byte("altcha " + p.Challenge)), Until: until}, nil
}

func refused(detail string, err error) error {
	return &otp.Error{Code: otp.CaptchaRequired, Detail: detail, Err: err}
}
