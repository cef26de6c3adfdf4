package simulator

import "fmt"

// result is how a command line ends.
type result struct {
	class resultClass
	code  int
}

type resultClass int

const (
	resultOK resultClass = iota
	resultError
	resultCME
	resultCMS
	resultNone // the command speaks for itself, now or later
)

var (
	done    = result{class: resultOK}
	failed  = result{class: resultError}
	nothing = result{class: resultNone}
)

func cme(code int) result { return result{resultCME, code} }
func cms(code int) result { return result{resultCMS, code} }

// The codes that the modem gives of itself.
const (
	cmeNotAllowed   = 3
	cmeNoSIM        = 10
	cmePIN          = 11
	cmePUK          = 12
	cmeWrongPIN     = 16
	cmeBadParameter = 50

	cmsNotAllowed = 302
	cmsBadPDU     = 304
	cmsBadText    = 305
	cmsNoSIM      = 310
	cmsPIN        = 311
	cmsPUK        = 316
	cmsBadIndex   = 321
	cmsFull       = 322
	cmsNoCentre   = 330
	cmsNoNetwork  = 331
	cmsNoAck      = 340
)

// finalize sends the final result code. AT+CMEE=0 folds +CME ERROR into ERROR
// and AT+CMEE=2 puts words in the place of numbers; +CMS ERROR always comes.
func (m *Modem) finalize(r result) {
	switch r.class {
	case resultOK:
		m.emit("\r\nOK\r\n")
	case resultError:
		m.emit("\r\nERROR\r\n")
	case resultCME:
		if m.settings.cmee == 0 {
			m.emit("\r\nERROR\r\n")
			return
		}
		m.emit("\r\n+CME ERROR: " + m.reason(r.code, meanings.cme) + "\r\n")
	case resultCMS:
		m.emit("\r\n+CMS ERROR: " + m.reason(r.code, meanings.cms) + "\r\n")
	}
}

// reason is a code as AT+CMEE wants it; a code that has no words stays a
// number.
func (m *Modem) reason(code int, words map[int]string) string {
	if w := words[code]; m.settings.cmee == 2 && w != "" {
		return w
	}
	return fmt.Sprint(code)
}

// info sends one line of information.
func (m *Modem) info(format string, a ...any) {
	m.emit("\r\n" + fmt.Sprintf(format, a...) + "\r\n")
}

// meanings are the words of AT+CMEE=2, by 3GPP TS 27.007, 9.2 and TS 27.005,
// 3.2.5.
var meanings = struct{ cme, cms map[int]string }{
	cme: map[int]string{
		3: "operation not allowed", 4: "operation not supported", 10: "SIM not inserted",
		11: "SIM PIN required", 12: "SIM PUK required", 13: "SIM failure", 14: "SIM busy",
		16: "incorrect password", 20: "memory full", 21: "invalid index", 30: "no network service",
		31: "network timeout", 32: "network not allowed - emergency calls only",
		50: "incorrect parameters", 100: "unknown",
	},
	cms: map[int]string{
		1: "unassigned number", 8: "operator determined barring", 10: "call barred",
		21: "short message transfer rejected", 27: "destination out of service",
		28: "unidentified subscriber", 29: "facility rejected", 30: "unknown subscriber",
		38: "network out of order", 41: "temporary failure", 42: "congestion",
		47: "resources unavailable, unspecified", 50: "requested facility not subscribed",
		69: "requested facility not implemented", 300: "ME failure", 301: "SMS service of ME reserved",
		302: "operation not allowed", 303: "operation not supported", 304: "invalid PDU mode parameter",
		305: "invalid text mode parameter", 310: "SIM not inserted", 311: "SIM PIN required",
		312: "PH-SIM PIN required", 313: "SIM failure", 314: "SIM busy", 315: "SIM wrong",
		316: "SIM PUK required", 320: "memory failure", 321: "invalid memory index", 322: "memory full",
		330: "SMSC address unknown", 331: "no network service", 332: "network timeout",
		340: "no +CNMA acknowledgement expected", 500: "unknown error",
	},
}
