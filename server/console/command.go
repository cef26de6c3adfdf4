package console

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pinferry/pinferry/otp/text"
)

// Command is one thing that the program does.
type Command struct {
	// Name is one word or two, "serve" or "modem list". Operands names what
	// follows the flags, one word each; "[FILE]" may be left out.
	Name, Operands string
	// Summary is what it does, in half a sentence.
	Summary string
	// Hidden keeps it out of the help, the manual and the completions.
	Hidden bool
	// Run declares its flags, has them read by [Invocation.Parse], and does it.
	// It must do nothing before.
	Run func(*Invocation) error
}

// New returns a command.
func New(name, operands, summary string, run func(*Invocation) error) Command {
	return Command{Name: name, Operands: operands, Summary: summary, Run: run}
}

// Table is every command, in the order in which the help lists them.
type Table []Command

// Run carries out one command line and returns its exit code. What went wrong
// is said once, on stderr.
func (t Table) Run(at Terminal, args []string) int {
	err := t.dispatch(at, args)
	code := exitOf(err)
	if code != OK {
		fmt.Fprintln(at.Stderr, "pinferry:", err)
	}
	return code
}

// dispatch finds the command and runs it.
func (t Table) dispatch(at Terminal, args []string) error {
	if len(args) == 0 {
		t.usage(at.Stderr)
		return Fail(Usage, "say what to do")
	}
	if slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		t.usage(at.Stdout)
		return nil
	}
	var names []string
	for _, c := range t {
		words := strings.Fields(c.Name)
		if len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return c.Run(newInvocation(at, c, args[len(words):]))
		}
		names = append(names, c.Name)
	}
	var family []string
	for _, name := range names {
		if strings.HasPrefix(name, args[0]+" ") {
			family = append(family, name)
		}
	}
	if len(family) > 0 && len(args) == 1 {
		return Fail(Usage, "%s what? There is %s", args[0], strings.Join(family, ", "))
	}
	asked := args[0]
	if near, _ := text.Nearest(strings.Join(args[:min(2, len(args))], " "), names); len(args) > 1 && strings.Contains(near, " ") {
		asked = strings.Join(args[:2], " ")
	}
	t.usage(at.Stderr)
	near, _ := text.Nearest(asked, names)
	return Fail(Usage, "there is no command %q; did you mean %q?", asked, near)
}

func (t Table) usage(w io.Writer) {
	fmt.Fprint(w, "pinferry: one-time passwords by SMS from a box of your own\n\n")
	for _, c := range t {
		if c.Hidden {
			continue
		}
		fmt.Fprintf(w, "  pinferry %-25s %s\n", strings.TrimSpace(c.Name+" "+c.Operands), c.Summary)
	}
	fmt.Fprint(w, "\n`pinferry COMMAND --help` lists the flags of a command.\n")
}
