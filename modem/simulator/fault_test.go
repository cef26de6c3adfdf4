package simulator_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/modem/simulator"
)

func TestParseFault(t *testing.T) {
	for spec, want := range map[string]string{
		"cms=38@2":               "cms=38@2",
		"no-prompt@1":            "no-prompt@1",
		"silence@once":           "silence@1",
		"late-reply=40s@1":       "late-reply=40s@1",
		"late-reply":             "late-reply=40s@*",
		"hangup=after-submit@2+": "hangup=after-submit@2+",
		"hangup@now":             "hangup=after-submit@now",
		"urc@*":                  "urc=all@*",
		" garbage ":              "garbage=200@*",
		"report=0x30":            "report=0x30@*",
		"refuse=+cnmi":           "refuse=+CNMI",
		"creg=2":                 "creg=2",
		"sim":                    "sim=missing",
		"dead":                   "dead",
	} {
		f, err := simulator.ParseFault(spec)
		if err != nil || f.String() != want {
			t.Errorf("%q: got %q (%v), want %q", spec, f, err, want)
		}
	}
}

func TestParseFaultErrors(t *testing.T) {
	for spec, want := range map[string]string{
		"":                "unknown fault",
		"silense@1":       "did you mean silence?",
		"noprompt":        "did you mean no-prompt?",
		"CMS=38":          "lost-reply", // all words are listed
		"cms":             "needs a number",
		"cms=x":           "needs a number",
		"creg=11":         "needs a number up to 10",
		"noise=1048577":   "needs a number up to 1048576",
		"late-reply=40":   "needs a duration",
		"late-reply=-1s":  "needs a duration",
		"hangup=sometime": "before-prompt, after-prompt",
		"silence=3":       "takes no argument",
		"refuse":          "needs the name of a command",
		"dead@1":          "takes no selector",
		"cms=38@":         "selector",
		"cms=38@0":        "selector",
		"cms=38@now":      "selector",
		"cms=38@-1":       "selector",
		"hangup@soon":     "@now",
	} {
		if f, err := simulator.ParseFault(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, %v; want %q", spec, f, err, want)
		}
	}
}

// Every example of the usage is a fault.
func TestFaultUsage(t *testing.T) {
	for line := range strings.Lines(simulator.FaultUsage()) {
		spec, help, _ := strings.Cut(line, " ")
		if _, err := simulator.ParseFault(spec); err != nil {
			t.Error(err)
		}
		if strings.TrimSpace(help) == "" {
			t.Errorf("%s has no explanation", spec)
		}
	}
}

func TestInjectSpecRefuses(t *testing.T) {
	m := simulator.New(simulator.Config{})
	if err := m.InjectSpec("nonsense"); err == nil {
		t.Error("nonsense was injected")
	}
	m.Inject(simulator.Fault{}) // the zero fault is none
}

// What parses can be written and read again as the same.
func FuzzFault(f *testing.F) {
	for line := range strings.Lines(simulator.FaultUsage()) {
		spec, _, _ := strings.Cut(line, " ")
		f.Add(spec)
	}
	f.Add("urc=all@now")
	f.Add("late-reply=1h1m@3+")
	f.Fuzz(func(t *testing.T, spec string) {
		fault, err := simulator.ParseFault(spec)
		if err != nil {
			return
		}
		again, err := simulator.ParseFault(fault.String())
		if err != nil || again.String() != fault.String() {
			t.Errorf("%q: %q, then %q (%v)", spec, fault, again, err)
		}
	})
}
