package admin

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// auditWire is a record of the audit trail.
type auditWire struct {
	Seq    uint64   `json:"seq"`
	At     web.Time `json:"at"`
	Who    string   `json:"who"`
	From   string   `json:"from"`
	Action string   `json:"action"`
	Target string   `json:"target"`
	Digest string   `json:"digest"` // its beginning
}

// digestShown is how many digits of a digest a list shows.
const digestShown = 16

// Audit answers GET /admin/audit.
func (o *Console) Audit(c *web.Call) error {
	limit, err := c.PageLimit()
	if err != nil {
		return err
	}
	var before uint64
	if cursor := c.Query("cursor"); cursor != "" {
		if before, err = strconv.ParseUint(cursor, 10, 64); err != nil || before == 0 {
			return web.Invalid("cursor is not one that this call has returned.")
		}
	}
	page, more, err := o.actions.Trail.List(c.Context, limit, before)
	if err != nil {
		return err
	}
	w := struct {
		Audit []auditWire `json:"audit"`
		Next  *string     `json:"next_cursor"`
	}{Audit: make([]auditWire, len(page))}
	for i, r := range page {
		w.Audit[i] = auditWire{r.Seq, web.Time(r.At), r.Who, r.From, r.Action, r.Target, r.Digest()[:digestShown]}
	}
	if more {
		w.Next = web.OrNull(strconv.FormatUint(page[len(page)-1].Seq, 10))
	}
	return c.JSON(fasthttp.StatusOK, w)
}

// VerifyAudit answers GET /admin/audit/verify.
func (o *Console) VerifyAudit(c *web.Call) error {
	r, err := o.actions.Trail.Verify(c.Context)
	if err != nil {
		return err
	}
	w := struct {
		Intact  bool   `json:"intact"`
		Records uint64 `json:"records"`
		Head    string `json:"head"`
		Broken  uint64 `json:"broken_at,omitzero"`
		Detail  string `json:"detail"`
	}{r.Intact, r.Records, r.Head, r.Broken, fmt.Sprintf("All %s follow from one another. Note the head elsewhere to see later that none was cut off.", count(int(r.Records), "record", "records"))}
	if !r.Intact {
		w.Detail = fmt.Sprintf("Record %d is missing or is not as it was written. Compare with a backup from before.", r.Broken)
	}
	return c.JSON(fasthttp.StatusOK, w)
}

// RevealBody is the body of POST /admin/reveal.
type RevealBody struct {
	ID  string `json:"id"`
	App string `json:"app"` // of a user; may be left out
}

// Reveal answers POST /admin/reveal with the whole number or email address behind an id, and
// notes in the audit trail who has looked.
func (o *Console) Reveal(c *web.Call) error {
	var body RevealBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	phone, err := o.phoneOf(c, body)
	if err != nil {
		return web.Missing(err)
	}
	if err := o.actions.Desk.Reveal(c.Context, c.Caller.By, body.ID); err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, struct {
		Phone string `json:"phone"`
	}{phone})
}

func (o *Console) phoneOf(c *web.Call, body RevealBody) (string, error) {
	if id, ok := web.ParseID(verificationPrefix, body.ID); ok {
		h, err := o.actions.Desk.Verification(c.Context, id)
		return inFull(h.Verification.Address), err
	}
	if id, ok := web.ParseID(messagePrefix, body.ID); ok {
		m, err := o.actions.Desk.Message(c.Context, id)
		return inFull(m.Address), err
	}
	if id, ok := web.ParseID(inboundPrefix, body.ID); ok {
		in, err := o.actions.Desk.Received(c.Context, id)
		return in.From, err
	}
	if _, ok := web.ParseID(userPrefix, body.ID); ok {
		c.Param = body.ID
		caller, id, err := o.userCall(c, body.App)
		if err != nil {
			return "", err
		}
		u, err := o.actions.Directory.User(c.Context, caller, id)
		return inFull(u.Address), err
	}
	if id, ok := strings.CutPrefix(body.ID, limitPrefix); ok {
		return o.actions.Desk.Barred(id)
	}
	return "", web.Invalid(`"id" must be that of a verification, a message, a user, a received SMS or a limit of a number.`)
}

// inFull is a phone number, or an email address, as it is.
func inFull(a otp.Address) string { return cmp.Or(a.E164(), a.Email()) }

// InboundList answers GET /admin/inbound. From and text are whatever somebody
// chose to send.
func (o *Console) InboundList(c *web.Call) error {
	limit, err := c.PageLimit()
	if err != nil {
		return err
	}
	page, next, err := o.actions.Desk.Inbound(c.Context, limit, c.Query("cursor"))
	if err != nil {
		return err
	}
	w := struct {
		Inbound []inboundWire `json:"inbound"`
		Next    *string       `json:"next_cursor"`
	}{make([]inboundWire, len(page)), web.OrNull(next)}
	for i, in := range page {
		w.Inbound[i] = inboundWire{idOf(inboundPrefix, in.ID), otp.MaskedSender(in.From), in.Text, in.Route, in.Parts, web.Time(in.Sent), web.Time(in.Received)}
	}
	return c.JSON(fasthttp.StatusOK, w)
}

// inboundWire is a received SMS.
type inboundWire struct {
	ID       string   `json:"id"`
	From     string   `json:"from"` // a number is masked
	Text     string   `json:"text"`
	Route    string   `json:"route"`
	Parts    int      `json:"parts"`
	Sent     web.Time `json:"sent_at"`
	Received web.Time `json:"received_at"`
}
