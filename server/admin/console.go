package admin

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// Actions are what the admin paths do. The path of a nil function does not
// exist.
type Actions struct {
	// Status tells what runs.
	Status func(context.Context) (Status, error)
	// Clock tells the times; AcceptClock steps box time to the wall clock.
	Clock       func(context.Context) (Clock, error)
	AcceptClock func(context.Context) error
	// Backup writes the database. An error cuts the stream short, and the client
	// sees that.
	Backup func(context.Context, io.Writer) error
	// OptOuts are the numbers that want nothing from this box, and Events what
	// the servers of apps did not take.
	OptOuts OptOuts
	Events  Events
	// Desk is the box as its operator sees it, and with it stand the calls over
	// all that goes on in it: Trail, Chart, Feed, Outbox, Directory, Apps, Now,
	// Segments and Units are then required too.
	Desk      *otp.Desk
	Trail     *otp.Trail
	Chart     *otp.Chart
	Feed      *otp.Feed
	Outbox    Outbox
	Directory Directory
	Apps      Apps
	// Now is box time.
	Now func() otp.Time
	// Segments returns how many SMS a text takes, and Units how much of their
	// room, and whether that is counted in UTF-16 units.
	Segments func(text string) int
	Units    func(text string) (n int, wide bool)
	// Operators are who may use the page; nil: there is no page.
	Operators *otp.Operators
	// Version is that of the build, for who is signed in.
	Version string
	// Modem returns the modem of a route.
	Modem func(route string) (Modem, bool)
	// Facts tells how the box and its machine stand, for a diagnosis.
	Facts func(context.Context) (Facts, error)
}

// Outbox is what the console asks of [otp.Outbox].
type Outbox interface {
	Send(context.Context, otp.Caller, otp.MessageRequest) (otp.Message, error)
	Routes() []otp.RouteReport
}

// Directory is what the console asks of [otp.Directory].
type Directory interface {
	User(context.Context, otp.Caller, otp.ID) (otp.User, error)
	Find(ctx context.Context, c otp.Caller, login string) (otp.User, error)
	Users(ctx context.Context, c otp.Caller, limit int, cursor string) (page []otp.User, next string, err error)
	Change(context.Context, otp.Caller, otp.ID, otp.UserChange) (otp.User, error)
	Remove(context.Context, otp.Caller, otp.ID) error
	RevokeAll(ctx context.Context, c otp.Caller, user, except otp.ID) error
}

// Status is what the daemon says of itself.
type Status struct {
	Version string   `json:"version"`
	Started web.Time `json:"started_at"`
	Dir     string   `json:"dir"`        // of the database
	Free    uint64   `json:"free_bytes"` // on its disk
	Low     bool     `json:"low"`        // below the soft mark: nothing new is started
}

// Clock is how the times stand.
type Clock struct {
	Now          web.Time `json:"now"` // box time: every deadline is in it
	Wall         web.Time `json:"wall"`
	Build        web.Time `json:"build"`        // no earlier time can be true
	Synchronised bool     `json:"synchronised"` // the kernel says that the wall clock is, or a network confirms box time
	// Network is the time that a modem's network tells, and by which route;
	// absent if none does.
	Network *NetworkTime `json:"network,omitzero"`
}

// ClockOf returns how the times of a box stand. synchronised is the kernel's word
// on the wall clock; a network that confirms box time is as good.
func ClockOf(c *otp.Clock, synchronised bool) Clock {
	all := Clock{Now: web.Time(c.Now()), Wall: web.Time(c.Wall()), Build: web.Time(c.Build()), Synchronised: synchronised}
	if route, at, agrees, ok := c.Heard(); ok {
		all.Network = &NetworkTime{Route: route, Time: web.Time(at)}
		all.Synchronised = synchronised || agrees
	}
	return all
}

// NetworkTime is the time of a modem's network. It moves no clock.
type NetworkTime struct {
	Route string   `json:"route"`
	Time  web.Time `json:"time"`
}

// Console answers the operator's calls: on the admin socket as they are, and on
// the network behind the page's fence.
type Console struct {
	actions Actions
	streams streams
}

// NewConsole returns the console over what main can do.
func NewConsole(actions Actions) *Console { return &Console{actions: actions} }

// Paths that the server gives more time than others.
const (
	BackupPath = "/admin/backup"
	ModemPath  = "/admin/modem"
	LivePath   = "/admin/live"
)

