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
	// Modem carries out an order and returns what the modem said. It bounds its
	// time itself; the context ends with the server.
	Modem func(context.Context, ModemOrder) ([]string, error)
	// Facts tells how the box and its machine stand, for a diagnosis.
	Facts func(context.Context) (Facts, error)
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

// NetworkTime is the time of a modem's network. It moves no clock.
type NetworkTime struct {
	Route string   `json:"route"`
	Time  web.Time `json:"time"`
}

// Console answers the paths that only the admin socket has.
type Console struct{ actions Actions }

// NewConsole returns the console over what main can do.
func NewConsole(actions Actions) *Console { return &Console{actions: actions} }

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
	if err := o.actions.AcceptClock(c.Context); err != nil {
		return err
	}
	return o.Clock(c)
}

// Backup answers GET /admin/backup with the database as a stream. What goes
// wrong on the way breaks the connection before the stream's end mark.
func (o *Console) Backup(c *web.Call) error {
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
		id := c.Header("Pinferry-App")
		if id == "" {
			id = c.Query("app")
		}
		if id == "" {
			if app, ok := apps.Sole(); ok {
				return otp.Caller{App: app, Secret: true}, nil
			}
			return otp.Caller{}, web.Invalid("Which app? Name it in the header Pinferry-App or the argument app. " + list(apps))
		}
		app, ok := apps.ByID(id)
		if !ok {
			return otp.Caller{}, &otp.Error{Code: otp.UnknownApp, Detail: "There is no such app. " + list(apps)}
		}
		return otp.Caller{App: app, Secret: true}, nil
	}
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
