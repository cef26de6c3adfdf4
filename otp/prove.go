package otp

import (
	"context"
	"errors"
	"net/netip"
	"time"
	"unicode/utf8"
)

// The bounds of the administrator's password, in bytes.
const (
	minPassword = 12
	maxPassword = 256
)

// triesOperator counts wrong secrets, passwords and codes of one address (N26).
var triesOperator = []Rule{{5, 15 * time.Minute}}

// triesOperatorSite counts those of one IPv6 /48 together: who has one has 65,536
// sources, and could keep the box comparing passwords for ever.
var triesOperatorSite = []Rule{{20, 15 * time.Minute}}

// operatorQuotas are what a try from an address is counted against.
func operatorQuotas(from netip.Addr) []quota {
	all := []quota{{class: operatorAddress, subject: source(from), rules: triesOperator}}
	if from.Unmap().Is6() {
		all = append(all, quota{class: operatorAddress, subject: coarseMark + coarseSource(from), rules: triesOperatorSite})
	}
	return all
}

// checkPassword refuses a password that can be guessed by its length alone.
func checkPassword(password string) *Error {
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return refuse(InvalidRequest, "The password must have at least 12 characters. A sentence of a few words is good.")
	case len(password) > maxPassword || !utf8.ValidString(password):
		return refuse(InvalidRequest, "The password may have at most 256 bytes of UTF-8.")
	}
	return nil
}

// charge counts a try against the address before it is evaluated, so that many
// at once are not more than the rule allows. spare takes it back, in the closure
// of what the right answer was for.
func (p *Operators) charge(ctx context.Context, from netip.Addr) (spare func(Tx), err error) {
	var wait time.Duration
	err = p.box.Store.Update(ctx, func(tx Tx) error {
		l, charged := &ledger{tx: tx, now: p.box.Clock.Now(), mends: true}, operatorQuotas(from)
		if _, wait = l.first(charged); wait > 0 {
			return l.err
		}
		for i := range charged {
			l.add(&charged[i])
		}
		return l.err
	})
	switch {
	case err != nil:
		return nil, err
	case wait > 0:
		return nil, refuseFor(LimitAddress, wait, "Too many wrong tries from this address. Wait as long as Retry-After says.")
	}
	return func(tx Tx) {
		l, charged := &ledger{tx: tx, now: p.box.Clock.Now()}, operatorQuotas(from)
		for i := range charged {
			l.takeBack(&charged[i])
		}
	}, nil
}

// giveBack takes a try back at once.
func (p *Operators) giveBack(ctx context.Context, spare func(Tx)) error {
	return p.box.Store.Update(ctx, func(tx Tx) error { spare(tx); return nil })
}

// prove evaluates the password. spare takes the try back; who does not call it
// leaves it counted. A try that was not evaluated is not counted.
func (p *Operators) prove(ctx context.Context, from netip.Addr, password string) (row accountRow, spare func(Tx), err error) {
	if row, err = p.account(ctx); err != nil {
		return row, nil, err
	}
	if row.Hash == "" {
		return row, nil, refuse(Conflict, "No password is set yet. Set one with the setup secret; `pinferry admin setup` shows it.")
	}
	if spare, err = p.charge(ctx, from); err != nil {
		return row, nil, err
	}
	right := len(password) <= maxPassword
	if right {
		if right, err = p.passwords.Match(ctx, row.Hash, password); err != nil {
			return row, nil, errors.Join(err, p.giveBack(context.WithoutCancel(ctx), spare))
		}
	}
	if !right {
		p.warn(from)
		return row, nil, refuse(Unauthorized, "That is not the password.")
	}
	return row, spare, nil
}

// warn shows that somebody tried to get in.
func (p *Operators) warn(from netip.Addr) {
	p.box.Feed.tell(Notice{At: p.box.Clock.Now(), Type: "operator.refused", Text: from.String()})
}

// Prove checks the password once more, before something that a stolen session
// must not do. Refusals: [Unauthorized] and [LimitAddress].
func (p *Operators) Prove(ctx context.Context, from netip.Addr, password string) error {
	_, spare, err := p.prove(ctx, from, password)
	if err != nil {
		return err
	}
	return p.giveBack(ctx, spare)
}
