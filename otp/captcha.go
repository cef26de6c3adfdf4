package otp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pinferry/pinferry/otp/phone"
)

// CaptchaPolicy says which starts of an app need a solved captcha.
type CaptchaPolicy string

// The policies.
const (
	CaptchaOff    CaptchaPolicy = "off"
	CaptchaHot    CaptchaPolicy = "hot"    // once a quota that the start comes under is beyond half of its limit
	CaptchaAlways CaptchaPolicy = "always" // every one
)

// Proof is a solved captcha that has been judged good.
type Proof struct {
	// ID is the same whenever the same captcha is shown again, however its
	// solution is spelt.
	ID [32]byte
	// Until is when the captcha is too old to be shown.
	Until Time
}

// Prover judges the solutions of captchas. Whether one was shown before is not
// its business, for that is decided where the start is.
type Prover interface {
	// Prove judges what a page has sent. It is called outside of every closure
	// and may ask a service over the network. The error is an [*Error]:
	// [CaptchaRequired] if the solution is none, [Busy] if nobody can tell now,
	// and then no start goes through.
	Prove(ctx context.Context, c Caller, solution string) (Proof, error)
}

// maxSolution bounds what a prover is given, in bytes.
const maxSolution = 4 << 10

// longestProof bounds how far in the future a proof may end. One that lies
// beyond is of a time that an accepted step back of the clock has undone.
const longestProof = time.Hour

// proofRow remembers a captcha that has been shown.
type proofRow struct {
	_    struct{} `cbor:",toarray"`
	Used Time
}

// keepProof is how much longer than it is good a captcha that was shown is
// remembered: the clock may be set back.
const keepProof = 24 * time.Hour

func proofKey(p Proof) Key { return Key{KindProof, string(p.ID[:])} }

// judged is what a prover said of the solution that came with a start. The zero
// value is that of a start without one.
type judged struct {
	proof   Proof
	refusal *Error
}

// guarded tells whether a start is one that a captcha can be asked for. Trusted
// servers have nobody to solve it, some wire formats no place for the solution,
// and what needs a live session anyway needs no other proof of good will.
func (v *Verifications) guarded(c Caller, r *StartRequest) bool {
	asks := c.App.Captcha != CaptchaOff && c.Address.IsValid() && !slices.Contains(v.box.NoCaptcha, c.Door)
	return asks && r.Purpose != PurposeChangePhone && r.Purpose != PurposeStepUp
}

// judge has the solution judged that came with a start, if it matters. A
// refusal is kept for the closure: it may find that the start is a repeat. The
// error is a fault.
func (v *Verifications) judge(ctx context.Context, c Caller, r *StartRequest, to Address) (j judged, err error) {
	if !v.guarded(c, r) || r.Captcha == "" {
		return j, nil
	}
	if len(r.Captcha) > maxSolution {
		j.refusal = refuse(CaptchaRequired, "The solution of the captcha is too long to be one.")
		return j, nil
	}
	prover := v.box.Provers[c.App.ID]
	if prover == nil {
		return j, fmt.Errorf("app %q asks for captchas and nobody judges them", c.App.ID)
	}
	due := false
	err = v.box.Store.View(ctx, func(tx Tx) (err error) {
		l := &ledger{tx: tx, now: v.box.Clock.Now()}
		// Who guesses at solutions must not keep a service busy with them.
		if q := v.box.refusals(c); !v.box.Limits.exempt(c.Address) && l.wait(&q) > 0 {
			return l.err
		}
		due, err = v.captchaDue(tx, c, to, l.now)
		return errors.Join(l.err, err)
	})
	if err != nil || !due {
		return j, err
	}
	if j.proof, err = prover.Prove(ctx, c, r.Captcha); err == nil {
		return j, nil
	}
	if j.refusal = AsError(err); j.refusal.Code == Internal {
		return j, err
	}
	return j, nil
}

// captchaDue tells whether the policy of the app asks for a captcha now.
func (v *Verifications) captchaDue(tx Tx, c Caller, to Address, now Time) (bool, error) {
	if c.App.Captcha == CaptchaHot {
		return v.hot(tx, c, to, now)
	}
	return c.App.Captcha == CaptchaAlways, nil
}

// typed is the address that a start is about as far as its caller has said.
func typed(to, login Address) Address {
	if to.Key == "" {
		return login
	}
	return to
}

