package otp

import (
	"context"
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Check compares digits with the live code, counts a wrong try, and approves
// at most once.
//
// Refusals: [CodeUnknown], [CodeWrong], [CodeExpired], [CodeUsed],
// [CodeExhausted] - which a private door shows as one - and [LimitPhone] and
// [LimitAddress], by which a try is neither evaluated nor counted. After the
// right code, and by it alone: [NotRegistered], [AlreadyRegistered],
// [UserDisabled], [Unauthorized] (the session that asked has ended) and
// [InvalidRequest] (a login name too many); the code is used then too.
func (v *Verifications) Check(ctx context.Context, c Caller, id ID, digits string) (Progress, error) {
	return v.evaluate(ctx, c, digits, byID(id))
}

func (v *Verifications) evaluate(ctx context.Context, c Caller, digits string, find finder) (Progress, error) {
	// People type codes as they read them: "123 456", "123-456".
	digits = strings.NewReplacer(" ", "", "-", "").Replace(digits)
	var p Progress
	var refusal *Error
	var ended bool
	err := v.box.Store.Update(ctx, func(tx Tx) error {
		id, err := find(tx)
		if err != nil {
			return err
		}
		t := try{v: v, tx: tx, c: c, now: v.box.Clock.Now()}
		refusal, err = t.run(id, digits)
		p, ended = Progress{Verification: t.ver, Message: t.message, Grant: t.grant}, t.ended
		if err == nil && refusal == nil {
			err = v.box.audit(tx, c.By, "verification.check", t.ver.Address.Masked())
		}
		return err
	})
	result := "approved"
	switch {
	case err != nil:
		result, ended = string(AsError(err).Code), false
	case refusal != nil:
		result = string(refusal.Code)
		err = refusal
	}
	v.box.Metrics.verification(c.App.ID, result)
	if ended {
		v.box.ended(&p.Verification)
	}
	if err != nil {
		return Progress{}, err
	}
	return v.progress(p), nil
}

// try is one check inside its closure.
type try struct {
	v   *Verifications
	tx  Tx
	c   Caller
	now Time
	ver Verification
	// message is its newest, and grant what it gave, once it has been approved.
	message Message
	grant   *Grant
	ended   bool // this try has ended the verification
}

// run evaluates the digits, or refuses to. Whatever it decides is written by
// the closure it runs in, wrong tries above all.
func (t *try) run(id ID, digits string) (*Error, error) {
	ver, found, err := loadOwn(t.tx, t.c, id)
	if err != nil {
		return nil, err
	}
	t.ver = ver
	l := &ledger{tx: t.tx, now: t.now, mends: true}
	mine := t.callerQuotas()
	if worst, wait := l.first(mine); worst != nil {
		return t.limited(worst, wait), l.err
	}
	dead := t.dead(found)
	if dead != nil {
		t.charge(l, mine) // who guesses at handles is slowed down, and no phone is
		return dead, l.err
	}
	quotas, err := t.phoneQuotas(l)
	if err != nil {
		return nil, err
	}
	if worst, wait := l.first(quotas); worst != nil {
		return t.limited(worst, wait), l.err
	}
	caller := t.callerTries()
	if caller != nil && caller.Tries >= triesPerCaller {
		return t.limited(&quota{class: triesAddressPhone, code: LimitAddress, detail: "Too many wrong tries from here. Ask for a new code."}, t.ver.Expires.Sub(t.now)), nil
	}
	right, err := t.compare(digits)
	if err != nil {
		return nil, err
	}
	if right {
		return t.approve()
	}
	t.charge(l, append(mine, quotas...))
	return t.wrong(caller, l.err)
}

// dead says why a verification cannot be approved any more.
func (t *try) dead(found bool) *Error {
	if !found {
		return refuse(CodeUnknown, wrongCode)
	}
	switch t.ver.StatusAt(t.now) {
	case Approved:
		return refuse(CodeUsed, wrongCode)
	case Exhausted:
		return refuse(CodeExhausted, wrongCode)
	case Expired, Canceled:
		return refuse(CodeExpired, wrongCode)
	}
	return nil
}

const wrongCode = "That code is not valid. Check the digits, or ask for a new code."

// compare derives the live code and compares in constant time.
func (t *try) compare(digits string) (bool, error) {
	if t.ver.Channel == ChannelInbound { // no digits of it were ever sent
		want, err := t.texted()
		return want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToUpper(digits))) == 1, err
	}
	want, err := t.v.box.Keys.Derive(t.tx, &t.ver)
	if err != nil {
		return false, err
	}
	if t.ver.Fixed {
		want = t.c.App.TestNumbers[t.ver.Address.Key]
		if want == "" { // the config no longer lists the number
			return false, nil
		}
	}
	return subtle.ConstantTimeCompare([]byte(want), []byte(digits)) == 1 && !t.ver.Decoy, nil
}

