package simulator

import (
	"fmt"
	"slices"
	"strings"
)

// word is one entry of the list of faults.
type word struct {
	name      string
	argument  argument
	absent    string   // the argument if none is given
	most      int      // the largest argumentNumber
	choices   []string // of argumentChoice
	condition bool     // holds until cleared and takes no selector
	now       bool     // may be selected @now
	refuses   string   // the command that answers ERROR while it holds
	example   string
	help      string
}

// argument is what may follow a word's equals sign.
type argument int

const (
	argumentNone argument = iota
	argumentNumber
	argumentWait
	argumentChoice
	argumentCommand
)

// The words that the modem looks for; the list below says what they mean.
const (
	faultCMS         = "cms"
	faultCME         = "cme"
	faultError       = "error"
	faultEarly       = "early"
	faultFull        = "full"
	faultNoPrompt    = "no-prompt"
	faultStuckPrompt = "stuck-prompt"
	faultSilence     = "silence"
	faultLostReply   = "lost-reply"
	faultLateReply   = "late-reply"
	faultOKOnly      = "ok-only"
	faultNoOK        = "no-ok"
	faultTwice       = "twice"
	faultURC         = "urc"
	faultGarbage     = "garbage"
	faultNoise       = "noise"
	faultHangUp      = "hangup"
	faultReboot      = "reboot"
	faultCMGFReset   = "cmgf-reset"
	faultNoReport    = "no-report"
	faultReportLate  = "report-late"
	faultReportEarly = "report-early"
	faultReport      = "report"
	faultCMGFIgnored = "cmgf-ignored"
	faultESCIgnored  = "esc-ignored"
	faultRefuse      = "refuse"
	faultCREG        = "creg"
	faultCSQ         = "csq"
	faultSIM         = "sim"
	faultDead        = "dead"
	faultHang        = "hang"
	faultUSSD        = "ussd"
	faultSMSCLost    = "smsc-lost"
)

// The points of a dialogue at which a hang-up can strike.
const (
	beforePrompt = "before-prompt"
	afterPrompt  = "after-prompt"
	afterSubmit  = "after-submit"
	beforeReply  = "before-reply"
	afterReply   = "after-reply"
)

// The states of a SIM.
const (
	simReady   = "ready"
	simPIN     = "pin"
	simPUK     = "puk"
	simMissing = "missing"
)

// maxNoise is the most noise one fault makes, in bytes.
const maxNoise = 1 << 20

