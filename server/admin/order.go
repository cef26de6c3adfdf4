package admin

import (
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// ModemOrder is what an operator wants of one modem.
type ModemOrder struct {
	Route string `json:"route"`
	// Do is "at", "ussd", "pin" or "reset".
	Do string `json:"do"`
	// Argument is the question for "at" and the code for "ussd"; else empty.
	Argument string `json:"argument"`
}

// modemAnswer is what the modem said, line by line. It may hold what only the
// operator should read, and is never logged.
type modemAnswer struct {
	Lines []string `json:"lines"`
}

// Modem answers POST /admin/modem. It may take as long as a network takes for
// a USSD code, which is longer than any other answer may.
func (o *Console) Modem(c *web.Call) error {
	var order ModemOrder
	if err := c.Decode(&order); err != nil {
		return err
	}
	if err := o.note(c, "modem."+known(order.Do), order.Route); err != nil {
		return err
	}
	lines, err := o.actions.Modem(c.Life, order)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, modemAnswer{Lines: append([]string{}, lines...)})
}

// known returns what may stand in the audit trail for an order: its kind, and
// never its argument.
func known(do string) string {
	switch do {
	case "at", "ussd", "pin", "reset":
		return do
	}
	return "unknown"
}
