package modem

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// centre is the form of an SMSC's number.
var centre = regexp.MustCompile(`^\+?[0-9]{3,20}$`)

// ReadPIN reads the PIN of a SIM from the first line of a file, which nobody else
// may read. Of the path "" it is "".
func ReadPIN(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("pin_file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("pin_file: others may read %s; run: chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("pin_file: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pin := strings.TrimSpace(line)
	return pin, (&Config{PIN: pin}).Validate()
}

// typeInternational is the type of an international number (3GPP 24.008,
// 10.5.4.7).
const typeInternational = "145"

// Bearers are the ways by which a modem may hand messages to its network, and
// their numbers in AT+CGSMS (3GPP 27.007, 10.1.21). Some operators lose what
// comes by the packet network, and some have no other.
var bearers = map[string]string{
	"packet": "0", "circuit": "1", "packet_preferred": "2", "circuit_preferred": "3",
}

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
	if err := s.settings(ctx, "ATE0", "AT+CMEE=1", `AT+CSCS="GSM"`, "AT+CMGF=0"); err != nil {
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
	if s.cfg.Heard != nil { // else the modem's clock is nobody's business
		if err := s.settings(ctx, "AT+CTZU=1"); err != nil {
			return err
		}
	}
	if number, given := bearers[s.cfg.Bearer]; given {
		accepted, err := s.try(ctx, "AT+CGSMS="+number)
		if err != nil {
			return err
		}
		if !accepted {
			s.log.Warn().Str("bearer", s.cfg.Bearer).Msg("the modem cannot use the bearer of its config")
		}
	}
	s.mail.want("") // of a SIM that is new, or a modem that forgot to tell
	_, err = s.address(ctx)
	return err
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

// notices are the ways in which delivery reports may come, the best first: by
// themselves, then stored and told of. Some modems take no 0 as the last figure
// (what becomes of indications that waited), and some no 1. In phase 2+ each
// report must be confirmed, or the modem stops to hand them on.
var notices = []struct {
	phase string
	modes []string
}{
	{"0", []string{"2,1,0,1,0", "2,0,0,1,0", "1,1,0,1,0", "1,0,0,1,0", "3,1,0,1,0", "2,1,0,1,1"}},
	{"1", []string{"2,1,0,1,0", "2,0,0,1,0", "1,1,0,1,0", "1,0,0,1,0", "3,1,0,1,0", "2,1,0,1,1"}},
	{"0", []string{"2,1,0,2,0", "2,1,0,2,1"}},
}

// subscribe asks for delivery reports in the words that this modem takes.
func (s *session) subscribe(ctx context.Context) error {
	for _, way := range notices {
		if _, err := s.try(ctx, "AT+CSMS="+way.phase); err != nil {
			return err
		}
		for _, mode := range way.modes {
			accepted, err := s.try(ctx, "AT+CNMI="+mode)
			if err != nil {
				return err
			}
			if accepted {
				s.reports, s.confirm = true, way.phase == "1"
				return nil
			}
		}
	}
	s.reports, s.confirm = false, false
	return nil
}

// pollCentre looks whether the SIM has lost its service centre.
func (s *session) pollCentre(ctx context.Context) error {
	if s.network.sim != simReady {
		return nil
	}
	_, err := s.address(ctx)
	return err
}

// address sees to it that the SIM knows its service centre: that of the
// config, else its own, which is kept and given back to a SIM that has lost it.
// given tells whether it was given one now.
func (s *session) address(ctx context.Context) (given bool, err error) {
	answer, err := s.ask(ctx, "AT+CSCA?")
	if err != nil {
		return false, err
	}
	number, kind, _ := strings.Cut(answer, ",")
	number = strings.Trim(number, `" `)
	if strings.TrimSpace(kind) == typeInternational && number != "" && !strings.HasPrefix(number, "+") {
		number = "+" + number // some leave it out, and the SIM would be written again and again
	}
	want := s.cfg.SMSC
	if want == "" {
		want = s.kept(ctx, number)
	}
	s.network.smsc = want
	if want == "" || want == number {
		return false, nil
	}
	kind = "129"
	if strings.HasPrefix(want, "+") {
		kind = typeInternational
	}
	return s.try(ctx, `AT+CSCA="`+want+`",`+kind)
}

// kept returns the service centre that this SIM has or, if it has none, had. A
// SIM that cannot be told from others has only what it says: the centre of
// another operator would lose every message.
func (s *session) kept(ctx context.Context, number string) string {
	known, name := centre.MatchString(number), s.identity.sim()
	if name == "" {
		if known {
			return number
		}
		return ""
	}
	key := "smsc\x00" + name
	had, err := s.memory.Load(ctx, key)
	switch {
	case err != nil:
		s.log.Warn().Err(err).Msg("the service centre that this SIM had cannot be read")
	case !known && centre.Match(had):
		s.log.Info().Str("sim", ending(name)).Msg("the SIM has lost its service centre and gets it back")
		return string(had)
	case known && string(had) != number:
		if err := s.memory.Save(ctx, key, []byte(number)); err != nil {
			s.log.Warn().Err(err).Msg("the service centre of this SIM could not be kept")
		}
	}
	if known {
		return number
	}
	return ""
}
