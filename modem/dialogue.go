package modem

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// Times of the dialogue that sends a message.
const (
	promptLimit  = 5 * time.Second  // from AT+CMGS to the prompt
	answerLimit  = 30 * time.Second // from Ctrl-Z to the verdict
	windowLimit  = 60 * time.Second // from Ctrl-Z to the end of the session
	busyPause    = time.Second      // before a busy modem is asked once more
	maxSilent    = 3                // messages in a row without a prompt
	refusedAgain = time.Minute      // until a refused SIM is given another chance
)

// carry takes one message through its dialogue. Its error ends the session.
func (g *Gateway) carry(ctx context.Context, s *session, j *job) error {
	g.current = j
	var began otp.Time
	if g.cfg.Now != nil {
		began = g.cfg.Now()
	}
	v, err := g.deliver(ctx, s, j)
	// The route's new state shows before its slot is free, or the next message
	// would be sent into it.
	switch {
	case err == nil:
		g.judge(s)
	case ctx.Err() == nil:
		g.lost(err)
	}
	if v.Outcome == otp.Sent && g.cfg.Now != nil {
		g.pace(g.cfg.Now().Sub(began))
	}
	g.finish(j, v)
	return err
}

// finish frees the slot and gives the verdict. When Send has left with Unknown
// it confirms that the message was sent after all, and frees the slot only then:
// a repeat that waits for it must hear of the confirmation first.
func (g *Gateway) finish(j *job, v otp.Verdict) {
	g.current = nil
	waiting := !j.given.Swap(true)
	if !waiting && v.Outcome == otp.Sent {
		g.sink.Confirmed(g.name, j.out.Message, v.Ref)
	}
	g.board.release()
	if waiting {
		j.verdict <- v
	}
}

// pace takes the time of one message into the running mean.
func (g *Gateway) pace(took time.Duration) {
	g.board.describe(func(status *otp.RouteStatus) {
		if status.Pace == 0 {
			status.Pace = took
		}
		status.Pace += (took - status.Pace) / 8
	})
}

// deliver sends the parts of a message, one after the other. It is sent when
// all are; a fault after the first leaves the handset with a piece, which
// nobody can take back.
func (g *Gateway) deliver(ctx context.Context, s *session, j *job) (otp.Verdict, error) {
	if j.ctx.Err() != nil {
		return overdue(j.ctx), nil
	}
	parts, err := g.submitter.parts(j.out, s.reports)
	if err != nil {
		return unencodable(err), nil
	}
	var v otp.Verdict
	relieved := false
	for i := 0; i < len(parts); {
		if j.given.Load() {
			return givenUp(), nil
		}
		var r *refusal
		v, r, err = g.transmit(ctx, s, j, parts[i])
		if v.Outcome == otp.Sent {
			i++
			continue
		}
		if r != nil && v.Outcome == otp.Refused && !relieved && err == nil {
			relieved = true
			var repeat bool
			if repeat, err = s.relieve(ctx, r); repeat && err == nil {
				continue
			}
		}
		if r != nil {
			g.note(s, j, r, parts[i])
		}
		if i > 0 && v.Outcome == otp.Refused {
			v.Outcome, v.Retry = otp.Unknown, 0
			v.Detail = fmt.Sprintf("part %d of %d: %s", i+1, len(parts), v.Detail)
		}
		return v, err
	}
	return v, nil
}

