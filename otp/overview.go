package otp

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// RouteReport is a route as an operator sees it. Its State, Reason and Detail
// tell of the breaker and the daily cap, too: "failing", "credit", "daily_cap".
type RouteReport struct {
	Name string
	RouteStatus
	Queue   int           // messages that wait, for all routes together
	Wait    time.Duration // expected until a message queued now is handed over here
	Breaker BreakerState
	// Used is how many messages it has carried in the last 24 hours, of
	// DailyCap; a DailyCap of 0 is none, and then nothing is counted.
	Used, DailyCap int
}

// Vital returns the routes that a box is judged by: those that carry SMS, or all
// of a box that has none. A relay for mail that is well must not hide that no
// SMS can leave.
func Vital(routes []RouteReport) []RouteReport {
	var vital []RouteReport
	for i := range routes {
		if routes[i].Carries(ChannelSMS) {
			vital = append(vital, routes[i])
		}
	}
	if vital == nil {
		return routes
	}
	return vital
}

// details tell an operator what to do about a reason that the outbox has found.
var details = map[string]string{
	reasonFailing: "Attempts to send failed one after the other. It is tried again from time to time.",
	reasonCredit:  "It refused one number after the other. Top up the SIM, or see what its subscription allows. It is tried again every 10 minutes.",
	reasonCapped:  "It has carried as many messages in 24 hours as daily_cap allows. Raise daily_cap, or wait.",
}

// Routes returns every route in configured order.
func (o *Outbox) Routes() []RouteReport {
	now := o.box.Clock.Now()
	views, err := o.survey(o.statuses(), now)
	if err != nil {
		o.box.Log.Error().Err(err).Msg("the counts of the routes cannot be read")
		return nil
	}
	out := make([]RouteReport, len(views))
	queue := int(o.ahead(PriorityNormal))
	for i := range views {
		v := &views[i]
		r := RouteReport{
			Name: v.route.Name(), RouteStatus: v.status, Breaker: v.breaker, Queue: queue,
			Wait: v.wait + handed([]*view{v}, queue+1), Used: v.used,
		}
		if len(v.cap) > 0 {
			r.DailyCap = v.cap[0].Count
		}
		if v.known {
			r.Pace = v.pace
		}
		if detail := details[v.shut]; detail != "" && r.State != RouteDown {
			r.State, r.Reason, r.Detail = RouteDown, v.shut, detail
			if v.breaker == BreakerProbing {
				r.State = RouteComing
			}
		}
		out[i] = r
	}
	return out
}

// measure registers what metrics show of the queue and the routes.
func (o *Outbox) measure() {
	m := o.box.Metrics
	m.begin(o.box.Apps, o.lanes)
	m.gauge("pinferry_queue_messages", func() float64 { return float64(o.ahead(PriorityNormal)) })
	m.gauge("pinferry_queue_oldest_seconds", func() float64 {
		since := Time(o.oldest.Load())
		if since == 0 {
			return 0
		}
		return max(0, o.box.Clock.Now().Sub(since).Seconds())
	})
	for i, l := range o.lanes {
		gauge := func(name string, read func(r *RouteReport) float64) {
			m.gauge(fmt.Sprintf("%s{route=%q}", name, l.route.Name()), func() float64 {
				if all := o.Routes(); all != nil {
					return read(&all[i])
				}
				return 0
			})
		}
		gauge("pinferry_route_ready", func(r *RouteReport) float64 { return map[bool]float64{true: 1}[r.State == RouteReady] })
		gauge("pinferry_route_pace_seconds", func(r *RouteReport) float64 { return r.Pace.Seconds() })
		gauge("pinferry_route_wait_seconds", func(r *RouteReport) float64 { return r.Wait.Seconds() })
		gauge("pinferry_route_breaker", func(r *RouteReport) float64 { return float64(r.Breaker) })
		if l.cap != nil {
			gauge("pinferry_route_cap_used", func(r *RouteReport) float64 { return float64(r.Used) })
			gauge("pinferry_route_cap", func(r *RouteReport) float64 { return float64(r.DailyCap) })
		}
		if s := l.route.Status(); s.Kind == "modem" || s.Kind == "simulator" {
			o.measureModem(l.route)
		}
	}
}

// registrations are what a modem may say of its place in the network: its
// [RouteStatus] has one of them.
var registrations = []string{"home", "roaming", "sms_only", "sms_only_roaming", "searching", "denied", "none"}

// measureModem registers what metrics show of a modem and its SIM. What the
// modem has not told is no number: a gauge at 0 would be a lie about it.
func (o *Outbox) measureModem(r Route) {
	gauge := func(name string, read func(s RouteStatus) float64) {
		o.box.Metrics.gauge(fmt.Sprintf("%s{modem=%q}", name, r.Name()), func() float64 { return read(r.Status()) })
	}
	known := func(n int) float64 {
		if n == 0 {
			return math.NaN()
		}
		return float64(n)
	}
	gauge("pinferry_modem_up", func(s RouteStatus) float64 { return map[bool]float64{true: 1}[s.State == RouteReady] })
	gauge("pinferry_modem_signal_dbm", func(s RouteStatus) float64 { return known(s.SignalDBm) })
	gauge("pinferry_sim_pin_retries", func(s RouteStatus) float64 { return known(s.PINTries) })
	gauge("pinferry_sim_balance", func(s RouteStatus) float64 {
		balance, err := strconv.ParseFloat(s.Balance, 64)
		if err != nil {
			return math.NaN()
		}
		return balance
	})
	for _, state := range registrations {
		name := fmt.Sprintf("pinferry_modem_registered{modem=%q,state=%q}", r.Name(), state)
		o.box.Metrics.gauge(name, func() float64 { return map[bool]float64{true: 1}[r.Status().Registration == state] })
	}
}
