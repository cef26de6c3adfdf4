// Package console is the command line: it finds the command that was typed,
// reads its flags and operands, and shows what comes back. It holds the commands
// that ask a running box through its admin socket, and what the others share
// with a terminal. It knows nothing of what stands behind the socket, and opens
// neither database nor modem: what it needs of them a command is given.
package console

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// The exit codes of every command.
const (
	OK       = 0
	Failed   = 1
	Usage    = 2
	NotReady = 3 // no daemon answers, or it cannot do this now
	Refused  = 4 // the box refuses: a rule, a limit, a wrong code
)

// Terminal is where a command line was typed, as a value, so that a test can be
// one.
type Terminal struct {
	// Environ is the environment, "NAME=value" each.
	Environ        []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Signals begins to catch what asks a program to end. Only commands with an
	// orderly way down call it; the others die of a signal as usual.
	Signals func() <-chan os.Signal
}

// Until returns a context that ends with the first signal from now on, or by
// stop, which whoever asked must call.
func (t Terminal) Until() (ctx context.Context, stop context.CancelFunc) {
	ctx, stop = context.WithCancel(context.Background())
	signals := t.Signals()
	go func() {
		select {
		case <-signals:
			stop()
		case <-ctx.Done():
		}
	}()
	return ctx, stop
}

// Getenv returns the value of an environment variable, "" if it is not set.
func (t Terminal) Getenv(name string) string {
	for _, pair := range t.Environ {
		if key, value, _ := strings.Cut(pair, "="); key == name {
			return value
		}
	}
	return ""
}

// failure is an error with its exit code.
type failure struct {
	exit int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// Fail returns an error that ends the program with an exit code. The rest is as
// in [fmt.Errorf].
func Fail(exit int, format string, args ...any) error {
	return &failure{exit, fmt.Errorf(format, args...)}
}

// exitOf returns the exit code of what a command returned.
func exitOf(err error) int {
	var f *failure
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return OK
	case errors.As(err, &f):
		return f.exit
	}
	return Failed
}
