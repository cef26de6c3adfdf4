package admin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// Level says how a check came out.
type Level string

// The levels, from good to bad.
const (
	Green Level = "green" // as it should be
	Amber Level = "amber" // works, and may not for long
	Red   Level = "red"   // does not work
)

var levels = []Level{Green, Amber, Red}

// Check is what the doctor found at one thing.
type Check struct {
	// Name is what was looked at: "disk", or a route and a part of it, "gsm0 sim".
	Name  string `json:"name"`
	Level Level  `json:"level"`
	// Text is what was found, in one sentence; Fix what to do, in one line, and
	// empty when there is nothing to do.
	Text string `json:"text"`
	Fix  string `json:"fix,omitempty"`
}

// Diagnosis is what the doctor found at all.
type Diagnosis struct {
	// Level is that of the worst check.
	Level Level `json:"level"`
	// Running tells whether a box answered. If none did, nobody knows what is
	// behind the ports.
	Running bool `json:"running"`
	// Fixed lists what was put right before the checks were made.
	Fixed  []string `json:"fixed,omitempty"`
	Checks []Check  `json:"checks"`
}

func newDiagnosis(running bool, checks []Check) Diagnosis {
	d := Diagnosis{Level: Green, Running: running, Checks: checks}
	for _, c := range checks {
		if slices.Index(levels, c.Level) > slices.Index(levels, d.Level) {
			d.Level = c.Level
		}
	}
	return d
}

// count returns how many checks are at a level.
func (d Diagnosis) count(level Level) (n int) {
	for _, c := range d.Checks {
		if c.Level == level {
			n++
		}
	}
	return n
}

// String is the diagnosis for people: a line for each check, and one more for
// what to do about it.
func (d Diagnosis) String() string {
	width := 0
	for _, c := range d.Checks {
		width = max(width, len(c.Name))
	}
	var b strings.Builder
	for _, done := range d.Fixed {
		fmt.Fprintf(&b, "fixed: %s\n", done)
	}
	for _, c := range d.Checks {
		fmt.Fprintf(&b, "%-5s  %-*s  %s\n", c.Level, width, c.Name, c.Text)
		if c.Fix != "" {
			fmt.Fprintf(&b, "%-5s  %-*s  -> %s\n", "", width, "", c.Fix)
		}
	}
	return b.String() + fmt.Sprintf("%d red, %d amber, %d green", d.count(Red), d.count(Amber), d.count(Green))
}

// Doctor answers GET /admin/doctor.
func (o *Console) Doctor(c *web.Call) error {
	facts, err := o.actions.Facts(c.Context)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, facts.Diagnose())
}
