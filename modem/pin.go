package modem

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pinForm is the form of a SIM's PIN.
var pinForm = regexp.MustCompile(`^[0-9]{4,8}$`)

// spareTries is how many tries must be left for one to be made: the last one
// belongs to a person with the SIM's letter in hand.
const spareTries = 2

// unlockEvery is how often a SIM that stays locked is looked at: the PIN may
// have become possible to note, or the SIM may have got its tries back.
const unlockEvery = 30 * time.Second

// allTries is what a SIM counts down from (3GPP 31.101): a SIM that has them
// all has refused nothing.
const allTries = 3

// What a locked SIM shows, by why the box does not open it.
const (
	lockNoPIN    = "The SIM wants its PIN. Write it into a file and name that as pin_file, or put the SIM into a phone and switch its PIN off."
	lockRefused  = "The SIM has refused the PIN of pin_file, and will not be asked again: each wrong PIN brings it nearer to its end. Write the right one into the file and restart, or, if it is the right one, run `pinferry modem pin` for this modem."
	lockFew      = "The SIM has one try of its PIN left, and the box leaves that to you. Put the SIM into a phone and enter the right PIN."
	lockUnsure   = "This SIM may have refused this PIN, or another while nobody could count, and a second wrong one is not risked. Put the SIM into a phone and enter the right PIN, or run `pinferry modem pin` for this modem to try all the same."
	lockMemory   = "The box cannot note that it enters the PIN, and so it does not: it could not keep to one try. Look for what is wrong with its disk."
	lockPersists = "The SIM took its PIN and is locked all the same. Put the SIM into a phone and look."
	lockPUK      = "The SIM is blocked after too many wrong PINs. Put it into a phone, enter the PUK from its letter, and switch the PIN off."
	lockOther    = "The SIM or the modem has a lock that this box cannot open. Put the SIM into the phone it was sold with, or ask its seller."
)

// trials is what is remembered of the PINs that one SIM was given: for each
// the outcome and the PIN's mark, never the PIN. When the SIM takes one the
// whole is forgotten, for the SIM then counts anew.
type trials []byte

// A trial is its outcome and a mark.
const (
	markOctets  = 16
	trialOctets = 1 + markOctets
	maxTrials   = 16 // of one SIM; three wrong ones in a row block it
)

// Outcomes of a trial.
const (
	trialOpen    byte = 1 // begun, and nothing more is known: a cut came in between
	trialRefused byte = 2
	trialNamed   byte = 3 // in a modem's own trials: those of the SIM, whose number was known, tell more
)

// find returns where the trial with a mark stands, -1 if there is none.
func (t trials) find(mark []byte) int {
	for i := 0; i+trialOctets <= len(t); i += trialOctets {
		if bytes.Equal(t[i+1:i+trialOctets], mark) {
			return i
		}
	}
	return -1
}

// with returns the trials with this outcome for a mark; the oldest goes when
// there are too many.
func (t trials) with(mark []byte, outcome byte) trials {
	out := slices.Clone(t)
	if i := out.find(mark); i >= 0 {
		out[i] = outcome
		return out
	}
	if len(out) >= maxTrials*trialOctets {
		out = out[trialOctets:]
	}
	return append(append(out, outcome), mark...)
}

// outcome returns what became of the trial with a mark, 0 if there is none.
func (t trials) outcome(mark []byte) byte {
	if i := t.find(mark); i >= 0 {
		return t[i]
	}
	return 0
}

// unlock enters the PIN into a locked SIM, if that is right: at most once for
// each value and SIM, restarts included, and only while a wrong one would
// leave a try. What keeps it from that becomes the detail of the route.
func (s *session) unlock(ctx context.Context) error {
	switch {
	case s.entered: // taken, and the SIM needs a moment to become ready
		s.network.lock = lockPersists
		return nil
	case s.cfg.PIN == "":
		s.network.lock = lockNoPIN
		return nil
	}
	// In numbers: a plain ERROR would not tell a wrong PIN from a busy SIM.
	if err := s.settings(ctx, "AT+CMEE=1"); err != nil {
		return err
	}
	tries, err := s.tries(ctx)
	if err != nil {
		return err
	}
	own, modems, err := s.pastTrials(ctx)
	if err != nil {
		s.log.Error().Err(err).Msg("the PINs that this SIM has refused cannot be read")
		s.network.lock = lockMemory
		return nil
	}
	outcome := own.outcome(s.pinMark(s.simName()))
	// A PIN that a SIM without a number was given may have been given to this one,
	// and one that any SIM was given, to this one without a number.
	given := modems.outcome(s.pinMark(s.modemName()))
	doubtful := given != 0 && (given != trialNamed || s.identity.sim() == "")
	switch {
	case outcome == trialRefused:
		s.network.lock = lockRefused
	case tries > 0 && tries < spareTries:
		s.network.lock = lockFew
	case (outcome == trialOpen || doubtful) && tries < allTries, tries == 0 && len(own) > 0:
		s.network.lock = lockUnsure
	default:
		return s.tryPIN(ctx, own, modems)
	}
	return nil
}

