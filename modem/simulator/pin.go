package simulator

// A SIM gives up its PIN after three wrong ones and itself after ten wrong
// PUKs.
const (
	pinTries = 3
	pukTries = 10
)

// puk opens a SIM that has given up its PIN.
const puk = "12345678"

// pin runs AT+CPIN. A wrong PIN, and a wrong PUK, costs a try; a right PUK
// comes with the new PIN.
func (m *Modem) pin(c command) result {
	state := m.sim()
	if state == simMissing {
		return cme(cmeNoSIM)
	}
	if c.op == read {
		m.info("+CPIN: %s", simWords[state])
		return done
	}
	switch {
	case state == simPUK && c.text(1) != "":
		return m.unblock(c.text(0), c.text(1))
	case state != simPIN:
		return cme(cmeNotAllowed)
	case c.text(0) != m.secret():
		m.pinTries--
		return cme(cmeWrongPIN)
	}
	m.pinTries = pinTries
	m.change(func() { m.unlocked = true })
	return done
}

// unblock takes a PUK and the PIN to be.
func (m *Modem) unblock(given, wanted string) result {
	if given != puk || m.pukTries == 0 {
		m.pukTries = max(m.pukTries-1, 0)
		return cme(cmeWrongPIN)
	}
	m.cfg.PIN, m.pukTries = wanted, pukTries
	m.change(func() { m.pinTries, m.unlocked = pinTries, true })
	return done
}

// secret is the PIN of the SIM.
func (m *Modem) secret() string {
	if m.cfg.PIN == "" {
		return "0000"
	}
	return m.cfg.PIN
}

// counts runs the maker's question for the tries that are left.
func (m *Modem) counts(c command) (result, bool) {
	if c.name != m.maker().tries {
		return failed, false
	}
	switch c.name {
	case "+CPINR":
		m.info("+CPINR: SIM PIN,%d,%d", m.pinTries, pinTries)
	case "^CPIN":
		m.info("^CPIN: %s,,%d,%d,%d,%d", simWords[m.sim()], m.pukTries, m.pinTries, pukTries, pinTries)
	case "+QPINC":
		m.info(`+QPINC: "SC",%d,%d`, m.pinTries, m.pukTries)
	case "+SPIC":
		m.info("+SPIC: %d,%d,%d,%d", m.pinTries, m.pukTries, pinTries, pukTries)
	}
	return done, true
}
