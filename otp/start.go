package otp

import (
	"cmp"
	"context"
	"time"

	"github.com/pinferry/pinferry/otp/text"
)

// Start begins a verification and queues its message.
//
// Refusals: [InvalidRequest], [InvalidPhone], [NumberRefused],
// [CountryRefused], [LimitPhone], [LimitAddress], [LimitBox], [CaptchaRequired],
// [Conflict] (the idempotency key was used with another body), [Unauthorized]
// (what was asked for needs a live session), [ChannelUnavailable], [Busy], [StorageLow],
// [ShuttingDown]; and where the door reveals it, after every limit was charged,
// [NotRegistered], [AlreadyRegistered] and [UserDisabled].
func (v *Verifications) Start(ctx context.Context, c Caller, r StartRequest) (Progress, error) {
	r.Channel = r.implied()
	p, err := v.start(ctx, c, r)
	result := "accepted"
	if err != nil {
		result = string(AsError(err).Code)
		v.box.Metrics.suspect(err)
	}
	v.box.Metrics.request(c.App.ID, channelLabel(cmp.Or(p.Verification.Channel, r.Channel)), result)
	v.box.started(c, &p, err)
	return p, err
}

func (v *Verifications) start(ctx context.Context, c Caller, r StartRequest) (Progress, error) {
	if refusal := v.check(c, &r); refusal != nil {
		return Progress{}, refusal
	}
	to, login, err := destination(c.App, &r)
	if err != nil {
		return Progress{}, v.refused(ctx, c, err)
	}
	solved, err := v.judge(ctx, c, &r, typed(to, login))
	if err != nil {
		return Progress{}, err
	}
	var o opening
	var refusal *Error
	err = v.box.Store.Update(ctx, func(tx Tx) (err error) {
		o = opening{v: v, tx: tx, c: c, r: &r, now: v.box.Clock.Now(), to: to, login: login, solved: solved}
		refusal, err = o.run()
		if err == nil && refusal == nil && o.p.Verification.Channel == ChannelInbound {
			err = v.tellBack(tx, &o.p)
		}
		if err == nil && refusal == nil {
			err = v.box.audit(tx, c.By, "verification.start", to.Masked())
		}
		return err
	})
	v.outbox.enter(o.seat, &o.p.Message, err == nil && refusal == nil && o.fresh)
	switch {
	case err != nil:
		return Progress{}, err
	case refusal != nil:
		v.box.tellClosings(refusal)
		return Progress{}, refusal
	}
	return v.progress(o.p), nil
}

// check refuses what no limit needs to know of.
func (v *Verifications) check(c Caller, r *StartRequest) *Error {
	if refusal := v.outbox.closed(); refusal != nil {
		return refusal
	}
	switch r.Purpose {
	case PurposeVerify, PurposeSignIn, PurposeSignUp, PurposeSignUpOrIn, PurposeChangePhone, PurposeStepUp:
	default:
		return refuse(InvalidRequest, "That purpose is none of this box: leave purpose out, or set it to verify.")
	}
	if r.Channel == ChannelInbound {
		if refusal := v.inboundRefusal(c, r); refusal != nil {
			return refusal
		}
	} else if refusal := v.outbox.checkChannel(c.App, r.Channel); refusal != nil {
		return refusal
	}
	return r.Wish.check(c.App)
}

// destination reads where a code shall go and by what it shall be found. Each
// is the zero Address if it was left out, and may be.
func destination(app *App, r *StartRequest) (to, login Address, err error) {
	if r.Slot.Login != "" {
		if login, err = parseLogin(r.Slot.Login); err != nil {
			return to, login, err
		}
	}
	switch {
	case r.To == "" && r.Purpose == PurposeStepUp:
		return to, login, nil
	case r.To == "" && r.Purpose != PurposeChangePhone && login.Kind == Phone:
		return login, login, nilError(app.reaches(login))
	case r.To == "" && r.Purpose != PurposeChangePhone && login.Key != "" && r.Slot.Named:
		return to, login, nil
	}
	to, err = app.parse(r.To, r.Email && (isEmail(r.To) || r.Channel == ChannelEmail))
	return to, login, err
}

// verification makes the record of a start; the policy is copied.
func (v *Verifications) verification(c Caller, r *StartRequest, a Address, now Time) Verification {
	locale := text.Match(r.Locale)
	_, fixed := c.App.TestNumbers[a.Key]
	ver := Verification{
		ID: NewID(), App: c.App.ID, Address: a, Channel: cmp.Or(r.Channel, a.usual()), Purpose: r.Purpose, Locale: locale,
		Status: Pending, Generation: 1, Length: uint8(c.App.CodeLength), Life: c.App.CodeTTL.Milliseconds(), MaxTries: maxTries,
		Created: now, Expires: now.Add(c.App.CodeTTL), Resend: c.App.Resend, Fixed: fixed,
		Metadata: r.Metadata, Text: c.App.Text(locale).Version(), Door: c.Door, Decoy: a.Kind == loginName,
	}
	if r.Channel == ChannelInbound {
		ver.Life, ver.Expires = textBackLife.Milliseconds(), now.Add(textBackLife)
	}
	if !r.Wish.empty() {
		ver.Wish = &r.Wish
	}
	return ver
}

// message makes the message that carries the verification's live code, and
// makes it the newest. eta is when it is expected to be handed over.
func (v *Verifications) message(ver *Verification, now Time, eta time.Duration) Message {
	m := Message{
		ID: NewID(), App: ver.App, Address: ver.Address, Channel: ver.Channel, Priority: PriorityCode, State: MessageAccepted,
		Created: now, Updated: now, Deadline: ver.Expires, Expected: now.Add(eta), Verification: ver.ID, Generation: ver.Generation,
		Resend: ver.Sends > 0,
	}
	if ver.Fixed {
		m.State, m.Reason = MessageSent, ReasonTestNumber
	}
	if ver.Sends > 0 {
		ver.Former = append(ver.Former, ver.Message)
	}
	ver.Message = m.ID
	ver.Sends++
	return m
}

// post writes the message of a verification, and tells whether there is one
// for the dispatcher: that of a decoy is for show.
func post(tx Tx, ver *Verification, m *Message) bool {
	if ver.Decoy {
		return false
	}
	createMessage(tx, m)
	return true
}
