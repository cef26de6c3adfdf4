package api

import (
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// SendBody is the body of POST /v1/messages.
type SendBody struct {
	To       string `json:"to"`
	Text     string `json:"text"`
	Priority string `json:"priority"`
	TTL      string `json:"ttl"`
}

// messageWire is a message in an answer. Its text is not in it: nobody but the
// handset gets to see that.
type messageWire struct {
	ID                string           `json:"id"`
	State             otp.MessageState `json:"state"`
	Reason            otp.Reason       `json:"reason,omitempty"`
	To                string           `json:"to"` // masked
	Priority          string           `json:"priority"`
	Route             *string          `json:"route"` // null until one is tried
	Tries             int              `json:"tries"`
	PossibleDuplicate bool             `json:"possible_duplicate,omitzero"`
	CreatedAt         web.Time         `json:"created_at"`
	UpdatedAt         web.Time         `json:"updated_at"`
	ExpiresAt         web.Time         `json:"expires_at"`
	Verification      string           `json:"verification,omitempty"`
}

// pageWire is a page of messages, newest first.
type pageWire struct {
	Messages []messageWire `json:"messages"`
	Next     *string       `json:"next_cursor"` // null at the end
}

func messageWireOf(m *otp.Message) messageWire {
	w := messageWire{
		ID: messagePrefix + m.ID.String(), State: m.State, Reason: m.Reason, To: m.Address.Masked(),
		Priority: priorities[m.Priority], Route: web.OrNull(m.Route), Tries: int(m.Tries), PossibleDuplicate: m.PossibleDuplicate,
		CreatedAt: web.Time(m.Created), UpdatedAt: web.Time(m.Updated), ExpiresAt: web.Time(m.Deadline),
	}
	if !m.Verification.IsZero() {
		w.Verification = verificationPrefix + m.Verification.String()
	}
	return w
}

var priorities = map[otp.Priority]string{
	otp.PriorityNormal: "normal", otp.PriorityHigh: "high", otp.PriorityCode: "code",
}

// Send answers POST /v1/messages.
func (d *Door) Send(c *web.Call) error {
	if err := d.admitSecret(c); err != nil {
		return err
	}
	var body SendBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	request, err := body.request()
	if err != nil {
		return err
	}
	m, err := d.outbox.Send(c.Context, c.Caller, request)
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusAccepted, messageWireOf(&m))
}

func (b *SendBody) request() (otp.MessageRequest, error) {
	r := otp.MessageRequest{To: b.To, Text: b.Text}
	switch {
	case b.To == "":
		return r, web.Invalid(`"to" is missing: the phone number in international form, such as +41791234567.`)
	case b.Text == "":
		return r, web.Invalid(`"text" is missing.`)
	}
	switch b.Priority {
	case "", "normal":
		r.Priority = otp.PriorityNormal
	case "high":
		r.Priority = otp.PriorityHigh
	default:
		return r, web.Invalid(`"priority" must be normal or high.`)
	}
	if b.TTL != "" {
		ttl, err := time.ParseDuration(b.TTL)
		if err != nil || ttl < time.Minute || ttl > 24*time.Hour {
			return r, web.Invalid(`"ttl" must be a duration from "1m" to "24h".`)
		}
		r.TTL = ttl
	}
	return r, nil
}

// Message answers GET /v1/messages/{id}.
func (d *Door) Message(c *web.Call) error {
	if err := d.admitSecret(c); err != nil {
		return err
	}
	id, ok := web.ParseID(messagePrefix, c.Param)
	if !ok {
		return noMessage
	}
	m, err := d.outbox.Get(c.Context, c.Caller, id)
	if err != nil {
		return missing(err)
	}
	return c.JSON(fasthttp.StatusOK, messageWireOf(&m))
}

var noMessage = missing(&otp.Error{Code: otp.CodeUnknown, Detail: "There is no such message."})

// Messages answers GET /v1/messages.
func (d *Door) Messages(c *web.Call) error {
	if err := d.admitSecret(c); err != nil {
		return err
	}
	limit, err := c.PageLimit()
	if err != nil {
		return err
	}
	messages, next, err := d.outbox.List(c.Context, c.Caller, limit, c.Query("cursor"))
	if err != nil {
		return err
	}
	page := pageWire{Messages: make([]messageWire, len(messages)), Next: web.OrNull(next)}
	for i := range messages {
		page.Messages[i] = messageWireOf(&messages[i])
	}
	return c.JSON(fasthttp.StatusOK, page)
}
