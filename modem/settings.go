package modem

import (
	"context"
	"regexp"
	"strings"
)

// centre is the form of an SMSC's number.
var centre = regexp.MustCompile(`^\+?[0-9]{3,20}$`)

// settings tries each of texts.
func (s *session) settings(ctx context.Context, texts ...string) error {
	for _, text := range texts {
		if _, err := s.try(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes the settings that a modem takes with its SIM ready, and reads
// the mode back: a modem that came up anew is in text mode, whatever it was
// told before.
func (s *session) prepare(ctx context.Context) error {
	s.stale = false
	// All of it, each time: a modem that restarted behind a port that stayed has
	// its factory settings.
	if err := s.settings(ctx, "ATE0", "AT+CMEE=1", "AT+CMGF=0"); err != nil {
		return err
	}
	mode, err := s.ask(ctx, "AT+CMGF?")
	if err != nil {
		return err
	}
	if mode != "0" {
		return errMode
	}
	if radio, err := s.ask(ctx, "AT+CFUN?"); err != nil {
		return err
	} else if radio == "0" || radio == "4" { // left off, by another program or a cycle cut short
		if err := s.settings(ctx, "AT+CFUN=1"); err != nil {
			return err
		}
	}
	if err := s.subscribe(ctx); err != nil {
		return err
	}
	if err := s.settings(ctx, "AT+CREG=1", "AT+CGREG=1", "AT+CEREG=1", "AT+COPS=3,0"); err != nil {
		return err
	}
	return s.address(ctx)
}

// verify reads the mode before each PDU, and prepares a modem that has lost it:
// one whose power failed for a moment is in text mode and need not say so.
func (s *session) verify(ctx context.Context) error {
	if !s.stale {
		mode, err := s.ask(ctx, "AT+CMGF?")
		if err != nil || mode == "0" {
			return err
		}
	}
	return s.prepare(ctx)
}

// subscribe asks for delivery reports as they come, in the words that this modem
// takes. Phase 2+ comes last: there each report must be confirmed, or the
// modem stops to hand them on.
func (s *session) subscribe(ctx context.Context) error {
	for _, phase := range []string{"0", "1"} {
		if _, err := s.try(ctx, "AT+CSMS="+phase); err != nil {
			return err
		}
		for _, mode := range []string{"2,1,0,1,0", "2,0,0,1,0", "1,1,0,1,0", "1,0,0,1,0", "3,1,0,1,0"} {
			accepted, err := s.try(ctx, "AT+CNMI="+mode)
			if err != nil {
				return err
			}
			if accepted {
				s.reports, s.confirm = true, phase == "1"
				return nil
			}
		}
	}
	s.reports, s.confirm = false, false
	return nil
}

// address sees to it that the SIM knows its service centre.
func (s *session) address(ctx context.Context) error {
	answer, err := s.ask(ctx, "AT+CSCA?")
	if err != nil {
		return err
	}
	number, _, _ := strings.Cut(answer, ",")
	number = strings.Trim(number, `"`)
	if want := s.cfg.SMSC; want != "" {
		*s.smsc = want
	} else if centre.MatchString(number) {
		*s.smsc = number
	}
	if *s.smsc == "" || *s.smsc == number {
		return nil
	}
	kind := "129"
	if strings.HasPrefix(*s.smsc, "+") {
		kind = "145"
	}
	return s.settings(ctx, `AT+CSCA="`+*s.smsc+`",`+kind)
}
