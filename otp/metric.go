package otp

import (
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Metrics counts what the rules decide. No label ever holds a phone number.
// The zero pointer counts nothing.
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

// limited counts a refusal by its rule.
func (m *Metrics) limited(rule string) { m.count("pinferry_rate_limited_total", `{rule=%q}`, rule) }

// fraudConversion: few of the codes for these numbers are typed in.
const fraudConversion = "conversion"

// fraud counts a send that was refused as one that somebody would earn by.
func (m *Metrics) fraud(reason string) {
	m.count("pinferry_fraud_blocked_total", `{reason=%q}`, reason)
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
	if m != nil {
		m.set.GetOrCreateHistogram(fmt.Sprintf(`pinferry_sms_handover_seconds{route=%q}`, route)).Update(d.Seconds())
	}
}

// gauge registers a value that is read when metrics are.
func (m *Metrics) gauge(name string, read func() float64) {
	if m != nil {
		m.set.GetOrCreateGauge(name, read)
	}
}
