package console

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Invocation is a command with its flags and operands.
type Invocation struct {
	*flag.FlagSet
	Terminal
	Command Command
	// Operands are what was given beside flags, once [Invocation.Parse] has read
	// them: as many as the command wants. The last may be missing that is optional.
	Operands []string
	// JSON and Socket are the flags of these names. Socket is where the daemon
	// listens or is looked for; "" leaves that to [Terminal.Socket] and its like.
	JSON   bool
	Socket string
	// Notes is what --help tells below the flags.
	Notes string

	app  string // which app the command acts for
	rest []string
}

func newInvocation(at Terminal, c Command, rest []string) *Invocation {
	in := &Invocation{FlagSet: flag.NewFlagSet(c.Name, flag.ContinueOnError), Terminal: at, Command: c, rest: rest}
	in.SetOutput(io.Discard)     // the table says what is wrong, once
	in.FlagSet.Usage = func() {} // and Parse answers --help
	return in
}

// form is how the command is written.
func (in *Invocation) form() string {
	return "pinferry " + strings.TrimSpace(in.Command.Name+" [flags] "+in.Command.Operands)
}

// WithJSON adds --json.
func (in *Invocation) WithJSON() {
	in.BoolVar(&in.JSON, "json", false, "print JSON")
}

// WithSocket adds --socket.
func (in *Invocation) WithSocket() {
	in.StringVar(&in.Socket, "socket", "", "the daemon's `socket` for commands")
}

// WithClient adds the flags of the commands that act for an app.
func (in *Invocation) WithClient() {
	in.WithJSON()
	in.WithSocket()
	in.StringVar(&in.app, "app", "", "act for this `app` (default: the default app, or the only one)")
}

// Parse reads flags and operands, in any order; what follows "--" is operands.
// The error ends the command: it is [flag.ErrHelp] after --help was answered.
func (in *Invocation) Parse() error {
	args, tail := in.rest, []string(nil)
	if i := slices.Index(args, "--"); i >= 0 {
		args, tail = args[:i], args[i+1:]
	}
	for {
		if err := in.FlagSet.Parse(args); errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(in.Stdout, "%s\n\n%s\n\n", in.form(), in.Command.Summary)
			in.SetOutput(in.Stdout)
			in.PrintDefaults()
			fmt.Fprint(in.Stdout, in.Notes)
			return err
		} else if err != nil {
			return Fail(Usage, "%s: %w", in.Command.Name, err)
		}
		if args = in.Args(); len(args) == 0 {
			break
		}
		in.Operands, args = append(in.Operands, args[0]), args[1:]
	}
	in.Operands = append(in.Operands, tail...)
	most := strings.Fields(in.Command.Operands)
	least := slices.DeleteFunc(slices.Clone(most), func(s string) bool { return strings.HasPrefix(s, "[") })
	if n := len(in.Operands); n < len(least) || n > len(most) {
		return Fail(Usage, "usage: %s", in.form())
	}
	return nil
}

// Show prints data: as JSON if that was asked for, else in words.
func (in *Invocation) Show(data any, words string) error {
	if !in.JSON {
		_, err := fmt.Fprintln(in.Stdout, words)
		return err
	}
	encoder := json.NewEncoder(in.Stdout)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(data)
}
