package otp

import (
	"cmp"
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
	return v.sendAgain(ctx, c, byID(id), channel)
}

func (v *Verifications) sendAgain(ctx context.Context, c Caller, find finder, channel string) (Progress, error) {
	if refusal := v.outbox.closed(); refusal != nil {
		return Progress{}, refusal
	}
	if refusal := v.outbox.checkChannel(c.App, channel); refusal != nil {
		return Progress{}, refusal
	}
	var p Progress
	var refusal *Error
	var fresh bool
	var s seat
	err := v.box.Store.Update(ctx, func(tx Tx) error {
		id, err := find(tx)
		if err != nil {
			return err
		}
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
				refusal.Detail = noVerification().Detail
			}
			// Who asks about slots would learn whose codes are under way.
			limited, err := v.box.chargeRefusal(tx, c, t.now)
			if limited != nil {
				v.box.Metrics.limited(refusals)
				refusal = limited
			}
			return err
		}
		p, fresh, refusal, err = v.resend(&t, ver.Resend, channel, &s)
		if err == nil && refusal == nil {
			err = v.box.audit(tx, c.By, "verification.resend", ver.Address.Masked())
		}
		return err
	})
	v.outbox.enter(s, &p.Message, err == nil && refusal == nil && fresh)
	switch {
	case err != nil:
		return Progress{}, err
	case refusal != nil:
		v.box.tellClosings(refusal)
		return Progress{}, refusal
	}
	return v.progress(p), nil
}

// resend makes a fresh message for t.ver, which is pending, unless one waits
// already; fresh tells whether the dispatcher must hear of it, by the seat that
// it was given. channel is how it goes from now on, "" as before.
func (v *Verifications) resend(t *try, policy ResendPolicy, channel string, s *seat) (p Progress, fresh bool, refusal *Error, err error) {
	ver := &t.ver
	if ver.Channel == ChannelInbound {
		return p, false, refuse(InvalidRequest, "Nothing was sent for this verification: it waits for an SMS."), nil
	}
	if refusal := suits(channel, ver.Address.Kind); refusal != nil {
		return p, false, refusal, nil
	}
	last, _, err := loadMessage(t.tx, ver.Message)
	if err != nil {
		return p, false, nil, err
	}
	if last.State == MessageAccepted && last.Resend || ver.Fixed {
		return Progress{Verification: *ver, Message: last}, false, nil, nil
	}
	ver.Channel = cmp.Or(channel, ver.Channel)
	if t.c.App.optedOut(t.tx, ver.Address, true) {
		return p, false, hasOptedOut(), nil
	}
	if refusal = v.outbox.admit(t.tx, demand{t.c.App, ver.Channel, PriorityCode, ver.life()}, s); refusal != nil {
		return p, false, refusal, nil
	}
	if refusal, err = v.charge(t.tx, t.c, ver, t.now); err != nil || refusal != nil {
		return p, false, refusal, err
	}
	if _, err := supersede(t.tx, last.ID, ReasonResent, t.now); err != nil {
		return p, false, nil, err
	}
	if policy == ResendNew || ver.Expires.Sub(t.now) < ver.life()/2 {
		ver.Generation++
		ver.Expires = t.now.Add(ver.life())
	}
	m := v.message(ver, t.now, s.eta)
	if last.Route != "" {
		m.Avoid = []string{last.Route} // what did not arrive there may arrive elsewhere
	}
	saveVerification(t.tx, ver)
	if err := keepAlive(t.tx, ver, t.now); err != nil {
		return p, false, nil, err
	}
	fresh = post(t.tx, ver, &m)
	v.box.Clock.Mark(t.tx)
	return Progress{Verification: *ver, Message: m}, fresh, nil, nil
}

// life returns how long a code of the verification lives.
func (v Verification) life() time.Duration { return time.Duration(v.Life) * time.Millisecond }
