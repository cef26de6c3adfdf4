package otp

import (
	"context"
	"encoding/hex"
)

// placeSize is the length of a place in a list: a time and an id, with which
// the keys of [KindMessageList] and [KindInboundList] end.
const placeSize = 8 + len(ID{})

// from returns the key behind which a page begins: that of the cursor, the hex
// digits of a place, or the head of the list.
func from(list Key, cursor string) (Key, error) {
	if cursor == "" {
		return Key{Kind: list.Kind}, nil
	}
	place, err := hex.DecodeString(cursor)
	if err != nil || len(place) != placeSize {
		return Key{}, refuse(InvalidRequest, "cursor is not one that this call has returned.")
	}
	return Key{list.Kind, list.Part + string(place)}, nil
}

// listed reads a page of a list: the ids in their order, and the cursor of the
// next page, "" at the end. It goes by the places and not by what stands there,
// for a row that is gone ends no list.
func listed(tx Tx, list, after Key, limit int) (ids []ID, next string, err error) {
	var place string
	err = tx.Scan(list, after, limit+1, func(k Key, _ []byte) bool {
		if len(ids) == limit {
			next = hex.EncodeToString([]byte(place))
			return false
		}
		place = k.Part[len(list.Part):]
		ids = append(ids, ID([]byte(place[8:])))
		return true
	})
	return ids, next, err
}

// entries reads a page of what a list names, each by its own load, and the
// cursor of the next page, "" at the end. What is gone is left out.
func entries[R any](ctx context.Context, store Store, list Key, cursor string, limit int, load func(Tx, ID) (R, bool, error)) (page []R, next string, err error) {
	after, err := from(list, cursor)
	if err != nil {
		return nil, "", err
	}
	err = store.View(ctx, func(tx Tx) error {
		var ids []ID
		if ids, next, err = listed(tx, list, after, limit); err != nil {
			return err
		}
		for _, id := range ids {
			r, found, err := load(tx, id)
			if err != nil {
				return err
			}
			if found {
				page = append(page, r)
			}
		}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return page, next, nil
}

// records reads a page of the records below a prefix, and tells whether there
// are more.
func records[R any](ctx context.Context, store Store, prefix, after Key, limit int) (page []R, more bool, err error) {
	err = store.View(ctx, func(tx Tx) error {
		var damaged error
		err := tx.Scan(prefix, after, limit+1, func(_ Key, row []byte) bool {
			var r R
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
	if more = len(page) > limit; more {
		page = page[:limit]
	}
	return page, more, nil
}
