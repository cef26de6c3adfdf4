package otp

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
)

// Desk is the box as its operator sees it: over all apps and doors, and
// read-only but for what it lifts. Its methods may be called from any goroutine.
type Desk struct {
	box    *Box
	outbox *Outbox
}

// NewDesk returns the desk of a box.
func NewDesk(box *Box, outbox *Outbox) *Desk { return &Desk{box: box, outbox: outbox} }

// Filter says what of a list is wanted; its zero value is everything.
type Filter struct {
	App   string // an id
	State string // a [Status] or a [MessageState]
	Route string
	// Phone is a number as typed, all spellings of which are the same, or an email
	// address.
	Phone string
}

// searched is how many entries one call looks at. A page of a filtered list may
// be short, or empty, and still have a next.
const searched = 1000

// place is one entry of lists that are read as one.
type place struct {
	at   string // time and id, by which all lists are sorted
	kind Kind
	id   ID
}

// places reads the lists of all apps (or of one) as one, newest first, behind a
// cursor: at most searched of them.
func (d *Desk) places(tx Tx, app, cursor string, kinds ...Kind) (all []place, more bool, err error) {
	for _, a := range d.box.Apps.All() {
		if app != "" && a.ID != app {
			continue
		}
		for _, kind := range kinds {
			list := Key{kind, a.ID + "\x00"}
			after, err := from(list, cursor)
			if err != nil {
				return nil, false, err
			}
			if err := tx.Scan(list, after, searched+1, func(k Key, _ []byte) bool {
				at := k.Part[len(list.Part):]
				all = append(all, place{at, kind, ID([]byte(at[8:]))})
				return true
			}); err != nil {
				return nil, false, err
			}
		}
	}
	slices.SortFunc(all, func(a, b place) int { return strings.Compare(a.at, b.at) })
	if more = len(all) > searched; more {
		all = all[:searched]
	}
	return all, more, nil
}

// page walks along the places until limit of them were taken. next is the cursor
// behind the last that was looked at, "" at the end.
func (d *Desk) page(tx Tx, f Filter, limit int, cursor string, take func(place) (bool, error), kinds ...Kind) (next string, err error) {
	all, more, err := d.places(tx, f.App, cursor, kinds...)
	if err != nil {
		return "", err
	}
	for i, p := range all {
		taken, err := take(p)
		if err != nil {
			return "", err
		}
		if taken {
			limit--
		}
		if limit == 0 && (more || i+1 < len(all)) || more && i+1 == len(all) {
			return hex.EncodeToString([]byte(p.at)), nil
		}
		if limit == 0 {
			break
		}
	}
	return "", nil
}

// key returns the key of the address that is looked for, "" for none.
func (f *Filter) key() (string, error) {
	if f.Phone == "" {
		return "", nil
	}
	a, refusal := parseTyped(f.Phone)
	return a.Key, nilError(refusal)
}

// Messages lists messages of all apps, newest first. cursor is "" or what the
// last call returned as next; next is "" at the end. Refusals: [InvalidPhone],
// [InvalidRequest].
func (d *Desk) Messages(ctx context.Context, f Filter, limit int, cursor string) (page []Message, next string, err error) {
	key, err := f.key()
	if err != nil {
		return nil, "", err
	}
	err = d.box.Store.View(ctx, func(tx Tx) error {
		next, err = d.page(tx, f, limit, cursor, func(p place) (bool, error) {
			m, found, err := loadMessage(tx, p.id)
			if err != nil || !found || f.State != "" && string(m.State) != f.State || f.Route != "" && m.Route != f.Route ||
				key != "" && m.Address.Key != key {
				return false, err
			}
			page = append(page, m)
			return true, nil
		}, KindMessageList)
		return err
	})
	return page, next, err
}

// Message reads one message of whatever app; an unknown id is [CodeUnknown].
func (d *Desk) Message(ctx context.Context, id ID) (m Message, err error) {
	found := false
	err = d.box.Store.View(ctx, func(tx Tx) (err error) {
		m, found, err = loadMessage(tx, id)
		return err
	})
	if err == nil && !found {
		err = refuse(CodeUnknown, "There is no such message, or it is kept no more.")
	}
	return m, err
}

// History is a verification with all its messages, the newest last.
type History struct {
	Verification Verification
	Messages     []Message
}

// Newest returns the newest message; the zero Message if there is none.
func (h *History) Newest() (m Message) {
	if n := len(h.Messages); n > 0 {
		m = h.Messages[n-1]
	}
	return m
}

