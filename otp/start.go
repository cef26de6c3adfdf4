package otp

import (
	"context"
	"errors"
	"time"

	"github.com/pinferry/pinferry/otp/phone"
	"github.com/pinferry/pinferry/otp/text"
)

// idempotentFor is how long a repeated request is recognised.
const idempotentFor = 10 * time.Minute

// idempotencyRow remembers a request by digests of the client's key and body.
type idempotencyRow struct {
	_            struct{} `cbor:",toarray"`
	Body         [32]byte
	Verification ID
	Until        Time
}

// Start begins a verification and queues its message.
//
// Refusals: [InvalidRequest], [InvalidPhone], [NumberRefused],
// [CountryRefused], [LimitPhone], [LimitAddress], [LimitBox], [Conflict] (the
// idempotency key was used with another body), [ChannelUnavailable], [Busy],
// [StorageLow], [ShuttingDown].
func (v *Verifications) Start(ctx context.Context, c Caller, r StartRequest) (Progress, error) {
	p, err := v.start(ctx, c, r)
	result := "accepted"
	if err != nil {
		result = string(AsError(err).Code)
	}
	v.box.Metrics.request(c.App.ID, ChannelSMS, result)
	return p, err
}

func (v *Verifications) start(ctx context.Context, c Caller, r StartRequest) (Progress, error) {
	if err := v.check(r); err != nil {
		return Progress{}, err
	}
	address, err := parseAddress(c.App, r.To)
	if err != nil {
		return Progress{}, v.refused(ctx, c, err)
	}
	_, fixed := c.App.TestNumbers[address.Key]
	var p Progress
	var replayed bool
	var refusal *Error
	err = v.box.Store.Update(ctx, func(tx Tx) error {
		now := v.box.Clock.Now()
		if p, replayed, refusal, err = v.replay(tx, c, r, now); err != nil || replayed || refusal != nil {
			return err
		}
		if !fixed {
			if refusal = v.outbox.admit(c.App, PriorityCode, c.App.CodeTTL); refusal != nil {
				return nil
			}
		}
		live, err := loadLive(tx, liveKey(c.App.ID, address), now)
		if err != nil {
			return err
		}
		if r.Slot == "" && !fixed && len(live.All) >= maxLive {
			refusal = refuseFor(LimitAddress, live.earliest().Sub(now), "Three codes for this number are still valid. Use one of them, or wait until one has expired.")
			v.box.Metrics.limited("live")
			return v.chargeRefusal(tx, c, now)
		}
		if refusal, err = v.charge(tx, c, address, fixed, now); err != nil || refusal != nil {
			return err
		}
		p.Verification = v.verification(c, r, address, fixed, now)
		if r.Slot != "" {
			if err := v.occupy(tx, &p.Verification, &live, now); err != nil {
				return err
			}
		}
		p.Message = v.message(&p.Verification, now)
		if !fixed { // a test number may have any number of them
			live.put(p.Verification.ID, p.Verification.Expires)
			live.save(tx, liveKey(c.App.ID, address))
		}
		saveVerification(tx, &p.Verification)
		createMessage(tx, &p.Message)
		if r.IdempotencyKey != "" {
			save(tx, v.idempotencyKey(c, r), idempotencyRow{
				Body: v.box.Keys.digest(string(r.Body)), Verification: p.Verification.ID, Until: now.Add(idempotentFor),
			}, now.Add(idempotentFor))
		}
		v.box.Clock.Mark(tx)
		return nil
	})
	if err != nil {
		return Progress{}, err
	}
	if refusal != nil {
		return Progress{}, refusal
	}
	if !replayed {
		v.outbox.queued(&p.Message)
	}
	return v.progress(p), nil
}

// check refuses what no limit needs to know of.
func (v *Verifications) check(r StartRequest) error {
	if refusal := v.outbox.closed(); refusal != nil {
		return refusal
	}
	if r.Purpose != PurposeVerify {
		return refuse(InvalidRequest, "This box proves numbers only: leave purpose out, or set it to verify.")
	}
	return checkChannel(r.Channel)
}

func checkChannel(channel string) error {
	if channel != "" && channel != ChannelSMS {
		return refuse(InvalidRequest, "That channel is not configured on this box. Leave channel out, or set it to sms.")
	}
	return nil
}

