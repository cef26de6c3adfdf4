package arch

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// vague lists names that say nothing about what is inside.
var vague = []string{"base", "common", "helper", "helpers", "impl", "lib", "manager", "misc", "shared", "util", "utils"}

// suffixes lists what the go command reads off a file name.
var suffixes = []string{
	"linux", "darwin", "windows", "freebsd", "netbsd", "openbsd", "unix",
	"amd64", "arm64", "arm", "386", "riscv64", "ppc64le", "s390x", "mips", "mipsle", "mips64", "mips64le", "loong64",
}

// checkName wants a file named by one word, with no underscore but that of a
// test or of a system, and neither file nor folder named for nothing.
func checkName(s *source) []Complaint {
	var complaints []Complaint
	complain := func(format string, args ...any) {
		complaints = append(complaints, Complaint{Path: s.path, Text: fmt.Sprintf(format, args...)})
	}
	words := strings.Split(strings.TrimSuffix(path.Base(s.path), ".go"), "_")
	if len(words) > 1 && words[len(words)-1] == "test" {
		words = words[:len(words)-1]
	}
	for len(words) > 1 && slices.Contains(suffixes, words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	noun := strings.Join(words, "_")
	if strings.ContainsAny(noun, "_-") || noun != strings.ToLower(noun) {
		complain("a file is named by one lower-case word")
	}
	if slices.Contains(vague, noun) {
		complain("the name %q says nothing", noun)
	}
	if folder := path.Base(s.dir); slices.Contains(vague, folder) {
		complain("the folder %q says nothing", folder)
	}
	if pkg := strings.TrimSuffix(s.file.Name.Name, "_test"); strings.Contains(pkg, "_") || slices.Contains(vague, pkg) {
		complain("the package %q is not named by a word that says something", pkg)
	}
	return complaints
}

// checkLength wants a file that can be read at one sitting.
func checkLength(s *source, law Law) []Complaint {
	if _, ok := law.Long[s.path]; ok || s.lines <= law.Lines {
		return nil
	}
	return []Complaint{{Path: s.path, Text: fmt.Sprintf("has %d lines, more than %d, and no reason is listed", s.lines, law.Lines)}}
}
