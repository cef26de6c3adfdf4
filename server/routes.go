package server

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/admin"
	"github.com/pinferry/pinferry/server/api"
	"github.com/pinferry/pinferry/server/descope"
	"github.com/pinferry/pinferry/server/docs"
	"github.com/pinferry/pinferry/server/login"
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

var rootKeyDoors = []string{nativeDoor, strike.Name}

// captchaDoor is what the captchas stand under, which the pages of every app may
// ask for.
const captchaDoor = "captcha"

// withoutCaptcha are the doors whose wire format has no place for the solution
// of a captcha.
var withoutCaptcha = []string{ssojet.Name, passage.Name, descope.Name, twilio.Name}

// Paths that are named more than once.
const (
	caPath      = "/ca"
	caFilePath  = "/ca.crt"
	healthPath  = "/healthz"
	hookPath    = "/hooks/{id}"
	keySetPath  = "/.well-known/jwks.json"
	handsetPath = "/demo/handset"
)

// vendors is the table of the wire formats beside the native one. A further
// vendor is a folder and a line here.
var vendors = []vendor{
	{ssojet.Name, token.RS256, true, func(b behind) web.Door { return ssojet.New(b.v, b.d, b.m, b.apps) }},
	{passage.Name, token.RS256, true, func(b behind) web.Door { return passage.New(b.v, b.d, b.m, b.apps) }},
	{strike.Name, token.ES256, true, func(b behind) web.Door { return strike.New(b.v, b.d, b.m, b.apps) }},
	{strike.GoTrueName, token.ES256, true, func(b behind) web.Door { return strike.NewGoTrue(b.v, b.d, b.m, b.apps) }},
	{descope.Name, token.ES256, true, func(b behind) web.Door { return descope.New(b.v, b.d, b.m, b.apps) }},
	{twilio.Name, "", false, func(b behind) web.Door { return twilio.New(b.v, b.apps) }},
}

// vendor is a line of the table.
type vendor struct {
	name      string          // as apps list it in doors
	algorithm token.Algorithm // of its tokens; "" for a door without tokens
	sessions  bool            // whether it answers with sessions, and so is closed to apps without
	door      func(behind) web.Door
}

// behind is what a door may stand on.
type behind struct {
	v    *otp.Verifications
	d    *otp.Directory
	m    *token.Mint
	apps *otp.Apps
}

// Doors returns the doors of all vendors.
func Doors(v *otp.Verifications, d *otp.Directory, m *token.Mint, apps *otp.Apps) (all []web.Door) {
	for _, line := range vendors {
		all = append(all, line.door(behind{v, d, m, apps}))
	}
	return all
}

// DoorNames returns the names of all doors, the native one first.
func DoorNames() []string {
	names := []string{nativeDoor}
	for _, line := range vendors {
		names = append(names, line.name)
	}
	return names
}

// Algorithms returns how the tokens of an app are signed: what the doors that
// it has opened need, and the native one, which the admin socket always has.
func Algorithms(app *otp.App) []token.Algorithm {
	if !app.Sessions {
		return nil
	}
	all := []token.Algorithm{token.ES256}
	for _, line := range vendors {
		if app.Open(line.name) && line.algorithm != "" && !slices.Contains(all, line.algorithm) {
			all = append(all, line.algorithm)
		}
	}
	return all
}

// CheckApps checks that there are the doors that apps want to open, and that an
// app without sessions opens none that answers with one. The error names the app
// and the key at fault.
func CheckApps(apps *otp.Apps) error {
	for _, app := range apps.All() {
		for _, name := range app.Doors {
			if err := checkDoor(app, name); err != nil {
				return fmt.Errorf("[[app]] %q: %w", app.ID, err)
			}
		}
	}
	return nil
}

// DoorsWithoutCaptcha returns the names of the doors at which nobody can be asked
// for a captcha.
func DoorsWithoutCaptcha() []string { return slices.Clone(withoutCaptcha) }

// Uncovered returns the doors that an app has opened and that its captcha does
// not guard.
func Uncovered(app *otp.App) (names []string) {
	for _, name := range app.Doors {
		if app.Captcha != otp.CaptchaOff && slices.Contains(withoutCaptcha, name) {
			names = append(names, name)
		}
	}
	return names
}

func checkDoor(app *otp.App, name string) error {
	i := slices.IndexFunc(vendors, func(line vendor) bool { return line.name == name })
	switch {
	case name == nativeDoor:
	case i < 0:
		return fmt.Errorf("doors: %q is not a door of this box; there is %s", name, strings.Join(DoorNames(), ", "))
	case vendors[i].sessions && !app.Sessions:
		without := []string{nativeDoor}
		for _, line := range vendors {
			if !line.sessions {
				without = append(without, line.name)
			}
		}
		return fmt.Errorf("sessions: the door %q answers with a session, so sessions = false is for the doors %s only", name, strings.Join(without, " and "))
	}
	return nil
}

// networkDoors is the table of what the box answers on the network. A door that
// no app has opened has no paths.
func (s *Server) networkDoors() ([]web.Door, error) {
	native := api.New(s.core(), s.config.Apps, api.Keys(s.config.Apps))
	doors := []web.Door{
		{Name: nativeDoor, Routes: append(nativeRoutes(native), web.Route{Method: "GET", Pattern: "/v1/routes", Handle: native.Routes})},
		{Name: keySetDoor, Headers: strike.ClientHeaders, Routes: []web.Route{
			{Method: "GET", Pattern: keySetPath, Handle: native.KeySet(rootKeyDoors...)},
		}},
		{Routes: s.houseRoutes()},
	}
	pages, err := docs.New()
	if err != nil {
		return nil, err
	}
	doors = append(doors, web.Door{Routes: pages.Routes()})
	if s.config.Authority != nil {
		doors = append(doors, web.Door{Routes: []web.Route{
			{Method: "GET", Pattern: caPath, Handle: s.config.Authority.Page},
			{Method: "GET", Pattern: caFilePath, Handle: s.config.Authority.Download},
		}})
	}
	if s.config.Captcha != nil {
		doors = append(doors, web.Door{Name: captchaDoor, Routes: s.config.Captcha.Routes()})
	}
	if s.config.Seal != nil {
		doors = append(doors, login.Doors(login.Config{
			Apps: s.config.Apps, Verifications: s.config.Verifications, Directory: s.config.Directory,
			Seal: s.config.Seal, Demo: s.config.Handset != nil,
		}, nativeDoor)...)
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
	if s.config.Admin.Operators != nil {
		page, err := s.console.Page()
		if err != nil {
			return nil, err
		}
		doors = append(doors, page)
	}
	return doors, nil
}

// socketDoors is the table of what it answers on the admin socket: the native
// calls without keys, and the operator's own.
func (s *Server) socketDoors() []web.Door {
	native := api.New(s.core(), s.config.Apps, admin.Act(s.config.Apps))
	operator := api.New(s.core(), s.config.Apps, admin.Operate)
	own := append(s.console.Socket(),
		web.Route{Method: "GET", Pattern: "/v1/routes", Handle: operator.Routes},
		web.Route{Method: "GET", Pattern: keySetPath, Handle: native.KeySet()})
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
		{Method: "POST", Pattern: "/v1/token/exchange", Handle: d.Exchange},
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
		{Method: "GET", Pattern: healthPath, Handle: s.alive},
		{Method: "GET", Pattern: "/readyz", Handle: s.ready},
	}
	if s.config.Metrics != nil {
		routes = append(routes, web.Route{Method: "GET", Pattern: "/metrics", Handle: s.metrics})
	}
	return routes
}
