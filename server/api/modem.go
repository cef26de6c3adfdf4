package api

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// modemWire is what a route knows of its stick and its SIM. What is unknown is
// left out, and a route that is no modem has none of it.
type modemWire struct {
	Technology string   `json:"technology,omitempty"`
	IMEI       string   `json:"imei,omitempty"`
	ICCID      string   `json:"iccid,omitempty"` // its ending: the whole is for who holds the card
	SMSC       string   `json:"smsc,omitempty"`
	PINTries   int      `json:"pin_tries,omitzero"`
	Stored     int      `json:"stored,omitzero"`
	StoreSize  int      `json:"store_size,omitzero"`
	Balance    string   `json:"balance,omitempty"`
	BalanceAt  web.Time `json:"balance_at,omitzero"`
	BalanceLow bool     `json:"balance_low,omitzero"`
}

func modemWireOf(s *otp.RouteStatus) modemWire {
	return modemWire{
		Technology: s.Technology, IMEI: s.IMEI, ICCID: ending(s.ICCID), SMSC: s.SMSC, PINTries: s.PINTries,
		Stored: s.Stored, StoreSize: s.StoreSize,
		Balance: s.Balance, BalanceAt: web.Time(s.BalanceAt), BalanceLow: s.BalanceLow,
	}
}

// ending is enough of a SIM's number to tell two cards apart.
func ending(number string) string {
	const shown = 4
	if len(number) <= shown {
		return ""
	}
	return "..." + number[len(number)-shown:]
}
