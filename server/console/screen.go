package console

import (
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// screen is a stream that may be a person's terminal.
type screen struct {
	io.Writer
	// tty tells whether it is; width is that of its lines, 0 if nobody knows.
	tty   bool
	width int
	// color tells whether words may be coloured there.
	color bool
}

// screen looks at a stream of the terminal.
func (t Terminal) screen(w io.Writer) screen {
	s := screen{Writer: w}
	file, ok := w.(*os.File)
	if !ok {
		return s
	}
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return s
	}
	s.tty, s.width = true, int(size.Col)
	s.color = t.Getenv("NO_COLOR") == "" && t.Getenv("TERM") != "dumb"
	return s
}

// The colours of words that say how something stands. Words that are not listed
// have none: colour repeats what the word says and never stands alone for it.
const (
	good  = "32"
	amber = "33"
	bad   = "31"
)

var colors = map[string]string{
	"green": good, "ready": good, "enabled": good, "sent": good, "delivered": good, "approved": good,
	"amber": amber, "starting": amber, "coming": amber, "accepted": amber, "sending": amber, "pending": amber, "unknown": amber,
	"red": bad, "down": bad, "blocked": bad, "failed": bad, "undelivered": bad, "expired": bad, "exhausted": bad,
}

// paint colours a word by what it says, followed by blanks or not.
func (s screen) paint(word string) string {
	code := colors[strings.TrimRight(word, " ")]
	if code == "" || !s.color {
		return word
	}
	return "\x1b[" + code + "m" + word + "\x1b[0m"
}

// Paint colours the first word of each line that is the name of a level, if the
// words go to a terminal.
func (in *Invocation) Paint(words string) string {
	s := in.screen(in.Stdout)
	lines := strings.Split(words, "\n")
	for i, line := range lines {
		word, rest, found := strings.Cut(line, " ")
		lines[i] = s.paint(word)
		if found {
			lines[i] += " " + rest
		}
	}
	return strings.Join(lines, "\n")
}
