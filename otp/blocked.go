package otp

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
)

// barsLooked is how many rows one call of [Desk.Bars] looks at.
const barsLooked = 20000

// Question says which limits are wanted: those that are shut now, or all that
// bear on one phone or email address (as typed) or on one address of the network.
type Question struct {
	Phone   string
	Address netip.Addr
}

// Bars lists what is shut now, or all that bears on the subject of a question.
// A call looks at a bounded part of the rows: a page may be empty and still have
// a next. Refusals: [InvalidPhone], [NumberRefused], [InvalidRequest].
func (d *Desk) Bars(ctx context.Context, q Question, limit int, cursor string) (page []Bar, next string, err error) {
	asked, refusal := q.read()
	if refusal != nil {
		return nil, "", refusal
	}
	after := Key{Kind: KindQuota}
	if cursor != "" {
		part, ok := d.box.Keys.openName(cursor)
		if !ok {
			return nil, "", refuse(InvalidRequest, "cursor is not one that this call has returned.")
		}
		after.Part = part
	}
	err = d.box.Store.View(ctx, func(tx Tx) error {
		now, looked := d.box.Clock.Now(), 0
		var damaged error
		err := tx.Scan(Key{Kind: KindQuota}, after, 0, func(k Key, raw []byte) bool {
			if len(page) == limit || looked == barsLooked {
				next = d.box.Keys.sealName(after.Part)
				return false
			}
			looked++
			after.Part = k.Part
			about := asked.about(k.Part)
			if asked.any() && !about {
				return true
			}
			bar, ok, err := d.bar(k.Part, raw, now)
			if damaged = err; err != nil {
				return false
			}
			if ok && (about || bar.Until > now) {
				page = append(page, bar)
			}
			return true
		})
		if err == nil {
			err = damaged
		}
		return err
	})
	return page, next, err
}

// Standing is what bears on a number or an email address beside the limits.
type Standing struct {
	OptedOut bool // its holder has texted STOP
	Known    bool // it verified here of late, for which it is treated better
	// Apps are the ids of those that send nothing to it: for its country, or for
	// being an email address.
	Apps []string
}

// Standing tells how a number or an email address stands, as typed.
func (d *Desk) Standing(ctx context.Context, typed string) (s Standing, err error) {
	a, refusal := parseTyped(typed)
	if refusal != nil {
		return s, refusal
	}
	for _, app := range d.box.Apps.All() {
		if app.reaches(a) != nil {
			s.Apps = append(s.Apps, app.ID)
		}
	}
	err = d.box.Store.View(ctx, func(tx Tx) error {
		_, s.OptedOut = tx.Get(optOutKey(a.Key))
		row, err := loadKnown(tx, a)
		s.Known = row.recent(d.box.Clock.Now())
		return err
	})
	return s, err
}

// Barred returns the whole number or email address of a bar of this id, which
// must be that of one alone. It shows what [Desk.Reveal] has to note first.
func (d *Desk) Barred(id string) (string, error) {
	part, _ := d.box.Keys.openName(id)
	class, subject, coarse := splitQuota(part)
	if sorts[class].kind == "phone" && !coarse {
		if full := keyInFull(subject); full != "" {
			return full, nil
		}
	}
	return "", refuse(InvalidRequest, "There is no such limit, or it is not that of one number.")
}

// Lift forgets what was counted under a bar of this id, and tells whether there
// was one.
func (d *Desk) Lift(ctx context.Context, by Actor, id string) (lifted int, err error) {
	part, ok := d.box.Keys.openName(id)
	if !ok || part == "" {
		return 0, refuse(InvalidRequest, "There is no such limit.")
	}
	return d.lift(ctx, by, []Key{{KindQuota, part}})
}

// LiftAll forgets what was counted of the subject of a question alone: not what
// it shares with others. It returns how many bars there were.
func (d *Desk) LiftAll(ctx context.Context, by Actor, q Question) (lifted int, err error) {
	asked, refusal := q.read()
	if refusal != nil {
		return 0, refusal
	}
	if !asked.any() {
		return 0, refuse(InvalidRequest, "Say what to lift: an id, a phone or an address.")
	}
	var keys []Key
	err = d.box.Store.View(ctx, func(tx Tx) error {
		return tx.Scan(Key{Kind: KindQuota}, Key{}, 0, func(k Key, _ []byte) bool {
			if asked.own(k.Part) {
				keys = append(keys, k)
			}
			return true
		})
	})
	if err != nil {
		return 0, err
	}
	return d.lift(ctx, by, keys)
}

func (d *Desk) lift(ctx context.Context, by Actor, keys []Key) (lifted int, err error) {
	err = d.box.Store.Update(ctx, func(tx Tx) error {
		lifted = 0
		for _, k := range keys {
			raw, there := tx.Get(k)
			if !there {
				continue
			}
			lifted++
			tx.Delete(k)
			bar, _, _ := d.bar(k.Part, raw, d.box.Clock.Now()) // one that cannot be read is named and lifted all the same
			if err := d.box.audit(tx, by, "limit.lift", strings.TrimSpace(bar.Name+" "+bar.Subject)); err != nil {
				return err
			}
		}
		return nil
	})
	return lifted, err
}

// asked is a question as rows answer it.
type asked struct {
	phone, source, coarse string
	address               Address
}

func (q Question) read() (a asked, refusal *Error) {
	if q.Phone != "" {
		if a.address, refusal = parseTyped(q.Phone); refusal != nil {
			return a, refusal
		}
		a.phone = a.address.bucket()
	}
	if q.Address.IsValid() {
		a.source, a.coarse = source(q.Address), coarseSource(q.Address)
	}
	return a, nil
}

func (a *asked) any() bool { return a.phone != "" || a.source != "" }

// own tells whether a row is of the subject alone.
func (a *asked) own(part string) bool {
	class, subject, coarse := splitQuota(part)
	if coarse {
		return false
	}
	kind := sorts[class].kind
	switch {
	case a.phone != "" && kind == "phone":
		return subject == a.phone
	case a.phone != "" && kind == "address_phone":
		// Behind a source of 4 or 8 bytes: "ann@" ends "joann@", too.
		from, ok := strings.CutSuffix(subject, a.phone)
		return ok && (len(from) == 4 || len(from) == 8)
	case a.source != "" && kind == "address":
		return subject == a.source
	case a.source != "" && kind == "address_phone":
		from, _, ok := splitPair(subject, false)
		return ok && from == a.source
	}
	return false
}

// about tells whether a row bears on the subject, alone or with others.
func (a *asked) about(part string) bool {
	if a.own(part) {
		return true
	}
	class, subject, coarse := splitQuota(part)
	kind := sorts[class].kind
	switch {
	case coarse && a.phone != "":
		return strings.HasSuffix(subject, a.address.block()) || strings.HasSuffix(subject, a.phone) // sends, tries
	case coarse:
		return a.coarse != "" && subject == a.coarse
	case kind == "block":
		return a.phone != "" && strings.HasPrefix(a.phone, subject)
	case kind == "country":
		return a.phone != "" && subject == strconv.Itoa(int(a.address.Calling))
	}
	return a.any() && class == sendsBox
}
