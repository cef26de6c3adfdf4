package modem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// errandLimit is how long an operator waits for the owner, who may have a
// message in hand; a USSD code takes ussdLimit of it.
const errandLimit = 45 * time.Second

// idleLimit is how long an operator waits for an owner who has no message in
// hand: longer than any question of a look, after which there is no modem.
const idleLimit = slowLimit + time.Second

// What an operator hears of an errand that was not done.
var (
	errNoModem = errors.New("the modem is not there or does not answer: `pinferry modem status` tells why")
	errCutOff  = errors.New("the modem was lost meanwhile")
	// errReading refuses every command that could send, delete or switch.
	errReading = errors.New("only these questions are passed on, for anything else could send or delete: " + strings.Join(questions, " "))
	errCode    = errors.New("write the code as it is dialled, such as *100#")
	errBusy    = errors.New("a message is on its way: try again in a moment")
)

// questions are the commands that an operator may ask a modem: they tell
// something and change nothing. AT+CMGL and AT+CMGR are not among them, for
// what people write to the box is nobody's business here.
var questions = []string{
	"AT", "ATI", "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN", "AT+GCAP",
	"AT+CPIN?", "AT+CPINR", "AT^CPIN?", "AT+CCID", "AT+ICCID", "AT^ICCID?", "AT+QCCID", "AT+CIMI",
	"AT+CFUN?", "AT+CSQ", "AT+CESQ", "AT+CREG?", "AT+CGREG?", "AT+CEREG?", "AT+COPS?", "AT+CCLK?", "AT+CTZU?", "AT+CBC",
	"AT+CMEE?", "AT+CMGF?", "AT+CSCS?", "AT+CSMS?", "AT+CNMI?", "AT+CSCA?", "AT+CGSMS?", "AT+CPMS?", "AT+CUSD?",
	"AT^SYSINFO", "AT^SYSINFOEX", "AT^HCSQ?", "AT+QNWINFO", "AT+QCSQ", "AT+CPSI?",
}

// errand is something that an operator wants of the modem.
type errand struct {
	// do is called by the owner between two messages. Its error ends the
	// session.
	do   func(ctx context.Context, s *session) error
	done chan error // holds one: nil, or why it was not done
}

// ask has the owner do something and waits for it.
func (g *Gateway) ask(ctx context.Context, do func(context.Context, *session) error) error {
	ctx, cancel := context.WithTimeout(ctx, errandLimit)
	defer cancel()
	e := &errand{do: do, done: make(chan error, 1)}
	idle := time.NewTicker(idleLimit)
	defer idle.Stop()
	for handed := false; !handed; {
		select {
		case g.errands <- e:
			handed = true
		case <-idle.C:
			if !g.busy() {
				return errNoModem
			}
		case <-ctx.Done():
			return errBusy
		}
	}
	select {
	case err := <-e.done:
		return err
	case <-ctx.Done():
		return errCutOff
	}
}

// run does an errand. A defect in it must not leave its asker waiting.
func (e *errand) run(ctx context.Context, s *session) error {
	told := errCutOff
	defer func() { e.done <- told }()
	err := e.do(ctx, s)
	if err == nil || errors.Is(err, errRestart) {
		told = nil
	}
	return err
}

// Ask passes one question on to the modem, such as "AT+CSQ", and returns the
// lines of its answer, the last being the result. Questions that are not known
// to be harmless are refused.
func (g *Gateway) Ask(ctx context.Context, question string) (lines []string, err error) {
	question = strings.ToUpper(strings.TrimSpace(question))
	if !slices.Contains(questions, question) {
		return nil, errReading
	}
	err = g.ask(ctx, func(ctx context.Context, s *session) error {
		all := func(token string) (string, bool) { return token, true }
		said, err := s.exchange(ctx, question, slowLimit, all)
		lines = append(said, "OK")
		var r *refusal
		if errors.As(err, &r) {
			lines, err = []string{r.Error()}, nil
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ask the modem: %w", err)
	}
	return lines, nil
}

// USSD dials a code such as "*100#" and returns what the network answers,
// within 45 s. A message that comes meanwhile goes first, and then the code is
// given up.
func (g *Gateway) USSD(ctx context.Context, code string) (answer string, err error) {
	if !ussdCode.MatchString(code) {
		return "", errCode
	}
	var wrong error
	err = g.ask(ctx, func(ctx context.Context, s *session) (err error) {
		answer, wrong, err = g.inquire(ctx, s, code)
		return err
	})
	if err == nil {
		err = wrong
	}
	if err != nil {
		return "", fmt.Errorf("dial the code: %w", err)
	}
	return answer, nil
}

// Restart starts the modem anew by AT+CFUN=1,1. It returns when the modem was
// told to; see Status for when it is back.
func (g *Gateway) Restart(ctx context.Context) error {
	err := g.ask(ctx, func(ctx context.Context, s *session) error {
		// A modem that is too far gone to say OK may still hear this.
		if _, err := s.command(ctx, restartCommand, commandLimit); tolerate(err) != nil && !errors.Is(err, errSilent) {
			return err
		}
		g.ladder.restarted()
		return errRestart
	})
	if err != nil {
		return fmt.Errorf("restart the modem: %w", err)
	}
	return nil
}

// EnterPIN forgets that the SIM has refused its PIN and enters it once more: an
// operator's decision. The last try is not made even so. The error tells what
// keeps the SIM locked.
func (g *Gateway) EnterPIN(ctx context.Context) error {
	var locked error
	err := g.ask(ctx, func(ctx context.Context, s *session) error {
		if s.cfg.PIN == "" || s.network.sim != simWantsPIN {
			locked = errors.New("the SIM wants no PIN, or pin_file is not set")
			return nil
		}
		tries, err := s.tries(ctx)
		if err != nil {
			return err
		}
		if tries > 0 && tries < spareTries {
			locked = fmt.Errorf("the SIM stays locked: %s", lockFew)
			return nil
		}
		s.entered = false
		if err := s.tryPIN(ctx, nil, nil); err != nil {
			return err
		}
		if !s.entered {
			locked = fmt.Errorf("the SIM stays locked: %s", s.network.lock)
		}
		return s.pollSIM(ctx)
	})
	if err != nil {
		return fmt.Errorf("enter the PIN: %w", err)
	}
	return locked
}
