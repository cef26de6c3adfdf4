package arch

import (
	"go/ast"
	"strconv"
)

// checkClock refuses time.Now outside the files that may ask the wall clock.
// Tests are bound too: a test that asks it proves something only today.
func checkClock(s *source, law Law) []Complaint {
	if _, ok := law.Clock[s.path]; ok {
		return nil
	}
	return clockUses(s)
}

// clockUses finds each mention of time.Now in s, called or taken as a value,
// under whatever name the package is imported. A dot import would hide the
// mention, so it counts as one.
func clockUses(s *source) []Complaint {
	var complaints []Complaint
	complain := func(n ast.Node, text string) {
		complaints = append(complaints, Complaint{Path: s.path, Line: s.line(n), Text: text})
	}
	names := make(map[string]bool)
	for _, spec := range s.file.Imports {
		if name, err := strconv.Unquote(spec.Path.Value); err != nil || name != "time" {
			continue
		}
		switch {
		case spec.Name == nil:
			names["time"] = true
		case spec.Name.Name == ".":
			complain(spec, "a dot import of time hides time.Now")
		default:
			names[spec.Name.Name] = true
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok || selector.Sel.Name != "Now" {
			return true
		}
		// A name that the file declares itself is not the package: the parser
		// has resolved it.
		if pkg, ok := selector.X.(*ast.Ident); ok && names[pkg.Name] && pkg.Obj == nil {
			complain(selector, "time.Now is for otp/clock.go alone: take box time from a clock, or a duration by time.Since")
		}
		return true
	})
	return complaints
}
