package api

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// inboundPrefix is that of the id of a received SMS.
const inboundPrefix = "inb_"

// inboundWire is a received SMS in an answer. Here the text is shown: it was
// written to the app, and is no code of ours.
type inboundWire struct {
	ID         string   `json:"id"`
	From       string   `json:"from"` // E.164, or a short code or name as the network gave it
	Text       string   `json:"text"`
	Route      string   `json:"route"`
	Parts      int      `json:"parts"`
	SentAt     web.Time `json:"sent_at,omitzero"` // by the service centre's clock
	ReceivedAt web.Time `json:"received_at"`
}

// inboundPageWire is a page of received SMS, newest first.
type inboundPageWire struct {
	Inbound []inboundWire `json:"inbound"`
	Next    *string       `json:"next_cursor"` // null at the end
}

// Inbound answers GET /v1/inbound.
func (d *Door) Inbound(c *web.Call) error {
	if err := d.admitSecret(c); err != nil {
		return err
	}
	limit, err := c.PageLimit()
	if err != nil {
		return err
	}
	received, next, err := d.outbox.Inbound(c.Context, c.Caller, limit, c.Query("cursor"))
	if err != nil {
		return err
	}
	page := inboundPageWire{Inbound: make([]inboundWire, len(received)), Next: web.OrNull(next)}
	for i := range received {
		page.Inbound[i] = inboundWireOf(&received[i])
	}
	return c.JSON(fasthttp.StatusOK, page)
}

func inboundWireOf(in *otp.Inbound) inboundWire {
	return inboundWire{
		ID: inboundPrefix + in.ID.String(), From: in.From, Text: in.Text, Route: in.Route, Parts: in.Parts,
		SentAt: web.Time(in.Sent), ReceivedAt: web.Time(in.Received),
	}
}
