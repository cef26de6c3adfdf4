package admin

import (
	"cmp"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// messageWire is a message as the operator sees it: without its text, which is
// nobody's business but the handset's.
type messageWire struct {
	ID                string           `json:"id"`
	App               string           `json:"app"`
	State             otp.MessageState `json:"state"`
	Reason            otp.Reason       `json:"reason"`
	To                string           `json:"to"` // masked
	Channel           string           `json:"channel"`
	Priority          string           `json:"priority"`
	Route             *string          `json:"route"` // null until one is tried
	Tries             int              `json:"tries"`
	PossibleDuplicate bool             `json:"possible_duplicate"`
	Created           web.Time         `json:"created_at"`
	Updated           web.Time         `json:"updated_at"`
	Expires           web.Time         `json:"expires_at"`
	Verification      string           `json:"verification"`
}

// messageDetailWire is one message with what became of it.
type messageDetailWire struct {
	messageWire
	Timeline []stepWire `json:"timeline"`
}

func messageOf(m *otp.Message) messageWire {
	return messageWire{
		ID: idOf(messagePrefix, m.ID), App: m.App, State: m.State, Reason: m.Reason, To: m.Address.Masked(), Channel: m.Channel,
		Priority: [...]string{"normal", "high", "code"}[min(m.Priority, otp.PriorityCode)], Route: web.OrNull(m.Route), Tries: int(m.Tries),
		PossibleDuplicate: m.PossibleDuplicate, Created: web.Time(m.Created), Updated: web.Time(m.Updated), Expires: web.Time(m.Deadline),
		Verification: idOf(verificationPrefix, m.Verification),
	}
}

// filterOf reads what of a list is wanted; the argument of that name has the
// state.
func filterOf(c *web.Call, state string) otp.Filter {
	return otp.Filter{App: c.Query("app"), State: c.Query(state), Route: c.Query("route"), Phone: c.QueryPhone()}
}

// Messages answers GET /admin/messages.
func (o *Console) Messages(c *web.Call) error {
	limit, err := c.PageLimit()
	if err != nil {
		return err
	}
	page, next, err := o.actions.Desk.Messages(c.Context, filterOf(c, "state"), limit, c.Query("cursor"))
	if err != nil {
		return err
	}
	w := struct {
		Messages []messageWire `json:"messages"`
		Next     *string       `json:"next_cursor"`
	}{make([]messageWire, len(page)), web.OrNull(next)}
	for i := range page {
		w.Messages[i] = messageOf(&page[i])
	}
	return c.JSON(fasthttp.StatusOK, w)
}

// Message answers GET /admin/messages/{id}.
func (o *Console) Message(c *web.Call) error {
	id, ok := web.ParseID(messagePrefix, c.Param)
	if !ok {
		return noSuch("message")
	}
	m, err := o.actions.Desk.Message(c.Context, id)
	if err != nil {
		return web.Missing(err)
	}
	return c.JSON(fasthttp.StatusOK, messageDetailWire{messageOf(&m), messageSteps(&m)})
}

// SendBody is the body of POST /admin/messages.
type SendBody struct {
	To    string `json:"to"`
	Text  string `json:"text"`
	App   string `json:"app"`
	Route string `json:"route"`
}

// testText is sent when nothing else is to be: it fits into one SMS, and says
// who it is from.
const testText = "This is a test message from pinferry. Messages from this box reach your phone."

// Send answers POST /admin/messages: a plain message, by one route if it names
// one.
func (o *Console) Send(c *web.Call) error {
	var body SendBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	if body.To == "" {
		return web.Invalid(`"to" is missing: the phone number in international form, such as +41791234567.`)
	}
	caller, err := o.callerFor(c, body.App)
	if err != nil {
		return err
	}
	m, err := o.actions.Outbox.Send(c.Context, caller, otp.MessageRequest{
		To: body.To, Text: cmp.Or(body.Text, testText), Priority: otp.PriorityHigh, Route: body.Route,
	})
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusAccepted, messageDetailWire{messageOf(&m), messageSteps(&m)})
}

// callerFor is the operator on behalf of an app; "" is the default app, or the
// only one.
func (o *Console) callerFor(c *web.Call, id string) (otp.Caller, error) {
	caller := c.Caller
	app, ok := o.actions.Apps.Sole()
	if id != "" {
		app, ok = o.actions.Apps.ByID(id)
	}
	if !ok {
		return caller, unknownApp(o.actions.Apps, id)
	}
	caller.App = app
	return caller, nil
}
