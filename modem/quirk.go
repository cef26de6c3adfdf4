package modem

import "strings"

// quirk is what the modems of one maker do in words of their own. A modem
// names its maker by AT+CGMI, so a quirk holds behind any kind of port.
type quirk struct {
	maker string // a piece of the answer to AT+CGMI, in lower case
	iccid string // the question for the number of the SIM
	tries *tryCounter
	// packed: USSD codes are packed septets in hexadecimal, as the network
	// carries them, whatever AT+CSCS says.
	packed bool
}

// tryCounter is a question for the tries that the PIN has left.
type tryCounter struct {
	command string
	about   string // the first field of the line that counts, where there is one for each lock
	field   int    // the field that holds the count, from 0
}

// The counters of tries: the standard's, and those of the makers.
var (
	standardTries = tryCounter{command: "AT+CPINR", about: "SIM PIN", field: 1}
	huaweiTries   = tryCounter{command: "AT^CPIN?", field: 3}
	quectelTries  = tryCounter{command: `AT+QPINC="SC"`, about: "SC", field: 1}
	simcomTries   = tryCounter{command: "AT+SPIC"}
	zteTries      = tryCounter{command: "AT+ZPINPUK=?"}
	ubloxTries    = tryCounter{command: "AT+UPINCNT"}
	telitTries    = tryCounter{command: "AT#PCT"}
)

// quirks are the makers, after their own manuals of AT commands.
var quirks = []quirk{
	{maker: "huawei", iccid: "AT^ICCID?", tries: &huaweiTries, packed: true},
	{maker: "quectel", iccid: "AT+QCCID", tries: &quectelTries},
	{maker: "simcom", iccid: "AT+CCID", tries: &simcomTries},
	{maker: "zte", iccid: "AT+ZGETICCID", tries: &zteTries, packed: true},
	{maker: "u-blox", iccid: "AT+CCID", tries: &ubloxTries},
	{maker: "telit", iccid: "AT#CCID", tries: &telitTries},
	{maker: "cinterion", iccid: "AT+CCID", tries: &standardTries},
	{maker: "sierra", iccid: "AT+CCID", tries: &standardTries},
}

// What a modem without a quirk is asked, in turn, until it answers.
var (
	anyICCID = []string{"AT+CCID", "AT+ICCID", "AT+CICCID", "AT^ICCID?"}
	anyTries = []tryCounter{standardTries, huaweiTries, quectelTries, simcomTries}
)

// quirkOf returns the quirk of a maker; a maker without one has the zero quirk.
func quirkOf(maker string) quirk {
	maker = strings.ToLower(maker)
	for _, q := range quirks {
		if strings.Contains(maker, q.maker) {
			return q
		}
	}
	return quirk{}
}

// iccids returns the questions for the number of the SIM, the likeliest first.
func (q quirk) iccids() []string {
	if q.iccid == "" {
		return anyICCID
	}
	return append([]string{q.iccid}, anyICCID...)
}

// counters returns the questions for the tries, the likeliest first.
func (q quirk) counters() []tryCounter {
	if q.tries == nil {
		return anyTries
	}
	return []tryCounter{*q.tries, standardTries}
}
