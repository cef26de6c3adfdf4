package modem

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// Times of a USSD code.
const (
	ussdLimit = 30 * time.Second // from the command to the network's answer
	ussdCall  = 10 * time.Second // of it to the modem's OK
)

// maxPieces bounds the lines of one USSD answer.
const maxPieces = 16

// busy tells whether a message is on its way to the owner, who must take it
// before anything that lasts.
func (g *Gateway) busy() bool {
	status := g.board.read()
	return status.State == otp.RouteReady && status.Free == 0
}

// inquire dials a USSD code. wrong is why there is no answer; end ends the
// session. Until the modem has taken the code no message can be carried, and so
// the slot is taken for that long; while the network thinks, a message goes
// first and the code is given up.
func (g *Gateway) inquire(ctx context.Context, s *session, code string) (answer string, wrong, end error) {
	held := g.board.take()
	if !held && g.busy() {
		return "", errBusy, nil
	}
	free := func() {
		if held {
			g.board.release()
		}
		held = false
	}
	defer free()
	limit := time.NewTimer(ussdLimit)
	defer limit.Stop()
	said, wrong, end := s.dial(ctx, code)
	free()
	if wrong != nil || end != nil {
		return "", wrong, end
	}
	for pieces := 0; ; {
		rest, found := strings.CutPrefix(said, "+CUSD:")
		if found && (strings.Count(rest, `"`) != 1 || pieces > maxPieces) {
			return s.answered(ctx, rest)
		}
		select {
		case token, ok := <-s.line.tokens:
			switch {
			case !ok:
				return "", errCutOff, s.line.lost()
			case s.heed(token):
			case found: // an answer of several lines, as people read it
				said, pieces = said+"\n"+token, pieces+1
			default:
				said = token
			}
		case j := <-g.jobs:
			if _, err := s.try(ctx, "AT+CUSD=2"); err != nil {
				g.lost(err)
				g.finish(j, refused(otp.ReasonRouteGone, otp.RetryElsewhere, "the modem was lost before the message was handed over"))
				return "", errCutOff, err
			}
			return "", errBusy, g.carry(ctx, s, j)
		case <-limit.C:
			_, err := s.try(ctx, "AT+CUSD=2")
			return "", errUSSD, err
		case <-ctx.Done():
			return "", errCutOff, ctx.Err()
		}
	}
}

// dial gives the code to the modem, in the form that its maker wants and, if
// that is refused, in the other. said is the answer if it came before the OK.
func (s *session) dial(ctx context.Context, code string) (said string, wrong, end error) {
	for _, packed := range []bool{s.identity.quirk.packed, !s.identity.quirk.packed} {
		form, err := encodeUSSD(code, packed)
		if err != nil {
			return "", err, nil
		}
		lines, err := s.command(ctx, `AT+CUSD=1,"`+form+`",15`, ussdCall)
		var r *refusal
		switch {
		case err == nil && len(lines) > 0:
			return "+CUSD: " + lines[len(lines)-1], nil, nil
		case err == nil:
			return "", nil, nil
		case !errors.As(err, &r):
			return "", errCutOff, err
		}
		wrong = r
	}
	return "", wrong, nil
}

// answered judges what the network said, and ends a dialogue that it holds
// open: the box has no more to say.
func (s *session) answered(ctx context.Context, rest string) (answer string, wrong, end error) {
	u, err := parseUSSD(rest, s.identity.quirk.packed)
	if err != nil {
		return "", err, nil
	}
	if u.state == ussdGoesOn {
		if _, err := s.try(ctx, "AT+CUSD=2"); err != nil {
			return "", errCutOff, err
		}
	}
	switch {
	case u.state > ussdElsewhere:
		return "", errUSSDRefused, nil
	case u.text == "":
		return "", errUSSD, nil
	}
	return u.text, nil, nil
}
