package console_test

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/server/console"
)

// Progress is one line that leaves nothing behind, and only on a terminal.
func TestProgress(t *testing.T) {
	work := func(in *console.Invocation) error {
		if err := in.Parse(); err != nil {
			return err
		}
		p := in.Progress()
		p.Say("looking at %s", strings.Repeat("everything ", 20))
		p.Say("short")
		const total = 4 << 20
		n, err := io.Copy(p.Writer(io.Discard, "copy"), p.Reader(strings.NewReader(strings.Repeat("x", total)), "restore", total))
		if err != nil || n != total {
			t.Errorf("copied %d (%v)", n, err)
		}
		p.End()
		p.End()
		return nil
	}
	b := newBox(t)
	got := watched(t, 40, func(tty *os.File) { b.at(console.Terminal{Stderr: tty}, work, "") })
	for _, want := range []string{"looking at everything", "\rrestore: 75 % of 4.0 MiB", "\rcopy: 3.0 MiB"} {
		if !strings.Contains(got, want) {
			t.Errorf("never said %q: %q", want, got)
		}
	}
	if strings.Contains(got, "\n") {
		t.Errorf("progress took more than a line: %q", got)
	}
	screen := make([]rune, 0, 40) // what stands there in the end
	at := 0
	for _, r := range got {
		if r == '\r' {
			at = 0
			continue
		}
		if at == 40 {
			t.Fatalf("the line is longer than the terminal is wide: %q", got)
		}
		screen = append(screen[:min(at, len(screen))], append([]rune{r}, screen[min(at+1, len(screen)):]...)...)
		at++
	}
	if left := strings.TrimSpace(string(screen)); left != "" {
		t.Errorf("progress leaves %q", left)
	}
	if _, stdout, stderr := b.run(work, ""); stdout+stderr != "" {
		t.Errorf("into a pipe it says %q", stdout+stderr)
	}
}