// hot tells whether a quota that a start to to comes under is beyond half of
// its limit; the zero Address comes under those of the caller and of the box
// alone. It goes by nothing that differs between numbers that are known here
// and those that are not.
func (v *Verifications) hot(tx Tx, c Caller, to Address, now Time) (bool, error) {
	limits := &v.box.Limits
	quotas := []quota{{class: sendsBox, rules: limits.SendsPerBox}}
	if !limits.exempt(c.Address) {
		quotas = append(quotas, v.box.refusals(c),
			quota{class: sendsAddress, subject: source(c.Address), coarse: coarseSource(c.Address), rules: limits.SendsPerAddress})
		if to.Kind == Phone && !c.App.safe(to.Key) {
			quotas = append(quotas,
				quota{class: sendsBlock, subject: phone.Block(to.Key, 3), rules: limits.SendsPerBlock},
				quota{class: sendsLargeBlock, subject: phone.Block(to.Key, 4), rules: limits.SendsPerLargeBlock})
		}
	}
	if to.Kind == Phone {
		quotas = append(quotas, quota{class: sendsCountry, subject: strconv.Itoa(int(to.Calling)), rules: limits.SendsPerCountry})
	}
	l := &ledger{tx: tx, now: now}
	hot := slices.ContainsFunc(quotas, func(q quota) bool { return l.half(&q) })
	return hot, l.err
}

// half tells whether q is beyond half of one of its limits.
func (l *ledger) half(q *quota) bool {
	half := *q
	half.keep = q.rules // the row is as wide as under the whole limits
	half.rules = make([]Rule, len(q.rules))
	for i, r := range q.rules {
		half.rules[i] = Rule{r.Count/2 + 1, r.Window}
	}
	return l.wait(&half) > 0
}

// captcha refuses a start that needs a solved captcha and has none that was
// never shown before. The refusal is charged to the caller's address, whatever
// number it is about; that nobody could judge is charged too, or one address could
// keep a service busy with solutions that it stumbles over.
func (o *opening) captcha() (*Error, error) {
	if !o.v.guarded(o.c, o.r) {
		return nil, nil
	}
	due, err := o.v.captchaDue(o.tx, o.c, typed(o.to, o.login), o.now)
	if err != nil || !due {
		return nil, err
	}
	refusal, err := o.show()
	if err != nil || refusal == nil {
		return nil, err
	}
	limited, err := o.v.box.chargeRefusal(o.tx, o.c, o.now)
	if limited != nil {
		o.v.box.Metrics.limited(refusals)
		return limited, err
	}
	return refusal, err
}

// show takes the proof of the start, which is good for one: for this one,
// however it ends, unless by giveBack.
func (o *opening) show() (*Error, error) {
	switch {
	case o.solved.refusal != nil:
		return o.solved.refusal, nil
	case o.solved.proof.Until == 0:
		return refuse(CaptchaRequired, "Solve a captcha and send its solution along: GET /v1/captcha has one."), nil
	}
	p := o.solved.proof
	if left := p.Until.Sub(o.now); left <= 0 || left > longestProof {
		return refuse(CaptchaRequired, "The captcha is too old. Solve a new one: GET /v1/captcha has one."), nil
	}
	var row proofRow
	used, err := load(o.tx, proofKey(p), &row)
	if err != nil {
		return nil, err
	}
	if used {
		return refuse(CaptchaRequired, "The captcha was used before. Solve a new one: GET /v1/captcha has one."), nil
	}
	save(o.tx, proofKey(p), proofRow{Used: o.now}, p.Until.Add(keepProof))
	o.shown = true
	return nil, nil
}

// giveBack lets a proof be shown again that bought nothing because the box has no
// room or no way out. Such a refusal is charged to nobody, and so must leave no row:
// anybody could fill the disk with them while the routes are down.
func (o *opening) giveBack(refusal *Error) {
	if o.shown && refusal != nil && (refusal.Code == Busy || refusal.Code == ChannelUnavailable) {
		o.tx.Delete(proofKey(o.solved.proof))
	}
}

// Heat tells whether a caller's starts count as hot by its address and by the
// box alone, whatever number they are about: then a captcha may be harder.
func (v *Verifications) Heat(ctx context.Context, c Caller) (hot bool, err error) {
	err = v.box.Store.View(ctx, func(tx Tx) (err error) {
		hot, err = v.hot(tx, c, Address{}, v.box.Clock.Now())
		return err
	})
	return hot, err
}
