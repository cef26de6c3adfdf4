package server

import (
	"slices"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// Cause is one reason why the box is not ready.
type Cause struct {
	Code   string `json:"code"`   // "no_app", "no_route", "storage_low", ...
	Detail string `json:"detail"` // what to do about it
}

type healthWire struct {
	Status string  `json:"status"`
	Causes []Cause `json:"causes,omitempty"`
}

// noApp tells what a config file needs that has no app.
const noApp = `No app is configured. Add to the config file:

[[app]]
id = "demo"
keys = ["sha256:..."]
countries = ["CH"]

The command "pinferry key new demo" makes the keys and prints that line.`

// alive answers GET /healthz: the process runs and answers.
func (s *Server) alive(c *web.Call) error {
	return c.JSON(fasthttp.StatusOK, healthWire{Status: "alive"})
}

// ready answers GET /readyz: codes can be sent, or why not. Why is told to
// monitors alone.
func (s *Server) ready(c *web.Call) error {
	causes := s.causes()
	if len(causes) == 0 {
		return c.JSON(fasthttp.StatusOK, healthWire{Status: "ready"})
	}
	if !s.monitor(c) {
		causes = nil
	}
	return c.JSON(fasthttp.StatusServiceUnavailable, healthWire{"not_ready", causes})
}

func (s *Server) causes() []Cause {
	var causes []Cause
	if len(s.config.Apps.All()) == 0 {
		causes = append(causes, Cause{"no_app", noApp})
	}
	routes := otp.Vital(s.config.Outbox.Routes())
	if !slices.ContainsFunc(routes, func(r otp.RouteReport) bool { return r.State == otp.RouteReady }) {
		if len(routes) == 0 {
			causes = append(causes, Cause{"no_route", "No route is configured: add a [[modem]] to the config file."})
		}
		for _, r := range routes {
			causes = append(causes, Cause{"no_route", "Route " + r.Name + " is " + r.State.String() + " (" + r.Reason + "). " + r.Detail})
		}
	}
	if s.config.Causes != nil {
		causes = append(causes, s.config.Causes()...)
	}
	return causes
}

// monitor tells whether a call comes from the box itself or from who watches over
// it. What comes over the admin socket has no address.
func (s *Server) monitor(c *web.Call) bool {
	return !c.Client.IsValid() || c.Client.IsLoopback() || web.Within(s.config.Monitors, c.Client)
}

// metrics answers GET /metrics in the text format of Prometheus, to monitors
// alone: it tells which apps there are and whether what somebody tries here works.
func (s *Server) metrics(c *web.Call) error {
	if !s.monitor(c) {
		return &web.Problem{
			Status: fasthttp.StatusForbidden, Code: string(otp.Forbidden), Title: "Not for this address",
			Detail: "The metrics are for the networks that [server] monitors names in the config file, and for the box itself.",
		}
	}
	c.HTTP.SetContentType("text/plain; version=0.0.4; charset=utf-8")
	w := c.HTTP.Response.BodyWriter()
	s.config.Metrics.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
	return nil
}