// Verifications lists verifications of all apps, newest first, each with its
// newest message alone, as [Desk.Messages] lists messages. One that stands for
// nobody is not listed.
func (d *Desk) Verifications(ctx context.Context, f Filter, limit int, cursor string) (page []History, next string, err error) {
	key, err := f.key()
	if err != nil {
		return nil, "", err
	}
	err = d.box.Store.View(ctx, func(tx Tx) error {
		now := d.box.Clock.Now()
		// Each has exactly one message that no resend made, or waits for a text.
		next, err = d.page(tx, f, limit, cursor, func(p place) (bool, error) {
			id := p.id
			if p.kind == KindMessageList {
				m, found, err := loadMessage(tx, p.id)
				if err != nil || !found || m.Resend || m.Verification.IsZero() {
					return false, err
				}
				id = m.Verification
			}
			v, found, err := loadVerification(tx, id)
			if err != nil || !found || key != "" && v.Address.Key != key {
				return false, err
			}
			if v.Status = v.StatusAt(now); f.State != "" && string(v.Status) != f.State {
				return false, nil
			}
			h := History{Verification: v}
			if m, found, err := loadMessage(tx, v.Message); err != nil {
				return false, err
			} else if found {
				h.Messages = []Message{m}
			}
			page = append(page, h)
			return true, nil
		}, KindMessageList, KindTextBackList)
		return err
	})
	return page, next, err
}

// Verification reads one verification of whatever app with all its messages; an
// unknown id is [CodeUnknown].
func (d *Desk) Verification(ctx context.Context, id ID) (h History, err error) {
	found := false
	err = d.box.Store.View(ctx, func(tx Tx) (err error) {
		v, ok, err := loadVerification(tx, id)
		if found = ok; err != nil || !found {
			return err
		}
		v.Status = v.StatusAt(d.box.Clock.Now())
		h.Verification = v
		for _, id := range append(slices.Clone(v.Former), v.Message) {
			m, found, err := loadMessage(tx, id)
			if err != nil {
				return err
			}
			if found {
				h.Messages = append(h.Messages, m)
			}
		}
		return nil
	})
	if err == nil && !found {
		err = noVerification()
	}
	return h, err
}

// Cancel ends a pending verification of whatever app and door, as
// [Verifications.Cancel] does.
func (d *Desk) Cancel(ctx context.Context, by Actor, id ID) error {
	h, err := d.Verification(ctx, id)
	if err != nil {
		return err
	}
	app, ok := d.box.Apps.ByID(h.Verification.App)
	if !ok {
		return noVerification()
	}
	return NewVerifications(d.box, d.outbox).Cancel(ctx, Caller{App: app, Secret: true, Door: h.Verification.Door, By: by}, id)
}

// Inbound reads what the box has received, newest first, as [Outbox.Inbound]
// does for an app.
func (d *Desk) Inbound(ctx context.Context, limit int, cursor string) (page []Inbound, next string, err error) {
	return d.outbox.received(ctx, limit, cursor)
}

// Received reads one received SMS; an unknown id is [CodeUnknown].
func (d *Desk) Received(ctx context.Context, id ID) (in Inbound, err error) {
	found := false
	err = d.box.Store.View(ctx, func(tx Tx) error {
		row, ok, err := loadInbound(tx, id)
		if found = ok; err == nil && found {
			in = d.box.openInbound(&row)
		}
		return err
	})
	if err == nil && !found {
		err = refuse(CodeUnknown, "There is no such SMS, or it is kept no more.")
	}
	return in, err
}

// Waiting is an event that its app has yet to take.
type Waiting struct {
	Event
	Due Time // when it is delivered, or tried again
}

// Events lists the events of all apps that are still to be delivered, those of
// each app in the order in which they are due, at most limit.
func (d *Desk) Events(ctx context.Context, limit int) (all []Waiting, err error) {
	err = d.box.Store.View(ctx, func(tx Tx) error {
		for _, app := range d.box.Apps.All() {
			queue := eventQueue(app.ID)
			var damaged error
			if err := tx.Scan(queue, Key{}, max(limit-len(all), 1), func(k Key, row []byte) bool {
				w := Waiting{Due: Time(binary.BigEndian.Uint64([]byte(k.Part[len(queue.Part):])))}
				damaged = decodeRecord(row, &w.Event)
				all = append(all, w)
				return damaged == nil
			}); err != nil {
				return err
			}
			if damaged != nil {
				return damaged
			}
		}
		return nil
	})
	return all[:min(len(all), limit)], err
}

// Reveal notes in the audit trail that somebody looks at the whole number of a
// record, whatever it is, and only then may it be shown.
func (d *Desk) Reveal(ctx context.Context, by Actor, target string) error {
	return d.box.Store.Update(ctx, func(tx Tx) error { return d.box.audit(tx, by, "phone.reveal", target) })
}
