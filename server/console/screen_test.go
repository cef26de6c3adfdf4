package console_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/server/console"
)

// watched runs do with a stream that is a terminal of so many columns, and
// returns what came out at its other end.
func watched(t *testing.T, columns uint16, do func(tty *os.File)) string {
	t.Helper()
	pty, err := simulator.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	defer pty.Close()
	tty, err := os.OpenFile(pty.Path(), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: 24}); err != nil {
		t.Fatal(err)
	}
	do(tty)
	const end = "\x04end"
	io.WriteString(tty, end)
	var all bytes.Buffer
	chunk := make([]byte, 4096)
	for !strings.HasSuffix(all.String(), end) {
		n, err := pty.Read(chunk)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(chunk[:n])
	}
	tty.Close()
	return strings.TrimSuffix(all.String(), end)
}

// A terminal gets a heading, colours and lines that fit; NO_COLOR and a dumb
// terminal no colours; a file or a pipe neither, and everything in full.
func TestTablesOnATerminal(t *testing.T) {
	b := newBox(t)
	long := aMessage(1)
	long["reason"] = strings.Repeat("it went wrong ", 10)
	b.on("GET /admin/messages", object{"messages": []any{aMessage(2), long}})
	show := func(columns uint16, environ ...string) string {
		return watched(t, columns, func(tty *os.File) {
			b.at(console.Terminal{Environ: environ, Stdout: tty, Stderr: tty, Stdin: tty}, console.MessageList, "")
		})
	}
	wide := show(400)
	if !strings.HasPrefix(wide, "ID ") || !strings.Contains(wide, "\x1b[32mdelivered\x1b[0m") || !strings.Contains(wide, strings.TrimSpace(long["reason"].(string))) {
		t.Errorf("a wide terminal shows %q", wide)
	}
	for _, off := range []string{"NO_COLOR=1", "TERM=dumb"} {
		for _, columns := range []uint16{1, 20, 36, 37, 80, 130} {
			for _, line := range strings.Split(show(columns, off), "\n") {
				if n := utf8.RuneCountInString(strings.TrimRight(line, "\r")); n > int(columns) || strings.Contains(line, "\x1b") {
					t.Errorf("%s, %d columns: a line of %d: %q", off, columns, n, line)
				}
			}
		}
	}
	if _, piped, _ := b.run(console.MessageList, ""); strings.HasPrefix(piped, "ID") || strings.Contains(piped, "\x1b") || !strings.Contains(piped, strings.TrimSpace(long["reason"].(string))) {
		t.Errorf("a pipe gets %q", piped)
	}
	b.on("GET /admin/messages", object{"messages": []any{}})
	if none := show(80); !strings.Contains(none, "there is none") {
		t.Errorf("of nothing a terminal shows %q", none)
	}
}

func TestPaint(t *testing.T) {
	const words = "red    gsm0 sim  The SIM wants its PIN.\n                -> Enter it.\nred"
	paint := func(in *console.Invocation) error {
		if err := in.Parse(); err != nil {
			return err
		}
		return in.Show(nil, in.Paint(words))
	}
	b := newBox(t)
	got := watched(t, 80, func(tty *os.File) { b.at(console.Terminal{Stdout: tty}, paint, "") })
	if want := "\x1b[31mred\x1b[0m    gsm0 sim"; !strings.HasPrefix(got, want) || strings.Count(got, "\x1b[31m") != 2 {
		t.Errorf("painted %q", got)
	}
	if _, stdout, _ := b.run(paint, ""); stdout != words+"\n" {
		t.Errorf("painted for a pipe: %q", stdout)
	}
}
