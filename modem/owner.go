package modem

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// Times of the owner's life.
const (
	lookEvery   = 8 * time.Second        // at an idle modem that can send: its loss shows within 10 s
	searchEvery = 2 * time.Second        // at one that cannot
	probeAfter  = time.Second            // an indication: a modem full of them must not keep us busy
	cycleAfter  = 15                     // looks without a SIM, until the radio is switched off and on
	reopenSoon  = 200 * time.Millisecond // after a session that had begun well
	reopenStep  = time.Second            // more after each failure
	reopenLimit = 5 * time.Second
	restartSoon = 500 * time.Millisecond
	choresEvery = 10 * time.Minute
	maxPanics   = 5 // within panicSpan, and the route is down for the rest of it
	panicSpan   = time.Minute
)

// errPanic ends a session in which our own code failed.
var errPanic = errors.New("defect in the gateway")

// Run keeps the modem until ctx ends; a dialogue under way ends first, in 30 s
// at most. It must not run twice at once. The one error is a bad SMSC.
func (g *Gateway) Run(ctx context.Context, sink otp.RouteSink) error {
	if err := g.cfg.Validate(); err != nil {
		return fmt.Errorf("modem %s: %w", g.name, err)
	}
	g.sink = sink
	g.ladder.grace.begin(graceFor) // a box and its stick are switched on together
	if g.cfg.Balance.Code != "" {
		g.balanceDue = time.After(balanceFirst)
	}
	g.board.start(sink)
	defer g.board.stop()
	var delay time.Duration
	panics, span := 0, time.NewTimer(panicSpan)
	defer span.Stop()
	for {
		begun, err := g.attend(ctx)
		if ctx.Err() != nil {
			return nil
		}
		g.cfg.Log.Debug().Str("route", g.name).Err(err).Msg("session ended")
		g.lost(err)
		switch {
		case errors.Is(err, errPanic):
			if panics == 0 {
				span.Reset(panicSpan)
			}
			panics++
			delay = restartSoon
		case begun:
			delay = reopenSoon
		default:
			delay = min(max(delay, reopenSoon)-reopenSoon+reopenStep, reopenLimit)
		}
		if panics >= maxPanics {
			g.board.unfit("stopped", "The gateway fails again and again. Its log tells where: report it.", false)
			wait(ctx, span.C)
			panics = 0
		}
		pause := time.NewTimer(delay)
		select {
		case <-pause.C:
		case <-g.cfg.Wake: // a device has come: it may be ours
			delay = 0
		case <-ctx.Done():
		}
		pause.Stop()
		select {
		case <-span.C:
			panics = 0
		default:
		}
	}
}

// wait returns at the time or at the end of ctx.
func wait(ctx context.Context, at <-chan time.Time) {
	select {
	case <-at:
	case <-ctx.Done():
	}
}

// attend opens the port and lives with the modem until something ends that.
// begun is true when the modem had answered.
func (g *Gateway) attend(ctx context.Context) (begun bool, err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		// What was thrown might hold a piece of a message: only its type is told.
		g.cfg.Log.Error().Str("route", g.name).Str("panic", fmt.Sprintf("%T", p)).
			Bytes("stack", debug.Stack()).Msg("defect in the gateway")
		err = errPanic
		if j := g.current; j != nil {
			g.lost(err)
			g.finish(j, unknown(otp.ReasonRouteFault, errPanic.Error()))
		}
	}()
	port, err := g.open(ctx)
	if err != nil {
		if !g.revive(ctx, err) {
			g.ladder.grace.begin(graceFor) // a stick that is plugged in needs a while
		}
		return false, fmt.Errorf("open port: %w", err)
	}
	if found, ok := port.(interface{ Name() string }); ok {
		g.board.describe(func(status *otp.RouteStatus) { status.Device = found.Name() })
		defer g.board.describe(func(status *otp.RouteStatus) { status.Device = g.cfg.Device })
	}
	s := g.session(port)
	defer s.line.close()
	g.mail.recall(ctx)
	g.mail.enter()
	if err := s.begin(ctx); err != nil {
		if errors.Is(err, errSilent) {
			g.climb(ctx, s)
		}
		return false, fmt.Errorf("begin session: %w", err)
	}
	err = g.serve(ctx, s)
	if errors.Is(err, errStuck) {
		g.climb(ctx, s)
	}
	return true, err
}

// session takes a port over; whoever asked for it closes its line.
func (g *Gateway) session(port Port) *session {
	s := &session{
		line: newLine(port), log: g.cfg.Log.With().Str("route", g.name).Logger(), cfg: g.cfg,
		memory: g.memory, reported: g.reported, mail: g.mail,
	}
	s.rouse = func(ctx context.Context) error { return g.rouse(ctx, s) }
	return s
}

