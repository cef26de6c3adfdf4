package modem

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// maxInfo bounds the lines of one answer.
const maxInfo = 256

// Limits of the dialogue with a modem that is not sending.
const (
	aliveLimit   = 3 * time.Second // for AT
	commandLimit = 5 * time.Second // for anything else
	slowLimit    = 10 * time.Second
	syncLimit    = time.Second            // for each AT while resynchronising
	settleFor    = 100 * time.Millisecond // of silence: what was under way has been said
	settleLimit  = time.Second
)

var (
	// errSilent ends a session: a late answer would be taken for the answer to
	// the next command.
	errSilent = errors.New("the modem does not answer")
	// errMode ends a session: a modem in text mode would take a PDU for a text
	// and its length for a number.
	errMode = errors.New("the modem does not keep to PDU mode")
)

// session is one opened port, from its opening to its first failure. Only the
// gateway's owner may use it.
type session struct {
	line *line
	log  zerolog.Logger
	cfg  Config
	// memory is the gateway's.
	memory Memory
	// reported takes each delivery report as it comes in.
	reported func(report)
	// mail is the gateway's.
	mail *mailbox
	// rouse does what may wake a modem that has not answered an AT.
	rouse func(ctx context.Context) error

	asking string // prefix of the lines that answer the running command, or ""
	inner  int    // octets of the TPDU that the next line holds; 0 is none, -1 one to ignore
	pushed bool   // that line is a received SMS, and not a report
	stale  bool   // the modem may have forgotten its settings
	probe  bool   // something happened that a look should follow soon

	reports   bool // delivery reports come back
	confirm   bool // each report must be confirmed
	owed      int  // reports not confirmed yet
	network   network
	identity  identity
	entered   bool // the SIM has taken its PIN, and was not ready since
	unlocking rest // between two looks at a SIM that is locked

	refused string           // why the network refuses this SIM, or ""
	again   <-chan time.Time // when the SIM is given another chance
	seen    bool             // every poll has been made once
	simless int              // looks in a row that found no SIM
}

// begin takes over an opened port and brings the modem to heed us.
func (s *session) begin(ctx context.Context) error {
	if err := s.resynchronise(ctx); err != nil {
		return err
	}
	s.stale = true
	return nil
}

