package otp

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/pinferry/pinferry/otp/email"
	"github.com/pinferry/pinferry/otp/phone"
)

// Bar is one subject under one limit.
type Bar struct {
	// ID names the row, and holds no number that can be read from it.
	ID string
	// Kind is "phone", "address", "address_phone", "block", "country", "box",
	// "app", "route" or "sender"; Subject what of that kind, numbers masked.
	Kind, Subject string
	// Rule is the number of the rule in the documents, "N7", and Name its key
	// under [limits] in the config file; both may be empty.
	Rule, Name string
	Rules      []Rule // as configured
	// Conversions are the rules, in the place of Rules, where it goes by how many
	// of the codes are typed in, and Verified is how many were.
	Conversions []Conversion
	Verified    int
	Count       int  // events in the longest window
	Until       Time // when it lets the next one through; 0 is now
}

// barSort says what a class of quotas limits.
type barSort struct {
	kind, rule, name string
	rules            func(*Limits) []Rule
	// conversions stands in the place of rules.
	conversions func(*Limits) []Conversion
	// waits: the back-off applies too; to a number alone only for callers without
	// an address.
	waits bool
	// shared: a part is kept for numbers that verified here.
	shared bool
}

// sorts are the classes that an operator sees.
var sorts = map[quotaClass]barSort{
	sendsPhone:        {kind: "phone", rule: "N7, N8", name: "sends_per_phone", rules: func(l *Limits) []Rule { return l.SendsPerPhone }, waits: true},
	sendsAddressPhone: {kind: "address_phone", rule: "N7b, N8", name: "sends_per_address_phone", rules: func(l *Limits) []Rule { return l.SendsPerAddressPhone }, waits: true},
	sendsAddress:      {kind: "address", rule: "N9", name: "sends_per_address", rules: func(l *Limits) []Rule { return l.SendsPerAddress }},
	sendsBlock:        {kind: "block", rule: "N10", name: "sends_per_block", rules: func(l *Limits) []Rule { return l.SendsPerBlock }},
	sendsLargeBlock:   {kind: "block", rule: "N10", name: "sends_per_large_block", rules: func(l *Limits) []Rule { return l.SendsPerLargeBlock }},
	sendsCountry:      {kind: "country", rule: "N11", name: "sends_per_country", rules: func(l *Limits) []Rule { return l.SendsPerCountry }, shared: true},
	sendsBox:          {kind: "box", rule: "N13", name: "sends_per_box", rules: func(l *Limits) []Rule { return l.SendsPerBox }, shared: true},
	triesPhone:        {kind: "phone", rule: "N4", name: "tries_per_phone", rules: func(l *Limits) []Rule { return l.TriesPerPhone }},
	triesAddressPhone: {kind: "address_phone", rule: "N5", name: "tries_per_address_phone", rules: func(l *Limits) []Rule { return l.TriesPerAddressPhone }},
	triesAddress:      {kind: "address", rule: "N6", name: "tries_per_address", rules: func(l *Limits) []Rule { return l.TriesPerAddress }},
	triesReserve:      {kind: "address_phone", rule: "N4", name: "tries_reserve", rules: func(l *Limits) []Rule { return l.TriesReserve }},
	refusals:          {kind: "address", name: "refusals_per_address", rules: func(l *Limits) []Rule { return l.RefusalsPerAddress }},
	messagesApp:       {kind: "app", name: "messages_per_app", rules: func(l *Limits) []Rule { return l.MessagesPerApp }},
	troublesPhone:     {kind: "phone", rules: func(*Limits) []Rule { return troubles }},
	inboundSender:     {kind: "sender", rules: func(*Limits) []Rule { return inboundPerSender }},
	inboundBox:        {kind: "box", rules: func(*Limits) []Rule { return inboundPerBox }},
	conversionBlock:   {kind: "block", rule: "N12", name: "conversion_per_block", conversions: func(l *Limits) []Conversion { return l.ConversionPerBlock }},
	conversionCountry: {kind: "country", rule: "N12", name: "conversion_per_country", conversions: func(l *Limits) []Conversion { return l.ConversionPerCountry }},
	operatorSends:     {kind: "phone", rule: "N7, N8", name: "sends_per_phone", rules: func(l *Limits) []Rule { return l.SendsPerPhone }, waits: true},
	operatorTries:     {kind: "phone", rule: "N4", name: "tries_per_phone", rules: func(l *Limits) []Rule { return l.TriesPerPhone }},
	operatorAddress:   {kind: "address", rule: "N26", rules: func(*Limits) []Rule { return triesOperator }},
}

// splitQuota takes the key of a quota row apart. coarse: it is one that
// neighbours share.
func splitQuota(part string) (class quotaClass, subject string, coarse bool) {
	if part == "" {
		return 0, "", false
	}
	subject, coarse = strings.CutPrefix(part[1:], coarseMark)
	return quotaClass(part[0]), subject, coarse
}

