package otp

import (
	"context"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The bounds of what is kept of received SMS: whoever knows the box's number
// could fill its disk otherwise. What comes beyond them is heeded (an opt-out
// counts) and not kept.
const (
	maxInboundText   = 4096 // bytes
	maxInboundSender = 20   // bytes of a sender that is no number
)

var (
	inboundPerSender = []Rule{{30, time.Hour}}
	inboundPerBox    = []Rule{{1000, 24 * time.Hour}}
)

// Inbound is an SMS that the box has received.
type Inbound struct {
	ID    ID
	Route string // that received it
	// From is E.164 with its plus sign, or what the network gave: a short code, a
	// name, a local number of which nobody knows the rest.
	From     string
	Text     string
	Sent     Time // by the service centre's clock; 0 if unknown
	Received Time
	Parts    int
}

// inboundRow is an [Inbound] as it is kept.
type inboundRow struct {
	_        struct{} `cbor:",toarray"`
	ID       ID
	Route    string
	From     string
	Sealed   []byte // the text, bound to the id
	Sent     Time
	Received Time
	Parts    uint8
}

func inboundKey(id ID) Key { return Key{KindInbound, id.key()} }

// inboundListKey sorts the received with the newest first.
func inboundListKey(r *inboundRow) Key {
	part := binary.BigEndian.AppendUint64(nil, ^uint64(r.Received))
	return Key{KindInboundList, string(append(part, r.ID[:]...))}
}

// reception is one received SMS inside its closure.
type reception struct {
	o    *Outbox
	tx   Tx
	now  Time
	in   Incoming
	id   ID
	from Address // the zero Address: no number that could be known here
	// proves tells that from is what the network says, and not in part a guess.
	proves bool
	seal   []byte
	// proven is the verification that the SMS has approved, if it has.
	proven Verification
}

// Received implements [RouteSink]: it heeds the SMS and keeps it. The same SMS
// handed over twice, as after a crash before the stick has forgotten it, is
// kept once.
func (o *Outbox) Received(ctx context.Context, in Incoming) error {
	r := o.reception(in)
	var result string
	err := o.box.Store.Update(ctx, func(tx Tx) (err error) {
		r.tx, r.now = tx, o.box.Clock.Now()
		result, err = r.run()
		return err
	})
	if err != nil {
		return err
	}
	o.box.Metrics.received(in.Route, result)
	if result == "kept" {
		o.box.Feed.tell(Notice{At: r.now, Type: "inbound.received", ID: r.id, Route: in.Route})
	}
	if r.proven.Status == Approved {
		o.box.ended(&r.proven)
	}
	return nil
}

// reception reads what needs no closure.
func (o *Outbox) reception(in Incoming) *reception {
	in.Text = strings.ToValidUTF8(in.Text, "\ufffd")
	in.From = clip(strings.ToValidUTF8(in.From, "?"), maxInboundSender)
	in.Parts = min(max(in.Parts, 1), 255)
	r := &reception{o: o, in: in, id: NewID()}
	if in.At != 0 {
		d := o.box.Keys.Seal("pinferry inbound v1", []byte(in.From), []byte(strconv.FormatInt(int64(in.At), 10)), []byte(in.Text))
		r.id = ID(d[:16])
	}
	r.identify()
	r.seal = o.box.Keys.sealText(r.id, clip(in.Text, maxInboundText))
	return r
}

// clip cuts s to at most n bytes, between two characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// run heeds and keeps the SMS. It returns what became of it, for metrics.
func (r *reception) run() (result string, err error) {
	if _, twice := r.tx.Get(inboundKey(r.id)); twice {
		return "duplicate", nil
	}
	if result, err = r.textBack(); err != nil || result != "" {
		return result, err // it has done its work, and is not for anybody to read
	}
	if r.from.Key != "" {
		heedOptOut(r.tx, r.from, r.in, r.now)
	}
	l := &ledger{tx: r.tx, now: r.now, mends: true}
	quotas := []quota{
		{class: inboundSender, subject: r.in.From, rules: inboundPerSender},
		{class: inboundBox, rules: inboundPerBox},
	}
	if worst, _ := l.first(quotas); worst != nil {
		return "flood", l.err
	}
	for i := range quotas {
		l.add(&quotas[i])
	}
	if l.err != nil {
		return "", l.err
	}
	row := inboundRow{
		ID: r.id, Route: r.in.Route, From: r.in.From, Sealed: r.seal,
		Sent: r.in.At, Received: r.now, Parts: uint8(r.in.Parts),
	}
	if !r.in.Local {
		row.From = "+" + row.From
	}
	save(r.tx, inboundKey(row.ID), row, r.now.Add(keepMessage))
	r.tx.Put(inboundListKey(&row), nil, r.now.Add(keepMessage))
	for _, app := range r.o.box.Apps.All() {
		if app.Inbound {
			r.o.box.event(r.tx, app.ID, Event{Type: EventInboundReceived, Inbound: row.ID, Route: row.Route, From: row.From}, r.now)
		}
	}
	r.o.box.Clock.Mark(r.tx)
	return "kept", nil
}

// Inbound reads what the box has received, newest first, for an app that may
// know of it. cursor is "" or what the last call returned as next; next is ""
// at the end. Refusals: [Forbidden] and [InvalidRequest].
func (o *Outbox) Inbound(ctx context.Context, c Caller, limit int, cursor string) (page []Inbound, next string, err error) {
	if !c.Secret || !c.App.Inbound {
		return nil, "", refuse(Forbidden, "Received messages are for the secret key (sk_) of an app with inbound = true.")
	}
	return o.received(ctx, limit, cursor)
}

// received reads a page of them.
func (o *Outbox) received(ctx context.Context, limit int, cursor string) (page []Inbound, next string, err error) {
	return entries(ctx, o.box.Store, Key{Kind: KindInboundList}, cursor, limit, func(tx Tx, id ID) (Inbound, bool, error) {
		row, found, err := loadInbound(tx, id)
		if err != nil || !found {
			return Inbound{}, false, err
		}
		return o.box.openInbound(&row), true, nil
	})
}

func loadInbound(tx Tx, id ID) (row inboundRow, found bool, err error) {
	found, err = load(tx, inboundKey(id), &row)
	return row, found, err
}

// openInbound returns a row with its text; "" if that was sealed under another
// box key, as in a database that was restored without its keys.
func (b *Box) openInbound(r *inboundRow) Inbound {
	text, _ := b.Keys.openText(r.ID, r.Sealed)
	return Inbound{
		ID: r.ID, Route: r.Route, From: r.From, Text: text, Sent: r.Sent, Received: r.Received, Parts: int(r.Parts),
	}
}