// next waits for one token that is no indication.
func (s *session) next(ctx context.Context, limit <-chan time.Time) (string, error) {
	for {
		select {
		case token, ok := <-s.line.tokens:
			if !ok {
				return "", s.line.lost()
			}
			if !s.heed(token) {
				return token, nil
			}
		case <-limit:
			return "", errSilent
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// heed takes a token if it is an indication, which may come in the middle of
// anything, and tells whether it was one.
func (s *session) heed(token string) bool {
	if inner := s.inner; inner != 0 {
		s.inner = 0
		if hexadecimal(token) {
			if inner > 0 {
				if s.pushed {
					s.mail.push(inner, token)
				} else {
					s.receive(inner, token)
				}
			}
			return true
		}
		// No PDU came; the line is judged for itself, or one bad indication
		// would swallow the next good line.
	}
	if s.asking != "" && strings.HasPrefix(token, s.asking) {
		return false
	}
	name, rest, _ := strings.Cut(token, ":")
	switch name {
	case noise:
		s.probe = true
	case "+CDS", "+CMT":
		s.inner, s.pushed = parseLength(rest), name == "+CMT"
	case "+CMTI", "+CDSI":
		s.mail.indicated(rest)
	case "+CREG", "+CGREG", "+CEREG":
		s.network.register(name, rest)
		s.probe = true
	case "+CPIN", "^SIMST", "RDY", "SMS Ready", "SMS DONE", "PB DONE", "^SYSSTART", "+CFUN":
		s.stale, s.probe = true, true
	case "+QIND": // of its many words, those that end a start
		if strings.HasSuffix(strings.Trim(rest, ` "`), " DONE") {
			s.stale, s.probe = true, true
		}
	default:
		return false
	}
	return true
}

// receive takes the PDU of a delivery report. A bad one is dropped: whoever
// wrote it, it concerns no message of ours.
func (s *session) receive(length int, pdu string) {
	if s.confirm {
		s.owed++
	}
	r, err := parseReport(length, pdu)
	if err != nil {
		s.log.Warn().Err(err).Msg("delivery report dropped")
		return
	}
	s.reported(r)
}

// command sends one command line and returns the lines of its answer that
// bear its name, without it. See exchange.
func (s *session) command(ctx context.Context, text string, limit time.Duration) ([]string, error) {
	return s.exchange(ctx, text, limit, func(token string) (string, bool) {
		rest, named := strings.CutPrefix(token, s.asking)
		return strings.TrimSpace(rest), named && s.asking != ""
	})
}

// exchange sends one command line and returns what keep makes of the lines of
// its answer. Its errors are a [*refusal], errSilent, the loss of the port and
// the end of ctx; all but the first end the session.
func (s *session) exchange(ctx context.Context, text string, limit time.Duration, keep func(token string) (string, bool)) ([]string, error) {
	if _, err := s.line.write(text + "\r"); err != nil {
		return nil, err
	}
	s.asking = name(text)
	defer func() { s.asking = "" }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var info []string
	for {
		token, err := s.next(ctx, timer.C)
		if err != nil {
			head, _, _ := strings.Cut(text, "=") // what is set may be a number
			return nil, fmt.Errorf("%s: %w", head, err)
		}
		if token == "OK" {
			return info, nil
		}
		if r, ok := parseRefusal(token); ok {
			return nil, r
		}
		if line, ok := keep(token); ok && len(info) < maxInfo {
			info = append(info, line)
		}
	}
}

// ask is command for a question: it returns the last line of the answer, and
// "" when the modem refuses to say.
func (s *session) ask(ctx context.Context, text string) (string, error) {
	info, err := s.command(ctx, text, commandLimit)
	if err != nil {
		return "", tolerate(err)
	}
	if len(info) == 0 {
		return "", nil
	}
	return info[len(info)-1], nil
}

// try is command for a setting that some modems refuse.
func (s *session) try(ctx context.Context, text string) (accepted bool, err error) {
	_, err = s.command(ctx, text, commandLimit)
	return err == nil, tolerate(err)
}

// tolerate returns err unless it is the modem's own refusal.
func tolerate(err error) error {
	var r *refusal
	if errors.As(err, &r) {
		return nil
	}
	return err
}

// resynchronise brings the modem from any state to where an AT is answered by
// an OK, and that OK is the answer to that AT: within seconds, or the modem is
// beyond words.
func (s *session) resynchronise(ctx context.Context) error {
	if _, err := s.line.write("\x1b\r"); err != nil { // out of a prompt that somebody left
		return err
	}
	for try := range 3 {
		if try == 2 { // a modem that ignores ESC reads on until Ctrl-Z
			if _, err := s.line.write("\x1a"); err != nil {
				return err
			}
		}
		if _, err := s.command(ctx, "AT", syncLimit); err != nil {
			if !errors.Is(err, errSilent) && tolerate(err) != nil {
				return err
			}
			continue
		}
		if err := s.settle(ctx); err != nil {
			return err
		}
		if _, err := s.command(ctx, "AT", syncLimit); err == nil || !errors.Is(err, errSilent) && tolerate(err) != nil {
			return err
		}
	}
	return errSilent
}

// settle reads until the modem has been silent for a while.
func (s *session) settle(ctx context.Context) error {
	end := time.NewTimer(settleLimit)
	defer end.Stop()
	for {
		quiet := time.NewTimer(settleFor)
		select {
		case token, ok := <-s.line.tokens:
			quiet.Stop()
			if !ok {
				return s.line.lost()
			}
			s.heed(token)
		case <-quiet.C:
			return nil
		case <-end.C:
			quiet.Stop()
			return nil
		case <-ctx.Done():
			quiet.Stop()
			return ctx.Err()
		}
	}
}

// acknowledge confirms the reports that came in, if the modem wants that.
func (s *session) acknowledge(ctx context.Context) error {
	for n := s.owed; n > 0; n-- { // and not what comes in meanwhile: that could go on for ever
		s.owed--
		if err := s.receipt(ctx); err != nil {
			return err
		}
	}
	return nil
}

// name returns the prefix of the lines that answer a command: "+CSQ:" for
// AT+CSQ, "" for AT.
func name(command string) string {
	name := strings.TrimPrefix(command, "AT")
	if end := strings.IndexAny(name, "=?"); end >= 0 {
		name = name[:end]
	}
	if name == "" {
		return ""
	}
	return name + ":"
}

// hexadecimal tells whether a line can be a PDU.
func hexadecimal(text string) bool {
	return text != "" && strings.Trim(text, "0123456789ABCDEFabcdef") == ""
}