// bar reads a row as an operator sees it. ok is false for what is none.
func (d *Desk) bar(part string, raw []byte, now Time) (b Bar, ok bool, err error) {
	class, subject, coarse := splitQuota(part)
	limits := &d.box.Limits
	s, ok := sorts[class]
	if class == sendsRoute {
		s, ok = barSort{kind: "route", name: "daily_cap", rules: func(l *Limits) []Rule { return l.SendsPerRoute[subject] }}, true
	}
	if !ok {
		return b, false, nil
	}
	b = Bar{ID: d.box.Keys.sealName(part), Kind: s.kind, Subject: subjectOf(s.kind, subject, coarse), Rule: s.rule, Name: s.name}
	q := quota{class: class, subject: subject}
	if s.conversions != nil {
		b.Conversions = s.conversions(limits)
		q.conversion = &conversion{rules: b.Conversions}
	} else {
		if b.Rules = s.rules(limits); class == operatorAddress && coarse {
			b.Rules = triesOperatorSite
		}
		q.rules, q.keep = b.Rules, b.Rules
	}
	if s.shared {
		q.rules = share(q.rules, false) // as most numbers have it
	}
	if s.waits {
		q.backoff = limits.Backoff
	}
	if err := decodeRecord(raw, q.record()); err != nil {
		return b, false, err
	}
	q.clamp(now.seconds())
	if wait := q.wait(now); wait > 0 {
		b.Until = now.Add(wait)
	}
	b.Count, b.Verified = q.counted(now)
	return b, true, nil
}

// counted returns how many events lie in the longest window, and how many of
// them verified if that is of interest.
func (q *quota) counted(now Time) (events, verified int) {
	if q.conversion != nil {
		window, _ := q.conversion.window()
		sends, typed := q.conversion.count(window, now)
		return int(sends), int(typed)
	}
	window, _ := q.retain()
	return q.row.within(Rule{Window: window}, now), 0
}

// subjectOf writes the subject of a quota for people, with numbers masked.
func subjectOf(kind, subject string, coarse bool) string {
	switch kind {
	case "phone":
		return maskedKey(subject)
	case "block":
		return subject + "..."
	case "address":
		return sourceText(subject)
	case "address_phone":
		if from, key, ok := splitPair(subject, coarse); ok {
			to := maskedKey(key)
			if coarse && to == "***" { // a block, which is nobody's own
				to = key + "..."
			}
			return sourceText(from) + " to " + to
		}
		return "***"
	case "country":
		return "+" + subject
	case "sender":
		return MaskedSender("+" + subject)
	}
	return subject
}

// splitPair takes a source apart from the phone or the mailbox that was sent to
// from there; ok is false for a login name. A source is raw bytes, of which any may
// look like a letter or a plus sign, so its length is what tells; one of eight
// bytes before a mailbox that ends in four letters is taken for one of four.
func splitPair(subject string, coarse bool) (from, key string, ok bool) {
	sizes := []int{4, 8}
	if coarse {
		sizes = []int{3, 6} // of coarseSource
	}
	for _, n := range sizes {
		if len(subject) > n && isKey(subject[n:]) {
			return subject[:n], subject[n:], true
		}
	}
	return "", "", false
}

// isKey tells whether s can be the key of a phone or of a mailbox, or their block.
func isKey(s string) bool {
	if digits, plus := strings.CutPrefix(s, "+"); plus && digits != "" && strings.Trim(digits, "0123456789") == "" {
		return true
	}
	return strings.IndexByte(s, '@') > 0 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// maskedKey masks the key of an address; a login name is not shown.
func maskedKey(key string) string {
	if strings.IndexByte(key, '@') > 0 {
		return email.Mask(key)
	}
	n, err := phone.Parse(key)
	if err != nil {
		return "***"
	}
	return Address{Kind: Phone, Key: n.Key, Dial: n.Dial, Calling: n.Calling}.Masked()
}

// keyInFull is the number or email address whose key it is, "" if it is neither.
func keyInFull(key string) string {
	if strings.IndexByte(key, '@') > 0 {
		return key
	}
	n, err := phone.Parse(key)
	if err != nil {
		return ""
	}
	return "+" + n.Dial
}

// MaskedSender masks the sender of an SMS if it is a number. A short code or a
// name is shown: it is nobody's own.
func MaskedSender(from string) string {
	digits := strings.TrimPrefix(from, "+")
	const shortCode = 6
	if len(digits) <= shortCode || strings.Trim(digits, "0123456789 ") != "" {
		return from
	}
	if masked := maskedKey(from); masked != "***" {
		return masked
	}
	return strings.Repeat("*", len(digits)-2) + digits[len(digits)-2:]
}

// sourceText writes the bucket of an address for people.
func sourceText(bucket string) string {
	raw := []byte(bucket)
	switch len(raw) {
	case 4:
		a, _ := netip.AddrFromSlice(raw)
		return a.String()
	case 3:
		a, _ := netip.AddrFromSlice(append(raw, 0))
		return a.String() + "/24"
	case 6, 8:
		a, _ := netip.AddrFromSlice(append(raw, make([]byte, 16-len(raw))...))
		return a.String() + "/" + strconv.Itoa(8*len(raw))
	}
	return "***"
}
