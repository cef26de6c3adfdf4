// Package simulator is a GSM modem that needs no radio: it answers AT commands
// on any byte stream, takes SMS-SUBMIT PDUs as strictly as a network does, and
// delivers them to a virtual handset. [OpenPTY] and [Run] put it behind a tty;
// [Fault] makes it misbehave in the ways that real sticks do.
//
// Most people need two calls: [New], and [Modem.Serve] or [Run].
//
// The handset is the one place of the box that shows the text of a message. The
// modem itself never logs a text, a code or a number.
package simulator

import (
	"cmp"
	"io"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Config is what a modem is made of. The zero Config is a modem in PDU mode,
// with a ready SIM, that answers and delivers at once.
type Config struct {
	// IMEI is the serial number, 15 digits; empty: 490154203237518.
	IMEI string
	// Operator is the network's name; empty: "Simulator".
	Operator string
	// SMSC is the number of the service centre, +E.164; empty: +15550100000.
	SMSC string
	// PIN locks the SIM at power-on until AT+CPIN gives it; empty: no lock.
	PIN string
	// Maker is whose words the modem speaks: "huawei", "quectel" or "simcom";
	// empty: the standard's.
	Maker string
	// Credit is what the network answers to every USSD code; empty: "Balance:
	// 10.00".
	Credit string
	// Latency is the time between Ctrl-Z and the answer.
	Latency time.Duration
	// ReportDelay is the time between the network's taking a message and its
	// delivery report.
	ReportDelay time.Duration
	// Boot is how long the modem is deaf after AT+CFUN=1,1 or a reboot.
	Boot time.Duration
	// Replug is how long [Run] keeps the stick away from its tty after a
	// hang-up fault; 0: one second, negative: until [PTY.Replug].
	Replug time.Duration
	// TextMode makes text mode (AT+CMGF=1) the factory setting.
	TextMode bool
	// Now stamps messages and reports; nil: messages have no time and reports
	// say 2000-01-01.
	Now func() time.Time
	// Trace gets every byte the host wrote, before the modem acts on it. It is
	// written to by one goroutine at a time and must not call the modem.
	Trace io.Writer
	// Log gets what happens to the modem, never what a message says.
	Log zerolog.Logger
}

// Modem is one simulated modem. It is safe for concurrent use.
type Modem struct {
	cfg     Config
	handset *Handset

	mu   sync.Mutex // guards everything below
	line *line      // the line served at present; nil: none

	// What a power cycle forgets.
	epoch     int // counts power cycles; a timer of an earlier epoch does nothing
	settings  settings
	phase     phase
	booting   bool
	unlocked  bool   // the SIM's PIN was given
	typed     []byte // the command line under way
	overlong  bool   // typed lost bytes
	previous  string // the last command line, for A/
	typeahead []byte // what came while a message was on its way
	message   *message

	// What the SIM and the network keep.
	smsc      string
	pinTries  int
	pukTries  int
	reference byte // TP-MR of the next message
	storage   storage
	reports   []report // due, but not yet shown
	incoming  [][]byte // TPDUs for the SIM that the service centre still has

	concatenation  byte // of the last long text that came in
	unacknowledged bool // incoming[0] was shown, and AT+CNMA has not come
	receipts       int  // counts what was shown so
	faults         []*armed
}

// settings are what AT&F puts back.
type settings struct {
	echo       bool
	textMode   bool
	cmee       int
	function   int    // CFUN
	format     int    // COPS
	phase2     int    // CSMS
	firstOctet int    // CSMP
	creg       [3]int // CREG, CGREG, CEREG
	cnmi       [5]int // mode, mt, bm, ds, bfr
}

// New returns a modem that has just been powered on.
func New(cfg Config) *Modem {
	cfg.IMEI = cmp.Or(cfg.IMEI, "490154203237518")
	cfg.Operator = cmp.Or(cfg.Operator, "Simulator")
	cfg.SMSC = cmp.Or(cfg.SMSC, "+15550100000")
	cfg.Credit = cmp.Or(cfg.Credit, "Balance: 10.00")
	cfg.Replug = cmp.Or(cfg.Replug, time.Second)
	m := &Modem{cfg: cfg, handset: newHandset(), smsc: cfg.SMSC, pinTries: pinTries, pukTries: pukTries}
	m.factory()
	return m
}

// Handset returns the handset that every message arrives at, whatever its
// number.
func (m *Modem) Handset() *Handset { return m.handset }

// Reset takes the modem's power away and gives it back: settings, an open
// prompt and a message on its way are lost, and a hang ends; the SIM, the
// handset, the message reference and the other faults stay. The line, if any,
// stays open.
func (m *Modem) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reset()
}

// reset is Reset with the lock held.
func (m *Modem) reset() {
	m.epoch++
	m.phase = commanding
	m.booting, m.unlocked = false, false
	m.typed, m.overlong, m.previous = nil, false, ""
	m.typeahead, m.message = nil, nil
	m.unacknowledged = false
	m.release()
	m.factory()
}

// factory puts the factory settings back.
func (m *Modem) factory() {
	m.settings = settings{echo: true, textMode: m.cfg.TextMode, function: 1, firstOctet: 17}
}

// reboot is a reset that the host can see: the modem is deaf for a while and
// then announces itself.
func (m *Modem) reboot() {
	m.reset()
	m.booting = true
	m.after(m.cfg.Boot, func() {
		m.booting = false
		m.emit("\r\nRDY\r\n")
		m.info("+CPIN: %s", simWords[m.sim()])
	})
}

// after runs fn with the lock held once d has passed, or at once if d is not
// positive; it never runs after a power cycle.
func (m *Modem) after(d time.Duration, fn func()) {
	epoch := m.epoch
	m.later(d, func() {
		if m.epoch == epoch {
			fn()
		}
	})
}

// later runs fn with the lock held once d has passed, whatever happens to the
// modem meanwhile, or at once if d is not positive.
func (m *Modem) later(d time.Duration, fn func()) {
	if d <= 0 {
		fn()
		return
	}
	time.AfterFunc(d, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		fn()
	})
}

// now is the time of the network; the zero time if the modem has no clock.
func (m *Modem) now() time.Time {
	if m.cfg.Now == nil {
		return time.Time{}
	}
	return m.cfg.Now()
}

// emit sends text to the host. What a dead modem says, and what nobody is
// there to hear, is lost.
func (m *Modem) emit(text string) {
	if m.line != nil && !m.deaf() && !m.stands(faultHang) {
		m.line.put([]byte(text))
	}
}

// deaf reports whether the modem neither hears nor speaks.
func (m *Modem) deaf() bool { return m.booting || m.stands(faultDead) }
