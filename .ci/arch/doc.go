package arch

import (
	"go/ast"
	"go/token"
	"slices"
)

// checkPackageDoc wants each package to say what it is, once. Two package
// comments are shown run together, so they are as wrong as none.
func checkPackageDoc(sources []*source) []Complaint {
	first := make(map[string]*source) // by folder: its first file that is no test
	said := make(map[string]*source)  // by folder: the file with the package comment
	var complaints []Complaint
	for _, s := range sources {
		if s.test {
			continue
		}
		if first[s.dir] == nil {
			first[s.dir] = s
		}
		if s.file.Doc == nil {
			continue
		}
		if other := said[s.dir]; other != nil {
			complaints = append(complaints, Complaint{Path: s.path, Line: s.line(s.file.Doc), Text: "a second package comment; the first is in " + other.path})
			continue
		}
		said[s.dir] = s
	}
	for dir, s := range first {
		if said[dir] == nil {
			complaints = append(complaints, Complaint{Path: s.path, Text: "the package has no comment that says what it is"})
		}
	}
	return complaints
}

// checkDoc wants a comment on every exported name that another package can
// reach. A comment on a group covers its constants and variables.
func checkDoc(s *source) []Complaint {
	if s.test {
		return nil
	}
	var complaints []Complaint
	want := func(name *ast.Ident, docs ...*ast.CommentGroup) {
		if name.IsExported() && !slices.ContainsFunc(docs, func(d *ast.CommentGroup) bool { return d != nil }) {
			complaints = append(complaints, Complaint{Path: s.path, Line: s.line(name), Text: "exported " + name.Name + " has no comment"})
		}
	}
	for _, decl := range s.file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil || ast.IsExported(receiver(decl.Recv)) {
				want(decl.Name, decl.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					// A type of a group needs a comment of its own.
					if decl.Lparen == token.NoPos {
						want(spec.Name, spec.Doc, decl.Doc)
					} else {
						want(spec.Name, spec.Doc)
					}
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						want(name, spec.Doc, spec.Comment, decl.Doc)
					}
				}
			}
		}
	}
	return complaints
}

// receiver returns the name of the type that a method belongs to.
func receiver(list *ast.FieldList) string {
	if len(list.List) == 0 {
		return ""
	}
	t := list.List[0].Type
	for {
		switch u := t.(type) {
		case *ast.StarExpr:
			t = u.X
		case *ast.IndexExpr:
			t = u.X
		case *ast.IndexListExpr:
			t = u.X
		case *ast.ParenExpr:
			t = u.X
		case *ast.Ident:
			return u.Name
		default:
			return ""
		}
	}
}
