package otp

import (
	"context"
	"time"
)

// Resend sends the code of a pending verification again. By policy "same" the
// digits and their expiry stay while at least half their life is left; else,
// and by policy "new", fresh digits with a full life replace them. Wrong tries
// stay counted.
//
// While the message of an earlier resend is still queued nothing new is sent,
// and the answer is the same.
//
// Refusals: those of Start's limits and routes, and for a verification that is
// not pending the code_ errors of Check.
func (v *Verifications) Resend(ctx context.Context, c Caller, id ID, channel string) (Progress, error) {
	if refusal := v.outbox.closed(); refusal != nil {
		return Progress{}, refusal
	}
	if err := checkChannel(channel); err != nil {
		return Progress{}, err
	}
	var p Progress
	var refusal *Error
	var fresh bool
	err := v.box.Store.Update(ctx, func(tx Tx) error {
		t := try{v: v, tx: tx, c: c, now: v.box.Clock.Now()}
		ver, found, err := loadOwn(tx, c, id)
		if err != nil {
			return err
		}
		t.ver = ver
		if refusal = t.dead(found); refusal != nil {
			if found {
				refusal.Detail = "This verification has ended. Start a new one."
			} else {
				refusal.Detail = "There is no such verification."
			}
			return v.chargeRefusal(tx, c, t.now)
		}
		p, fresh, refusal, err = v.resend(&t)
		return err
	})
	switch {
	case err != nil:
		return Progress{}, err
	case refusal != nil:
		return Progress{}, refusal
	case fresh:
		v.outbox.queued(&p.Message)
	}
	return v.progress(p), nil
}

func (v *Verifications) resend(t *try) (p Progress, fresh bool, refusal *Error, err error) {
	ver := &t.ver
	last, _, err := loadMessage(t.tx, ver.Message)
	if err != nil {
		return p, false, nil, err
	}
	if last.State == MessageAccepted && last.Resend || ver.Fixed {
		return Progress{Verification: *ver, Message: last}, false, nil, nil
	}
	if refusal = v.outbox.admit(t.c.App, PriorityCode, ver.life()); refusal != nil {
		return p, false, refusal, nil
	}
	if refusal, err = v.charge(t.tx, t.c, ver.Address, ver.Fixed, t.now); err != nil || refusal != nil {
		return p, false, refusal, err
	}
	if _, err := supersede(t.tx, last.ID, ReasonResent, t.now); err != nil {
		return p, false, nil, err
	}
	if ver.Resend == ResendNew || ver.Expires.Sub(t.now) < ver.life()/2 {
		ver.Generation++
		ver.Expires = t.now.Add(ver.life())
	}
	m := v.message(ver, t.now)
	if last.Route != "" {
		m.Avoid = []string{last.Route} // what did not arrive there may arrive elsewhere
	}
	k := liveKey(ver.App, ver.Address)
	live, err := loadLive(t.tx, k, t.now)
	if err != nil {
		return p, false, nil, err
	}
	live.put(ver.ID, ver.Expires)
	live.save(t.tx, k)
	saveVerification(t.tx, ver)
	createMessage(t.tx, &m)
	v.box.Clock.Mark(t.tx)
	return Progress{Verification: *ver, Message: m}, true, nil, nil
}

// life returns how long a code of the verification lives.
func (v Verification) life() time.Duration { return time.Duration(v.Life) * time.Millisecond }
