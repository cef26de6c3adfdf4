package arch

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// room returns the room that covers dir: an exact line of the table before a
// pattern.
func (l Law) room(dir string) (Room, bool) {
	for _, want := range []string{dir, pattern(dir)} {
		if i := slices.IndexFunc(l.Rooms, func(r Room) bool { return r.Path == want }); i >= 0 {
			return l.Rooms[i], true
		}
	}
	return Room{}, false
}

// checkImports holds each import of s against the line of its room.
func checkImports(s *source, law Law) []Complaint {
	room, ok := law.room(s.dir)
	if !ok {
		return []Complaint{{Path: s.path, Text: fmt.Sprintf("folder %s is not a room of the house", s.dir)}}
	}
	var complaints []Complaint
	for _, spec := range s.file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has let only valid literals through
		}
		if reason := refusal(name, s, room, law); reason != "" {
			complaints = append(complaints, Complaint{Path: s.path, Line: s.line(spec), Text: reason})
		}
	}
	return complaints
}

// refusal says why s may not import name, or "".
func refusal(name string, s *source, room Room, law Law) string {
	label := s.dir
	if label == "." {
		label = "main"
	}
	if inside, ok := within(name, Module); ok {
		kit := slices.Contains(law.Kit, inside)
		switch {
		case inside == s.dir, // a test of the package from outside
			s.test && kit,
			slices.Contains(room.Rooms, inside),
			!kit && (slices.Contains(room.Rooms, "*") || slices.Contains(room.Rooms, pattern(inside))):
			return ""
		}
		return fmt.Sprintf("%s may not import the room %s", label, inside)
	}
	if !s.test {
		for ban, reason := range room.Bans {
			if below(name, ban) && !slices.Contains(room.Except, name) {
				return fmt.Sprintf("%s may not import %s: %s", label, name, reason)
			}
		}
		for ban, reason := range law.Bans {
			if below(name, ban) && !slices.Contains(room.Lifts, ban) {
				return fmt.Sprintf("%s may not import %s: %s", label, name, reason)
			}
		}
	}
	first, _, _ := strings.Cut(name, "/")
	standard := !strings.Contains(first, ".")
	if standard || slices.ContainsFunc(room.Modules, func(m string) bool { return below(name, m) }) {
		return ""
	}
	return fmt.Sprintf("%s is not the home of %s", label, name)
}

// pattern returns the path of the room that covers dir and its neighbours.
func pattern(dir string) string { return path.Join(path.Dir(dir), "*") }

// within returns the path of a package inside module, "." for its root.
func within(name, module string) (inside string, ok bool) {
	if name == module {
		return ".", true
	}
	return strings.CutPrefix(name, module+"/")
}

// below reports whether name is the package at or an import path under it.
func below(name, at string) bool { return name == at || strings.HasPrefix(name, at+"/") }