// serve looks at the modem from time to time, does its chores now and then, and
// carries messages in between. Nothing here waits longer than it must: a
// message that comes while the modem is idle is on the line at once.
func (g *Gateway) serve(ctx context.Context, s *session) error {
	due, looking := polls, true
	next := time.NewTimer(lookEvery)
	defer next.Stop()
	chore := time.NewTimer(0)
	defer chore.Stop()
	soon := false // next has been brought forward by an indication
	for {
		var work <-chan *job
		if !s.stale { // else the mode has to be read back first
			work = g.jobs
		}
		var err error
		if len(due) > 0 {
			select {
			case j := <-work:
				err = g.carry(ctx, s, j)
			case <-ctx.Done():
				return ctx.Err()
			default:
				err = due[0](s, ctx)
				due = due[1:]
				if err == nil && len(due) == 0 {
					if looking {
						next.Reset(g.looked(s))
					} else {
						g.judge(s)
					}
				}
			}
		} else {
			select {
			case j := <-work:
				err = g.carry(ctx, s, j)
			case token, ok := <-s.line.tokens:
				if !ok {
					return s.line.lost()
				}
				s.heed(token)
				g.judge(s)
			case <-s.again:
				s.refused, s.again = "", nil
				g.judge(s)
			case <-next.C:
				due, looking, soon, s.probe = polls, true, false, false
			case <-chore.C:
				due, looking = chores, false
				chore.Reset(choresEvery)
			case <-s.mail.work():
				err = s.collect(ctx)
			case <-g.balanceDue:
				err = g.takeStock(ctx, s)
			case e := <-g.errands:
				if err = e.run(ctx, s); err == nil {
					g.judge(s)
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err == nil {
			err = s.acknowledge(ctx)
		}
		if err == nil && s.simless >= cycleAfter {
			s.simless = 0
			err = s.cycle(ctx)
		}
		if err != nil {
			return err
		}
		if s.probe && !soon && len(due) == 0 {
			soon = true
			next.Reset(probeAfter)
		}
	}
}

// looked judges after a full round of polls, and returns when the next is due.
func (g *Gateway) looked(s *session) time.Duration {
	s.seen = true
	g.ladder.hung = false
	if s.network.simless() {
		s.simless++
	} else {
		s.simless = 0
	}
	g.judge(s)
	if g.board.read().State == otp.RouteReady {
		return lookEvery
	}
	return searchEvery
}

// judge shows what the session knows.
func (g *Gateway) judge(s *session) {
	if !s.seen {
		return
	}
	g.board.describe(func(status *otp.RouteStatus) {
		s.network.show(status, g.cfg.Roaming)
		s.identity.show(status)
		status.Reports = s.reports
	})
	reason, detail, soon := s.network.obstacle(g.cfg.Roaming)
	switch {
	case reason != "":
		if s.network.sim != simReady {
			s.refused, s.again = "", nil // another SIM may be put in
		}
		g.board.unfit(reason, detail, soon)
	case s.refused != "":
		g.board.unfit("sim_refused", s.refused, false)
	default:
		g.board.ready()
	}
}

// lost shows that a session ended, or that none could begin.
func (g *Gateway) lost(err error) {
	var opening *OpenError
	switch {
	case g.ladder.hung && errors.Is(err, errSilent):
		g.board.lost("hung", "The modem does not answer, and neither a restart nor a reset has helped. Unplug it for ten seconds and plug it in again; if that does not help either, use another.")
	case errors.As(err, &opening):
		g.board.lost(opening.Reason, opening.Detail)
	case errors.Is(err, errPanic):
		g.board.lost("stopped", "The gateway failed and starts again.")
	case errors.Is(err, errRestart):
		g.board.lost("starting", "The modem starts anew.")
	case errors.Is(err, errStuck):
		g.board.lost("no_answer", "The modem answers and takes no message. It is started anew; if that goes on, unplug it for ten seconds, or use another.")
	case errors.Is(err, errMode):
		g.board.lost("no_answer", "The modem does not keep to PDU mode. Restart it, or use another.")
	case errors.Is(err, errSilent), errors.Is(err, os.ErrDeadlineExceeded):
		g.board.lost("no_answer", "The port is open, and no modem answers. Unplug it and plug it in again, or name another of its ports.")
	default:
		g.board.lost("absent", "The modem's port has gone. Plug the modem in.")
	}
}

// reported hands on a delivery report.
func (g *Gateway) reported(r report) {
	if out, ok := r.final(g.name); ok {
		g.sink.Reported(out)
	}
}

// received hands on a received SMS. It is durable when received returns nil.
func (g *Gateway) received(ctx context.Context, in otp.Incoming) error {
	in.Route = g.name
	return g.sink.Received(ctx, in)
}
