package otp_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// rig is a box over the in-memory store with scripted routes.
type rig struct {
	t      testing.TB
	box    *otp.Box
	store  *otptest.Memory
	routes []*otptest.Route
	outbox *otp.Outbox
	v      *otp.Verifications
	d      *otp.Directory
	set    *metrics.Set
	app    *otp.App
	low    atomic.Bool
	stop   func()
}

const (
	alice = "+41791234567"
	bob   = "+12125550100"
)

// setup changes what newRig builds.
type setup struct {
	apps   []otp.App
	limits func(*otp.Limits)
	store  *otptest.Memory
	routes []*otptest.Route
	key    byte
	clock  *otp.Clock
	// wrap puts something between the box and its store.
	wrap func(otp.Store) otp.Store
}

func newRig(t testing.TB, s setup) *rig {
	t.Helper()
	if s.apps == nil {
		s.apps = []otp.App{demoApp("demo")}
	}
	if s.store == nil {
		s.store = otptest.NewMemory()
	}
	if s.clock == nil {
		s.clock = otp.NewClock(otp.ClockSource{})
	}
	if s.routes == nil {
		s.routes = []*otptest.Route{otptest.NewRoute("gsm0")}
	}
	apps, err := otp.NewApps(s.apps, segments)
	must(t, err)
	keys, err := otp.NewKeys(slices.Repeat([]byte{s.key}, 32))
	must(t, err)
	limits := otp.DefaultLimits()
	if s.limits != nil {
		s.limits(&limits)
	}
	r := &rig{t: t, store: s.store, routes: s.routes, app: apps.All()[0], set: metrics.NewSet()}
	r.box = &otp.Box{
		Store: s.store, Clock: s.clock, Keys: keys, Apps: apps, Limits: limits,
		Metrics: otp.NewMetrics(r.set), Log: zerolog.Nop(), Low: r.low.Load,
		Feed: otp.NewFeed(),
	}
	if s.wrap != nil {
		r.box.Store = s.wrap(s.store)
	}
	r.box.Chart = otp.NewChart(r.box.Store, s.clock)
	_, err = r.box.Open(context.Background(), false)
	must(t, err)
	var routes []otp.Route
	for _, route := range s.routes {
		routes = append(routes, route)
	}
	r.outbox = otp.NewOutbox(r.box, routes)
	r.v = otp.NewVerifications(r.box, r.outbox)
	r.d = otp.NewDirectory(r.box)
	r.run()
	return r
}

// run begins to dispatch; crash ends it as a kill would, without the orderly
// last words of a stop being waited for by anyone.
func (r *rig) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.outbox.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			r.t.Errorf("run outbox: %v", err)
		}
		r.stop = func() {}
	}
	r.t.Cleanup(func() { r.stop() })
}

func demoApp(id string) otp.App {
	return otp.App{ID: id, Name: "Demo", Countries: []string{"*"}, Keys: [][32]byte{sha256.Sum256([]byte("pk_" + id)), sha256.Sum256([]byte("sk_" + id))}}
}

// openApp is an app with every door and with sessions.
func openApp(id string) otp.App {
	app := demoApp(id)
	app.Doors, app.Sessions = []string{"native", "strike", "gotrue", "descope", "twilio"}, true
	return app
}

// bare lifts every limit.
func bare(l *otp.Limits) { *l = otp.Limits{} }

