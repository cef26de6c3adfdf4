package admin

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/api"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// overviewEvents is how many of the last events stand in the overview.
const overviewEvents = 20

// countSpan is what the counts of the overview are of.
const countSpan = 24 * time.Hour

// sentenceWire says whether codes are being delivered.
type sentenceWire struct {
	Level  Level  `json:"level"`
	Text   string `json:"text"`
	Detail string `json:"detail"`
	Fix    string `json:"fix"`
}

// countsWire is what was counted in some time.
type countsWire struct {
	Sent      uint32 `json:"sent"`
	Delivered uint32 `json:"delivered"`
	Approved  uint32 `json:"approved"`
	Refused   uint32 `json:"refused"`
}

// routeWire is a route as the operator sees it.
type routeWire struct {
	api.RouteWire
	Bars   *int    `json:"bars"` // 0 to 5; null when the signal is unknown
	Level  Level   `json:"level"`
	Checks []Check `json:"checks"` // of the doctor, those that are not green
}

type diskWire struct {
	Free uint64 `json:"free_bytes"`
	Low  bool   `json:"low"`
}

// overviewWire is the first page.
type overviewWire struct {
	Sentence sentenceWire `json:"sentence"`
	SentEver bool         `json:"sent_ever"`
	LastSent web.Time     `json:"last_sent_at"`
	LastGood web.Time     `json:"last_approved_at"`
	Counts   countsWire   `json:"counts"`
	Queue    int          `json:"queue"`
	Version  string       `json:"version"`
	Started  web.Time     `json:"started_at"`
	Now      web.Time     `json:"now"`
	Disk     diskWire     `json:"disk"`
	Routes   []routeWire  `json:"routes"`
	Events   []noticeWire `json:"events"`
}

// Overview answers GET /admin/overview.
func (o *Console) Overview(c *web.Call) error {
	w, err := o.overview(c.Context)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, w)
}

func (o *Console) overview(ctx context.Context) (w overviewWire, err error) {
	a := &o.actions
	status, err := a.Status(ctx)
	if err != nil {
		return w, err
	}
	_, slots, err := a.Chart.Slots(ctx, countSpan)
	if err != nil {
		return w, err
	}
	sent, approved := a.Chart.Last()
	reports := a.Outbox.Routes()
	w = overviewWire{
		SentEver: sent != 0, LastSent: web.Time(sent), LastGood: web.Time(approved), Version: status.Version,
		Started: status.Started, Now: web.Time(a.Now()), Disk: diskWire{status.Free, status.Low},
		Routes: routeWires(reports), Events: []noticeWire{},
	}
	for _, t := range slots {
		w.Counts.Sent, w.Counts.Delivered = w.Counts.Sent+t.Sent, w.Counts.Delivered+t.Delivered
		w.Counts.Approved, w.Counts.Refused = w.Counts.Approved+t.Approved, w.Counts.Refused+t.Refused
	}
	if len(reports) > 0 {
		w.Queue = reports[0].Queue // it is one for all routes
	}
	for _, n := range slices.Backward(a.Feed.Since(0, overviewEvents)) {
		w.Events = append(w.Events, noticeOf(&n))
	}
	w.Sentence = o.sentence(status.Low, reports, sent)
	return w, nil
}

func routeWires(reports []otp.RouteReport) []routeWire {
	all := make([]routeWire, len(reports))
	for i := range reports {
		r := &reports[i]
		all[i] = routeWire{RouteWire: api.RouteOf(r), Bars: bars(r.SignalDBm), Level: Green, Checks: []Check{}}
		checks := (&Facts{}).route(r)
		all[i].Level = newDiagnosis(true, checks).Level
		for _, check := range checks {
			if check.Level != Green {
				all[i].Checks = append(all[i].Checks, check)
			}
		}
	}
	return all
}

// Routes answers GET /admin/routes.
func (o *Console) Routes(c *web.Call) error {
	return c.JSON(fasthttp.StatusOK, struct {
		Routes []routeWire `json:"routes"`
	}{routeWires(o.actions.Outbox.Routes())})
}

// barsFrom are the signals, in dBm, from which a phone shows one bar more.
var barsFrom = []int{deafSignal + 1, faintSignal, -101, -91, -81}

// bars shows a signal as phones do; nil is unknown.
func bars(dBm int) *int {
	if dBm == 0 {
		return nil
	}
	n := 0
	for _, from := range barsFrom {
		if dBm >= from {
			n++
		}
	}
	return &n
}

// lateWait is from when on codes are late: a person begins to doubt.
const lateWait = 30 * time.Second

