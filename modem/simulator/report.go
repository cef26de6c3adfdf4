package simulator

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/warthog618/sms/encoding/pdumode"
	"github.com/warthog618/sms/encoding/tpdu"
)

// report is one delivery report.
type report struct {
	reference byte   // TP-MR of the message
	to        string // the recipient
	address   []byte // the recipient as TP-RA
	sent      time.Time
	done      time.Time
	status    byte // TP-ST; 0: delivered
}

// maxReports is how many reports the service centre keeps for a modem that
// does not take them; the oldest go first.
const maxReports = 64

// statusReport is the first octet of an SMS-STATUS-REPORT without more
// messages waiting and without user data.
const statusReport = 0x06

// expectReport has the service centre send r when its time has come.
func (m *Modem) expectReport(r report, s struck) {
	r.status = byte(s[faultReport].number)
	delay := m.cfg.ReportDelay + s[faultReportLate].wait
	if s.by(faultReportEarly) {
		delay = 0
	} else {
		// Even a report without delay comes after the answer.
		delay = max(delay, time.Millisecond)
	}
	m.later(delay, func() {
		r.done = m.now()
		m.reports = append(m.reports, r)
		if len(m.reports) > maxReports {
			m.reports = slices.Delete(m.reports, 0, 1)
		}
		m.showReports()
	})
}

// showReports sends the reports that wait, if the host listens and AT+CNMI
// routes them to it. Until then they stay with the service centre.
func (m *Modem) showReports() {
	mode, ds := m.settings.cnmi[0], m.settings.cnmi[3]
	if m.line == nil || m.deaf() || mode == 0 || ds != 1 || !m.registered() {
		return
	}
	for _, r := range m.reports {
		m.showReport(r)
	}
	m.reports = nil
}

// showReport sends one report as +CDS, by the mode the modem is in.
func (m *Modem) showReport(r report) {
	if m.settings.textMode {
		m.info(`+CDS: %d,%d,"%s",%d,"%s","%s",%d`, statusReport, r.reference, r.to, r.address[1],
			clockText(r.sent), clockText(r.done), r.status)
		return
	}
	b := []byte{statusReport, r.reference}
	b = append(b, r.address...)
	b = append(b, timestamp(r.sent)...)
	b = append(b, timestamp(r.done)...)
	b = append(b, r.status)
	m.info("+CDS: %d\r\n%s", len(b), m.frame(b))
}

// frame puts the service centre before a TPDU and returns both in hexadecimal.
func (m *Modem) frame(b []byte) string {
	p := pdumode.PDU{TPDU: b}
	p.SMSC.Address = tpdu.NewAddress(tpdu.FromNumber(m.smsc))
	framed, err := p.MarshalBinary()
	if err != nil { // a service centre that is no number: the SIM's own
		framed = append([]byte{0}, b...)
	}
	return strings.ToUpper(hex.EncodeToString(framed))
}

// timestamp is t in the seven octets of TP-SCTS.
func timestamp(t time.Time) []byte {
	s := tpdu.Timestamp{Time: dated(t)}
	b, err := s.MarshalBinary()
	if err != nil {
		return make([]byte, 7)
	}
	return b
}

// clockText is t as the modem writes times in text.
func clockText(t time.Time) string {
	return dated(t).UTC().Format("06/01/02,15:04:05") + "+00"
}

// zonedText is t as a modem's clock shows it: the local time, and how many
// quarters of an hour that is ahead of UTC.
func zonedText(t time.Time) string {
	t = dated(t)
	_, ahead := t.Zone()
	return t.Format("06/01/02,15:04:05") + fmt.Sprintf("%+03d", ahead/(15*60))
}

// dated is t, or 2000-01-01 if the modem has no clock: the network's format
// knows no year 1.
func dated(t time.Time) time.Time {
	if t.IsZero() {
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return t
}
