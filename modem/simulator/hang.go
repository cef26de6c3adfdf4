package simulator

import (
	"slices"
	"strings"
)

// What ends a hang; a power cycle ends every one.
const (
	hangEscape  = "escape"  // an ESC
	hangReopen  = "reopen"  // another opening of the port
	hangRestart = "restart" // AT+CFUN=1,1
	hangReset   = "reset"   // a power cycle only
)

// hangs tells whether the modem hangs, and takes a byte from the host all the
// same: it may be the one that helps.
func (m *Modem) hangs(c byte) bool {
	f, is := m.condition(faultHang)
	if !is {
		return false
	}
	switch {
	case f.argument == hangEscape && c == esc:
		m.phase, m.typed = commanding, m.typed[:0]
		m.release()
	case f.argument != hangRestart:
	case c == '\r':
		line := string(m.typed)
		m.typed = m.typed[:0]
		if strings.HasSuffix(strings.ToUpper(line), "AT+CFUN=1,1") {
			m.reboot()
		}
	case c >= ' ' && len(m.typed) < maxLine:
		m.typed = append(m.typed, c)
	default:
		m.typed = m.typed[:0]
	}
	return true
}

// release ends a hang.
func (m *Modem) release() {
	m.faults = slices.DeleteFunc(m.faults, func(a *armed) bool { return a.word.name == faultHang })
}
