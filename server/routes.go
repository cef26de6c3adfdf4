package server

import (
	"slices"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/admin"
	"github.com/pinferry/pinferry/server/api"
	"github.com/pinferry/pinferry/server/descope"
	"github.com/pinferry/pinferry/server/passage"
	"github.com/pinferry/pinferry/server/ssojet"
	"github.com/pinferry/pinferry/server/strike"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/twilio"
	"github.com/pinferry/pinferry/server/web"
)

// nativeDoor is the name of the box's own wire format.
const nativeDoor = api.DoorName

// keySetDoor is what the key set at the root stands under. Strike's paths stand
// at the root as ours do, so there is one for both.
const keySetDoor = "keys"

var rootKeyDoors = []string{nativeDoor, "strike"}

// Paths that are named more than once.
const (
	backupPath  = "/admin/backup"
	hookPath    = "/hooks/{id}"
	keySetPath  = "/.well-known/jwks.json"
	handsetPath = "/demo/handset"
	modemPath   = "/admin/modem"
)

// Doors returns the wire formats of other vendors, one line each.
func Doors(v *otp.Verifications, d *otp.Directory, m *token.Mint, apps *otp.Apps) []web.Door {
	return []web.Door{
		ssojet.New(v, d, m, apps),
		passage.New(v, d, m, apps),
		strike.New(v, d, m, apps),
		strike.NewGoTrue(v, d, m, apps),
		descope.New(v, d, m, apps),
		twilio.New(v, apps),
	}
}

// Algorithms returns how the tokens of an app are signed: what the doors that
// it has opened need.
func Algorithms(app *otp.App) (all []token.Algorithm) {
	if !app.Sessions {
		return nil
	}
	if app.Open("ssojet") || app.Open("passage") {
		all = append(all, token.RS256)
	}
	return append(all, token.ES256)
}

// networkDoors is the table of what the box answers on the network. A door that
// no app has opened has no paths.
func (s *Server) networkDoors() []web.Door {
	native := api.New(s.core(), s.config.Apps, api.Keys(s.config.Apps))
	doors := []web.Door{
		{Name: nativeDoor, Routes: append(nativeRoutes(native), web.Route{Method: "GET", Pattern: "/v1/routes", Handle: native.Routes})},
		{Name: keySetDoor, Headers: []string{"apikey", "x-client-info", "x-supabase-api-version"}, Routes: []web.Route{
			{Method: "GET", Pattern: keySetPath, Handle: native.KeySet(rootKeyDoors...)},
		}},
		{Routes: s.houseRoutes()},
	}
	if s.config.Hooks != nil {
		doors = append(doors, web.Door{Routes: []web.Route{
			{Method: "POST", Pattern: hookPath, Handle: s.config.Hooks},
			{Method: "GET", Pattern: hookPath, Handle: s.config.Hooks},
		}})
	}
	if s.config.Handset != nil {
		routes := []web.Route{{Method: "GET", Pattern: handsetPath, Handle: s.handset}}
		if s.config.Text != nil {
			routes = append(routes, web.Route{Method: "POST", Pattern: handsetPath, Handle: s.text})
		}
		doors = append(doors, web.Door{Routes: routes})
	}
	for _, door := range s.config.Doors {
		if slices.ContainsFunc(s.config.Apps.All(), func(app *otp.App) bool { return app.Open(door.Name) }) {
			doors = append(doors, door)
		}
	}
	return doors
}

