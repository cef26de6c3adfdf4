package otp

import (
	"context"
	"net/netip"
)

// The second factor of the operators' account is a code by the box's own SMS,
// to a phone that has been proven before. A box that cannot send locks its
// operators out so; [Operators.Reset] on the machine lets them in again.

// codeApp returns the app whose codes operators get.
func (p *Operators) codeApp() (*App, bool) {
	if p.app == "" {
		return p.box.Apps.Sole()
	}
	return p.box.Apps.ByID(p.app)
}

// codeCaller is who asks for an operator's code.
func (p *Operators) codeCaller() (Caller, error) {
	app, ok := p.codeApp()
	if !ok {
		return Caller{}, refuse(ChannelUnavailable, "There is no app whose codes could be sent: name one as app under [admin] in the config file.")
	}
	return Caller{App: app, Secret: true, Door: OperatorDoor}, nil
}

func (p *Operators) sendCode(ctx context.Context, to string) (*Progress, error) {
	c, err := p.codeCaller()
	if err != nil {
		return nil, err
	}
	sent, err := p.verifications.Start(ctx, c, StartRequest{To: to, Purpose: PurposeVerify})
	return &sent, err
}

// checkCode proves a code and returns the phone that it went to. want is the key
// of the phone that it must have gone to; "" is any.
func (p *Operators) checkCode(ctx context.Context, id ID, code, want string) (Address, error) {
	c, err := p.codeCaller()
	if err != nil {
		return Address{}, err
	}
	sent, err := p.verifications.Get(ctx, c, id)
	if err != nil {
		return Address{}, err
	}
	if sent.Verification.Door != OperatorDoor || want != "" && sent.Verification.Address.Key != want {
		return Address{}, noVerification()
	}
	done, err := p.verifications.Check(ctx, c, id, code)
	return done.Verification.Address, err
}

// SetPhone sends a code to the phone that shall be the second factor; the code
// goes to [Operators.ConfirmPhone]. Refusals: [Unauthorized], [LimitAddress],
// and those of a start.
func (p *Operators) SetPhone(ctx context.Context, from netip.Addr, password, phone string) (*Progress, error) {
	if _, refusal := parsePhone(phone); refusal != nil {
		return nil, refusal // an email address, too: the mail may be read with what was stolen
	}
	_, spare, err := p.prove(ctx, from, password)
	if err != nil {
		return nil, err
	}
	if err := p.giveBack(ctx, spare); err != nil {
		return nil, err
	}
	sent, err := p.sendCode(ctx, phone)
	if err == nil && sent.Verification.Fixed {
		return nil, refuse(NumberRefused, "The code of a test number stands in the config file, so it proves nothing.")
	}
	return sent, err
}

// ConfirmPhone makes the phone that the code went to the second factor. Refusals
// are those of a check.
func (p *Operators) ConfirmPhone(ctx context.Context, by Actor, id ID, code string) error {
	to, err := p.checkCode(ctx, id, code, "")
	if err != nil {
		return err
	}
	return p.change(ctx, by, "", "operator.phone", to.Masked(), func(_ Tx, row *accountRow) error {
		row.Phone = to
		return nil
	})
}

// RemovePhone takes the second factor away. Refusals: [Unauthorized] and
// [LimitAddress].
func (p *Operators) RemovePhone(ctx context.Context, by Actor, from netip.Addr, password string) error {
	proven, spare, err := p.prove(ctx, from, password)
	if err != nil {
		return err
	}
	return p.change(ctx, by, proven.Hash, "operator.phone_removed", "", func(tx Tx, row *accountRow) error {
		row.Phone = Address{}
		spare(tx)
		return nil
	})
}