// parseAddress turns what was typed into an address that the app may send to.
func parseAddress(app *App, to string) (Address, error) {
	n, err := phone.Parse(to)
	switch {
	case errors.Is(err, phone.ErrRefused):
		return Address{}, &Error{Code: NumberRefused, Detail: "Numbers of this kind (premium rate, toll-free, pager and the like) get no SMS from this box.", Err: err}
	case err != nil:
		return Address{}, &Error{Code: InvalidPhone, Detail: "That is not a phone number in international form. Write it with + and the country code, such as +41791234567.", Err: err}
	}
	a := Address{Kind: Phone, Key: n.Key, Dial: n.Dial, Country: n.Country, Calling: n.Calling}
	if !app.allows(a.Country) {
		return Address{}, refuse(CountryRefused, "This app does not send to that country.")
	}
	return a, nil
}

// verification makes the record that Start writes; the policy is copied.
func (v *Verifications) verification(c Caller, r StartRequest, a Address, fixed bool, now Time) Verification {
	locale := text.Match(r.Locale)
	return Verification{
		ID: NewID(), App: c.App.ID, Address: a, Channel: ChannelSMS, Purpose: r.Purpose, Locale: locale, Slot: r.Slot,
		Status: Pending, Generation: 1, Length: uint8(c.App.CodeLength), Life: c.App.CodeTTL.Milliseconds(), MaxTries: maxTries,
		Created: now, Expires: now.Add(c.App.CodeTTL), Resend: c.App.Resend, Fixed: fixed,
		Metadata: r.Metadata, Text: c.App.template(locale).Version(),
	}
}

// message makes the message that carries the verification's live code, and
// makes it the newest.
func (v *Verifications) message(ver *Verification, now Time) Message {
	m := Message{
		ID: NewID(), App: ver.App, Address: ver.Address, Priority: PriorityCode, State: MessageAccepted,
		Created: now, Updated: now, Deadline: ver.Expires, Verification: ver.ID, Generation: ver.Generation,
		Resend: ver.Sends > 0,
	}
	if ver.Fixed {
		m.State, m.Reason = MessageSent, ReasonTestNumber
	}
	ver.Message = m.ID
	ver.Sends++
	return m
}

// occupy gives ver its slot, and cancels who was in it.
func (v *Verifications) occupy(tx Tx, ver *Verification, live *liveRow, now Time) error {
	k := slotKey(ver.App, ver.Slot)
	var slot slotRow
	found, err := load(tx, k, &slot)
	if err != nil {
		return err
	}
	if found {
		old, ok, err := loadVerification(tx, slot.ID)
		if err != nil {
			return err
		}
		if ok && old.Status == Pending {
			old.Status = Canceled
			saveVerification(tx, &old)
			if _, err := supersede(tx, old.Message, ReasonCanceled, now); err != nil {
				return err
			}
		}
		live.remove(slot.ID)
	}
	save(tx, k, slotRow{ID: ver.ID}, ver.Expires.Add(keepEnded))
	return nil
}

func (v *Verifications) idempotencyKey(c Caller, r StartRequest) Key {
	d := v.box.Keys.digest(c.App.ID, r.IdempotencyKey)
	return Key{KindIdempotency, c.App.ID + "\x00" + string(d[:])}
}

// replay answers a repeated request with what the first one got.
func (v *Verifications) replay(tx Tx, c Caller, r StartRequest, now Time) (p Progress, replayed bool, refusal *Error, err error) {
	if r.IdempotencyKey == "" {
		return p, false, nil, nil
	}
	var row idempotencyRow
	found, err := load(tx, v.idempotencyKey(c, r), &row)
	if err != nil || !found || row.Until <= now {
		return p, false, nil, err
	}
	if row.Body != v.box.Keys.digest(string(r.Body)) {
		return p, false, refuse(Conflict, "This Idempotency-Key was used with another body. Use a new key for a new request."), nil
	}
	ver, ok, err := loadVerification(tx, row.Verification)
	if err != nil || !ok {
		return p, false, nil, err
	}
	m, _, err := loadMessage(tx, ver.Message)
	return Progress{Verification: ver, Message: m}, true, nil, err
}
