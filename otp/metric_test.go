package otp_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// metric returns the value of a series as it is scraped, "" if there is none.
func (r *rig) metric(series string) string {
	r.t.Helper()
	for line := range strings.Lines(r.scrape()) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (r *rig) scrape() string {
	var b bytes.Buffer
	r.set.WritePrometheus(&b)
	return b.String()
}

func (r *rig) wantMetrics(want map[string]string) {
	r.t.Helper()
	for series, value := range want {
		if got := r.metric(series); got != value {
			r.t.Errorf("%s is %q, want %q", series, got, value)
		}
	}
}

// TestCountersBeginAtZero: of a counter that appears with its first event, a
// rate does not see that event.
func TestCountersBeginAtZero(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		r.wantMetrics(map[string]string{
			`pinferry_otp_requests_total{app="demo",channel="sms",result="accepted"}`: "0",
			`pinferry_otp_verifications_total{app="demo",result="approved"}`:          "0",
			`pinferry_rate_limited_total{rule="tries_per_phone"}`:                     "0",
			`pinferry_fraud_blocked_total{reason="block"}`:                            "0",
			`pinferry_sms_messages_total{route="gsm0",result="failed"}`:               "0",
			`pinferry_sms_delivery_seconds_count{route="gsm0"}`:                       "0",
			`pinferry_queue_oldest_seconds`:                                           "0",
		})
	})
}

func TestDeliveryIsMeasured(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		route.Script(otptest.Turn{Verdict: otp.Verdict{Outcome: otp.Sent, Ref: "7"}, Takes: 4 * time.Second})
		r := newRig(t, setup{routes: []*otptest.Route{route}})
		r.mustStart(r.server(), alice)
		pass(12 * time.Second)
		r.outbox.Reported(otp.Report{Route: "gsm0", Ref: "7", Dial: alice[1:], Delivered: true})
		synctest.Wait()
		r.wantMetrics(map[string]string{
			`pinferry_sms_handover_seconds_bucket{route="gsm0",le="2"}`:    "0",
			`pinferry_sms_handover_seconds_bucket{route="gsm0",le="5"}`:    "1",
			`pinferry_sms_handover_seconds_sum{route="gsm0"}`:              "4",
			`pinferry_sms_delivery_seconds_bucket{route="gsm0",le="10"}`:   "0",
			`pinferry_sms_delivery_seconds_bucket{route="gsm0",le="20"}`:   "1",
			`pinferry_sms_delivery_seconds_bucket{route="gsm0",le="300"}`:  "1",
			`pinferry_sms_delivery_seconds_bucket{route="gsm0",le="+Inf"}`: "1",
			`pinferry_sms_delivery_seconds_sum{route="gsm0"}`:              "12",
			`pinferry_sms_delivery_seconds_count{route="gsm0"}`:            "1",
			`pinferry_sms_messages_total{route="gsm0",result="delivered"}`: "1",
		})
		if strings.Contains(r.scrape(), alice[1:]) {
			t.Error("a metric has a number in it")
		}
	})
}

func TestOldestMessageIsMeasured(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		r := newRig(t, setup{routes: []*otptest.Route{route}})
		r.measure()
		busy := route.Status()
		busy.Free = 0
		route.SetStatus(busy)
		r.mustStart(r.server(), alice)
		pass(7 * time.Second)
		if _, err := r.outbox.Send(t.Context(), r.server(), otp.MessageRequest{To: alice, Text: "x"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.wantMetrics(map[string]string{"pinferry_queue_oldest_seconds": "7", "pinferry_queue_messages": "2"})
		route.Ready()
		synctest.Wait()
		r.wantMetrics(map[string]string{"pinferry_queue_oldest_seconds": "0", "pinferry_queue_messages": "0"})
	})
}

func TestFraudIsCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := demoApp("demo")
		app.Countries = []string{"CH"}
		r := newRig(t, setup{apps: []otp.App{app}, limits: func(l *otp.Limits) { l.SendsPerBlock = []otp.Rule{{Count: 1, Window: time.Hour}} }})
		_, err := r.start(r.server(), bob)
		wantCode(t, err, otp.CountryRefused)
		_, err = r.start(r.server(), "+41900123456")
		wantCode(t, err, otp.NumberRefused)
		r.mustStart(r.server(), alice)
		_, err = r.start(r.server(), "+41791234568")
		wantCode(t, err, otp.LimitBox)
		r.wantMetrics(map[string]string{
			`pinferry_fraud_blocked_total{reason="country"}`:       "1",
			`pinferry_fraud_blocked_total{reason="number_class"}`:  "1",
			`pinferry_fraud_blocked_total{reason="block"}`:         "1",
			`pinferry_fraud_blocked_total{reason="country_limit"}`: "0",
			`pinferry_rate_limited_total{rule="sends_per_block"}`:  "1",
		})
	})
}

// TestModemIsMeasured: what a modem has not told is no number.
func TestModemIsMeasured(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		r := newRig(t, setup{routes: []*otptest.Route{route}})
		const signal, retries, balance = `pinferry_modem_signal_dbm{modem="gsm0"}`, `pinferry_sim_pin_retries{modem="gsm0"}`, `pinferry_sim_balance{modem="gsm0"}`
		r.wantMetrics(map[string]string{
			`pinferry_modem_up{modem="gsm0"}`: "1", signal: "NaN", retries: "NaN", balance: "NaN",
			`pinferry_modem_registered{modem="gsm0",state="home"}`: "0",
		})
		s := route.Status()
		s.SignalDBm, s.PINTries, s.Balance, s.Registration = -81, 3, "10.50", "home"
		route.SetStatus(s)
		r.wantMetrics(map[string]string{
			signal: "-81", retries: "3", balance: "10.5",
			`pinferry_modem_registered{modem="gsm0",state="home"}`:      "1",
			`pinferry_modem_registered{modem="gsm0",state="searching"}`: "0",
		})
		route.Down("hung")
		r.wantMetrics(map[string]string{`pinferry_modem_up{modem="gsm0"}`: "0"})
	})
}
