package otp

import (
	"context"
	"time"
)

// Verifications acts on verifications. Its methods may be called from any
// goroutine; each does what it does in one closure of the store.
type Verifications struct {
	box    *Box
	outbox *Outbox
}

// NewVerifications returns the acting type over a box and its outbox.
func NewVerifications(box *Box, outbox *Outbox) *Verifications {
	return &Verifications{box: box, outbox: outbox}
}

func verificationKey(id ID) Key { return Key{KindVerification, id.key()} }

func saveVerification(tx Tx, v *Verification) {
	save(tx, verificationKey(v.ID), v, v.Expires.Add(keepEnded))
}

func loadVerification(tx Tx, id ID) (v Verification, found bool, err error) {
	found, err = load(tx, verificationKey(id), &v)
	return v, found, err
}

// loadOwn reads a verification of the caller's app and door. Another's is as
// unknown as none.
func loadOwn(tx Tx, c Caller, id ID) (v Verification, found bool, err error) {
	v, found, err = loadVerification(tx, id)
	return v, found && v.App == c.App.ID && v.Door == c.Door, err
}

// clockSlack is how much later than the moment that a closure goes by something
// may have been written, without the clock having gone back.
const clockSlack = time.Minute

// StatusAt returns the status at a moment: a pending verification expires by
// itself, without a write. One with more than its life left is of a time that
// an accepted step back of the clock has undone.
func (v Verification) StatusAt(now Time) Status {
	if v.Status == Pending && (now >= v.Expires || v.Expires.Sub(now) > v.life()+clockSlack) {
		return Expired
	}
	return v.Status
}

// Get reads a verification of the caller's app and door; a secret key at the
// native door reads those of every door of its app. An unknown id is
// [CodeUnknown].
func (v *Verifications) Get(ctx context.Context, c Caller, id ID) (Progress, error) {
	return v.read(ctx, c, byID(id))
}

func (v *Verifications) read(ctx context.Context, c Caller, find finder) (Progress, error) {
	var p Progress
	var found bool
	err := v.box.Store.View(ctx, func(tx Tx) error {
		id, err := find(tx)
		if err != nil {
			return err
		}
		if p.Verification, found, err = loadVerification(tx, id); err != nil {
			return err
		}
		everyDoor := c.Secret && c.Door == ""
		found = found && p.Verification.App == c.App.ID && (everyDoor || p.Verification.Door == c.Door)
		if found {
			p.Message, _, err = loadMessage(tx, p.Verification.Message)
		}
		if err == nil && found && p.Verification.Channel == ChannelInbound {
			var row textBackRow
			_, row, err = v.textBackRow(tx, &p.Verification)
			p.Texted = row.Texted != 0
		}
		return err
	})
	switch {
	case err != nil:
		return Progress{}, err
	case !found:
		return Progress{}, noVerification()
	}
	return v.progress(p), nil
}

func noVerification() *Error { return refuse(CodeUnknown, "There is no such verification.") }

// progress fills what an answer tells beside the records.
func (v *Verifications) progress(p Progress) Progress {
	now := v.box.Clock.Now()
	p.Verification.Status = p.Verification.StatusAt(now)
	if p.Verification.Status != Pending {
		return p
	}
	if s := p.Message.State; s == MessageAccepted || s == MessageSending {
		p.ETA = max(v.outbox.expected(&p.Message, now), time.Second)
	}
	p.ResendAfter = max(p.Message.Created.Add(resendAfter).Sub(now), 0)
	return p
}

// resendAfter is what a page should count down before it offers a resend: an
// SMS that has not come by then is late.
const resendAfter = 30 * time.Second

// Cancel ends a pending verification. Canceling one that has been canceled or
// has expired changes nothing; one that ended otherwise is a [Conflict].
func (v *Verifications) Cancel(ctx context.Context, c Caller, id ID) error {
	_, err := v.cancel(ctx, c, byID(id))
	return err
}

func (v *Verifications) cancel(ctx context.Context, c Caller, find finder) (Progress, error) {
	var p Progress
	var refusal *Error
	var canceled bool
	err := v.box.Store.Update(ctx, func(tx Tx) error {
		now := v.box.Clock.Now()
		id, err := find(tx)
		if err != nil {
			return err
		}
		ver, found, err := loadOwn(tx, c, id)
		if err != nil {
			return err
		}
		switch {
		case !found:
			refusal = noVerification()
			return nil
		case ver.Status == Approved || ver.Status == Exhausted:
			refusal = refuse(Conflict, "This verification has ended already and cannot be canceled.")
			return nil
		case ver.StatusAt(now) == Pending:
			ver.Status, canceled = Canceled, true
			v.box.verificationEvent(tx, &ver, now)
			if p.Message, err = v.end(tx, &ver, ReasonCanceled, now); err == nil {
				err = v.box.audit(tx, c.By, "verification.cancel", "vrf_"+ver.ID.String())
			}
		default:
			p.Message, _, err = loadMessage(tx, ver.Message)
		}
		p.Verification = ver
		return err
	})
	switch {
	case err != nil:
		return Progress{}, err
	case refusal != nil:
		return Progress{}, refusal
	}
	if canceled {
		v.box.ended(&p.Verification)
	}
	return v.progress(p), nil
}

// end writes a verification that is pending no more: nothing of it is sent
// after this closure, and its place among the live is free. It returns its
// newest message.
func (v *Verifications) end(tx Tx, ver *Verification, reason Reason, now Time) (Message, error) {
	ver.Ended = now
	saveVerification(tx, ver)
	k := liveKey(ver)
	live, err := loadLive(tx, k, now)
	if err != nil {
		return Message{}, err
	}
	live.remove(ver.ID)
	live.save(tx, k)
	v.box.Clock.Mark(tx)
	return supersede(tx, ver.Message, reason, now)
}
