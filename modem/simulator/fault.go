package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is one way in which a modem misbehaves, made by [ParseFault]. The zero
// Fault is none.
type Fault struct {
	word     *word
	argument string
	number   int
	wait     time.Duration
	// The messages it strikes, counted from its injection, from 1; last 0: no
	// end. Both 0: it stands, or acts at once if now is set.
	first, last int
	now         bool
}

// ParseFault reads a fault from
//
//	word[=argument][@selector]
//
// [FaultUsage] lists the words. The selector counts the messages, that is the
// AT+CMGS commands, from the injection on:
//
//	@3     the third message
//	@once  the next message, as @1
//	@3+    the third and all after it
//	@*     every message; also what a missing selector means
//	@now   at once, whatever the modem does (hangup, urc, garbage, noise, full, reboot, smsc-lost)
//
// A word that describes a condition, such as creg=2 or dead, takes no selector:
// it holds until [Modem.ClearFaults], or until the same word comes again.
func ParseFault(spec string) (Fault, error) {
	rest, selector, selected := strings.Cut(strings.TrimSpace(spec), "@")
	name, argument, given := strings.Cut(rest, "=")
	i := slices.IndexFunc(words, func(w word) bool { return w.name == name })
	if i < 0 {
		return Fault{}, unknownWord(name)
	}
	f := Fault{word: &words[i], argument: argument}
	if !given {
		f.argument = f.word.absent
	}
	if err := f.parseArgument(); err != nil {
		return Fault{}, fmt.Errorf("fault %s: %w", name, err)
	}
	if err := f.parseSelector(selector, selected); err != nil {
		return Fault{}, fmt.Errorf("fault %s: %w", name, err)
	}
	return f, nil
}

// String returns the spec of f.
func (f Fault) String() string {
	if f.word == nil {
		return ""
	}
	s := f.word.name
	if f.argument != "" {
		s += "=" + f.argument
	}
	switch {
	case f.now:
		s += "@now"
	case f.word.condition:
	case f.first == 1 && f.last == 0:
		s += "@*"
	case f.last == 0:
		s += fmt.Sprintf("@%d+", f.first)
	default:
		s += fmt.Sprintf("@%d", f.first)
	}
	return s
}

func (f *Fault) parseArgument() error {
	switch f.word.argument {
	case argumentNone:
		if f.argument != "" {
			return fmt.Errorf("takes no argument, got %q", f.argument)
		}
	case argumentNumber:
		n, err := strconv.ParseUint(f.argument, 0, 31)
		if err != nil || n > uint64(f.word.most) {
			return fmt.Errorf("needs a number up to %d, as in %s", f.word.most, f.word.example)
		}
		f.number = int(n)
	case argumentWait:
		d, err := time.ParseDuration(f.argument)
		if err != nil || d < 0 {
			return fmt.Errorf("needs a duration, as in %s", f.word.example)
		}
		f.wait = d
	case argumentChoice:
		if !slices.Contains(f.word.choices, f.argument) {
			return fmt.Errorf("%q is none of %s", f.argument, strings.Join(f.word.choices, ", "))
		}
	case argumentCommand:
		f.argument = strings.ToUpper(f.argument)
		if len(f.argument) < 2 || !strings.ContainsRune("+^", rune(f.argument[0])) {
			return fmt.Errorf("needs the name of a command, as in %s", f.word.example)
		}
	}
	return nil
}

func (f *Fault) parseSelector(s string, given bool) error {
	switch {
	case f.word.condition && given:
		return fmt.Errorf("is a condition and takes no selector")
	case f.word.condition:
	case !given, s == "*":
		f.first = 1
	case s == "once":
		f.first, f.last = 1, 1
	case s == "now" && f.word.now:
		f.now = true
	default:
		digits, open := strings.CutSuffix(s, "+")
		n, err := strconv.ParseUint(digits, 10, 31)
		if err != nil || n == 0 {
			return fmt.Errorf("selector @%s is none of @3, @3+, @once, @*%s", s, f.alsoNow())
		}
		f.first = int(n)
		if !open {
			f.last = f.first
		}
	}
	return nil
}

func (f *Fault) alsoNow() string {
	if f.word.now {
		return ", @now"
	}
	return ""
}

// armed is a fault that was injected.
type armed struct {
	Fault
	seen int // messages since the injection
}

// Inject adds a fault to those that are already there.
func (m *Modem) Inject(f Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.word == nil {
		return
	}
	m.cfg.Log.Info().Stringer("fault", f).Msg("fault injected")
	if f.now {
		m.strikeNow(f)
		return
	}
	m.change(func() {
		if f.word.condition {
			m.faults = slices.DeleteFunc(m.faults, func(a *armed) bool {
				return a.word == f.word && (f.word.argument != argumentCommand || a.argument == f.argument)
			})
		}
		if f.word.name == faultSIM {
			m.unlocked = false
		}
		m.faults = append(m.faults, &armed{Fault: f})
	})
}

// InjectSpec adds the fault that spec describes; see [ParseFault].
func (m *Modem) InjectSpec(spec string) error {
	f, err := ParseFault(spec)
	if err != nil {
		return err
	}
	m.Inject(f)
	return nil
}

// ClearFaults ends all faults.
func (m *Modem) ClearFaults() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.change(func() { m.faults = nil })
}

// struck are the faults that strike one message, by their words.
type struck map[string]Fault

func (s struck) by(word string) bool {
	_, ok := s[word]
	return ok
}

// strike counts one message and returns the faults that strike it. A fault
// that cannot strike again is forgotten; of two with one word, the later wins.
func (m *Modem) strike() struck {
	s := struck{}
	m.faults = slices.DeleteFunc(m.faults, func(a *armed) bool {
		if a.word.condition {
			return false
		}
		a.seen++
		if a.seen >= a.first && (a.last == 0 || a.seen <= a.last) {
			s[a.word.name] = a.Fault
		}
		return a.last > 0 && a.seen >= a.last
	})
	return s
}

// condition returns the condition that stands under word.
func (m *Modem) condition(word string) (Fault, bool) {
	for _, a := range m.faults {
		if a.word.condition && a.word.name == word {
			return a.Fault, true
		}
	}
	return Fault{}, false
}

// stands reports whether a condition stands under word.
func (m *Modem) stands(word string) bool {
	_, ok := m.condition(word)
	return ok
}

// refused reports whether a fault refuses the extended command name.
func (m *Modem) refused(name string) bool {
	return slices.ContainsFunc(m.faults, func(a *armed) bool {
		return a.word.refuses == name || a.word.name == faultRefuse && a.argument == name
	})
}