// relieve does what may let a refused message pass after all, and tells
// whether it is worth another try.
func (s *session) relieve(ctx context.Context, r *refusal) (repeat bool, err error) {
	if r.domain == message && r.code == noCentre {
		return s.address(ctx) // it may have lost what the box has kept
	}
	switch r.fault().class {
	case classStorage:
		return true, s.clear(ctx)
	case classBusy:
		pause := time.NewTimer(busyPause)
		defer pause.Stop()
		for {
			// Whatever it says meanwhile belongs to no command of ours.
			if _, err = s.next(ctx, pause.C); errors.Is(err, errSilent) {
				return true, nil
			} else if err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// note acts on what a refusal says beyond the message.
func (g *Gateway) note(s *session, j *job, r *refusal, p part) {
	switch r.fault().class {
	case classSIM:
		s.refused = "The network refuses this SIM: " + r.Error() + ". Check its credit and contract with its operator."
		s.again = time.After(refusedAgain)
		s.probe = true // the SIM may have been taken out
	case classEncoding:
		s.log.Error().Stringer("message", j.out.Message).Str("header", p.header).Err(r).Msg("modem refused the PDU")
	}
}

// givenUp is what becomes of a job whose Send has left: somebody else has the
// message by now, and what goes out here could only arrive twice.
func givenUp() otp.Verdict { return unknown(otp.ReasonNoAnswer, "given up before it was handed over") }

// transmit sends one PDU. Its verdict is Refused while nothing can have gone
// out, Unknown from Ctrl-Z on, and Sent only with a reference and the final
// OK. The refusal is the modem's, if it gave one; an error ends the session.
func (g *Gateway) transmit(ctx context.Context, s *session, j *job, p part) (otp.Verdict, *refusal, error) {
	// A box that stops ends the dialogue under way first.
	going := context.WithoutCancel(ctx)
	gone := refused(otp.ReasonRouteGone, otp.RetryElsewhere, "the port went before the message was handed over")
	if err := s.verify(going); err != nil {
		return gone, nil, err
	}
	if j.given.Load() { // a modem that takes its time over each command
		return givenUp(), nil, nil
	}
	if _, err := s.line.write("AT+CMGS=" + strconv.Itoa(p.octets) + "\r"); err != nil {
		return gone, nil, err
	}
	r, err := s.awaitPrompt(going)
	switch {
	case r != nil:
		return r.early(), r, nil
	case errors.Is(err, errSilent), err == nil && s.stale:
		// No prompt, or that of a modem that came up anew and is in text mode.
		v, err := g.abandon(going, s)
		return v, nil, err
	case err != nil:
		return gone, nil, err
	}
	g.silent = 0
	if whole, err := s.line.write(p.pdu + "\x1a"); err != nil && !whole {
		return gone, nil, err
	} else if err != nil {
		return unknown(otp.ReasonRouteGone, "the port went with the message"), nil, err
	}
	return s.awaitResult(ctx, j)
}

// awaitPrompt waits for leave to write the PDU.
func (s *session) awaitPrompt(ctx context.Context) (*refusal, error) {
	limit := time.NewTimer(promptLimit)
	defer limit.Stop()
	for {
		token, err := s.next(ctx, limit.C)
		if err != nil {
			return nil, err
		}
		if token == prompt {
			return nil, nil
		}
		if r, ok := parseRefusal(token); ok {
			return r, nil
		}
	}
}

// abandon takes the modem out of a dialogue in which nothing was handed over. A
// stick that does not prompt once seldom does the next moment, so the message
// goes elsewhere if it can. After a few in a row the session ends.
func (g *Gateway) abandon(ctx context.Context, s *session) (otp.Verdict, error) {
	v := refused(otp.ReasonModemBusy, otp.RetryElsewhere, "the modem gave no prompt")
	if _, err := s.line.write("\x1b\r"); err != nil {
		return v, err
	}
	if _, err := s.command(ctx, "AT", aliveLimit); tolerate(err) != nil {
		return v, err
	}
	if g.silent++; g.silent >= maxSilent {
		g.silent = 0
		return v, errStuck
	}
	return v, nil
}

// awaitResult waits for the result of a PDU. At answerLimit Send is told
// Unknown, and the line is kept clear until windowLimit: the modem may still
// be at it, and a late answer settles the matter. A late refusal settles it
// for the modem only: the route's contract has no word for it, and a repeat
// may be under way.
func (s *session) awaitResult(ctx context.Context, j *job) (otp.Verdict, *refusal, error) {
	answer, window := time.NewTimer(answerLimit), time.NewTimer(windowLimit)
	defer answer.Stop()
	defer window.Stop()
	silence := unknown(otp.ReasonNoAnswer, "no answer after the message was handed over")
	until, limit := context.WithoutCancel(ctx), answer.C
	ref := -1
	for {
		token, err := s.next(until, limit)
		if errors.Is(err, errSilent) && limit == answer.C {
			j.answer(silence)
			until, limit = ctx, window.C
			continue
		}
		if errors.Is(err, errSilent) || ctx.Err() != nil && err != nil {
			return silence, nil, err
		}
		if err != nil {
			return unknown(otp.ReasonRouteGone, "the port went before the answer came"), nil, err
		}
		if n, ok := parseReference(token); ok && ref < 0 {
			ref = n // a second one changes nothing
		}
		switch r, bad := parseRefusal(token); {
		case bad && ref >= 0:
			return unknown(otp.ReasonNoAnswer, "a reference, then "+r.Error()), nil, nil
		case bad:
			return r.verdict(), r, nil
		case token == "OK" && ref < 0:
			// The answer may still be under way, and must not meet the next message.
			return unknown(otp.ReasonNoAnswer, "OK without a reference"), nil, s.resynchronise(ctx)
		case token == "OK":
			v := otp.Verdict{Outcome: otp.Sent}
			if s.reports {
				v.Ref = reference(byte(ref))
			}
			return v, nil, nil
		}
	}
}

// parseReference reads "+CMGS: <mr>", with or without more behind a comma.
func parseReference(line string) (mr int, ok bool) {
	rest, ok := strings.CutPrefix(line, "+CMGS:")
	if !ok {
		return 0, false
	}
	field, _, _ := strings.Cut(rest, ",")
	n, err := strconv.ParseUint(strings.TrimSpace(field), 10, 8)
	return int(n), err == nil
}
