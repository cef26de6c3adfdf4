package modem

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pinferry/pinferry/otp"
)

// class says what a refusal means for the message, the SIM and the modem.
type class uint8

const (
	classRecipient class = 1 + iota // the network will not reach this number
	classDoubtful                   // as above, but one other route may try
	classSIM                        // this SIM may not send
	classEncoding                   // our PDU was bad
	classStorage                    // the memory for messages is full
	classTemporary                  // the network cannot now
	classBusy                       // the modem cannot now
	classMaybe                      // the message may have gone out
)

// fault is one code: its class and what it means, in the words of 3GPP.
type fault struct {
	class   class
	meaning string
}

// messageFaults are the codes of "+CMS ERROR" (3GPP 27.005, and the causes of
// 24.011 and 23.040 that come through it).
var messageFaults = map[int]fault{
	1:   {classRecipient, "unassigned number"},
	8:   {classSIM, "operator determined barring"},
	10:  {classSIM, "call barred"},
	17:  {classTemporary, "network failure"},
	21:  {classSIM, "short message transfer rejected"},
	22:  {classTemporary, "congestion"},
	27:  {classTemporary, "destination out of service"},
	28:  {classSIM, "unidentified subscriber"},
	29:  {classSIM, "facility rejected"},
	30:  {classSIM, "unknown subscriber"},
	38:  {classTemporary, "network out of order"},
	41:  {classTemporary, "temporary failure"},
	42:  {classTemporary, "congestion"},
	47:  {classTemporary, "resources unavailable"},
	50:  {classDoubtful, "requested facility not subscribed"},
	69:  {classDoubtful, "requested facility not implemented"},
	81:  {classRecipient, "invalid short message transfer reference value"},
	95:  {classRecipient, "semantically incorrect message"},
	96:  {classRecipient, "invalid mandatory information"},
	97:  {classRecipient, "message type non-existent or not implemented"},
	98:  {classRecipient, "message not compatible with short message protocol state"},
	99:  {classRecipient, "information element non-existent or not implemented"},
	111: {classRecipient, "protocol error"},
	127: {classMaybe, "interworking"},
	128: {classRecipient, "telematic interworking not supported"},
	129: {classRecipient, "short message type 0 not supported"},
	130: {classRecipient, "cannot replace short message"},
	143: {classRecipient, "unspecified TP-PID error"},
	144: {classRecipient, "data coding scheme not supported"},
	145: {classRecipient, "message class not supported"},
	159: {classRecipient, "unspecified TP-DCS error"},
	160: {classRecipient, "command cannot be actioned"},
	161: {classRecipient, "command unsupported"},
	175: {classRecipient, "unspecified TP-Command error"},
	176: {classRecipient, "TPDU not supported"},
	192: {classTemporary, "SC busy"},
	193: {classSIM, "no SC subscription"},
	194: {classTemporary, "SC system failure"},
	195: {classRecipient, "invalid SME address"},
	196: {classRecipient, "destination SME barred"},
	197: {classMaybe, "SM rejected-duplicate SM"},
	208: {classStorage, "SIM SMS storage full"},
	209: {classStorage, "no SMS storage capability in SIM"},
	211: {classStorage, "memory capacity exceeded"},
	255: {classMaybe, "unspecified error cause"},
	300: {classBusy, "ME failure"},
	301: {classBusy, "SMS service of ME reserved"},
	302: {classBusy, "operation not allowed"},
	303: {classSIM, "operation not supported"},
	304: {classEncoding, "invalid PDU mode parameter"},
	305: {classEncoding, "invalid text mode parameter"},
	310: {classSIM, "SIM not inserted"},
	311: {classSIM, "SIM PIN required"},
	312: {classSIM, "PH-SIM PIN required"},
	313: {classSIM, "SIM failure"},
	314: {classBusy, "SIM busy"},
	315: {classSIM, "SIM wrong"},
	316: {classSIM, "SIM PUK required"},
	317: {classSIM, "SIM PIN2 required"},
	318: {classSIM, "SIM PUK2 required"},
	320: {classStorage, "memory failure"},
	321: {classStorage, "invalid memory index"},
	322: {classStorage, "memory full"},
	330: {classSIM, "SMSC address unknown"},
	331: {classTemporary, "no network service"},
	332: {classMaybe, "network timeout"},
	500: {classMaybe, "unknown error"},
}

// equipmentFaults are the codes of "+CME ERROR" (3GPP 27.007) that say more
// than that the modem cannot now.
var equipmentFaults = map[int]fault{
	5:   {classSIM, "PH-SIM PIN required"},
	10:  {classSIM, "SIM not inserted"},
	11:  {classSIM, "SIM PIN required"},
	12:  {classSIM, "SIM PUK required"},
	13:  {classSIM, "SIM failure"},
	14:  {classBusy, "SIM busy"},
	15:  {classSIM, "SIM wrong"},
	16:  {classSIM, "incorrect password"},
	17:  {classSIM, "SIM PIN2 required"},
	18:  {classSIM, "SIM PUK2 required"},
	20:  {classStorage, "memory full"},
	30:  {classTemporary, "no network service"},
	31:  {classMaybe, "network timeout"},
	32:  {classSIM, "network not allowed - emergency calls only"},
	100: {classMaybe, "unknown"},
}

