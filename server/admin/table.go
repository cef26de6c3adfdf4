package admin

import (
	"github.com/pinferry/pinferry/server/web"
)

// calls is the table of what an operator can ask, by the page and on the admin
// socket alike.
func (o *Console) calls() []web.Route {
	a := &o.actions
	var routes []web.Route
	for _, line := range []struct {
		method, pattern string
		handle          web.Handler
		mounted         bool
	}{
		{"GET", "/admin/status", o.Status, a.Status != nil},
		{"GET", "/admin/clock", o.Clock, a.Clock != nil},
		{"POST", "/admin/clock", o.AcceptClock, a.AcceptClock != nil},
		{"GET", "/admin/opt-outs", o.ListOptOuts, a.OptOuts != nil},
		{"POST", "/admin/opt-outs/lift", o.LiftOptOut, a.OptOuts != nil},
		{"GET", "/admin/events", o.DeadEvents, a.Events != nil},
		{"POST", "/admin/events/replay", o.ReplayEvents, a.Events != nil},
		{"GET", "/admin/doctor", o.Doctor, a.Facts != nil},
		{"POST", ModemPath, o.Modem, a.Modem != nil},
		{"GET", "/admin/overview", o.Overview, a.Desk != nil},
		{"GET", "/admin/chart", o.Chart, a.Desk != nil},
		{"GET", LivePath, o.Live, a.Desk != nil},
		{"GET", "/admin/routes", o.Routes, a.Desk != nil},
		{"GET", "/admin/verifications", o.Verifications, a.Desk != nil},
		{"GET", "/admin/verifications/{id}", o.Verification, a.Desk != nil},
		{"POST", "/admin/verifications/{id}/cancel", o.Cancel, a.Desk != nil},
		{"GET", "/admin/messages", o.Messages, a.Desk != nil},
		{"GET", "/admin/messages/{id}", o.Message, a.Desk != nil},
		{"POST", "/admin/messages", o.Send, a.Desk != nil},
		{"GET", "/admin/users", o.Users, a.Desk != nil},
		{"GET", "/admin/users/{id}", o.User, a.Desk != nil},
		{"POST", "/admin/users/{id}/block", o.BlockUser, a.Desk != nil},
		{"POST", "/admin/users/{id}/unblock", o.UnblockUser, a.Desk != nil},
		{"POST", "/admin/users/{id}/sign-out", o.SignOutUser, a.Desk != nil},
		{"POST", "/admin/users/{id}/remove", o.RemoveUser, a.Desk != nil},
		{"GET", "/admin/limits", o.Limits, a.Desk != nil},
		{"POST", "/admin/limits/lift", o.LiftLimit, a.Desk != nil},
		{"GET", "/admin/apps", o.ListApps, a.Desk != nil},
		{"POST", "/admin/texts/preview", o.Preview, a.Desk != nil},
		{"GET", "/admin/inbound", o.InboundList, a.Desk != nil},
		{"GET", "/admin/audit", o.Audit, a.Desk != nil},
		{"GET", "/admin/audit/verify", o.VerifyAudit, a.Desk != nil},
		{"POST", "/admin/reveal", o.Reveal, a.Desk != nil},
	} {
		if line.mounted {
			routes = append(routes, web.Route{Method: line.method, Pattern: line.pattern, Handle: line.handle})
		}
	}
	return routes
}

// Socket returns the calls on the admin socket.
func (o *Console) Socket() []web.Route {
	routes := o.calls()
	if o.actions.Backup != nil {
		routes = append(routes, web.Route{Method: "GET", Pattern: BackupPath, Handle: o.Backup})
	}
	if o.actions.Operators != nil {
		routes = append(routes,
			web.Route{Method: "GET", Pattern: "/admin/setup", Handle: o.Setup},
			web.Route{Method: "POST", Pattern: "/admin/reset", Handle: o.Reset})
	}
	for i := range routes {
		routes[i].Handle = local(routes[i].Handle)
	}
	return routes
}

// Page returns the page and its calls, for the network. All but the files and
// what leads to a session need one.
func (o *Console) Page() (web.Door, error) {
	door := web.Door{Name: "admin", Below: []string{"/admin"}, Prepare: prepare}
	routes, err := staticRoutes()
	if err != nil {
		return door, err
	}
	routes = append(routes,
		web.Route{Method: "GET", Pattern: "/admin/session", Handle: o.Session},
		web.Route{Method: "POST", Pattern: "/admin/setup", Handle: fenced(o.SetUp)},
		web.Route{Method: "POST", Pattern: "/admin/login", Handle: fenced(o.Login)})
	signed := append(o.calls(),
		web.Route{Method: "POST", Pattern: "/admin/logout", Handle: o.Logout},
		web.Route{Method: "POST", Pattern: "/admin/logout-everywhere", Handle: o.LogoutAll},
		web.Route{Method: "POST", Pattern: "/admin/password", Handle: o.ChangePassword},
		web.Route{Method: "GET", Pattern: "/admin/account", Handle: o.Account},
		web.Route{Method: "POST", Pattern: "/admin/account/phone", Handle: o.SetPhone},
		web.Route{Method: "POST", Pattern: "/admin/account/phone/confirm", Handle: o.ConfirmPhone},
		web.Route{Method: "POST", Pattern: "/admin/account/phone/remove", Handle: o.RemovePhone})
	if o.actions.Backup != nil {
		signed = append(signed, web.Route{Method: "POST", Pattern: BackupPath, Handle: o.Download})
	}
	for _, r := range signed {
		r.Handle = o.signedIn(r.Handle)
		routes = append(routes, r)
	}
	door.Routes = routes
	return door, nil
}
