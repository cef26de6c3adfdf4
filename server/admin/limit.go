package admin

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// limitWire is one subject under one limit.
type limitWire struct {
	ID      string   `json:"id"`
	Kind    string   `json:"kind"`
	Subject string   `json:"subject"` // numbers masked
	Rule    string   `json:"rule"`
	Name    string   `json:"name"`
	Text    string   `json:"text"`
	Count   int      `json:"count"`
	Blocked bool     `json:"blocked"`
	Until   web.Time `json:"until"`
}

// limitsWire is a page of them. Of a phone that was asked about it tells more.
type limitsWire struct {
	Limits   []limitWire `json:"limits"`
	Next     *string     `json:"next_cursor"`
	OptedOut *bool       `json:"opted_out,omitzero"`
	Known    *bool       `json:"known,omitzero"`
	// RefusedBy are the apps that send nothing to it, whatever the limits say.
	RefusedBy []string `json:"refused_by,omitzero"`
}

// counted is what a limit counts, by its name in the config file, or else by what
// it is for.
var counted = map[string]string{
	"sends_per_phone": "codes sent to one number", "sends_per_address_phone": "codes sent from one address to one number",
	"sends_per_address": "codes asked for from one address", "sends_per_block": "unknown numbers in one block of 1,000",
	"sends_per_large_block": "unknown numbers in one block of 10,000", "sends_per_country": "codes sent to one country",
	"sends_per_box": "codes sent by the box", "tries_per_phone": "wrong codes for one number",
	"tries_per_address_phone": "wrong codes from one address for one number", "tries_per_address": "wrong codes from one address",
	"tries_reserve": "wrong codes from an address that the number is known at", "refusals_per_address": "refused requests from one address",
	"messages_per_app": "plain messages of one app", "daily_cap": "messages by one route", "N26": "wrong passwords from one address",
	"phone": "second attempts at a number that the network calls a trouble of its own", "sender": "received SMS of one sender", "box": "received SMS",
}

func limitOf(b *otp.Bar) limitWire {
	w := limitWire{
		ID: limitPrefix + b.ID, Kind: b.Kind, Subject: b.Subject, Rule: b.Rule, Name: b.Name, Count: b.Count,
		Blocked: b.Until != 0, Until: web.Time(b.Until),
	}
	var rules []string
	for _, r := range b.Conversions {
		rules = append(rules, fmt.Sprintf("of %d or more codes in %s at least %d %%", r.Sends, span(r.Window), r.Percent))
	}
	if len(rules) > 0 {
		w.Text = fmt.Sprintf("New numbers get codes while enough are typed in, %s: %d of %d were.", strings.Join(rules, ", "), b.Verified, b.Count)
		return w
	}
	for _, r := range b.Rules {
		rules = append(rules, fmt.Sprintf("%d in %s", r.Count, span(r.Window)))
	}
	for _, name := range []string{b.Name, b.Rule, b.Kind} {
		if what := counted[name]; what != "" {
			w.Text = "At most " + strings.Join(rules, ", ") + ": " + what + "."
			break
		}
	}
	return w
}

// span writes a duration for people: "5 minutes".
func span(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return count(int(d/time.Hour), "hour", "hours")
	case d%time.Minute == 0:
		return count(int(d/time.Minute), "minute", "minutes")
	}
	return d.String()
}

// questionOf reads what limits are asked about.
func questionOf(phone, address string) (q otp.Question, err error) {
	q.Phone = phone
	if address != "" {
		if q.Address, err = netip.ParseAddr(address); err != nil || q.Address.Zone() != "" {
			return q, web.Invalid("address must be one IPv4 or IPv6 address.")
		}
		q.Address = q.Address.Unmap()
	}
	return q, nil
}

// Limits answers GET /admin/limits: what is blocked now, or why a phone or an
// address is.
func (o *Console) Limits(c *web.Call) error {
	limit, err := c.PageLimit()
	if err != nil {
		return err
	}
	q, err := questionOf(c.QueryPhone(), c.Query("address"))
	if err != nil {
		return err
	}
	page, next, err := o.actions.Desk.Bars(c.Context, q, limit, c.Query("cursor"))
	if err != nil {
		return err
	}
	w := limitsWire{Limits: make([]limitWire, len(page)), Next: web.OrNull(next)}
	for i := range page {
		w.Limits[i] = limitOf(&page[i])
	}
	if q.Phone != "" {
		s, err := o.actions.Desk.Standing(c.Context, q.Phone)
		if err != nil {
			return err
		}
		w.OptedOut, w.Known, w.RefusedBy = &s.OptedOut, &s.Known, s.Apps
	}
	return c.JSON(fasthttp.StatusOK, w)
}

// LiftLimitBody is the body of POST /admin/limits/lift: one of the three.
type LiftLimitBody struct {
	ID      string `json:"id"`
	Phone   string `json:"phone"`
	Address string `json:"address"`
}

// LiftLimit answers POST /admin/limits/lift.
func (o *Console) LiftLimit(c *web.Call) error {
	var body LiftLimitBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	var lifted int
	var err error
	if id, one := strings.CutPrefix(body.ID, limitPrefix); one && body.Phone == "" && body.Address == "" {
		lifted, err = o.actions.Desk.Lift(c.Context, c.Caller.By, id)
	} else if body.ID != "" {
		return web.Invalid(`"id" is not one that GET /admin/limits has returned, or does not stand alone.`)
	} else {
		var q otp.Question
		if q, err = questionOf(body.Phone, body.Address); err == nil {
			lifted, err = o.actions.Desk.LiftAll(c.Context, c.Caller.By, q)
		}
	}
	if err != nil {
		return err
	}
	return c.JSON(fasthttp.StatusOK, struct {
		Lifted int `json:"lifted"`
	}{lifted})
}
