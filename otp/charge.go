package otp

import (
	"context"
	"strconv"

	"github.com/pinferry/pinferry/otp/phone"
)

// refused charges a refusal that needed no closure to the caller's address and
// returns it, or the limit that the caller has run into by it.
func (v *Verifications) refused(ctx context.Context, c Caller, refusal error) error {
	if v.box.Limits.exempt(c.Address) || len(v.box.Limits.RefusalsPerAddress) == 0 {
		return refusal
	}
	var limited *Error
	err := v.box.Store.Update(ctx, func(tx Tx) (err error) {
		limited, err = v.box.chargeRefusal(tx, c, v.box.Clock.Now())
		return err
	})
	switch {
	case err != nil:
		return err
	case limited != nil:
		v.box.Metrics.limited(refusals)
		return limited
	}
	return refusal
}

func (b *Box) refusals(c Caller) quota {
	return quota{
		class: refusals, subject: source(c.Address), coarse: coarseSource(c.Address),
		rules: b.Limits.RefusalsPerAddress, code: LimitAddress, detail: tooMany,
	}
}

// chargeRefusal counts what may have told the caller something against its
// address, if it has one and the count has room: attempts during a refusal do
// not prolong it. Without room it returns the refusal that a look-up deserves.
func (b *Box) chargeRefusal(tx Tx, c Caller, now Time) (*Error, error) {
	if b.Limits.exempt(c.Address) {
		return nil, nil
	}
	l := &ledger{tx: tx, now: now, mends: true}
	q := b.refusals(c)
	if wait := l.wait(&q); wait > 0 {
		return refuseFor(q.code, wait, q.detail), l.err
	}
	l.add(&q)
	return nil, l.err
}

const tooMany = "Too many requests. Wait as long as Retry-After says."

// charge takes one send of a verification from every quota that applies, or from
// none.
func (v *Verifications) charge(tx Tx, c Caller, ver *Verification, now Time) (*Error, error) {
	l := &ledger{tx: tx, now: now, mends: true}
	quotas, err := v.sendQuotas(tx, c, ver, now)
	if err != nil {
		return nil, err
	}
	if worst, wait := l.first(quotas); worst != nil && l.err == nil {
		v.box.Metrics.limited(worst.class)
		refusal := refuseFor(worst.code, wait, worst.detail)
		refusal.closings = l.closings(quotas)
		_, err := v.box.chargeRefusal(tx, c, now)
		return refusal, err
	}
	for i := range quotas {
		if quotas[i].class != refusals {
			l.add(&quotas[i])
		}
	}
	return nil, l.err
}

// sendQuotas lists the quotas that a send of ver comes under.
func (v *Verifications) sendQuotas(tx Tx, c Caller, ver *Verification, now Time) ([]quota, error) {
	limits, a := &v.box.Limits, ver.Address
	bucket, block := a.bucket(), a.block()
	class := sendsPhone
	if c.Door == OperatorDoor {
		class = operatorSends // or strangers could use up what lets an operator in
	}
	perPhone := quota{class: class, subject: bucket, coarse: block, rules: limits.SendsPerPhone, code: LimitPhone, detail: tooMany}
	exempt := limits.exempt(c.Address)
	if exempt {
		perPhone.backoff = limits.Backoff
	}
	quotas := make([]quota, 0, 10)
	quotas = append(quotas, perPhone)
	if !exempt {
		from, coarse := source(c.Address), coarseSource(c.Address)
		quotas = append(quotas, v.box.refusals(c),
			quota{class: sendsAddressPhone, subject: from + bucket, coarse: coarse + block, rules: limits.SendsPerAddressPhone, backoff: limits.Backoff, code: LimitPhone, detail: tooMany},
			quota{class: sendsAddress, subject: from, coarse: coarse, rules: limits.SendsPerAddress, code: LimitAddress, detail: tooMany})
	}
	if a.Kind == loginName {
		return quotas, nil // no number that could be one of a block or a country
	}
	shared, err := v.sharedQuotas(tx, c, ver, now)
	return append(quotas, shared...), err
}

// sharedQuotas lists those that an address shares with others. What verified
// here before is known, and treated better.
func (v *Verifications) sharedQuotas(tx Tx, c Caller, ver *Verification, now Time) (quotas []quota, err error) {
	limits, a := &v.box.Limits, ver.Address
	if ver.Channel != ChannelInbound { // for which nothing is sent
		quotas = v.box.conversions(c.App, c, a)
	}
	located := a.Kind == Phone // only numbers have a block and a country
	blocks := located && len(limits.SendsPerBlock)+len(limits.SendsPerLargeBlock) > 0
	countries := located && len(limits.SendsPerCountry) > 0
	if !blocks && !countries && len(limits.SendsPerBox)+len(quotas) == 0 {
		return nil, nil
	}
	row, err := loadKnown(tx, a)
	if err != nil {
		return nil, err
	}
	known := row.recent(now)
	if known {
		quotas = nil
	}
	if blocks && !known && !c.App.safe(a.Key) && !contains(limits.Exempt, c.Address) {
		// A number that was sent to within the window has been counted as one of
		// its block already.
		sends := quotaRow{}
		if _, err := load(tx, Key{KindQuota, string(rune(sendsPhone)) + a.Key}, &sends); err != nil {
			return nil, err
		}
		quotas = append(quotas,
			quota{class: sendsBlock, subject: phone.Block(a.Key, 3), rules: sends.fresh(limits.SendsPerBlock, now), keep: limits.SendsPerBlock, code: LimitBox, detail: tooMany},
			quota{class: sendsLargeBlock, subject: phone.Block(a.Key, 4), rules: sends.fresh(limits.SendsPerLargeBlock, now), keep: limits.SendsPerLargeBlock, code: LimitBox, detail: tooMany})
	}
	if countries {
		quotas = append(quotas,
			quota{class: sendsCountry, subject: strconv.Itoa(int(a.Calling)), rules: share(limits.SendsPerCountry, known), keep: limits.SendsPerCountry, code: LimitBox, detail: tooMany})
	}
	return append(quotas,
		quota{class: sendsBox, rules: share(limits.SendsPerBox, known), keep: limits.SendsPerBox, code: LimitBox, detail: tooMany}), nil
}

// fresh returns the rules in whose window the row has no event.
func (row *quotaRow) fresh(rules []Rule, now Time) []Rule {
	var newest Time
	if n := len(row.Times); n > 0 {
		newest = secondsTime(row.Times[n-1])
	}
	var out []Rule
	for _, r := range rules {
		if newest == 0 || now.Sub(newest) >= r.Window {
			out = append(out, r)
		}
	}
	return out
}

// share returns the rules less what is kept for numbers that verified here.
func share(rules []Rule, known bool) []Rule {
	if known {
		return rules
	}
	out := make([]Rule, len(rules))
	for i, r := range rules {
		out[i] = Rule{max(int(float64(r.Count)*(1-reservedShare)), 1), r.Window}
	}
	return out
}
