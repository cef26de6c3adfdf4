package console

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pageRows is how many rows one call for a list asks for: as many as it may.
const pageRows = 100

// list reads a list of the daemon page by page: what stands under member in its
// answers, at most limit rows. A page may be empty and not the last: then a
// search goes on.
func (in *Invocation) list(path, member string, query url.Values, limit int) ([]json.RawMessage, error) {
	if limit < 1 {
		return nil, Fail(Usage, "--limit %d: show at least one", limit)
	}
	all := []json.RawMessage{}
	for cursor := ""; len(all) < limit; {
		query.Set("limit", strconv.Itoa(min(limit-len(all), pageRows)))
		query.Set("cursor", cursor)
		var page map[string]json.RawMessage
		if err := in.Call("GET", path+"?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		var rows []json.RawMessage
		var next string
		if raw, ok := page[member]; ok {
			if err := json.Unmarshal(raw, &rows); err != nil {
				return nil, fmt.Errorf("read the daemon's answer: %w", err)
			}
		}
		if raw, ok := page["next_cursor"]; ok {
			if err := json.Unmarshal(raw, &next); err != nil {
				return nil, fmt.Errorf("read the daemon's answer: %w", err)
			}
		}
		if all = append(all, rows...); next == "" {
			break
		}
		if next == cursor {
			return nil, fmt.Errorf("read the daemon's answer: the list of %s does not go on", member)
		}
		cursor = next
	}
	return all[:min(len(all), limit)], nil
}

// showRows shows what the daemon answered: as JSON if that was asked for, else
// as a table with a line for each, made by row. On a terminal it has a heading
// and no line is longer than the terminal is wide; elsewhere it has neither
// heading nor colour, and nothing is cut.
func showRows[T any](in *Invocation, all []json.RawMessage, head []string, row func(T) []string) error {
	if in.JSON {
		return in.Show(all, "")
	}
	cells := make([][]string, len(all))
	for i, one := range all {
		var v T
		if err := json.Unmarshal(one, &v); err != nil {
			return fmt.Errorf("read the daemon's answer: %w", err)
		}
		cells[i] = row(v)
	}
	if to := in.screen(in.Stdout); len(cells) == 0 && to.tty {
		fmt.Fprintln(in.Stderr, "there is none")
	}
	return in.rows(head, cells)
}

// rows shows lines of cells under one another, on a terminal below a heading.
func (in *Invocation) rows(head []string, cells [][]string) error {
	to := in.screen(in.Stdout)
	for _, line := range cells {
		for i := range line {
			line[i] = plain(line[i])
		}
	}
	if to.tty && len(cells) > 0 {
		cells = append([][]string{head}, cells...)
	}
	return to.table(cells)
}

// table writes lines of cells under one another.
func (s screen) table(lines [][]string) error {
	var widths []int
	for _, line := range lines {
		for i, cell := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		room := s.width
		for i, cell := range line {
			last := i == len(line)-1
			if !last {
				cell += strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			}
			if s.width > 0 && utf8.RuneCountInString(cell) > room {
				b.WriteString(clip(cell, room))
				break
			}
			b.WriteString(s.paint(cell))
			if room -= utf8.RuneCountInString(cell) + 2; !last && (s.width == 0 || room > 0) {
				b.WriteString("  ")
			} else {
				break
			}
		}
		b.WriteByte('\n')
	}
	_, err := s.Write([]byte(b.String()))
	return err
}

// clip returns the beginning of a cell that does not fit, marked as such.
func clip(cell string, room int) string {
	runes := []rune(strings.TrimRight(cell, " "))
	if len(runes) <= room {
		return string(runes)
	}
	if room < 1 {
		return ""
	}
	return string(runes[:room-1]) + "…"
}

// plain is a word of the daemon as it may be shown: what a stranger chose must
// give no orders to the terminal, and turn no line around.
func plain(s string) string {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return strconv.Quote(s)
		}
	}
	return s
}

// fact is a line of what is known of one thing.
type fact struct{ about, what string }

// facts writes them under one another, without those that are unknown.
func facts(all ...fact) string {
	width := 0
	for _, f := range all {
		if f.what != "" {
			width = max(width, len(f.about))
		}
	}
	var b strings.Builder
	for _, f := range all {
		if f.what != "" {
			fmt.Fprintf(&b, "%-*s  %s\n", width, f.about, plain(f.what))
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
