package otp

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"net/netip"
	"strings"
	"sync"
)

// OperatorDoor is the door of the codes by which operators sign in: they are
// good at no other, and no code of another is good here.
const OperatorDoor = "admin"

// Passwords turns a password into what may be kept of it, and compares one with
// that. Both take long and much memory, on purpose, so they never run inside a
// closure.
type Passwords interface {
	Hash(ctx context.Context, password string) (string, error)
	Match(ctx context.Context, hash, password string) (bool, error)
}

// Operators are the people who run the box, of whom it knows one account. Who
// has the password of it, and its phone if one was set, may do everything. Its
// methods may be called from any goroutine.
type Operators struct {
	box           *Box
	verifications *Verifications
	passwords     Passwords
	app           string

	mu     sync.Mutex
	secret string // the setup secret, "" once the account is set up
}

// NewOperators returns the operators of a box. app names the app whose texts and
// countries their codes have; "" is the default app, or the only one.
func NewOperators(box *Box, v *Verifications, passwords Passwords, app string) *Operators {
	return &Operators{box: box, verifications: v, passwords: passwords, app: app}
}

// accountRow is the account.
type accountRow struct {
	_       struct{} `cbor:",toarray"`
	Hash    string   // of the password; "" is not set up
	Changed Time
	Phone   Address // of the second factor; without a kind there is none
	// Era is raised when all sign-ins shall end.
	Era uint32
}

var accountKey = Key{KindOperator, "account"}

// Account is what the operator sees of the account.
type Account struct {
	Changed Time   // when the password was set
	Phone   string // masked; "" without a second factor
	// App is the app whose codes would be sent, "" if there is none to send them.
	App string
}

// Open makes a setup secret if the account has no password yet.
func (p *Operators) Open(ctx context.Context) error {
	row, err := p.account(ctx)
	if err == nil && row.Hash == "" {
		p.renew()
	}
	return err
}

func (p *Operators) account(ctx context.Context) (row accountRow, err error) {
	err = p.box.Store.View(ctx, func(tx Tx) error {
		_, err := load(tx, accountKey, &row)
		return err
	})
	return row, err
}

// renew makes a fresh setup secret: 80 bits in 16 letters and digits that
// nobody confuses, kept in memory only.
func (p *Operators) renew() {
	var raw [10]byte
	rand.Read(raw[:])
	p.mu.Lock()
	defer p.mu.Unlock()
	p.secret = base32.StdEncoding.EncodeToString(raw[:])
}

// SetupSecret returns the secret by which the first password is set, in groups
// of four; "" once one is. It is for whoever has the machine, not for a page.
func (p *Operators) SetupSecret() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var groups []string
	for rest := p.secret; rest != ""; rest = rest[4:] {
		groups = append(groups, rest[:4])
	}
	return strings.Join(groups, "-")
}

// isSecret compares what was typed with the setup secret, in constant time, and
// returns that.
func (p *Operators) isSecret(typed string) (secret string, right bool) {
	typed = strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(typed))
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.secret, p.secret != "" && subtle.ConstantTimeCompare([]byte(typed), []byte(p.secret)) == 1
}

// Account reads the account.
func (p *Operators) Account(ctx context.Context) (Account, error) {
	row, err := p.account(ctx)
	a := Account{Changed: row.Changed}
	if row.Phone.Kind == Phone {
		a.Phone = row.Phone.Masked()
	}
	if app, ok := p.codeApp(); ok {
		a.App = app.ID
	}
	return a, err
}

// SetUp sets the first password, for who has the setup secret, and signs in.
// Refusals: [Unauthorized], [LimitAddress], [InvalidRequest] (the password) and
// [Conflict] (there is one).
func (p *Operators) SetUp(ctx context.Context, from netip.Addr, secret, password string) (token string, err error) {
	if p.SetupSecret() == "" {
		return "", refuse(Conflict, "The administrator's password is set already. `pinferry admin reset` on the box makes a new setup secret.")
	}
	if refusal := checkPassword(password); refusal != nil {
		return "", refusal
	}
	spare, err := p.charge(ctx, from)
	if err != nil {
		return "", err
	}
	used, right := p.isSecret(secret)
	if !right {
		p.warn(from)
		return "", refuse(Unauthorized, "That is not the setup secret. It stands in the log of the box; `pinferry admin setup` shows it too.")
	}
	hash, err := p.passwords.Hash(ctx, password)
	if err != nil {
		return "", errors.Join(err, p.giveBack(context.WithoutCancel(ctx), spare))
	}
	taken := false
	err = p.box.Store.Update(ctx, func(tx Tx) error {
		var row accountRow
		if _, err := load(tx, accountKey, &row); err != nil {
			return err
		}
		if taken = row.Hash != ""; taken {
			return nil
		}
		row.Hash, row.Changed = hash, p.box.Clock.Now()
		save(tx, accountKey, row, 0)
		spare(tx)
		token, err = p.signIn(tx, &row, from, "operator.setup")
		return err
	})
	switch {
	case err != nil:
		return "", err
	case taken:
		return "", refuse(Conflict, "The administrator's password is set already.")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.secret == used { // else a reset has made another meanwhile
		p.secret = ""
	}
	return token, nil
}

// ChangePassword replaces the password and ends every sign-in but the one of
// token. Refusals: [Unauthorized], [LimitAddress], [InvalidRequest].
func (p *Operators) ChangePassword(ctx context.Context, by Actor, from netip.Addr, token, old, password string) error {
	if refusal := checkPassword(password); refusal != nil {
		return refusal
	}
	proven, spare, err := p.prove(ctx, from, old)
	if err != nil {
		return err
	}
	hash, err := p.passwords.Hash(ctx, password)
	if err != nil {
		return errors.Join(err, p.giveBack(context.WithoutCancel(ctx), spare))
	}
	return p.change(ctx, by, proven.Hash, "operator.password", "", func(tx Tx, row *accountRow) error {
		row.Hash, row.Changed = hash, p.box.Clock.Now()
		row.Era++
		spare(tx)
		return carryOver(tx, token, row.Era)
	})
}

// Reset forgets password, second factor and sign-ins, and makes a new setup
// secret: for who has the machine and cannot get in.
func (p *Operators) Reset(ctx context.Context, by Actor) error {
	err := p.change(ctx, by, "", "operator.reset", "", func(_ Tx, row *accountRow) error {
		*row = accountRow{Era: row.Era + 1}
		return nil
	})
	if err == nil {
		p.renew()
	}
	return err
}

// change changes the account and notes it in the audit trail. proven is the hash
// of the password that was compared before, "" for none: it must still be the
// one, or who was on his way would undo a reset.
func (p *Operators) change(ctx context.Context, by Actor, proven, action, target string, fn func(Tx, *accountRow) error) error {
	stale := false
	err := p.box.Store.Update(ctx, func(tx Tx) error {
		var row accountRow
		if _, err := load(tx, accountKey, &row); err != nil {
			return err
		}
		if stale = proven != "" && row.Hash != proven; stale {
			return nil
		}
		if err := fn(tx, &row); err != nil {
			return err
		}
		save(tx, accountKey, row, 0)
		p.box.Clock.Mark(tx)
		return p.box.audit(tx, by, action, target)
	})
	if err == nil && stale {
		return changedMeanwhile()
	}
	return err
}

// OperatorAt is an operator at the page, who sits at from now: a sign-in that was
// stolen is used from elsewhere, and the audit trail must show that.
func OperatorAt(from netip.Addr) Actor {
	return Actor{Who: "admin", From: from.String()}
}