// wrong counts a wrong try; the last one kills the code.
func (t *try) wrong(caller *callerTries, fault error) (*Error, error) {
	t.ver.Tries++
	t.ver.Wrong = append(t.ver.Wrong, t.now)
	if caller != nil {
		caller.Tries++
	}
	code := CodeWrong
	if t.ver.Tries >= t.ver.MaxTries {
		t.ver.Status, t.ended, code = Exhausted, true, CodeExhausted
		t.v.box.verificationEvent(t.tx, &t.ver, t.now)
		if _, err := t.v.end(t.tx, &t.ver, ReasonCanceled, t.now); err != nil {
			return nil, err
		}
	} else {
		saveVerification(t.tx, &t.ver)
		t.v.box.Clock.Mark(t.tx)
	}
	return refuse(code, wrongCode), fault
}

// callerTries finds, or begins, the count of this caller at this verification;
// nil for a caller without an address.
func (t *try) callerTries() *callerTries {
	from := cbor.ByteString(source(t.c.Address))
	if t.v.box.Limits.exempt(t.c.Address) {
		return nil
	}
	i := slices.IndexFunc(t.ver.Callers, func(c callerTries) bool { return c.Caller == from })
	if i < 0 {
		i = len(t.ver.Callers)
		t.ver.Callers = append(t.ver.Callers, callerTries{Caller: from})
	}
	return &t.ver.Callers[i]
}

// callerQuotas are the quotas of the caller alone.
func (t *try) callerQuotas() []quota {
	if t.v.box.Limits.exempt(t.c.Address) {
		return nil
	}
	return []quota{{
		class: triesAddress, subject: source(t.c.Address), coarse: coarseSource(t.c.Address),
		rules: t.v.box.Limits.TriesPerAddress, code: LimitAddress, detail: tooMany,
	}}
}

// phoneQuotas are the quotas of the number, or of the mailbox. An address that
// verified it before has a reserve of its own once its quota is used up.
func (t *try) phoneQuotas(l *ledger) ([]quota, error) {
	limits, bucket := &t.v.box.Limits, t.ver.Address.bucket()
	class := triesPhone
	if t.c.Door == OperatorDoor {
		class = operatorTries
	}
	perPhone := quota{class: class, subject: bucket, rules: limits.TriesPerPhone, code: LimitPhone, detail: tooMany}
	if limits.exempt(t.c.Address) {
		return []quota{perPhone}, nil
	}
	from := source(t.c.Address)
	if l.wait(&perPhone) > 0 {
		known, err := loadKnown(t.tx, t.ver.Address)
		if err != nil {
			return nil, err
		}
		if known.from(from, t.now) {
			return []quota{{class: triesReserve, subject: from + bucket, rules: limits.TriesReserve, code: LimitPhone, detail: tooMany}}, nil
		}
	}
	return []quota{perPhone, {
		class: triesAddressPhone, subject: from + bucket, coarse: coarseSource(t.c.Address) + bucket,
		rules: limits.TriesPerAddressPhone, code: LimitAddress, detail: tooMany,
	}}, nil
}

func (t *try) charge(l *ledger, quotas []quota) {
	for i := range quotas {
		l.add(&quotas[i])
	}
}

func (t *try) limited(q *quota, wait time.Duration) *Error {
	t.v.box.Metrics.limited(q.class)
	return refuseFor(q.code, wait, q.detail)
}
