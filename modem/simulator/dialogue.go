package simulator

import "strings"

// phase is what the next byte from the host is taken for.
type phase int

const (
	commanding phase = iota // a command line
	prompting               // a message, up to Ctrl-Z
	submitting              // nothing yet: a message is on its way
)

// The longest command line and the most that is kept while a message is on its
// way, in bytes.
const (
	maxLine      = 1024
	maxTypeahead = 4096
)

const (
	ctrlZ     = 0x1a
	esc       = 0x1b
	backspace = 0x08
)

// receive takes bytes from the host. What stands behind the byte that cost the
// modem its power is lost with it.
func (m *Modem) receive(b []byte) {
	epoch := m.epoch
	for i, c := range b {
		if m.deaf() || m.epoch != epoch {
			return
		}
		if m.hangs(c) {
			continue
		}
		switch m.phase {
		case commanding:
			m.take(c)
		case prompting:
			m.takeMessage(c)
		case submitting:
			rest := b[i:]
			m.typeahead = append(m.typeahead, rest[:min(len(rest), maxTypeahead-len(m.typeahead))]...)
			return
		}
	}
}

// take takes one byte of a command line. ESC and Ctrl-Z that no prompt waits
// for are dropped with what stands before them: they are what is left of a
// message that never began.
func (m *Modem) take(c byte) {
	if m.settings.echo && c != esc && c != ctrlZ {
		m.emit(string([]byte{c}))
	}
	switch {
	case c == '\r':
		line, overlong := string(m.typed), m.overlong
		m.typed, m.overlong = m.typed[:0], false
		m.takeLine(line, overlong)
	case c == esc, c == ctrlZ:
		m.typed, m.overlong = m.typed[:0], false
	case c == backspace:
		m.typed = m.typed[:max(len(m.typed)-1, 0)]
	case c < ' ':
	case len(m.typed) == maxLine:
		m.overlong = true
	default:
		m.typed = append(m.typed, c)
		if strings.EqualFold(string(m.typed), "A/") {
			m.typed = m.typed[:0]
			m.executeLine(m.previous)
		}
	}
}

// takeLine takes a whole line. Only one that begins with AT is a command line;
// the others get no answer.
func (m *Modem) takeLine(line string, overlong bool) {
	line = strings.TrimLeft(line, " ")
	if len(line) < 2 || !strings.EqualFold(line[:2], "AT") {
		return
	}
	if overlong {
		m.finalize(failed)
		return
	}
	m.previous = line[2:]
	m.executeLine(line[2:])
}

// executeLine runs the commands of a line until one fails; there is one final
// result for all of them.
func (m *Modem) executeLine(line string) {
	list, parsed := parseLine(line)
	if !parsed {
		m.finalize(failed)
		return
	}
	for i, c := range list {
		if c.name == "+CMGS" && i < len(list)-1 {
			m.finalize(failed) // a prompt leaves no room for what follows
			return
		}
		if r := m.execute(c); r != done {
			m.finalize(r)
			return
		}
	}
	m.finalize(done)
}

// execute runs one command.
func (m *Modem) execute(c command) result {
	if m.refused(c.name) {
		return failed
	}
	if c.op == test {
		return m.answerTest(c)
	}
	for _, family := range []func(command) (result, bool){m.basic, m.identify, m.network, m.service, m.memory} {
		if r, known := family(c); known {
			return r
		}
	}
	return failed
}

// basic runs the commands of V.250. S-registers and the settings of data calls
// are accepted and mean nothing here.
func (m *Modem) basic(c command) (result, bool) {
	switch c.name {
	case "E":
		n, valid := c.number(0, 0, 1)
		if !valid {
			return failed, true
		}
		m.settings.echo = n == 1
	case "Z", "&F":
		m.factory()
	case "V", "Q": // word results, always
		if n, valid := c.number(0, 0, 1); !valid || (n == 1) != (c.name == "V") {
			return failed, true
		}
	case "H", "L", "M", "X", "&C", "&D", "&S", "&K", "&W":
	case "D":
		m.emit("\r\nNO CARRIER\r\n")
		return nothing, true
	default:
		if c.name[0] != 'S' {
			return failed, false
		}
		if c.op == read {
			m.info("000")
		}
	}
	return done, true
}

// ranges are the answers to =? questions; an empty one is just OK.
var ranges = map[string]string{
	"+CMEE": "(0-2)", "+CPIN": "", "+CFUN": "(0,1,4),(0,1)", "+CSQ": "(0-31,99),(99)",
	"+CREG": "(0-2)", "+CGREG": "(0-2)", "+CEREG": "(0-2)", "+COPS": "", "+CCLK": "", "+CUSD": "(0-2)",
	"+CGMI": "", "+CGMM": "", "+CGMR": "", "+CGSN": "", "+GCAP": "", "+CIMI": "", "+CCID": "", "+CESQ": "",
	"+CMGS": "", "+CMGF": "(0,1)", "+CSMS": "(0,1)", "+CNMI": "(0-3),(0-3),(0-2),(0,1),(0,1)",
	"+CNMA": "(0,1)", "+CSCA": "", "+CSMP": "", "+CSCS": `("GSM")`, "+CSDH": "(0,1)", "+CGSMS": "(0-3)",
	"+CMMS": "(0-2)", "+CPMS": `("SM"),("SM"),("SM")`, "+CMGL": "(0-4)", "+CMGR": "", "+CMGD": "(1-20),(0-4)",
}

// answerTest answers whether the modem has a command, and what it takes.
func (m *Modem) answerTest(c command) result {
	r, known := ranges[c.name]
	if !known {
		return failed
	}
	if r != "" {
		m.info("%s: %s", c.name, r)
	}
	return done
}