// socketDoors is the table of what it answers on the admin socket: the native
// calls without keys, and the operator's own.
func (s *Server) socketDoors() []web.Door {
	native := api.New(s.core(), s.config.Apps, admin.Act(s.config.Apps))
	operator := api.New(s.core(), s.config.Apps, admin.Operate)
	console := admin.NewConsole(s.config.Admin)
	actions := &s.config.Admin
	var own []web.Route
	for _, line := range []struct {
		web.Route
		mounted bool
	}{
		{web.Route{Method: "GET", Pattern: "/v1/routes", Handle: operator.Routes}, true},
		{web.Route{Method: "GET", Pattern: keySetPath, Handle: native.KeySet()}, true},
		{web.Route{Method: "GET", Pattern: "/admin/status", Handle: console.Status}, actions.Status != nil},
		{web.Route{Method: "GET", Pattern: "/admin/clock", Handle: console.Clock}, actions.Clock != nil},
		{web.Route{Method: "POST", Pattern: "/admin/clock", Handle: console.AcceptClock}, actions.AcceptClock != nil},
		{web.Route{Method: "GET", Pattern: backupPath, Handle: console.Backup}, actions.Backup != nil},
		{web.Route{Method: "GET", Pattern: "/admin/opt-outs", Handle: console.ListOptOuts}, actions.OptOuts != nil},
		{web.Route{Method: "POST", Pattern: "/admin/opt-outs/lift", Handle: console.LiftOptOut}, actions.OptOuts != nil},
		{web.Route{Method: "GET", Pattern: "/admin/events", Handle: console.DeadEvents}, actions.Events != nil},
		{web.Route{Method: "GET", Pattern: "/admin/doctor", Handle: console.Doctor}, actions.Facts != nil},
		{web.Route{Method: "POST", Pattern: modemPath, Handle: console.Modem}, actions.Modem != nil},
	} {
		if line.mounted {
			own = append(own, line.Route)
		}
	}
	return []web.Door{{Name: nativeDoor, Routes: nativeRoutes(native)}, {Routes: s.houseRoutes()}, {Routes: own}}
}

// core is what the native door stands on.
func (s *Server) core() api.Core {
	return api.Core{
		Verifications: s.config.Verifications, Outbox: s.config.Outbox,
		Directory: s.config.Directory, Mint: s.config.Mint,
	}
}

// nativeRoutes are the calls that concern one app.
func nativeRoutes(d *api.Door) []web.Route {
	return []web.Route{
		{Method: "POST", Pattern: "/v1/verifications", Handle: d.Start},
		{Method: "GET", Pattern: "/v1/verifications/{id}", Handle: d.Get},
		{Method: "DELETE", Pattern: "/v1/verifications/{id}", Handle: d.Cancel},
		{Method: "POST", Pattern: "/v1/verifications/{id}/check", Handle: d.Check},
		{Method: "POST", Pattern: "/v1/verifications/{id}/resend", Handle: d.Resend},
		{Method: "POST", Pattern: "/v1/messages", Handle: d.Send},
		{Method: "GET", Pattern: "/v1/messages", Handle: d.Messages},
		{Method: "GET", Pattern: "/v1/messages/{id}", Handle: d.Message},
		{Method: "GET", Pattern: "/v1/inbound", Handle: d.Inbound},
		{Method: "POST", Pattern: "/v1/token/refresh", Handle: d.Refresh},
		{Method: "POST", Pattern: "/v1/token/revoke", Handle: d.Revoke},
		{Method: "GET", Pattern: "/v1/me", Handle: d.Me},
		{Method: "GET", Pattern: "/v1/users", Handle: d.Users},
		{Method: "GET", Pattern: "/v1/users/{id}", Handle: d.User},
		{Method: "PATCH", Pattern: "/v1/users/{id}", Handle: d.ChangeUser},
		{Method: "DELETE", Pattern: "/v1/users/{id}", Handle: d.RemoveUser},
	}
}

// houseRoutes are the paths that belong to no door.
func (s *Server) houseRoutes() []web.Route {
	routes := []web.Route{
		{Method: "GET", Pattern: "/healthz", Handle: s.alive},
		{Method: "GET", Pattern: "/readyz", Handle: s.ready},
	}
	if s.config.Metrics != nil {
		routes = append(routes, web.Route{Method: "GET", Pattern: "/metrics", Handle: s.metrics})
	}
	return routes
}