// note writes into the audit trail what is about to be done, where no closure of
// the box's own does it.
func (o *Console) note(c *web.Call, action, target string) error {
	if o.actions.Trail == nil {
		return nil
	}
	return o.actions.Trail.Note(c.Context, c.Caller.By, action, target)
}

// Status answers GET /admin/status.
func (o *Console) Status(c *web.Call) error {
	status, err := o.actions.Status(c.Context)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, status)
}

// Clock answers GET /admin/clock.
func (o *Console) Clock(c *web.Call) error {
	clock, err := o.actions.Clock(c.Context)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, clock)
}

// AcceptClock answers POST /admin/clock with the times as they stand after
// the step.
func (o *Console) AcceptClock(c *web.Call) error {
	if err := o.note(c, "clock.accept", ""); err != nil {
		return err
	}
	if err := o.actions.AcceptClock(c.Context); err != nil {
		return err
	}
	return o.Clock(c)
}

// Backup answers GET /admin/backup on the admin socket with the database as a
// stream. What goes wrong on the way breaks the connection before the stream's
// end mark.
func (o *Console) Backup(c *web.Call) error {
	if err := o.note(c, "backup.take", ""); err != nil {
		return err
	}
	life, cancel := context.WithCancel(c.Life)
	out, in := io.Pipe()
	// A reader that has stalled must not hold up a stop.
	stop := context.AfterFunc(life, func() { out.CloseWithError(context.Cause(life)) })
	go func() {
		defer cancel()
		defer stop()
		in.CloseWithError(o.actions.Backup(life, in))
	}()
	c.HTTP.SetContentType("application/octet-stream")
	c.HTTP.SetBodyStream(&backup{PipeReader: out, cancel: cancel}, -1)
	return nil
}

// Download answers POST /admin/backup, for who has the password once more: the
// database holds every number.
func (o *Console) Download(c *web.Call) error {
	var body ProofBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	if err := o.actions.Operators.Prove(c.Context, at(c), body.Password); err != nil {
		return wrongPassword(err)
	}
	c.HTTP.Response.Header.Set("Content-Disposition", `attachment; filename="pinferry-`+o.actions.Now().Std().Format("20060102-1504")+`.backup"`)
	c.HTTP.Response.Header.Set("Cache-Control", "no-store")
	return o.Backup(c)
}

// backup is the reading end; the server closes it when the answer has left or
// the client has.
type backup struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *backup) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}

// Apps is what [Act] asks of [otp.Apps].
type Apps interface {
	ByID(id string) (*otp.App, bool)
	Sole() (*otp.App, bool)
	All() []*otp.App
}

// Act authenticates calls on the admin socket: whoever may call may act for
// any app. The app is the one that the header Pinferry-App or the query
// argument app names, else the default app, else the only one.
func Act(apps Apps) func(*web.Call) (otp.Caller, error) {
	return func(c *web.Call) (otp.Caller, error) {
		by := socketActor(c)
		id := c.Header("Pinferry-App")
		if id == "" {
			id = c.Query("app")
		}
		if id == "" {
			if app, ok := apps.Sole(); ok {
				return otp.Caller{App: app, Secret: true, By: by}, nil
			}
			return otp.Caller{}, unknownApp(apps, "")
		}
		app, ok := apps.ByID(id)
		if !ok {
			return otp.Caller{}, unknownApp(apps, id)
		}
		return otp.Caller{App: app, Secret: true, By: by}, nil
	}
}

// unknownApp refuses a call that names no app where it must, or one that there
// is not.
func unknownApp(apps Apps, id string) error {
	if id == "" {
		return web.Invalid("Which app? Name it in the header Pinferry-App or the argument app. " + list(apps))
	}
	return &otp.Error{Code: otp.UnknownApp, Detail: "There is no such app. " + list(apps)}
}

func list(apps Apps) string {
	var ids []string
	for _, app := range apps.All() {
		ids = append(ids, app.ID)
	}
	if len(ids) == 0 {
		return "The config file has no [[app]]."
	}
	return fmt.Sprintf("The config file has: %s.", strings.Join(ids, ", "))
}

// Operate authenticates calls on the admin socket that concern no app.
func Operate(*web.Call) (otp.Caller, error) { return otp.Caller{Secret: true}, nil }
