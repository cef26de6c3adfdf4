package console

import (
	"fmt"
	"strings"
)

// shells are those that a completion can be made for.
var shells = map[string]func([]sheet) string{"bash": bash, "zsh": zsh, "fish": fish}

// Completion prints what has a shell complete the commands of the table and
// their flags.
func (t Table) Completion(in *Invocation) error {
	in.Notes = "\nSHELL is bash, zsh or fish. To try it in bash: source <(pinferry completion bash)\n"
	if err := in.Parse(); err != nil {
		return err
	}
	script, ok := shells[in.Operands[0]]
	if !ok {
		return Fail(Usage, "completion: there is none for %q; say bash, zsh or fish", in.Operands[0])
	}
	_, err := fmt.Fprint(in.Stdout, script(t.sheets()))
	return err
}

// literal is a string that a shell takes as it is.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// bash leaves operands and the values of flags to the names of files.
func bash(all []sheet) string {
	var b strings.Builder
	firsts, of := families(all)
	fmt.Fprintf(&b, "# Completion of pinferry for bash, by `pinferry completion bash`.\n")
	b.WriteString("_pinferry() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n\tCOMPREPLY=()\n")
	fmt.Fprintf(&b, "\tif ((COMP_CWORD == 1)); then\n\t\twords=%s\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n", literal(strings.Join(firsts, " ")+" help"))
	for _, first := range firsts {
		fmt.Fprintf(&b, "\t\t%s)\n", first)
		if _, second := of[first][0].words(); second == "" {
			fmt.Fprintf(&b, "\t\t\t[[ $cur == -* ]] && words=%s\n\t\t\t;;\n", literal(flagNames(of[first][0])))
			continue
		}
		var seconds []string
		for _, s := range of[first] {
			_, second := s.words()
			seconds = append(seconds, second)
		}
		fmt.Fprintf(&b, "\t\t\tif ((COMP_CWORD == 2)); then\n\t\t\t\twords=%s\n\t\t\telif [[ $cur == -* ]]; then\n\t\t\t\tcase ${COMP_WORDS[2]} in\n", literal(strings.Join(seconds, " ")))
		for _, s := range of[first] {
			_, second := s.words()
			fmt.Fprintf(&b, "\t\t\t\t%s) words=%s ;;\n", second, literal(flagNames(s)))
		}
		b.WriteString("\t\t\t\tesac\n\t\t\tfi\n\t\t\t;;\n")
	}
	b.WriteString("\t\tesac\n\tfi\n\tif [[ -n $words ]]; then\n\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n\tfi\n}\n")
	b.WriteString("complete -o default -F _pinferry pinferry\n")
	return b.String()
}

func flagNames(s sheet) string {
	var all []string
	for _, f := range s.flags {
		all = append(all, f.name)
	}
	return strings.Join(append(all, "--help"), " ")
}

func zsh(all []sheet) string {
	var b strings.Builder
	firsts, of := families(all)
	b.WriteString("#compdef pinferry\n# Completion of pinferry for zsh, by `pinferry completion zsh`.\n_pinferry() {\n\tlocal -a found\n")
	// described lists words with what they mean; in a word a colon is written \:.
	described := func(indent string, pairs [][2]string) {
		b.WriteString(indent + "found=(\n")
		for _, p := range pairs {
			fmt.Fprintf(&b, "%s\t%s\n", indent, literal(strings.ReplaceAll(p[0], ":", `\:`)+":"+p[1]))
		}
		b.WriteString(indent + ")\n")
	}
	flags := func(indent string, s sheet) {
		var pairs [][2]string
		for _, f := range s.flags {
			pairs = append(pairs, [2]string{f.name, f.usage})
		}
		described(indent, append(pairs, [2]string{"--help", "tell how the command is used"}))
	}
	var commands [][2]string
	for _, first := range firsts {
		commands = append(commands, [2]string{first, about(of[first])})
	}
	b.WriteString("\tif (( CURRENT == 2 )); then\n")
	described("\t\t", commands)
	b.WriteString("\t\t_describe command found\n\t\treturn\n\tfi\n\tcase $words[2] in\n")
	for _, first := range firsts {
		fmt.Fprintf(&b, "\t%s)\n", first)
		if _, second := of[first][0].words(); second == "" {
			flags("\t\t", of[first][0])
		} else {
			var pairs [][2]string
			for _, s := range of[first] {
				_, second := s.words()
				pairs = append(pairs, [2]string{second, s.Summary})
			}
			b.WriteString("\t\tif (( CURRENT == 3 )); then\n")
			described("\t\t\t", pairs)
			b.WriteString("\t\t\t_describe command found\n\t\t\treturn\n\t\tfi\n\t\tcase $words[3] in\n")
			for _, s := range of[first] {
				_, second := s.words()
				fmt.Fprintf(&b, "\t\t%s)\n", second)
				flags("\t\t\t", s)
				b.WriteString("\t\t\t;;\n")
			}
			b.WriteString("\t\tesac\n")
		}
		b.WriteString("\t\t;;\n")
	}
	b.WriteString("\tesac\n\tif [[ $PREFIX == -* ]]; then\n\t\t_describe -o option found\n\telse\n\t\t_files\n\tfi\n}\n")
	b.WriteString("if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n\t_pinferry \"$@\"\nelse\n\tcompdef _pinferry pinferry\nfi\n")
	return b.String()
}

// about says what commands with one first word do.
func about(family []sheet) string {
	if _, second := family[0].words(); second == "" {
		return family[0].Summary
	}
	var seconds []string
	for _, s := range family {
		_, second := s.words()
		seconds = append(seconds, second)
	}
	return strings.Join(seconds, ", ")
}

func fish(all []sheet) string {
	var b strings.Builder
	firsts, of := families(all)
	b.WriteString("# Completion of pinferry for fish, by `pinferry completion fish`.\ncomplete -c pinferry -f\n")
	line := func(when, what, words string) {
		fmt.Fprintf(&b, "complete -c pinferry -n %s %s -d %s\n", literal(when), what, literal(words))
	}
	for _, first := range firsts {
		line("__fish_use_subcommand", "-a "+first, about(of[first]))
		seen := "__fish_seen_subcommand_from " + first
		for _, s := range of[first] {
			when := seen
			if _, second := s.words(); second != "" {
				line("test (count (commandline -opc)) -eq 2; and "+seen, "-a "+second, s.Summary)
				when += "; and __fish_seen_subcommand_from " + second
			}
			if strings.Contains(s.Operands, "FILE") {
				fmt.Fprintf(&b, "complete -c pinferry -n %s -F\n", literal(when))
			}
			for _, f := range s.flags {
				what := "-l " + strings.TrimPrefix(f.name, "--")
				if f.value != "" {
					what += " -r -F"
				}
				line(when, what, f.usage)
			}
		}
	}
	return b.String()
}