func segments(s string) int {
	if len(s) > 160 {
		return 2
	}
	return 1
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// from is a caller at an address.
func (r *rig) from(address string) otp.Caller {
	c := otp.Caller{App: r.app}
	if address != "" {
		c.Address = netip.MustParseAddr(address)
	}
	return c
}

// server is a caller with an sk_ key and without an address.
func (r *rig) server() otp.Caller { return otp.Caller{App: r.app, Secret: true} }

// at is a caller at a vendor's door, without an address.
func (r *rig) at(door string) otp.Caller { return otp.Caller{App: r.app, Door: door} }

// login proves a number and returns what that gives. It needs a bubble.
func (r *rig) login(c otp.Caller, to string) otp.Grant {
	r.t.Helper()
	p, err := r.prove(c, otp.StartRequest{To: to, Purpose: otp.PurposeSignUpOrIn})
	must(r.t, err)
	return *p.Grant
}

// prove starts a verification and types its code. It needs a bubble.
func (r *rig) prove(c otp.Caller, request otp.StartRequest) (otp.Progress, error) {
	r.t.Helper()
	p, err := r.v.Start(context.Background(), c, request)
	must(r.t, err)
	return r.v.Check(context.Background(), c, p.Verification.ID, r.sent())
}

// rows counts the rows of a kind.
func (r *rig) rows(kind otp.Kind) (n int) {
	r.t.Helper()
	must(r.t, r.store.View(context.Background(), func(tx otp.Tx) error {
		return tx.Scan(otp.Key{Kind: kind}, otp.Key{}, 0, func(otp.Key, []byte) bool { n++; return true })
	}))
	return n
}

// alive tells whether a session lives at its door.
func (r *rig) alive(s *otp.Session) bool {
	r.t.Helper()
	_, err := r.d.Session(context.Background(), r.at(s.Door), s.ID)
	if err != nil {
		wantCode(r.t, err, otp.Unauthorized)
	}
	return err == nil
}

func (r *rig) start(c otp.Caller, to string) (otp.Progress, error) {
	return r.v.Start(context.Background(), c, otp.StartRequest{To: to, Purpose: otp.PurposeVerify})
}

func (r *rig) mustStart(c otp.Caller, to string) otp.Progress {
	r.t.Helper()
	p, err := r.start(c, to)
	must(r.t, err)
	return p
}

// measure sends a message to bob, after which the pace of the route is known.
// It needs a bubble.
func (r *rig) measure() {
	r.t.Helper()
	r.mustStart(r.server(), bob)
	synctest.Wait()
}

func (r *rig) check(c otp.Caller, id otp.ID, digits string) error {
	_, err := r.v.Check(context.Background(), c, id, digits)
	return err
}

func (r *rig) message(id otp.ID) otp.Message {
	r.t.Helper()
	m, err := r.outbox.Get(context.Background(), r.server(), id)
	must(r.t, err)
	return m
}

func (r *rig) verification(id otp.ID) otp.Progress {
	r.t.Helper()
	p, err := r.v.Get(context.Background(), r.server(), id)
	must(r.t, err)
	return p
}

var digitsPattern = regexp.MustCompile(`\b[0-9]{6,10}\b`)

// code reads the digits of the n-th message that a route was given.
func code(t testing.TB, route *otptest.Route, n int) string {
	t.Helper()
	given := route.Given()
	if len(given) <= n {
		t.Fatalf("route got %d messages, want more than %d", len(given), n)
	}
	return digitsPattern.FindString(given[n].Text)
}

// sent waits until the dispatcher has nothing to do and returns the digits of
// the newest code. It needs a synctest bubble.
func (r *rig) sent() string {
	r.t.Helper()
	synctest.Wait()
	for _, out := range slices.Backward(r.routes[0].Given()) {
		if digits := digitsPattern.FindString(out.Text); digits != "" {
			return digits
		}
	}
	r.t.Fatal("no code was sent")
	return ""
}

// wrong returns digits that differ from right.
func wrong(right string, n int) string {
	var v int
	fmt.Sscan(right, &v)
	return fmt.Sprintf("%0*d", len(right), (v+1+n)%1_000_000)
}

func wantCode(t testing.TB, err error, want otp.Code) *otp.Error {
	t.Helper()
	var e *otp.Error
	if !errors.As(err, &e) || e.Code != want {
		t.Fatalf("error is %v, want %s", err, want)
	}
	return e
}

// number is the n-th of many numbers, each in a block of its own.
func number(n int) string { return fmt.Sprintf("+4179%03d00%02d", 100+n, n%100) }

// report returns what the outbox tells of a route.
func (r *rig) report(name string) otp.RouteReport {
	r.t.Helper()
	for _, report := range r.outbox.Routes() {
		if report.Name == name {
			return report
		}
	}
	r.t.Fatalf("no route %s", name)
	return otp.RouteReport{}
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, f func(t *testing.T)) { t.Helper(); synctest.Test(t, f) }

// pass lets virtual time go by.
func pass(d time.Duration) { time.Sleep(d) }
