package simulator

import (
	"strconv"
	"strings"
)

// operation is what a command does with its name.
type operation int

const (
	execute operation = iota // AT+CSQ, ATZ
	read                     // AT+CSQ?
	test                     // AT+CSQ=?
	set                      // AT+CMGF=0, ATE0
)

// command is one command of a command line.
type command struct {
	name  string // in capitals: "E", "&F", "S7", "+CMGS"
	op    operation
	value string // what follows = or a basic command's letter
}

// parseLine splits a command line, without its AT, by the rules of ITU-T
// V.250, 5.2 to 5.4: basic commands follow one another directly, an extended
// one ends at a semicolon. It returns false if the line is none.
func parseLine(line string) ([]command, bool) {
	var list []command
	for {
		line = strings.TrimLeft(line, " ;")
		if line == "" {
			return list, true
		}
		parse := parseBasic
		if strings.IndexByte(extended, line[0]) >= 0 {
			parse = parseExtended
		}
		c, rest, ok := parse(line)
		if !ok {
			return nil, false
		}
		list, line = append(list, c), rest
	}
}

// extended are the characters that an extended command begins with: + by the
// standard, the others by vendors.
const extended = "+^$*#%!"

// parseBasic takes a letter, or & and a letter, with its digits, or an
// S-register with its value.
func parseBasic(line string) (c command, rest string, ok bool) {
	name, rest := line[:1], line[1:]
	if name == "&" && rest != "" {
		name, rest = line[:2], line[2:]
	}
	name = strings.ToUpper(name)
	if last := name[len(name)-1]; last < 'A' || last > 'Z' {
		return command{}, "", false
	}
	if name == "D" { // a number to dial takes the rest of the line
		return command{name: name, op: set, value: rest}, "", true
	}
	number, rest := cutDigits(rest)
	if name != "S" {
		if number == "" {
			return command{name: name}, rest, true
		}
		return command{name: name, op: set, value: number}, rest, true
	}
	c.name = name + number
	switch {
	case strings.HasPrefix(rest, "?"):
		c.op, rest = read, rest[1:]
	case strings.HasPrefix(rest, "="):
		c.op = set
		c.value, rest = cutDigits(rest[1:])
	default:
		return command{}, "", false
	}
	return c, rest, number != ""
}

func cutDigits(s string) (digits, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return s[:len(s)-len(rest)], rest
}

// parseExtended takes a name and what it is asked, up to a semicolon outside
// quotes.
func parseExtended(line string) (c command, rest string, ok bool) {
	text, rest := cutOutside(line, ';')
	text = strings.TrimRight(text, " ")
	name, value, given := strings.Cut(text, "=")
	switch {
	case given && value == "?":
		c.op = test
	case given:
		c.op, c.value = set, strings.TrimSpace(value)
	case strings.HasSuffix(name, "?"):
		c.op, name = read, strings.TrimSuffix(name, "?")
	}
	c.name = strings.ToUpper(name)
	if len(c.name) < 2 || strings.Trim(c.name[1:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-./:_!%") != "" {
		return command{}, "", false
	}
	return c, rest, true
}

// cutOutside cuts s at the first c that no quotes enclose.
func cutOutside(s string, c byte) (before, after string) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == c && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// texts returns the parameters of c, without their quotes; one that is left
// out is empty.
func (c command) texts() []string {
	var list []string
	for rest := c.value; ; {
		var p string
		n := len(rest)
		p, rest = cutOutside(rest, ',')
		list = append(list, strings.Trim(strings.TrimSpace(p), `"`))
		if len(p) == n {
			return list
		}
	}
}

// text returns parameter i, "" if it is left out.
func (c command) text(i int) string {
	if list := c.texts(); i < len(list) {
		return list[i]
	}
	return ""
}

// number returns parameter i, absent if it is left out, and whether it is a
// number from 0 to most.
func (c command) number(i, absent, most int) (int, bool) {
	s := c.text(i)
	if s == "" {
		return absent, absent >= 0
	}
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err == nil && int(n) <= most
}
