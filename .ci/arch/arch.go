// Package arch holds the law of the house as a check: which room may import
// what, who may ask the wall clock, which names and lengths a file may have.
//
// [Check] reads source files only. It builds nothing, so files for every
// operating system and build tag are judged alike, and a tree that does not
// compile can still be judged. The law itself is [House]; the functions here
// know no room by name.
package arch

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Complaint is one breach of the law.
type Complaint struct {
	Path string // relative to the root, with slashes
	Line int    // 1 is the first; 0 if the breach is not on a line
	Text string // what is wrong and, where it is not plain, what to do
}

// String returns the complaint as editors and people read it: path:line: text.
func (c Complaint) String() string {
	if c.Line == 0 {
		return c.Path + ": " + c.Text
	}
	return fmt.Sprintf("%s:%d: %s", c.Path, c.Line, c.Text)
}

// source is one parsed Go file.
type source struct {
	path  string // relative to the root, with slashes
	dir   string // "." is the root
	test  bool
	lines int
	file  *ast.File
	set   *token.FileSet
}

func (s *source) line(n ast.Node) int { return s.set.Position(n.Pos()).Line }

// Check judges the tree at root by law. It returns every breach, ordered by
// path and line; an error means that the tree could not be read.
func Check(root string, law Law) ([]Complaint, error) {
	complaints, err := checkTop(root, law)
	if err != nil {
		return nil, err
	}
	sources, broken, err := load(root, law)
	if err != nil {
		return nil, err
	}
	complaints = append(complaints, broken...)
	for _, s := range sources {
		complaints = append(complaints, checkName(s)...)
		complaints = append(complaints, checkLength(s, law)...)
		complaints = append(complaints, checkImports(s, law)...)
		complaints = append(complaints, checkClock(s, law)...)
		complaints = append(complaints, checkDoc(s)...)
	}
	complaints = append(complaints, checkPackageDoc(sources)...)
	complaints = append(complaints, checkExceptions(sources, law)...)
	slices.SortFunc(complaints, func(a, b Complaint) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), strings.Compare(a.Text, b.Text))
	})
	return complaints, nil
}

// load parses every Go file under root but those in testdata, in .git and in
// what the build leaves behind. A file that does not parse is a complaint, for
// the law cannot be read off it.
func load(root string, law Law) (sources []*source, broken []Complaint, err error) {
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if entry.IsDir() {
			if entry.Name() == "testdata" || rel == ".git" || slices.Contains(law.Outputs, rel) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read source: %w", err)
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, rel, text, parser.ParseComments)
		if err != nil {
			broken = append(broken, Complaint{Path: rel, Text: "does not parse"})
			return nil
		}
		sources = append(sources, &source{
			path:  rel,
			dir:   path.Dir(rel),
			test:  strings.HasSuffix(rel, "_test.go"),
			lines: strings.Count(string(text), "\n"),
			file:  file,
			set:   set,
		})
		return nil
	})
	return sources, broken, err
}

// checkTop refuses what does not belong at the root of the tree.
func checkTop(root string, law Law) ([]Complaint, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("list root: %w", err)
	}
	var complaints []Complaint
	for _, entry := range entries {
		name := entry.Name()
		if !slices.Contains(law.Top, name) && !slices.Contains(law.Outputs, name) {
			complaints = append(complaints, Complaint{Path: name, Text: "is not one of the fixed top-level entries"})
		}
	}
	return complaints, nil
}

// checkExceptions refuses an exception that nothing needs any more, so that
// the lists can only shrink by themselves.
func checkExceptions(sources []*source, law Law) []Complaint {
	var complaints []Complaint
	stale := func(file, why string) {
		complaints = append(complaints, Complaint{Path: file, Text: "is listed as an exception, but " + why})
	}
	find := func(file string) *source {
		for _, s := range sources {
			if s.path == file {
				return s
			}
		}
		return nil
	}
	for file := range law.Clock {
		if s := find(file); s == nil {
			stale(file, "there is no such file")
		} else if len(clockUses(s)) == 0 {
			stale(file, "it does not call time.Now")
		}
	}
	for file := range law.Long {
		if s := find(file); s == nil {
			stale(file, "there is no such file")
		} else if s.lines <= law.Lines {
			stale(file, fmt.Sprintf("it has no more than %d lines", law.Lines))
		}
	}
	return complaints
}
