package console

import (
	"flag"
	"io"
	"strings"
)

// sheet is what there is to know of a command: what the manual and the
// completions of shells are made from, so that neither can be out of date.
type sheet struct {
	Command
	flags []option
	notes string
}

// option is a flag as it is written about.
type option struct {
	name, usage string
	// value names what it takes; "" is a switch.
	value string
	// fallback is what holds without the flag; "" goes without saying.
	fallback string
}

// sheets returns those of every command but the hidden ones. Each is asked for
// its help, which is nothing but its flags.
func (t Table) sheets() (all []sheet) {
	for _, c := range t {
		if c.Hidden {
			continue
		}
		in := newInvocation(Terminal{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard}, c, []string{"--help"})
		c.Run(in) // returns that help was asked for
		s := sheet{Command: c, notes: strings.TrimSpace(in.Notes)}
		in.VisitAll(func(f *flag.Flag) {
			value, usage := flag.UnquoteUsage(f)
			o := option{name: "--" + f.Name, usage: usage, value: value}
			if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "0s" && f.DefValue != "false" {
				o.fallback = f.DefValue
			}
			s.flags = append(s.flags, o)
		})
		all = append(all, s)
	}
	return all
}

// words are those of a command's name: the second is "" if it has one.
func (s sheet) words() (first, second string) {
	first, second, _ = strings.Cut(s.Name, " ")
	return first, second
}

// families returns the first words of the commands in their order, and for those
// that have second words the commands that begin with them.
func families(all []sheet) (firsts []string, of map[string][]sheet) {
	of = map[string][]sheet{}
	for _, s := range all {
		first, _ := s.words()
		if _, known := of[first]; !known {
			firsts = append(firsts, first)
		}
		of[first] = append(of[first], s)
	}
	return firsts, of
}
