package api

import (
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// RouteWire is a route in an answer, to an app and to the operator.
type RouteWire struct {
	Name         string  `json:"name"`
	Kind         string  `json:"kind"`
	State        string  `json:"state"`
	Reason       *string `json:"reason"` // null when ready
	Detail       string  `json:"detail,omitempty"`
	Device       string  `json:"device,omitempty"`
	Operator     string  `json:"operator,omitempty"`
	Registration string  `json:"registration,omitempty"`
	Signal       *int    `json:"signal_dbm"` // null when unknown
	modemWire
	Free        int      `json:"free"`
	Slots       int      `json:"slots"`
	Reports     bool     `json:"reports"`
	Test        bool     `json:"test,omitzero"`
	Channels    []string `json:"channels"`
	Queue       int      `json:"queue"`
	WaitSeconds int      `json:"wait_seconds"`
	PaceSeconds *float64 `json:"pace_seconds"`       // of one message; null before the first
	Breaker     string   `json:"breaker"`            // closed, open or probing
	DailyCap    int      `json:"daily_cap,omitzero"` // 0 is none
	CapUsed     int      `json:"cap_used,omitzero"`  // of daily_cap, in the last 24 hours
}

// routesWire lists the routes in the order in which they are tried.
type routesWire struct {
	Routes []RouteWire `json:"routes"`
}

// Routes answers GET /v1/routes.
func (d *Door) Routes(c *web.Call) error {
	if err := d.admitSecret(c); err != nil {
		return err
	}
	reports := d.outbox.Routes()
	answer := routesWire{Routes: make([]RouteWire, len(reports))}
	for i := range reports {
		answer.Routes[i] = RouteOf(&reports[i])
	}
	return c.JSON(fasthttp.StatusOK, answer)
}

// RouteOf writes a route for an answer.
func RouteOf(r *otp.RouteReport) RouteWire {
	w := RouteWire{
		Name: r.Name, Kind: r.Kind, State: r.State.String(), Reason: web.OrNull(r.Reason), Detail: r.Detail,
		Device: r.Device, Operator: r.Operator, Registration: r.Registration,
		Free: r.Free, Slots: r.Slots, Reports: r.Reports, Test: r.Test,
		Channels: r.Channels, Queue: r.Queue, WaitSeconds: web.Seconds(r.Wait),
		Breaker: r.Breaker.String(), DailyCap: r.DailyCap, CapUsed: r.Used,
	}
	w.modemWire = modemWireOf(&r.RouteStatus)
	if w.Channels == nil {
		w.Channels = []string{otp.ChannelSMS}
	}
	if r.Pace > 0 {
		pace := r.Pace.Round(time.Millisecond).Seconds()
		w.PaceSeconds = &pace
	}
	if r.SignalDBm != 0 {
		w.Signal = &r.SignalDBm
	}
	return w
}