// pastTrials returns what is noted of the SIM, and of whatever SIM this modem
// had: a modem reads the number of a busy SIM at one start and not at the next.
func (s *session) pastTrials(ctx context.Context) (own, modems trials, err error) {
	if modems, err = s.memory.Load(ctx, trialsKey(s.modemName())); err != nil {
		return nil, nil, err
	}
	own, err = s.memory.Load(ctx, trialsKey(s.simName()))
	return own, modems, err
}

// noteTrial notes the outcome of the PIN for the SIM and for the modem.
func (s *session) noteTrial(ctx context.Context, own, modems trials, outcome byte) error {
	if s.identity.sim() != "" {
		if err := s.memory.Save(ctx, trialsKey(s.simName()), own.with(s.pinMark(s.simName()), outcome)); err != nil {
			return err
		}
		outcome = trialNamed
	}
	return s.memory.Save(ctx, trialsKey(s.modemName()), modems.with(s.pinMark(s.modemName()), outcome))
}

// forgetTrials forgets what is noted for the SIM and for the modem.
func (s *session) forgetTrials(ctx context.Context) error {
	return errors.Join(s.memory.Save(ctx, trialsKey(s.simName()), nil), s.memory.Save(ctx, trialsKey(s.modemName()), nil))
}

// tryPIN makes the one try. That it is made is on disk before the SIM hears of
// it, or a box that crashes in between would try again at every start.
func (s *session) tryPIN(ctx context.Context, own, modems trials) error {
	ctx = context.WithoutCancel(ctx) // what was begun is told to the end
	if err := s.noteTrial(ctx, own, modems, trialOpen); err != nil {
		s.log.Error().Err(err).Msg("the PIN was not entered: that it is could not be noted")
		s.network.lock = lockMemory
		return nil
	}
	_, err := s.command(ctx, `AT+CPIN="`+s.cfg.PIN+`"`, slowLimit)
	var r *refusal
	switch {
	case err == nil:
		s.entered, s.network.lock = true, lockPersists
		if err := s.forgetTrials(ctx); err != nil {
			s.log.Error().Err(err).Msg("that the SIM has taken its PIN could not be noted")
		}
		s.log.Info().Str("sim", ending(s.identity.sim())).Msg("the SIM has taken its PIN")
		return nil
	case !errors.As(err, &r):
		return err // the trial stays open: nobody knows whether it counted
	}
	s.network.lock = lockRefused
	if r.domain == equipment && slices.Contains(untried, r.code) {
		s.network.lock = lockUnsure
		return nil // open as well
	}
	s.log.Error().Str("sim", ending(s.identity.sim())).Err(r).Msg("the SIM has refused its PIN, and is not asked again")
	if err := s.noteTrial(ctx, own, modems, trialRefused); err != nil {
		s.log.Error().Err(err).Msg("that the SIM has refused its PIN could not be noted")
	}
	_, err = s.tries(ctx) // what it has left is what an operator needs to see now
	return err
}

// untried are the codes of "+CME ERROR" that say nothing about the PIN: no
// SIM, its failure, its being busy.
var untried = []int{10, 13, 14}

// pinMark is what stands for the PIN on disk, in the trials of a SIM.
func (s *session) pinMark(sim string) []byte {
	mark := s.cfg.seal("pinferry sim pin v1", []byte(trialsKey(sim)), []byte(s.cfg.PIN))
	return mark[:markOctets]
}

// simName names the SIM in the trials: by its number, or by its modem if that
// does not show one before the PIN.
func (s *session) simName() string {
	if number := s.identity.sim(); number != "" {
		return number
	}
	return s.modemName()
}

// modemName stands for the SIM that is in this modem.
func (s *session) modemName() string { return "imei:" + s.identity.imei }

// trialsKey is where the trials of a SIM are kept.
func trialsKey(sim string) string { return "pin\x00" + sim }

// tries asks how many tries the PIN has left, 0 if the modem does not tell.
func (s *session) tries(ctx context.Context) (int, error) {
	for _, c := range s.identity.quirk.counters() {
		lines, err := s.command(ctx, c.command, commandLimit)
		if err != nil && tolerate(err) != nil {
			return 0, err
		}
		for _, line := range lines {
			if n := c.read(line); n > 0 {
				s.network.tries = n
				return n, nil
			}
		}
	}
	s.network.tries = 0
	return 0, nil
}

// read takes the count out of one line of the answer, 0 if it holds none.
func (c *tryCounter) read(line string) int {
	fields := strings.Split(line, ",")
	if len(fields) <= c.field || c.about != "" && strings.Trim(fields[0], `" `) != c.about {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(fields[c.field]))
	if err != nil || n < 0 || n > 10 {
		return 0
	}
	return n
}

// ending is what a log shows of a SIM's number.
func ending(number string) string {
	if len(number) <= 4 {
		return ""
	}
	return "..." + number[len(number)-4:]
}
