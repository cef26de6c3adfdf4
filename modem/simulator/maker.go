package simulator

// maker is whose words a modem speaks where the standard has none, or none that
// the maker keeps to.
type maker struct {
	name   string // the answer to AT+CGMI
	tries  string // the command that counts the tries of the PIN
	packed bool   // USSD goes as packed septets in hexadecimal
}

// makers are the values of [Config.Maker].
var makers = map[string]maker{
	"":        {name: "Pinferry", tries: "+CPINR"},
	"huawei":  {name: "huawei", tries: "^CPIN", packed: true},
	"quectel": {name: "Quectel", tries: "+QPINC"},
	"simcom":  {name: "SIMCOM INCORPORATED", tries: "+SPIC"},
}

// maker is the maker of this modem.
func (m *Modem) maker() maker { return makers[m.cfg.Maker] }