// words is the list of faults. The first part strikes messages, the second
// describes conditions.
var words = []word{
	{name: faultCMS, argument: argumentNumber, most: 9999, example: "cms=38@2", help: "the message is refused with +CMS ERROR: n"},
	{name: faultCME, argument: argumentNumber, most: 9999, example: "cme=10@1", help: "the message is refused with +CME ERROR: n"},
	{name: faultError, example: "error@1", help: "the message is refused with plain ERROR"},
	{name: faultEarly, argument: argumentNumber, most: 9999, example: "early=302@1", help: "+CMS ERROR: n comes in the prompt's place"},
	{name: faultFull, now: true, example: "full@1", help: "the SIM's storage fills up: +CMS ERROR: 322 until AT+CMGD makes room"},
	{name: faultNoPrompt, example: "no-prompt@1", help: "AT+CMGS gets no prompt and no answer"},
	{name: faultStuckPrompt, example: "stuck-prompt@1", help: "the prompt comes twice"},
	{name: faultSilence, example: "silence@3", help: "no answer after Ctrl-Z, and the message is not sent"},
	{name: faultLostReply, example: "lost-reply@1", help: "no answer after Ctrl-Z, but the message is sent"},
	{name: faultLateReply, argument: argumentWait, absent: "40s", example: "late-reply=40s@1", help: "the message is sent and the answer comes late; other commands are answered meanwhile"},
	{name: faultOKOnly, example: "ok-only@1", help: "the message is sent; OK comes without +CMGS"},
	{name: faultNoOK, example: "no-ok@1", help: "the message is sent; +CMGS comes without OK"},
	{name: faultTwice, example: "twice@1", help: "+CMGS comes twice"},
	{name: faultURC, argument: argumentChoice, absent: "all", choices: []string{"all", "ring", "rssi", "cmti", "cds"}, now: true, example: "urc=ring@*", help: "unsolicited results come before the prompt, after Ctrl-Z and before OK"},
	{name: faultGarbage, argument: argumentNumber, absent: "200", most: maxNoise, now: true, example: "garbage@1", help: "n bytes of rubbish come before the prompt and before the answer"},
	{name: faultNoise, argument: argumentNumber, absent: "1048576", most: maxNoise, now: true, example: "noise@1", help: "n bytes of rubbish come before the answer"},
	{name: faultHangUp, argument: argumentChoice, absent: afterSubmit, choices: []string{beforePrompt, afterPrompt, afterSubmit, beforeReply, afterReply}, now: true, example: "hangup=after-submit@2", help: "the stick is pulled out; the message is sent only before-reply and after-reply"},
	{name: faultReboot, now: true, example: "reboot@1", help: "after the answer the modem starts again with factory settings and says RDY"},
	{name: faultCMGFReset, example: "cmgf-reset@1", help: "after the answer the modem is in text mode and does not say so"},
	{name: faultNoReport, example: "no-report@1", help: "no delivery report comes"},
	{name: faultReportLate, argument: argumentWait, absent: "1m0s", example: "report-late=1m@1", help: "the delivery report comes this much later"},
	{name: faultReportEarly, example: "report-early@1", help: "the delivery report comes before the answer"},
	{name: faultReport, argument: argumentNumber, absent: "0x46", most: 0xff, example: "report=0x46@1", help: "the delivery report's TP-ST is n; 0x46 is validity period expired"},
	{name: faultSMSCLost, now: true, example: "smsc-lost@now", help: "the SIM has forgotten its service centre"},

	{name: faultCMGFIgnored, condition: true, example: "cmgf-ignored", help: "AT+CMGF says OK and changes nothing"},
	{name: faultESCIgnored, condition: true, example: "esc-ignored", help: "ESC does not end a prompt, only Ctrl-Z does"},
	{name: faultRefuse, argument: argumentCommand, condition: true, example: "refuse=+CNMI", help: "this command answers ERROR"},
	{name: "gcap-error", condition: true, refuses: "+GCAP", example: "gcap-error", help: "AT+GCAP answers ERROR"},
	{name: "cmee-refused", condition: true, refuses: "+CMEE", example: "cmee-refused", help: "AT+CMEE answers ERROR"},
	{name: "cmgf-refused", condition: true, refuses: "+CMGF", example: "cmgf-refused", help: "AT+CMGF answers ERROR"},
	{name: faultCREG, argument: argumentNumber, most: 10, condition: true, example: "creg=2", help: "the registration is n: 0 none, 1 home, 2 searching, 3 denied, 5 roaming, 6 SMS only"},
	{name: faultCSQ, argument: argumentNumber, most: 99, condition: true, example: "csq=3", help: "the signal is n; 99 is unknown"},
	{name: faultSIM, argument: argumentChoice, absent: simMissing, choices: []string{simReady, simPIN, simPUK, simMissing}, condition: true, example: "sim=pin", help: "the SIM is missing, or locked until AT+CPIN (0000 if no PIN is set)"},
	{name: faultDead, condition: true, example: "dead", help: "the modem neither hears nor speaks"},
	{name: faultHang, argument: argumentChoice, absent: hangReset, choices: []string{hangEscape, hangReopen, hangRestart, hangReset}, condition: true, example: "hang=restart", help: "the modem is silent until an ESC, another opening of the port, AT+CFUN=1,1 or a power cycle"},
	{name: faultUSSD, argument: argumentChoice, absent: ussdUnknown, choices: []string{ussdText, ussdLines, ussdUCS2, ussdPacked, ussdEarly, ussdOpen, ussdUnknown, ussdRefused, ussdSilent}, condition: true, example: "ussd=ucs2", help: "how a USSD code is answered, or why it is not"},
}

// FaultUsage returns the list of faults for people, one line each.
func FaultUsage() string {
	var s strings.Builder
	for _, w := range words {
		fmt.Fprintf(&s, "%-22s %s\n", w.example, w.help)
	}
	return s.String()
}

// unknownWord names the nearest legal word and lists all of them.
func unknownWord(name string) error {
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = w.name
	}
	nearest := slices.MinFunc(names, func(a, b string) int { return distance(name, a) - distance(name, b) })
	return fmt.Errorf("unknown fault %.40q, did you mean %s? faults: %s", name, nearest, strings.Join(names, " "))
}

// distance is how many letters must be put in, taken out or changed to make a
// of b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
