package otp

import (
	"fmt"
	"net/netip"
	"time"
)

// Rule allows Count events in any Window.
type Rule struct {
	Count  int
	Window time.Duration
}

// Limits are the quotas of the box. An empty list lifts a rule.
type Limits struct {
	SendsPerPhone        []Rule // N7
	SendsPerAddressPhone []Rule // N7b: below SendsPerPhone, so that one address cannot use up a number's sends
	SendsPerAddress      []Rule // N9
	SendsPerBlock        []Rule // N10: distinct unknown numbers that differ in the last three digits
	SendsPerLargeBlock   []Rule // N10: in the last four digits
	SendsPerCountry      []Rule // N11
	SendsPerBox          []Rule // N13

	ConversionPerBlock   []Conversion // N12: of 1,000 numbers
	ConversionPerCountry []Conversion // N12: of a calling code
	// Backoff is the wait after the third, fourth, ... send within an hour from
	// one address to one phone (N8), without an address per phone; give or
	// take a tenth.
	Backoff []time.Duration

	TriesPerPhone        []Rule // N4: wrong tries over all codes and doors
	TriesPerAddressPhone []Rule // N5
	TriesPerAddress      []Rule // N6
	// TriesReserve is left to an address that verified the phone before (N4),
	// so that strangers cannot lock its holder out.
	TriesReserve []Rule

	RefusalsPerAddress []Rule // refused starts: slows down who probes numbers
	MessagesPerApp     []Rule // plain messages
	// SendsPerRoute is what a route may carry, by its name: a SIM's or an
	// account's daily cap. A message beyond it goes another way, or is refused.
	SendsPerRoute map[string][]Rule

	// Exempt addresses have no per-address and no block rule: the demo's
	// loopback.
	Exempt []netip.Prefix
}

// triesPerCaller is how many wrong tries one source address has at one
// verification (N5): the last of the five is kept for another address, so that
// one address cannot kill somebody's code.
const triesPerCaller = 4

// maxLive is how many verifications of one (app, address) live side by side at
// doors with a handle.
const maxLive = 3

// firstSends go out at once before the back-off begins.
const firstSends = 3

// reservedShare of the country and box quotas is kept for numbers that
// verified in the last knownFor.
const (
	reservedShare = 0.3
	knownFor      = 90 * 24 * time.Hour
)

// DefaultLimits returns the limits of a box that says nothing else.
func DefaultLimits() Limits {
	const m, h, day = time.Minute, time.Hour, 24 * time.Hour
	return Limits{
		SendsPerPhone:        []Rule{{3, 5 * m}, {6, h}, {10, day}},
		SendsPerAddressPhone: []Rule{{4, h}, {6, day}},
		SendsPerAddress:      []Rule{{10, 10 * m}, {50, day}},
		SendsPerBlock:        []Rule{{10, 10 * m}},
		SendsPerLargeBlock:   []Rule{{30, h}},
		SendsPerCountry:      []Rule{{100, h}},
		SendsPerBox:          []Rule{{60, m}},
		ConversionPerBlock:   []Conversion{{20, h, 10}},
		ConversionPerCountry: []Conversion{{100, h, 15}},
		Backoff:              []time.Duration{5 * m, 10 * m, 20 * m, 32 * m},
		TriesPerPhone:        []Rule{{10, h}, {20, day}},
		TriesPerAddressPhone: []Rule{{8, h}},
		TriesPerAddress:      []Rule{{30, 10 * m}},
		TriesReserve:         []Rule{{5, day}},
		RefusalsPerAddress:   []Rule{{60, 10 * m}},
		MessagesPerApp:       []Rule{{60, m}},
	}
}

// hard is what a production box may not be configured above. The figure for
// sends is what the default of three in five minutes lets fall into ten.
var hard = []struct {
	name string
	of   func(Limits) []Rule
	most Rule
}{
	{"sends_per_phone", func(l Limits) []Rule { return l.SendsPerPhone }, Rule{6, 10 * time.Minute}},
	{"tries_per_phone", func(l Limits) []Rule { return l.TriesPerPhone }, Rule{100, 24 * time.Hour}},
	{"tries_per_address_phone", func(l Limits) []Rule { return l.TriesPerAddressPhone }, Rule{8, time.Hour}},
	{"tries_per_address", func(l Limits) []Rule { return l.TriesPerAddress }, Rule{100, 10 * time.Minute}},
}

// Validate refuses limits under which codes could be guessed or numbers
// flooded. A box whose apps are all in test mode may lift everything.
func (l Limits) Validate(apps *Apps) error {
	production := false
	for _, app := range apps.All() {
		production = production || app.Mode != Test
	}
	if !production {
		return nil
	}
	for _, h := range hard {
		if !bounded(h.of(l), h.most) {
			return fmt.Errorf("[limits] %s allows more than %d in %s: lower it, or put every app in mode = \"test\"",
				h.name, h.most.Count, h.most.Window)
		}
	}
	return nil
}

// bounded tells whether some rule keeps every window of most.Window within
// most.Count events.
func bounded(rules []Rule, most Rule) bool {
	for _, r := range rules {
		windows := int((most.Window + r.Window - 1) / r.Window)
		if r.Count*windows <= most.Count {
			return true
		}
	}
	return false
}

// exempt tells whether no per-address rule applies to a.
func (l Limits) exempt(a netip.Addr) bool { return !a.IsValid() || contains(l.Exempt, a) }

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// source returns the bucket of a caller's address: all of an IPv4 address, the
// /64 of an IPv6 one. "" is no address.
func source(a netip.Addr) string { return bucket(a, 32, 64) }

// coarseSource is the bucket that new sources share when there are very many
// rows.
func coarseSource(a netip.Addr) string { return bucket(a, 24, 48) }

func bucket(a netip.Addr, v4, v6 int) string {
	if !a.IsValid() {
		return ""
	}
	a = a.Unmap().WithZone("")
	bits := v6
	if a.Is4() {
		bits = v4
	}
	p := must(a.Prefix(bits))
	return string(p.Addr().AsSlice()[:(bits+7)/8])
}
