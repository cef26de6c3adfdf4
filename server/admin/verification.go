package admin

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// verificationWire is a verification as the operator sees it.
type verificationWire struct {
	ID           string      `json:"id"`
	App          string      `json:"app"`
	Status       otp.Status  `json:"status"`
	To           string      `json:"to"` // masked
	Channel      string      `json:"channel"`
	Purpose      otp.Purpose `json:"purpose"`
	Door         string      `json:"door"`
	Created      web.Time    `json:"created_at"`
	Expires      web.Time    `json:"expires_at"`
	Ended        web.Time    `json:"ended_at"`
	AttemptsLeft int         `json:"attempts_left"`
	Sends        int         `json:"sends"`
	Message      *briefWire  `json:"message"`
}

// briefWire is the newest message of a verification.
type briefWire struct {
	ID     string           `json:"id"`
	State  otp.MessageState `json:"state"`
	Reason otp.Reason       `json:"reason"`
	Route  *string          `json:"route"`
}

// nativeDoor is what the native door is called where others have a name.
const nativeDoor = "native"

func verificationOf(h *otp.History) verificationWire {
	v := &h.Verification
	w := verificationWire{
		ID: idOf(verificationPrefix, v.ID), App: v.App, Status: v.Status, To: v.Address.Masked(), Channel: v.Channel, Purpose: v.Purpose,
		Door: v.Door, Created: web.Time(v.Created), Expires: web.Time(v.Expires), Ended: web.Time(v.Ended),
		AttemptsLeft: v.AttemptsLeft(), Sends: int(v.Sends),
	}
	if w.Door == "" {
		w.Door = nativeDoor
	}
	if v.Status == otp.Expired {
		w.Ended = web.Time(v.Expires)
	}
	if m := h.Newest(); !m.ID.IsZero() {
		w.Message = &briefWire{idOf(messagePrefix, m.ID), m.State, m.Reason, web.OrNull(m.Route)}
	}
	return w
}

// Verifications answers GET /admin/verifications.
func (o *Console) Verifications(c *web.Call) error {
	limit, err := c.PageLimit()
	if err != nil {
		return err
	}
	page, next, err := o.actions.Desk.Verifications(c.Context, filterOf(c, "status"), limit, c.Query("cursor"))
	if err != nil {
		return err
	}
	w := struct {
		Verifications []verificationWire `json:"verifications"`
		Next          *string            `json:"next_cursor"`
	}{make([]verificationWire, len(page)), web.OrNull(next)}
	for i := range page {
		w.Verifications[i] = verificationOf(&page[i])
	}
	return c.JSON(fasthttp.StatusOK, w)
}

// Verification answers GET /admin/verifications/{id}.
func (o *Console) Verification(c *web.Call) error {
	id, ok := web.ParseID(verificationPrefix, c.Param)
	if !ok {
		return noSuch("verification")
	}
	h, err := o.actions.Desk.Verification(c.Context, id)
	if err != nil {
		return web.Missing(err)
	}
	w := struct {
		verificationWire
		Timeline []stepWire    `json:"timeline"`
		Messages []messageWire `json:"messages"`
	}{verificationOf(&h), historySteps(&h), make([]messageWire, len(h.Messages))}
	for i := range h.Messages {
		w.Messages[i] = messageOf(&h.Messages[i])
	}
	return c.JSON(fasthttp.StatusOK, w)
}

// Cancel answers POST /admin/verifications/{id}/cancel.
func (o *Console) Cancel(c *web.Call) error {
	id, ok := web.ParseID(verificationPrefix, c.Param)
	if !ok {
		return noSuch("verification")
	}
	if err := o.actions.Desk.Cancel(c.Context, c.Caller.By, id); err != nil {
		return web.Missing(err)
	}
	return c.Empty()
}
