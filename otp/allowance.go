package otp

import (
	"context"
	"time"
)

// Allowance is how many more sends the tightest limit of a caller leaves: what
// the X-RateLimit headers of a door say. The zero Allowance is of a caller whom
// no limit applies to.
type Allowance struct {
	Limit     int
	Remaining int
	Reset     time.Duration // until the oldest counted send leaves the window; 0: none is counted
}

// Allowance returns what the tightest send limit leaves a caller, for a phone
// as typed or, with "" or what is no phone, for the caller's address alone. Of
// each limit the first rule speaks. It charges nothing.
func (v *Verifications) Allowance(ctx context.Context, c Caller, to string) (Allowance, error) {
	a, unreadable := parsePhone(to)
	limits := &v.box.Limits
	var quotas []quota
	if unreadable == nil {
		quotas = append(quotas, quota{class: sendsPhone, subject: a.Key, rules: limits.SendsPerPhone})
	}
	if !limits.exempt(c.Address) {
		from := source(c.Address)
		if unreadable == nil {
			quotas = append(quotas, quota{class: sendsAddressPhone, subject: from + a.Key, rules: limits.SendsPerAddressPhone})
		}
		quotas = append(quotas, quota{class: sendsAddress, subject: from, rules: limits.SendsPerAddress})
	}
	var tightest Allowance
	err := v.box.Store.View(ctx, func(tx Tx) error {
		l := &ledger{tx: tx, now: v.box.Clock.Now()}
		for i := range quotas {
			if len(quotas[i].rules) == 0 {
				continue
			}
			if left := l.left(&quotas[i]); tightest.Limit == 0 || left.Remaining < tightest.Remaining {
				tightest = left
			}
		}
		return l.err
	})
	return tightest, err
}

// left returns what the first rule of q leaves.
func (l *ledger) left(q *quota) Allowance {
	l.open(q)
	rule := q.rules[0]
	window, _ := q.retain()
	width := q.row.width(window)
	left := Allowance{Limit: rule.Count, Remaining: rule.Count}
	for i := range q.row.Times {
		leaves := secondsTime(q.row.Times[i]).Add(width + rule.Window).Sub(l.now)
		if leaves <= 0 {
			continue
		}
		if left.Reset == 0 {
			left.Reset = leaves
		}
		left.Remaining = max(left.Remaining-q.row.count(i), 0)
	}
	return left
}
