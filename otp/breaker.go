package otp

import (
	"slices"
	"time"
)

// The figures of the breaker (F21): it opens after tripRow failures in a row,
// or when half of at least tripLeast attempts within tripSpan failed. Once
// openFor has passed, one message at a time is a probe, and closeAfter good
// ones in a row close it.
const (
	tripRow    = 5
	tripLeast  = 10
	tripSpan   = 30 // seconds
	openFor    = 30 * time.Second
	closeAfter = 2
)

// The figures of a SIM without credit (F16): so many different numbers refused
// in a row within creditSpan, each in a way that may be the SIM's fault. It is
// probed after creditFor.
const (
	creditNumbers = 5
	creditSpan    = 5 * time.Minute
	creditFor     = 10 * time.Minute
)

// Reasons of the closed list of [RouteStatus] that the outbox itself finds.
const (
	reasonFailing = "failing"   // attempts failed one after the other
	reasonCredit  = "credit"    // whoever it sends to, it is refused
	reasonCapped  = "daily_cap" // it has carried as many messages as it may in a day
)

// BreakerState says whether the breaker of a route lets messages through.
type BreakerState uint8

// The states of a breaker.
const (
	BreakerClosed  BreakerState = iota // messages go
	BreakerOpen                        // none goes, and none waits to find that out
	BreakerProbing                     // one at a time goes
)

// String returns "closed", "open" or "probing".
func (s BreakerState) String() string { return [...]string{"closed", "open", "probing"}[s] }

// breaker keeps messages off a route that has failed too often. Its lane's
// mutex guards it. The zero breaker is closed.
type breaker struct {
	reason string // why it is not closed; "" is closed
	until  Time   // no message before it, then probes
	good   int    // probes in a row that went well

	row     int    // failures in a row
	last    string // number of the last failure
	seconds [tripSpan]second
	suspect []suspicion
}

// second counts the attempts that ended within one second of box time.
type second struct {
	at        Time // in seconds
	good, bad int
}

// suspicion is a number that was refused though it may be a good one.
type suspicion struct {
	dial string
	at   Time
}

// state returns the state at a moment.
func (b *breaker) state(now Time) BreakerState {
	switch {
	case b.reason == "":
		return BreakerClosed
	case now < b.until && b.until.Sub(now) <= creditFor: // else an accepted step back of the clock has undone that time
		return BreakerOpen
	}
	return BreakerProbing
}

// grade says what a verdict tells about the route.
type grade uint8

const (
	tellsNothing grade = iota // the number or the text was at fault
	tellsGood
	tellsBad
)

func gradeOf(v Verdict) grade {
	if v.Outcome == Sent {
		return tellsGood
	}
	switch v.Reason {
	case ReasonRecipient, ReasonEncoding, ReasonTooLate:
		return tellsNothing
	}
	return tellsBad
}

// heard takes the outcome of an attempt to send to dial.
func (b *breaker) heard(now Time, dial string, v Verdict) {
	g := gradeOf(v)
	switch b.state(now) {
	case BreakerOpen: // begun before it opened
		return
	case BreakerProbing:
		b.probed(now, g, dubious(v))
		return
	}
	if b.suspects(now, dial, v) {
		b.open(now, reasonCredit)
		return
	}
	if g == tellsNothing {
		return
	}
	if g == tellsBad && v.Reason == ReasonTemporary && dial == b.last {
		return // a dead number looks like a troubled network: it counts once
	}
	s := b.second(now)
	if g == tellsGood {
		b.row, b.last = 0, ""
		s.good++
		return
	}
	b.row, b.last = b.row+1, dial
	s.bad++
	if good, bad := b.counted(now); b.row >= tripRow || good+bad >= tripLeast && bad >= good {
		b.open(now, reasonFailing)
	}
}

// probed takes the outcome of a probe.
func (b *breaker) probed(now Time, g grade, dubious bool) {
	switch {
	case g == tellsGood:
		if b.good++; b.good >= closeAfter {
			*b = breaker{}
		}
	case g == tellsBad, dubious && b.reason == reasonCredit:
		b.open(now, b.reason)
	}
}

// open opens the breaker, again or for the first time.
func (b *breaker) open(now Time, reason string) {
	pause := openFor
	if reason == reasonCredit {
		pause = creditFor
	}
	*b = breaker{reason: reason, until: now.Add(pause)}
}

// returned hears that the route was away and is ready again: a SIM that was
// taken for empty may be another one, or topped up.
func (b *breaker) returned() {
	if b.reason == reasonCredit {
		*b = breaker{}
	}
}

// second returns the count of the present second.
func (b *breaker) second(now Time) *second {
	at := now / 1000
	s := &b.seconds[at%tripSpan]
	if s.at != at {
		*s = second{at: at}
	}
	return s
}

// counted sums the last tripSpan.
func (b *breaker) counted(now Time) (good, bad int) {
	for _, s := range b.seconds {
		if s.at > now/1000-tripSpan {
			good, bad = good+s.good, bad+s.bad
		}
	}
	return good, bad
}

// dubious tells whether a refusal names the number, or nothing at all, though
// it may be the SIM's fault.
func dubious(v Verdict) bool {
	return v.Outcome == Refused && (v.Reason == ReasonSIM || v.Reason == ReasonRecipient && v.Retry == RetryOnce)
}

// suspects takes a verdict for or against the SIM, and tells whether there is
// enough against it. Refusals that are certainly about the number do not count:
// else five wrong numbers from one caller would silence the box.
func (b *breaker) suspects(now Time, dial string, v Verdict) bool {
	switch {
	case v.Outcome == Sent:
		b.suspect = nil
	case dubious(v):
		b.suspect = slices.DeleteFunc(b.suspect, func(s suspicion) bool {
			return s.dial == dial || now.Sub(s.at) >= creditSpan
		})
		b.suspect = append(b.suspect, suspicion{dial, now})
	}
	return len(b.suspect) >= creditNumbers
}
