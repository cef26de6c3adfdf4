package console_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/server/console"
)

// things is a table with what is hard to quote.
func things() console.Table {
	stub := func(in *console.Invocation) error {
		in.WithJSON()
		in.String("to", "it's", "a `directory` that's \"here\": $(false) \\ `")
		in.Notes = "\n.It begins with a dot; don't.\n"
		return in.Parse()
	}
	t := console.Table{
		console.New("serve", "", "run the box, don't stop", stub),
		console.New("backup", "[FILE]", "write: a $(false) backup", stub),
		console.New("user ls", "", "list `users`", stub),
		console.New("user block", "USER", "lock \"one\" out", stub),
		console.New("limits ls", "", "list limits", stub),
		{Name: "man", Summary: "hidden", Hidden: true, Run: stub},
	}
	return append(t, console.New("completion", "SHELL", "complete", func(in *console.Invocation) error { return t.Completion(in) }))
}

// say runs a command line of the table.
func say(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = things().Run(console.Terminal{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}, args)
	return code, out.String(), errs.String()
}

// shell returns what a real shell offers for each typed line, sorted.
func shell(t *testing.T, name string, ask func(script string, line []string) []string) func(line ...string) []string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("NOT CHECKED: there is no %s here", name)
	}
	code, script, stderr := say(t, "completion", name)
	if code != console.OK {
		t.Fatalf("completion %s: %d %s", name, code, stderr)
	}
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(line ...string) []string {
		args := ask(path, line)
		run := exec.Command(args[0], args[1:]...)
		run.Dir = t.TempDir()
		run.Env = append(os.Environ(), "HOME="+run.Dir, "XDG_CONFIG_HOME="+run.Dir)
		out, err := run.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		var all []string
		for _, word := range strings.Split(string(out), "\n") {
			if word != "" {
				all = append(all, strings.Fields(word)[0])
			}
		}
		slices.Sort(all)
		return all
	}
}

func offers(t *testing.T, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("offered %q, want %q", got, want)
	}
}

func TestBash(t *testing.T) {
	complete := shell(t, "bash", func(script string, line []string) []string {
		words := ""
		for _, w := range line {
			words += fmt.Sprintf(" %q", w)
		}
		return []string{"bash", "--norc", "-c", fmt.Sprintf(`source %s; COMP_WORDS=(pinferry%s); COMP_CWORD=%d; _pinferry; printf '%%s\n' "${COMPREPLY[@]}"`, script, words, len(line))}
	})
	offers(t, complete(""), "serve", "backup", "user", "limits", "help")
	offers(t, complete("us"), "user")
	offers(t, complete("user", ""), "ls", "block")
	offers(t, complete("user", "ls", "--"), "--json", "--to", "--help")
	offers(t, complete("serve", "--j"), "--json")
	offers(t, complete("user", "block", ""))
	offers(t, complete("nothing", ""))
}

func TestZsh(t *testing.T) {
	complete := shell(t, "zsh", func(script string, line []string) []string {
		words, prefix := "", line[len(line)-1]
		for _, w := range line {
			words += fmt.Sprintf(" %q", w)
		}
		return []string{"zsh", "-fc", fmt.Sprintf(`compdef() {}; _files() {}; _describe() { print -l -- ${found%%%%:*} }
source %s; words=(pinferry%s); CURRENT=%d; PREFIX=%q; _pinferry`, script, words, len(line)+1, prefix)}
	})
	offers(t, complete(""), "serve", "backup", "user", "limits")
	offers(t, complete("user", ""), "ls", "block")
	offers(t, complete("user", "ls", "--"), "--json", "--to", "--help")
	offers(t, complete("serve", "-"), "--json", "--to", "--help")
	offers(t, complete("user", "block", ""))
}

func TestFish(t *testing.T) {
	complete := shell(t, "fish", func(script string, line []string) []string {
		return []string{"fish", "--no-config", "-c", fmt.Sprintf("source %s; complete -C %q", script, "pinferry "+strings.Join(line, " "))}
	})
	offers(t, complete(""), "serve", "backup", "user", "limits")
	offers(t, complete("user", ""), "ls", "block")
	offers(t, complete("user", "ls", "--"), "--json", "--to")
	offers(t, complete("serve", "--j"), "--json")
	offers(t, complete("user", "block", ""))
}

func TestNoOtherShell(t *testing.T) {
	if code, _, stderr := say(t, "completion", "tcsh"); code != console.Usage || !strings.Contains(stderr, "bash, zsh or fish") {
		t.Errorf("tcsh: %d %s", code, stderr)
	}
}

// The manual names every command and every flag, and a formatter has no
// complaint about it.
func TestManual(t *testing.T) {
	page := things().Manual("1.0", "2026-11-22")
	if _, err := exec.LookPath("groff"); err != nil {
		t.Skip("NOT CHECKED: there is no groff here")
	}
	run := exec.Command("groff", "-man", "-Tascii", "-ww", "-P-cbou")
	run.Stdin = strings.NewReader(page)
	var out, complaints bytes.Buffer
	run.Stdout, run.Stderr = &out, &complaints
	if err := run.Run(); err != nil || complaints.Len() > 0 {
		t.Fatalf("groff: %v %s", err, &complaints)
	}
	text := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"pinferry serve Run the box, don't stop.", "pinferry user block USER", "--to directory", `that's "here": $(false) \ `, "(default it's)",
		".It begins with a dot; don't.", "pinferry 1.0", "2026-11-22", "EXIT STATUS",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the manual does not say %q:\n%s", want, &out)
		}
	}
	if strings.Contains(text, "hidden") {
		t.Error("the manual has a hidden command")
	}
}
