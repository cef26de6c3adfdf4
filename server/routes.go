package server

import (
	"github.com/pinferry/pinferry/server/admin"
	"github.com/pinferry/pinferry/server/api"
	"github.com/pinferry/pinferry/server/web"
)

// route is a line of the table: {id} stands for one segment of a path.
type route struct {
	method, pattern string
	handle          web.Handler
}

const backupPath = "/admin/backup"

// networkRoutes is the table of what the box answers on the network.
func (s *Server) networkRoutes() []route {
	native := api.New(s.config.Verifications, s.config.Outbox, api.Keys(s.config.Apps))
	routes := append(nativeRoutes(native), route{"GET", "/v1/routes", native.Routes})
	routes = append(routes, s.healthRoutes()...)
	if s.config.Handset != nil {
		routes = append(routes, route{"GET", "/demo/handset", s.handset})
	}
	return routes
}

// socketRoutes is the table of what it answers on the admin socket: the native
// calls without keys, and the operator's own.
func (s *Server) socketRoutes() []route {
	native := api.New(s.config.Verifications, s.config.Outbox, admin.Act(s.config.Apps))
	operator := api.New(s.config.Verifications, s.config.Outbox, admin.Operate)
	console := admin.NewConsole(s.config.Admin)
	routes := append(nativeRoutes(native), route{"GET", "/v1/routes", operator.Routes})
	routes = append(routes, s.healthRoutes()...)
	if s.config.Admin.Status != nil {
		routes = append(routes, route{"GET", "/admin/status", console.Status})
	}
	if s.config.Admin.Clock != nil {
		routes = append(routes, route{"GET", "/admin/clock", console.Clock})
	}
	if s.config.Admin.AcceptClock != nil {
		routes = append(routes, route{"POST", "/admin/clock", console.AcceptClock})
	}
	if s.config.Admin.Backup != nil {
		routes = append(routes, route{"GET", backupPath, console.Backup})
	}
	return routes
}

// nativeRoutes are the calls that concern one app.
func nativeRoutes(d *api.Door) []route {
	return []route{
		{"POST", "/v1/verifications", d.Start},
		{"GET", "/v1/verifications/{id}", d.Get},
		{"DELETE", "/v1/verifications/{id}", d.Cancel},
		{"POST", "/v1/verifications/{id}/check", d.Check},
		{"POST", "/v1/verifications/{id}/resend", d.Resend},
		{"POST", "/v1/messages", d.Send},
		{"GET", "/v1/messages", d.Messages},
		{"GET", "/v1/messages/{id}", d.Message},
	}
}

func (s *Server) healthRoutes() []route {
	routes := []route{
		{"GET", "/healthz", s.alive},
		{"GET", "/readyz", s.ready},
	}
	if s.config.Metrics != nil {
		routes = append(routes, route{"GET", "/metrics", s.metrics})
	}
	return routes
}
