package modem

import (
	"context"
	"regexp"
	"strings"

	"github.com/pinferry/pinferry/otp"
)

// identity is who a modem and its SIM are.
type identity struct {
	asked bool // the modem has been asked for maker and imei
	quirk quirk
	imei  string
	iccid string // of the SIM, readable before its PIN
	imsi  string // readable only behind its PIN
}

// The forms of what names a modem and a SIM. Anything else that a modem
// answers is not taken: it would end in the key of a row and on a page.
var (
	imeiForm  = regexp.MustCompile(`^[0-9]{14,16}$`)
	imsiForm  = regexp.MustCompile(`^[0-9]{14,15}$`)
	iccidForm = regexp.MustCompile(`^[0-9]{18,20}F{0,2}$|^98[0-9]{16}F[0-9]$`)
	makerForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 .,&_-]{1,63}$`)
)

// introduce asks modem and SIM who they are, as far as that is not known and
// can be told now.
func (s *session) introduce(ctx context.Context) error {
	i := &s.identity
	if !i.asked {
		maker, err := s.value(ctx, "AT+CGMI", makerForm)
		if err != nil {
			return err
		}
		if i.imei, err = s.value(ctx, "AT+CGSN", imeiForm); err != nil {
			return err
		}
		i.quirk, i.asked = quirkOf(maker), true
	}
	if s.network.sim == simAbsent || s.network.sim == simDefect || s.network.sim == "" {
		i.iccid, i.imsi = "", "" // another SIM may be put in
		return nil
	}
	for _, question := range i.quirk.iccids() {
		if i.iccid != "" {
			break
		}
		answer, err := s.value(ctx, question, iccidForm)
		if err != nil {
			return err
		}
		i.iccid = strings.TrimRight(upright(answer), "F")
	}
	if i.imsi == "" && s.network.sim == simReady {
		var err error
		if i.imsi, err = s.value(ctx, "AT+CIMI", imsiForm); err != nil {
			return err
		}
	}
	return nil
}

// value asks for something that may stand alone on its line or behind a name,
// which need not be the command's ("+ICCID:" for AT+CICCID), and returns it, or
// "" if no line has the form.
func (s *session) value(ctx context.Context, text string, form *regexp.Regexp) (string, error) {
	lines, err := s.exchange(ctx, text, commandLimit, func(token string) (string, bool) {
		token = strings.Trim(token[strings.IndexByte(token, ':')+1:], ` "`)
		return token, form.MatchString(token)
	})
	if err != nil || len(lines) == 0 {
		return "", tolerate(err)
	}
	return lines[0], nil
}

// upright returns an ICCID in the order in which it is printed on the card:
// some modems give the halves of each octet as the card stores them. Every
// ICCID begins with 89, the telecommunications industry.
func upright(iccid string) string {
	if !strings.HasPrefix(iccid, "98") || len(iccid)%2 != 0 {
		return iccid
	}
	turned := []byte(iccid)
	for i := 0; i < len(turned); i += 2 {
		turned[i], turned[i+1] = turned[i+1], turned[i]
	}
	return string(turned)
}

// sim names the SIM in the keys of the memory; "" is unknown.
func (i *identity) sim() string {
	switch {
	case i.iccid != "":
		return i.iccid
	case i.imsi != "":
		return i.imsi
	}
	return ""
}

// show copies what an operator may see.
func (i *identity) show(status *otp.RouteStatus) {
	status.IMEI, status.ICCID, status.IMSI = i.imei, i.iccid, i.imsi
}
