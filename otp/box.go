package otp

import (
	"context"

	"github.com/rs/zerolog"
)

// Box is what the acting types share.
type Box struct {
	Store  Store
	Clock  *Clock
	Keys   *Keys
	Apps   *Apps
	Limits Limits
	// Numbers are the box's own phone numbers (E.164), by the name of the route
	// that receives what is sent to them.
	Numbers map[string]string
	// Metrics may be nil in tests.
	Metrics *Metrics
	Log     zerolog.Logger
	// Provers judge the captchas of the apps that ask for some, by app id.
	Provers map[string]Prover
	// NoCaptcha lists the doors whose wire format has no place for the solution
	// of a captcha: nobody is asked for one there.
	NoCaptcha []string
	// Low tells whether the disk is below its soft mark, where nothing new is
	// begun; nil: never.
	Low func() bool
	// Events is the queue of what apps are to be told; nil: they are told
	// nothing.
	Events *Events
	// Chart and Feed show the operator what goes on; nil in tests that do not
	// look.
	Chart *Chart
	Feed  *Feed
}

// Open prepares the store: it anchors the clock to where the box has been and
// makes sure of an epoch. lost says that rows may be missing, and then, or with
// another box key, every live code dies and every operator is signed out, for a
// sign-out may be among them. It reports whether that happened.
func (b *Box) Open(ctx context.Context, lost bool) (replaced bool, err error) {
	err = b.Store.Update(ctx, func(tx Tx) error {
		if err := b.Clock.Restore(tx); err != nil {
			return err
		}
		var err error
		if replaced, err = b.Keys.Open(tx, lost); err == nil && replaced {
			err = endSignIns(tx)
		}
		return err
	})
	return replaced, err
}

// Beat proves that the store still writes, by writing the clock mark: the
// watchdog's pulse.
func (b *Box) Beat(ctx context.Context) error {
	return b.Store.Update(ctx, func(tx Tx) error {
		b.Clock.mark(tx, b.Clock.Now())
		return nil
	})
}

func (b *Box) low() bool { return b.Low != nil && b.Low() }
