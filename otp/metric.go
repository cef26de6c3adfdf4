package otp

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pinferry/pinferry/otp/phone"
)

// Metrics counts what the rules decide. No label ever holds a phone number, and
// none has a value that a caller may choose: apps, routes, rules and reasons are
// known when the box starts. The zero pointer counts nothing.
type Metrics struct{ set *metrics.Set }

// NewMetrics registers in set.
func NewMetrics(set *metrics.Set) *Metrics { return &Metrics{set: set} }

func (m *Metrics) count(name, format string, labels ...any) {
	if m != nil {
		m.set.GetOrCreateCounter(name + fmt.Sprintf(format, labels...)).Inc()
	}
}

// request counts a start by its result: "accepted", or the code of a refusal.
func (m *Metrics) request(app, channel, result string) {
	m.count("pinferry_otp_requests_total", `{app=%q,channel=%q,result=%q}`, app, channel, result)
}

// verification counts a check by its result: "approved", or a code.
func (m *Metrics) verification(app, result string) {
	m.count("pinferry_otp_verifications_total", `{app=%q,result=%q}`, app, result)
}

// ruleLive is that of the codes alive at once for one number, which has no key.
const ruleLive = "live"

// limited counts a refusal by the quota that has no room: the rule is its key
// under [limits] in the config file.
func (m *Metrics) limited(class quotaClass) {
	m.limitedBy(sorts[class].name)
	switch class {
	case sendsBlock, sendsLargeBlock:
		m.fraud(fraudBlock)
	case sendsCountry:
		m.fraud(fraudCountryLimit)
	case conversionBlock, conversionCountry:
		m.fraud(fraudConversion)
	}
}

func (m *Metrics) limitedBy(rule string) { m.count("pinferry_rate_limited_total", `{rule=%q}`, rule) }

// What is counted as an attempt to have the box send to where somebody earns by
// it. A mistake looks the same: it is the rate that tells.
const (
	fraudBlock        = "block"         // many unknown numbers side by side
	fraudCountryLimit = "country_limit" // many numbers of one country
	fraudConversion   = "conversion"    // few of the codes are typed in
	fraudCountry      = "country"       // a country that the app does not send to
	fraudClass        = "number_class"  // premium rate and the like
)

func (m *Metrics) fraud(reason string) {
	m.count("pinferry_fraud_blocked_total", `{reason=%q}`, reason)
}

// suspect counts the refusal of a start if its number is one that fraud would
// choose.
func (m *Metrics) suspect(err error) {
	switch {
	case AsError(err).Code == CountryRefused:
		m.fraud(fraudCountry)
	case errors.Is(err, phone.ErrRefused):
		m.fraud(fraudClass)
	}
}

// message counts a message that reached a state on a route.
func (m *Metrics) message(route string, state MessageState) {
	m.count("pinferry_sms_messages_total", `{route=%q,result=%q}`, route, state)
}

// received counts an SMS that came in, by what became of it: "kept",
// "duplicate", "flood", or what it was as an answer to a text_this.
func (m *Metrics) received(route, result string) {
	m.count("pinferry_inbound_messages_total", `{route=%q,result=%q}`, route, result)
}

// buried counts an event that was given up, by the reason.
func (m *Metrics) buried(app string, why DeadReason) {
	m.count("pinferry_webhook_dead_total", `{app=%q,reason=%q}`, app, why)
}

// Dropped counts a received SMS, or a part of one, that a modem had to give up,
// by the reason.
func (m *Metrics) Dropped(route, reason string) {
	m.count("pinferry_inbound_dropped_total", `{route=%q,reason=%q}`, route, reason)
}

// handed measures the time from acceptance to the hand-over to a network.
func (m *Metrics) handed(route string, d time.Duration) {
	m.observe("pinferry_sms_handover_seconds", route, d)
}

// delivered measures the time from acceptance to the report that the handset has
// the message.
func (m *Metrics) delivered(route string, d time.Duration) {
	m.observe("pinferry_sms_delivery_seconds", route, d)
}

// bounds are the buckets of times, in seconds: a code is worth something for
// minutes.
var bounds = [...]float64{1, 2, 5, 10, 20, 30, 60, 120, 300}

// observe counts a time in a histogram. The library's own has buckets that
// Prometheus cannot read, so this one is made of its counters.
func (m *Metrics) observe(name, route string, d time.Duration) {
	if m == nil {
		return
	}
	seconds := max(0, d.Seconds())
	for _, bound := range bounds {
		if seconds <= bound {
			m.bucket(name, route, strconv.FormatFloat(bound, 'f', -1, 64)).Inc()
		}
	}
	m.bucket(name, route, "+Inf").Inc()
	m.set.GetOrCreateFloatCounter(fmt.Sprintf(`%s_sum{route=%q}`, name, route)).Add(seconds)
	m.set.GetOrCreateCounter(fmt.Sprintf(`%s_count{route=%q}`, name, route)).Inc()
}

func (m *Metrics) bucket(name, route, bound string) *metrics.Counter {
	return m.set.GetOrCreateCounter(fmt.Sprintf(`%s_bucket{route=%q,le=%q}`, name, route, bound))
}

// begin shows what is known beforehand, at zero. Of a counter that appears with
// its first event a rate does not see that event.
func (m *Metrics) begin(apps *Apps, lanes []*lane) {
	if m == nil {
		return
	}
	zero := func(format string, labels ...any) { m.set.GetOrCreateCounter(fmt.Sprintf(format, labels...)) }
	for _, app := range apps.All() {
		zero(`pinferry_otp_requests_total{app=%q,channel=%q,result="accepted"}`, app.ID, ChannelSMS)
		zero(`pinferry_otp_verifications_total{app=%q,result="approved"}`, app.ID)
	}
	zero(`pinferry_rate_limited_total{rule=%q}`, ruleLive)
	for _, s := range sorts {
		if s.name != "" {
			zero(`pinferry_rate_limited_total{rule=%q}`, s.name)
		}
	}
	for _, reason := range []string{fraudBlock, fraudCountryLimit, fraudConversion, fraudCountry, fraudClass} {
		zero(`pinferry_fraud_blocked_total{reason=%q}`, reason)
	}
	for _, l := range lanes {
		route := l.route.Name()
		for _, state := range []MessageState{MessageSent, MessageDelivered, MessageUndelivered, MessageUnknown, MessageFailed, MessageExpired} {
			zero(`pinferry_sms_messages_total{route=%q,result=%q}`, route, state)
		}
		for _, name := range []string{"pinferry_sms_handover_seconds", "pinferry_sms_delivery_seconds"} {
			for _, bound := range bounds {
				m.bucket(name, route, strconv.FormatFloat(bound, 'f', -1, 64))
			}
			m.bucket(name, route, "+Inf")
			m.set.GetOrCreateFloatCounter(fmt.Sprintf(`%s_sum{route=%q}`, name, route))
			zero(`%s_count{route=%q}`, name, route)
		}
	}
}

// gauge registers a value that is read when metrics are.
func (m *Metrics) gauge(name string, read func() float64) {
	if m != nil {
		m.set.GetOrCreateGauge(name, read)
	}
}
