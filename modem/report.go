package modem

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/warthog618/sms/encoding/tpdu"

	"github.com/pinferry/pinferry/otp"
)

var (
	errReport = errors.New("not a status report")
	// digits are the numbers that a report may name: with an odd filler or a
	// letter in it a number could match no message.
	digits = regexp.MustCompile(`^[0-9]{3,20}$`)
)

// report is an SMS-STATUS-REPORT.
type report struct {
	reference byte   // TP-MR
	recipient string // TP-RA, digits
	status    byte   // TP-ST
}

// parseReport reads the hex line behind a "+CDS: <length>" line. length is the
// octets of the TPDU, and so tells whether an SMSC address stands in front.
func parseReport(length int, line string) (report, error) {
	pdu, err := unframe(length, line)
	if err != nil {
		return report{}, fmt.Errorf("parse report: %w: %w", errReport, err)
	}
	if pdu.SmsType() != tpdu.SmsStatusReport || !digits.MatchString(pdu.RA.Addr) {
		return report{}, fmt.Errorf("parse report: %w", errReport)
	}
	return report{pdu.MR, pdu.RA.Addr, pdu.ST}, nil
}

// final returns the report for the dispatcher. ok is false when the network
// still tries or will never know (3GPP 23.040, 9.2.3.15).
func (r report) final(route string) (out otp.Report, ok bool) {
	out = otp.Report{
		Route: route, Ref: reference(r.reference), Dial: r.recipient,
		Status: fmt.Sprintf("TP-ST 0x%02X", r.status),
	}
	switch {
	case r.status == 0x00, r.status >= 0x10 && r.status < 0x20:
		out.Delivered = true // received, or completed in the service centre's own words
	case r.status < 0x03:
		return out, false // forwarded with no confirmation to come, or replaced
	case r.status >= 0x20 && r.status < 0x40:
		return out, false // still trying
	}
	return out, true // what is reserved counts as rejected
}

// reference returns a TP-MR as the dispatcher knows it.
func reference(mr byte) otp.Reference { return otp.Reference(strconv.Itoa(int(mr))) }
