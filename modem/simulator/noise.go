package simulator

import "math/rand/v2"

// disturb sends what faults mix into a dialogue, before the prompt or before
// the answer.
func (m *Modem) disturb(msg *message, early bool) {
	if f, is := msg.struck[faultGarbage]; is {
		m.rubbish(f.number)
	}
	if f, is := msg.struck[faultNoise]; is && !early {
		m.rubbish(f.number)
	}
	if f, is := msg.struck[faultURC]; is {
		m.unsolicited(f.argument)
	}
}

// strikeNow lets a fault act at once.
func (m *Modem) strikeNow(f Fault) {
	switch f.word.name {
	case faultGarbage, faultNoise:
		m.rubbish(f.number)
	case faultURC:
		m.unsolicited(f.argument)
	case faultHangUp:
		m.hangUp()
	case faultFull:
		m.storage.fill()
	case faultReboot:
		m.reboot()
	case faultSMSCLost:
		m.smsc = ""
	}
}

// rubbish sends n bytes that are no line: there is no CR and no LF among them.
// They are the same for the same n, so that a failure can be repeated.
func (m *Modem) rubbish(n int) {
	source := rand.New(rand.NewPCG(uint64(n), 0))
	b := make([]byte, n)
	for i := range b {
		for b[i] = byte(source.Uint32()); b[i] == '\r' || b[i] == '\n'; {
			b[i] = byte(source.Uint32())
		}
	}
	m.emit(string(b))
}

// unsolicited sends one kind of unsolicited result, or all of them. The
// delivery report is one for a message that this modem never sent.
func (m *Modem) unsolicited(kind string) {
	all := kind == "all"
	if all || kind == "ring" {
		m.emit("\r\nRING\r\n")
	}
	if all || kind == "rssi" {
		m.emit("\r\n^RSSI: 17\r\n")
	}
	if all || kind == "cmti" {
		m.info(`+CMTI: "SM",%d`, m.storage.newest(m.now()))
	}
	if all || kind == "cds" {
		const stranger = "+15550199999"
		m.showReport(report{reference: m.reference + 100, to: stranger, address: encodeAddress(stranger)})
	}
}
