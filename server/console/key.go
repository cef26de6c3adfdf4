package console

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pinferry/pinferry/server/token"
)

// KeyNew makes the keys by which an app's pages and servers call the box, and
// shows them once. line is that of the config file which lets them in.
func KeyNew(in *Invocation, line func(app string, keys ...string) (string, error)) error {
	in.WithJSON()
	if err := in.Parse(); err != nil {
		return err
	}
	app := in.Operands[0]
	publishable, secret := "pk_"+strings.ToLower(rand.Text()), "sk_"+strings.ToLower(rand.Text())
	config, err := line(app, publishable, secret)
	if err != nil {
		return Fail(Usage, "key new: %w", err)
	}
	words := fmt.Sprintf("Keys for app %q. They are shown this once; the box keeps their digests only.\n\n"+
		"  %s  for browsers and apps\n  %s  for your servers: keep it secret\n\n"+
		"Put this line under its [[app]] in the config file, or add the digests to those that are there:\n\n%s", app, publishable, secret, config)
	return in.Show(struct {
		App         string `json:"app"`
		Publishable string `json:"publishable"`
		Secret      string `json:"secret"`
		Config      string `json:"config"`
	}{app, publishable, secret, config}, words)
}

// Signer is where the keys lie that sign the tokens of an app.
type Signer struct {
	App string // its id
	Dir string // of the keys
	// Algorithms are those that the doors of the app sign with.
	Algorithms []token.Algorithm
}

// KeyRotate makes the next key that signs the tokens of an app, which find looks
// up by its id. It does so beside a box that runs, too: that reads its keys when
// it starts.
func KeyRotate(in *Invocation, find func(app string) (Signer, error)) error {
	in.WithJSON()
	name := in.String("alg", "es256", "es256, or rs256 for doors whose clients know no other")
	if err := in.Parse(); err != nil {
		return err
	}
	algorithm := token.Algorithm(strings.ToUpper(*name))
	if algorithm != token.ES256 && algorithm != token.RS256 {
		return Fail(Usage, "--alg %q: say es256 or rs256", *name)
	}
	s, err := find(in.Operands[0])
	if err != nil {
		return err
	}
	if !slices.Contains(s.Algorithms, algorithm) {
		return Fail(Usage, "key rotate: no token of app %q is signed by %s", s.App, algorithm)
	}
	kid, err := token.Rotate(s.Dir, s.App, algorithm)
	if errors.Is(err, token.ErrOwner) {
		return Fail(Refused, "%w", err)
	} else if err != nil {
		return err
	}
	return in.Show(struct {
		App       string          `json:"app"`
		Algorithm token.Algorithm `json:"algorithm"`
		Kid       string          `json:"kid"`
	}{s.App, algorithm, kid}, fmt.Sprintf("Key %s signs the tokens of app %q (%s) from the next start of the box.\n"+
		"The old key stays published, so that the tokens which it signed stay valid to their end.", kid, s.App, algorithm))
}
