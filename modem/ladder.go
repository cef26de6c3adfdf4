package modem

import (
	"context"
	"errors"
	"time"
)

// The rungs of the ladder against a modem that does not answer, from the
// mildest on. Each is a label of the metric.
const (
	rungAgain   = "at"      // AT once more
	rungEscape  = "escape"  // ESC and Ctrl-Z, out of whatever it waits in
	rungReopen  = "reopen"  // the port closed and opened
	rungRestart = "restart" // AT+CFUN=1,1
	rungReset   = "reset"   // of the USB device
	rungAlarm   = "alarm"   // nothing helps: a person must
)

// Rungs are the measures that Config.Climbed may hear of, from the mildest on.
func Rungs() []string {
	return []string{rungAgain, rungEscape, rungReopen, rungRestart, rungReset, rungAlarm}
}

// Times of the ladder.
const (
	againLimit = 2 * time.Second  // for the AT of the first rung
	graceFor   = 30 * time.Second // a modem that starts may be silent, or gone
	restFor    = 10 * time.Minute // between two restarts, and two resets
	tellEvery  = time.Minute      // of one rung in the log
)

// restartCommand starts a modem anew with its factory settings.
const restartCommand = "AT+CFUN=1,1"

var (
	// errRestart ends the session of a modem that was told to start anew.
	errRestart = errors.New("the modem starts anew")
	// errStuck ends the session of a modem that answers and takes no message.
	errStuck = errors.New("the modem gives no prompt")
)

// rest is a time in which something is not done again. The zero rest is over.
type rest struct{ end <-chan time.Time }

func (r *rest) begin(d time.Duration) { r.end = time.After(d) }

// lasts tells whether the rest is not over.
func (r *rest) lasts() bool {
	if r.end == nil {
		return false
	}
	select {
	case <-r.end:
		r.end = nil
		return false
	default:
		return true
	}
}

// ladder is how far the gateway has gone against a silent modem. Only the
// gateway's owner may use it.
type ladder struct {
	grace            rest // the modem may be starting: nothing harder than a new opening
	restarts, resets rest
	hung             bool // all has been tried
	told             map[string]*rest
}

// climbed tells of a rung: always to the metric, and now and then to the log.
func (g *Gateway) climbed(rung string) {
	if g.cfg.Climbed != nil {
		g.cfg.Climbed(rung)
	}
	if g.ladder.told == nil {
		g.ladder.told = map[string]*rest{}
	}
	told := g.ladder.told[rung]
	if told == nil {
		told = &rest{}
		g.ladder.told[rung] = told
	}
	if told.lasts() {
		return
	}
	told.begin(tellEvery)
	g.cfg.Log.Warn().Str("route", g.name).Str("rung", rung).Msg("the modem does not answer")
}

// rouse takes the rungs that need no new port. The route is down meanwhile. An
// error ends the session, and the opening that follows is the next rung.
func (g *Gateway) rouse(ctx context.Context, s *session) error {
	g.lost(errSilent)
	g.climbed(rungAgain)
	_, err := s.command(ctx, "AT", againLimit)
	if errors.Is(err, errSilent) {
		g.climbed(rungEscape)
		err = s.resynchronise(ctx)
		s.stale = true
	} else if tolerate(err) == nil {
		err = s.settle(ctx) // the first AT may be answered yet
	}
	if errors.Is(err, errSilent) {
		g.climbed(rungReopen)
	}
	return err
}

// restarted says that the modem was told to start anew. Many answer for a
// second or two before they do.
func (l *ladder) restarted() {
	l.restarts.begin(restFor)
	l.grace.begin(graceFor)
}

// revive climbs at a modem that whoever looked for it found silent, so that no
// session could begin. It tells whether there is such a modem.
func (g *Gateway) revive(ctx context.Context, failed error) bool {
	var opening *OpenError
	if !errors.As(failed, &opening) || opening.silent == nil {
		return false
	}
	if g.ladder.grace.lasts() {
		return true
	}
	port, err := opening.silent(ctx)
	if err != nil {
		g.cfg.Log.Debug().Str("route", g.name).Err(err).Msg("the silent modem could not be opened")
		return false
	}
	s := g.session(port)
	defer s.line.close()
	g.climb(ctx, s)
	return true
}

// climb takes the rungs behind a new port, one at a time, with time for the
// modem to come back after each. s is a session that is lost already.
func (g *Gateway) climb(ctx context.Context, s *session) {
	l := &g.ladder
	switch {
	case l.grace.lasts():
	case !l.restarts.lasts():
		l.restarted()
		g.climbed(rungRestart)
		_, err := s.line.write(restartCommand + "\r")
		if err == nil {
			err = s.settle(ctx) // the port must not close over what it has not sent yet
		}
		if err != nil {
			s.log.Debug().Err(err).Msg("the modem could not be told to start anew")
		}
	case g.cfg.Reset != nil && !l.resets.lasts():
		l.resets.begin(restFor)
		l.grace.begin(graceFor)
		g.climbed(rungReset)
		s.line.close() // the device goes from under it
		if err := g.cfg.Reset(ctx); err != nil {
			s.log.Warn().Err(err).Msg("the USB device could not be reset")
		}
	case !l.hung:
		l.hung = true
		g.climbed(rungAlarm)
	}
}
