package admin

import (
	"context"

	"github.com/pinferry/pinferry/otp"
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

// Modem is what an operator can do with one modem. Each bounds its time itself,
// and its error says what to do.
type Modem interface {
	// Ask passes on a question that changes nothing, and returns the answer.
	Ask(ctx context.Context, question string) (lines []string, err error)
	// USSD dials a code and returns what the network answers.
	USSD(ctx context.Context, code string) (answer string, err error)
	// EnterPIN enters the PIN once more that the SIM has refused.
	EnterPIN(context.Context) error
	// Restart starts the modem anew.
	Restart(context.Context) error
}

// carry carries the order out and returns what the modem said.
func (o *ModemOrder) carry(ctx context.Context, m Modem) (lines []string, err error) {
	switch o.Do {
	case "at":
		lines, err = m.Ask(ctx, o.Argument)
	case "ussd":
		lines = make([]string, 1)
		lines[0], err = m.USSD(ctx, o.Argument)
	case "pin":
		err = m.EnterPIN(ctx)
	case "reset":
		err = m.Restart(ctx)
	default:
		return nil, web.Invalid("do is at, ussd, pin or reset.")
	}
	if err != nil {
		return nil, &otp.Error{Code: otp.Conflict, Detail: err.Error()}
	}
	return lines, nil
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
	modem, ok := o.actions.Modem(order.Route)
	if !ok {
		return web.Invalid("There is no modem of this name: `pinferry modem status` lists them.")
	}
	lines, err := order.carry(c.Life, modem)
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
