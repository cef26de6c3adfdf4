package otp

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Actor is who does something to the box that the audit trail keeps.
type Actor struct {
	// Who is "admin" for the page, "socket uid 0" for a command, "app shop" for a
	// secret key; "" keeps nothing.
	Who string
	// From is the address that an "admin" sits at; "" is the machine itself.
	From string
}

// AuditRecord is one line of the audit trail. It holds no code, no text and no
// full number.
type AuditRecord struct {
	_ struct{} `cbor:",toarray"`

	Seq    uint64 // 1 is the first
	At     Time   // box time
	Who    string
	From   string
	Action string // "user.block": a noun, and what was done to it
	Target string // an id, a masked number, a name; "" is the box
	// Former is the digest of the record before, zero for the first.
	Former [sha256.Size]byte
	digest [sha256.Size]byte
}

// Digest returns the SHA-256 of the record as it is kept, which the next one
// holds.
func (r *AuditRecord) Digest() string { return hex.EncodeToString(r.digest[:]) }

// auditHead is the end of the chain.
type auditHead struct {
	_      struct{} `cbor:",toarray"`
	Seq    uint64
	Digest [sha256.Size]byte
}

var auditHeadKey = Key{KindMeta, "audit"}

// auditKey sorts the records with the newest first.
func auditKey(seq uint64) Key {
	return Key{KindAudit, string(binary.BigEndian.AppendUint64(nil, ^seq))}
}

// maxTarget bounds what a record keeps of a target, in bytes: it may be a name
// that somebody typed.
const maxTarget = 80

// audit adds a record to the chain, in the closure of what it tells of: the one
// is durable if and only if the other is.
func (b *Box) audit(tx Tx, by Actor, action, target string) error {
	if by.Who == "" {
		return nil
	}
	var head auditHead
	if _, err := load(tx, auditHeadKey, &head); err != nil {
		return err
	}
	r := AuditRecord{
		Seq: head.Seq + 1, At: b.Clock.Now(), Who: by.Who, From: by.From, Action: action,
		Target: clip(strings.ToValidUTF8(target, "?"), maxTarget), Former: head.Digest,
	}
	k := auditKey(r.Seq)
	save(tx, k, r, 0)
	row, _ := tx.Get(k) // as it is kept, byte by byte
	save(tx, auditHeadKey, auditHead{Seq: r.Seq, Digest: sha256.Sum256(row)}, 0)
	b.Feed.tell(Notice{At: r.At, Type: "admin." + action, Text: r.Target})
	return nil
}

// Trail is the audit trail: what was done to the box, by whom, and when. It is
// kept for ever. Each record holds the digest of the one before, so that none
// can be changed, taken out or put in without all that follow it showing so;
// who has noted the head elsewhere sees also that the end was cut off or the
// whole was written anew.
type Trail struct{ box *Box }

// NewTrail returns the trail of a box.
func NewTrail(box *Box) *Trail { return &Trail{box: box} }

// Note adds a record of what no closure of the box's own does: a backup, an
// order to a modem. It is durable when it returns nil, and only then may the
// thing be done.
func (t *Trail) Note(ctx context.Context, by Actor, action, target string) error {
	return t.box.Store.Update(ctx, func(tx Tx) error { return t.box.audit(tx, by, action, target) })
}

// List reads the records, newest first. before is the number of the last one
// that was read, 0 for none; more tells whether there are others.
func (t *Trail) List(ctx context.Context, limit int, before uint64) (page []AuditRecord, more bool, err error) {
	after := Key{Kind: KindAudit}
	if before > 0 {
		after = auditKey(before)
	}
	err = t.box.Store.View(ctx, func(tx Tx) error {
		var damaged error
		err := tx.Scan(Key{Kind: KindAudit}, after, limit+1, func(_ Key, row []byte) bool {
			if more = len(page) == limit; more {
				return false
			}
			r := AuditRecord{digest: sha256.Sum256(row)}
			damaged = decodeRecord(row, &r)
			page = append(page, r)
			return damaged == nil
		})
		if err == nil {
			err = damaged
		}
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return page, more, nil
}

// AuditReport is what a walk along the chain has found.
type AuditReport struct {
	Intact  bool
	Records uint64
	Head    string // the digest of the newest, in hex; note it elsewhere
	// Broken is the number of the newest record that is missing or not as it was
	// written; 0 if there is none.
	Broken uint64
}

// Verify walks along the whole chain, from the newest record to the first.
func (t *Trail) Verify(ctx context.Context) (r AuditReport, err error) {
	err = t.box.Store.View(ctx, func(tx Tx) error {
		var head auditHead
		if _, err := load(tx, auditHeadKey, &head); err != nil {
			return err
		}
		r = AuditReport{Records: head.Seq, Head: hex.EncodeToString(head.Digest[:])}
		next := head
		err := tx.Scan(Key{Kind: KindAudit}, Key{}, 0, func(k Key, row []byte) bool {
			var record AuditRecord
			if next.Seq == 0 || k != auditKey(next.Seq) || sha256.Sum256(row) != next.Digest ||
				decodeRecord(row, &record) != nil || record.Seq != next.Seq {
				r.Broken = max(next.Seq, 1)
				return false
			}
			next = auditHead{Seq: next.Seq - 1, Digest: record.Former}
			return true
		})
		if r.Broken == 0 && next != (auditHead{}) {
			r.Broken = max(next.Seq, 1) // the chain ends too early
		}
		r.Intact = r.Broken == 0
		return err
	})
	return r, err
}
