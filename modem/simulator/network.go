package simulator

import "fmt"

// identify runs the commands that ask what the modem and the SIM are.
func (m *Modem) identify(c command) (result, bool) {
	switch c.name {
	case "I":
		m.info("Pinferry\r\nSimulator\r\nRevision: 1")
	case "+CGMI", "+GMI":
		m.info("%s", m.maker().name)
	case "+CGMM", "+GMM":
		m.info("Simulator")
	case "+CGMR", "+GMR":
		m.info("Revision: 1")
	case "+CGSN", "+GSN":
		m.info("%s", m.cfg.IMEI)
	case "+GCAP":
		m.info("+GCAP: +CGSM")
	case "+CIMI":
		if code := m.simRefusal(); code != 0 {
			return cme(cmeOfSIM[code]), true
		}
		m.info("001010123456789")
	case "+CCID", "^ICCID", "+QCCID":
		if m.sim() == simMissing {
			return cme(cmeNoSIM), true
		}
		m.info("%s: 8900101012345678901F", c.name)
	default:
		return failed, false
	}
	return done, true
}

// network runs the commands about the SIM's lock and the network.
func (m *Modem) network(c command) (result, bool) {
	switch c.name {
	case "+CPIN":
		return m.pin(c), true
	case "+CFUN":
		return m.function(c), true
	case "+CREG":
		return m.registrationCommand(c, 0), true
	case "+CGREG":
		return m.registrationCommand(c, 1), true
	case "+CEREG":
		return m.registrationCommand(c, 2), true
	case "+COPS":
		return m.operator(c), true
	case "+CSQ":
		signal := 20
		if f, is := m.condition(faultCSQ); is {
			signal = f.number
		}
		m.info("+CSQ: %d,99", signal)
	case "+CESQ":
		m.info("+CESQ: 99,99,255,255,20,41")
	case "+CCLK":
		if c.op == read {
			m.info(`+CCLK: "%s"`, zonedText(m.now()))
		}
	case "+CTZU", "+CTZR", "+CLIP", "+CRC":
	case "+CMEE":
		return m.number(c, &m.settings.cmee, 2), true
	case "+CUSD":
		return m.ussd(c), true
	default:
		return m.counts(c)
	}
	return done, true
}

// number runs a command that sets and reads one number from 0 to most.
func (m *Modem) number(c command, value *int, most int) result {
	switch c.op {
	case read:
		m.info("%s: %d", c.name, *value)
		return done
	case set:
		if n, valid := c.number(0, 0, most); valid {
			*value = n
			return done
		}
	}
	return cme(cmeBadParameter)
}

// sim is the state of the SIM.
func (m *Modem) sim() string {
	f, is := m.condition(faultSIM)
	switch {
	case is && f.argument != simPIN:
		return f.argument
	case m.pinTries == 0:
		return simPUK
	case (is || m.cfg.PIN != "") && !m.unlocked:
		return simPIN
	}
	return simReady
}

// simWords are the states of a SIM in the words of +CPIN.
var simWords = map[string]string{simReady: "READY", simPIN: "SIM PIN", simPUK: "SIM PUK", simMissing: "NOT READY"}

// simRefusal is the +CMS ERROR of a command that needs the SIM; 0: it is ready.
func (m *Modem) simRefusal() int {
	return map[string]int{simMissing: cmsNoSIM, simPIN: cmsPIN, simPUK: cmsPUK}[m.sim()]
}

// cmeOfSIM is the +CME ERROR for the same reason as a +CMS ERROR.
var cmeOfSIM = map[int]int{cmsNoSIM: cmeNoSIM, cmsPIN: cmePIN, cmsPUK: cmePUK}

// function runs AT+CFUN: 0 and 4 switch the radio off, 1,1 starts the modem
// again.
func (m *Modem) function(c command) result {
	if c.op == read {
		m.info("+CFUN: %d", m.settings.function)
		return done
	}
	n, valid := c.number(0, 1, 4)
	again, valid2 := c.number(1, 0, 1)
	if !valid || !valid2 {
		return cme(cmeBadParameter)
	}
	if again == 1 {
		m.finalize(done)
		m.reboot()
		return nothing
	}
	m.change(func() { m.settings.function = n })
	return done
}

// registration is the stat of AT+CREG?.
func (m *Modem) registration() int {
	if m.settings.function != 1 || m.sim() != simReady {
		return 0
	}
	if f, is := m.condition(faultCREG); is {
		return f.number
	}
	return 1
}

// registered reports whether the network takes messages.
func (m *Modem) registered() bool {
	switch m.registration() {
	case 1, 5, 6, 7:
		return true
	}
	return false
}

// registrationNames are the three domains of registration, in the order of
// settings.creg.
var registrationNames = [...]string{"+CREG", "+CGREG", "+CEREG"}

// registrationCommand runs AT+CREG, AT+CGREG or AT+CEREG.
func (m *Modem) registrationCommand(c command, domain int) result {
	n := &m.settings.creg[domain]
	if c.op == read {
		m.info("%s: %d,%s", c.name, *n, m.whereabouts(*n))
		return done
	}
	return m.number(c, n, 2)
}

// whereabouts is the registration, with the cell if n is 2.
func (m *Modem) whereabouts(n int) string {
	s := fmt.Sprint(m.registration())
	if n == 2 && m.registered() {
		s += `,"00A1","0000C0DE",7`
	}
	return s
}

// change runs fn and tells the host what fn did to SIM and registration, if it
// asked to be told.
func (m *Modem) change(fn func()) {
	sim, registration := m.sim(), m.registration()
	fn()
	if s := m.sim(); s != sim {
		m.info("+CPIN: %s", simWords[s])
	}
	if m.registration() != registration {
		for domain, n := range m.settings.creg {
			if n > 0 {
				m.info("%s: %s", registrationNames[domain], m.whereabouts(n))
			}
		}
	}
	m.showReports()
	m.showIncoming()
}

// operator runs AT+COPS; the modem always chooses the operator itself.
func (m *Modem) operator(c command) result {
	switch {
	case c.op == read && !m.registered():
		m.info("+COPS: 0")
	case c.op == read && m.settings.format == 2:
		m.info(`+COPS: 0,2,"00101",7`)
	case c.op == read:
		m.info(`+COPS: 0,%d,"%s",7`, m.settings.format, m.cfg.Operator)
	default:
		mode, valid := c.number(0, 0, 4)
		format, valid2 := c.number(1, m.settings.format, 2)
		if !valid || !valid2 {
			return cme(cmeBadParameter)
		}
		if mode == 3 {
			m.settings.format = format
		}
	}
	return done
}