// noCentre is the code of "+CMS ERROR" of a SIM without a service centre.
const noCentre = 330

// domain is the set of codes that a refusal speaks in.
type domain uint8

const (
	plain     domain = iota // "ERROR" and its like: no code
	message                 // "+CMS ERROR"
	equipment               // "+CME ERROR"
)

// refusal is an error that the modem itself answered.
type refusal struct {
	domain domain
	code   int // -1: in words that are in no table
}

// parseRefusal reads a final result that is not OK. Codes come as numbers, or
// as words from a modem that will not be told otherwise. NO CARRIER is none of
// them: nothing here dials, and so it ends a call that somebody made to the SIM.
func parseRefusal(text string) (*refusal, bool) {
	for _, domain := range []domain{message, equipment} {
		rest, ok := strings.CutPrefix(text, domain.name()+":")
		if !ok {
			continue
		}
		rest = strings.TrimSpace(rest)
		if code, err := strconv.Atoi(rest); err == nil && code >= 0 {
			return &refusal{domain, code}, true
		}
		return &refusal{domain, domain.find(strings.TrimPrefix(rest, "(U)"))}, true
	}
	switch text {
	case "ERROR", "COMMAND NOT SUPPORT", "TOO MANY PARAMETERS":
		return &refusal{plain, -1}, true
	}
	return nil, false
}

// name is how a refusal of this domain begins.
func (d domain) name() string { return [...]string{"ERROR", "+CMS ERROR", "+CME ERROR"}[d] }

// table returns the codes of a domain.
func (d domain) table() map[int]fault {
	switch d {
	case message:
		return messageFaults
	case equipment:
		return equipmentFaults
	}
	return nil
}

// find returns the lowest code that has this meaning, or -1.
func (d domain) find(meaning string) int {
	found := -1
	for code, f := range d.table() {
		if strings.EqualFold(f.meaning, meaning) && (found < 0 || code < found) {
			found = code
		}
	}
	return found
}

// fault is total: every code there could be has a class.
func (r *refusal) fault() fault {
	if f, ok := r.domain.table()[r.code]; ok {
		return f
	}
	switch {
	case r.code < 0:
		// No reason given, or one that we cannot read: it might be any.
		return fault{classMaybe, "no reason given"}
	case r.domain == message && r.code < 128:
		return fault{classTemporary, "network cause"} // 24.011: as cause 41
	case r.domain == message && r.code < 256:
		return fault{classTemporary, "service centre cause"}
	default:
		return fault{classBusy, "modem's own code"}
	}
}

// Error returns the answer as a modem with numeric codes would have given it,
// and its meaning.
func (r *refusal) Error() string {
	if r.code < 0 {
		return fmt.Sprintf("%s (%s)", r.domain.name(), r.fault().meaning)
	}
	return fmt.Sprintf("%s: %d (%s)", r.domain.name(), r.code, r.fault().meaning)
}

// verdict returns what the refusal means for a message that had been handed
// over.
func (r *refusal) verdict() otp.Verdict {
	v := otp.Verdict{Outcome: otp.Refused, Detail: r.Error()}
	switch r.fault().class {
	case classRecipient:
		v.Reason, v.Retry = otp.ReasonRecipient, otp.RetryNever
	case classDoubtful:
		v.Reason, v.Retry = otp.ReasonRecipient, otp.RetryOnce
	case classSIM:
		v.Reason, v.Retry = otp.ReasonSIM, otp.RetryElsewhere
	case classEncoding:
		v.Reason, v.Retry = otp.ReasonEncoding, otp.RetryNever
	case classStorage:
		v.Reason, v.Retry = otp.ReasonStorage, otp.RetryElsewhere
	case classTemporary:
		v.Reason, v.Retry = otp.ReasonTemporary, otp.RetryHere
	case classBusy:
		v.Reason, v.Retry = otp.ReasonModemBusy, otp.RetryHere
	default:
		v.Outcome, v.Reason = otp.Unknown, otp.ReasonTemporary
	}
	return v
}

// early returns what the refusal means when no octet of the message had been
// handed over: then nothing can have gone out.
func (r *refusal) early() otp.Verdict {
	v := r.verdict()
	if v.Outcome == otp.Unknown {
		v.Outcome, v.Reason, v.Retry = otp.Refused, otp.ReasonModemBusy, otp.RetryHere
	}
	return v
}