// sentence says in one line whether codes are being delivered, from what is
// known at this moment.
func (o *Console) sentence(low bool, routes []otp.RouteReport, sent otp.Time) sentenceWire {
	away := func(r otp.RouteReport) bool { return r.State != otp.RouteReady }
	vital := otp.Vital(routes)
	ready := slices.DeleteFunc(slices.Clone(vital), away)
	real := slices.ContainsFunc(ready, func(r otp.RouteReport) bool { return r.Kind != "simulator" && !r.Test })
	switch {
	case len(o.actions.Apps.All()) == 0:
		return sentenceWire{Red, "No codes are being sent: no app is configured.", "The box works, and nobody may call it yet.",
			"Run `pinferry key new shop`, add the [[app]] that it prints to the config file, and restart."}
	case low:
		return sentenceWire{Red, "No codes are being sent: the disk is nearly full.", "What was started is finished; nothing new is begun.", "Free some space on the disk of the data directory."}
	case len(routes) == 0:
		return sentenceWire{Red, "No codes are being sent: no route is configured.", "", `Add a [[modem]] with name = "gsm0" and device = "auto" to the config file, and restart.`}
	case len(ready) == 0:
		if slices.ContainsFunc(routes, func(r otp.RouteReport) bool { return !away(r) }) {
			return stopped("No SMS is", &vital[0])
		}
		return stopped("No codes are", &vital[0])
	case ready[0].Wait > lateWait:
		return sentenceWire{Amber, "Codes are being delivered late.", fmt.Sprintf("%s; a new one leaves in about %s.",
			count(ready[0].Queue, "message waits", "messages wait"), ready[0].Wait.Round(time.Second)), "Add a second modem or a relay, or lower the limits."}
	}
	w := sentenceWire{Level: Green, Text: "Codes are being delivered.", Detail: "The last message was handed over " + o.ago(sent) + "."}
	if sent == 0 {
		w.Text, w.Detail = "Codes can be delivered.", "Nothing has been sent yet. Send a test SMS to your own phone."
	}
	switch {
	case !real:
		w.Level, w.Text = Amber, "Codes go to a pretended handset only."
		w.Fix = "Configure a real modem before people need their codes."
	case slices.ContainsFunc(routes, away):
		i := slices.IndexFunc(routes, away)
		down := stopped("", &routes[i])
		w.Level, w.Fix = Amber, down.Fix
		w.Detail += " Route " + routes[i].Name + " is out of service: " + down.Detail
	}
	return w
}

// stopped is the sentence of a box whose best route is this, which is not ready;
// what is not delivered begins it.
func stopped(what string, r *otp.RouteReport) sentenceWire {
	w := sentenceWire{Level: Red, Text: what + " being delivered."}
	for _, check := range (&Facts{}).route(r) {
		if check.Level != Green {
			w.Detail, w.Fix = check.Text, check.Fix
		}
	}
	if r.State == otp.RouteComing {
		w.Level, w.Text = Amber, what+" being delivered for the moment."
	}
	return w
}

// ago writes how long ago something was, for people.
func (o *Console) ago(t otp.Time) string {
	switch d := o.actions.Now().Sub(t); {
	case d < 2*time.Second:
		return "just now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d seconds ago", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}

// chartWire is the chart: slot i begins at From + i*Step.
type chartWire struct {
	Step      int      `json:"step_seconds"`
	From      web.Time `json:"from"`
	Sent      []uint32 `json:"sent"`
	Delivered []uint32 `json:"delivered"`
	Approved  []uint32 `json:"approved"`
	Refused   []uint32 `json:"refused"`
}

// maxHours is how far back the chart goes.
const maxHours = 168

// Chart answers GET /admin/chart?hours=.
func (o *Console) Chart(c *web.Call) error {
	hours := 24
	if given := c.Query("hours"); given != "" {
		var err error
		if hours, err = strconv.Atoi(given); err != nil || hours < 1 || hours > maxHours {
			return web.Invalid("hours must be a number from 1 to 168.")
		}
	}
	from, slots, err := o.actions.Chart.Slots(c.Context, time.Duration(hours)*time.Hour)
	if err != nil {
		return err
	}
	w := chartWire{Step: int(otp.ChartStep / time.Second), From: web.Time(from)}
	for _, t := range slots {
		w.Sent, w.Delivered = append(w.Sent, t.Sent), append(w.Delivered, t.Delivered)
		w.Approved, w.Refused = append(w.Approved, t.Approved), append(w.Refused, t.Refused)
	}
	return c.JSON(fasthttp.StatusOK, w)
}
