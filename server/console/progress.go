package console

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// progressStep is how many bytes pass between two looks at a long copy.
const progressStep = 1 << 20

// Progress is one line on stderr that tells how far long work is, and is gone
// when the work is done. It is silent unless stderr is a terminal. It belongs to
// one goroutine.
type Progress struct {
	screen
	shown int // runes on the line
}

// Progress returns a line on which nothing stands.
func (in *Invocation) Progress() *Progress { return &Progress{screen: in.screen(in.Stderr)} }

// Say replaces what stands on the line.
func (p *Progress) Say(format string, args ...any) {
	if !p.tty {
		return
	}
	words := fmt.Sprintf(format, args...)
	if p.width > 1 {
		words = clip(words, p.width-1) // a line that wraps cannot be taken back
	}
	n := utf8.RuneCountInString(words)
	fmt.Fprintf(p, "\r%s%s", words, strings.Repeat(" ", max(0, p.shown-n)))
	p.shown = n
}

// End empties the line, for what is said next.
func (p *Progress) End() {
	if p.shown > 0 {
		fmt.Fprintf(p, "\r%s\r", strings.Repeat(" ", p.shown))
		p.shown = 0
	}
}

// Reader returns r, and tells of what is done how much of total bytes was read;
// total 0 is unknown.
func (p *Progress) Reader(r io.Reader, what string, total int64) io.Reader {
	return &meter{progress: p, what: what, total: total, r: r}
}

// Writer returns w, and tells of what is done how much was written.
func (p *Progress) Writer(w io.Writer, what string) io.Writer {
	return &meter{progress: p, what: what, w: w}
}

// meter is a stream of which is told now and then how much has passed.
type meter struct {
	progress       *Progress
	what           string
	total, n, next int64
	r              io.Reader
	w              io.Writer
}

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	m.add(n)
	return n, err
}

func (m *meter) Write(b []byte) (int, error) {
	n, err := m.w.Write(b)
	m.add(n)
	return n, err
}

func (m *meter) add(n int) {
	if m.n += int64(n); m.n < m.next {
		return
	}
	m.next = m.n + progressStep
	if m.total > 0 {
		m.progress.Say("%s: %d %% of %s", m.what, min(100, 100*m.n/m.total), size(m.total))
		return
	}
	m.progress.Say("%s: %s", m.what, size(m.n))
}

// size writes a number of bytes for people.
func size(n int64) string {
	const kibi, mebi = 1 << 10, 1 << 20
	switch {
	case n >= mebi:
		return fmt.Sprintf("%.1f MiB", float64(n)/mebi)
	case n >= kibi:
		return fmt.Sprintf("%d KiB", n/kibi)
	}
	return fmt.Sprintf("%d B", n)
}
