package otp

import "slices"

// liveRow lists the verifications of one (app, address) that may still be
// pending, so that no more than maxLive are.
type liveRow struct {
	_   struct{} `cbor:",toarray"`
	All []liveEntry
}

type liveEntry struct {
	_       struct{} `cbor:",toarray"`
	ID      ID
	Expires Time
}

// liveKey is where the row of a verification stands. Operators have one of their
// own, or strangers could hold all its places.
func liveKey(v *Verification) Key {
	if v.Door == OperatorDoor {
		return Key{KindLive, v.App + "\x00\x00" + v.Address.Key}
	}
	return Key{KindLive, v.App + "\x00" + v.Address.Key}
}

// loadLive reads the row less what has expired.
func loadLive(tx Tx, k Key, now Time) (row liveRow, err error) {
	_, err = load(tx, k, &row)
	row.All = slices.DeleteFunc(row.All, func(e liveEntry) bool {
		return e.Expires <= now || e.Expires.Sub(now) > maxCodeTTL+clockSlack // the clock went back
	})
	return row, err
}

// keepAlive lists a verification among the live ones of its address.
func keepAlive(tx Tx, v *Verification, now Time) error {
	k := liveKey(v)
	row, err := loadLive(tx, k, now)
	if err != nil {
		return err
	}
	row.put(v.ID, v.Expires)
	row.save(tx, k)
	return nil
}

// put adds or moves an entry.
func (row *liveRow) put(id ID, expires Time) {
	row.remove(id)
	row.All = append(row.All, liveEntry{ID: id, Expires: expires})
}

func (row *liveRow) remove(id ID) {
	row.All = slices.DeleteFunc(row.All, func(e liveEntry) bool { return e.ID == id })
}

// save writes the row, or removes it when nothing lives.
func (row *liveRow) save(tx Tx, k Key) {
	var until Time
	for _, e := range row.All {
		until = max(until, e.Expires)
	}
	if until == 0 {
		tx.Delete(k)
		return
	}
	save(tx, k, row, until)
}

// earliest returns when the first of them expires.
func (row *liveRow) earliest() Time {
	var t Time
	for _, e := range row.All {
		if t == 0 || e.Expires < t {
			t = e.Expires
		}
	}
	return t
}
