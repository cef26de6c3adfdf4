package otp

import (
	"slices"

	"github.com/fxamacker/cbor/v2"
)

// knownSources is how many source addresses are remembered of one phone.
const knownSources = 8

// knownRow remembers that an address verified here, and from where.
type knownRow struct {
	_       struct{} `cbor:",toarray"`
	Last    Time
	Sources []knownSource // newest last
}

type knownSource struct {
	_      struct{} `cbor:",toarray"`
	Source cbor.ByteString
	At     Time
}

func knownKey(a Address) Key { return Key{KindKnown, a.Key} }

func loadKnown(tx Tx, a Address) (row knownRow, err error) {
	_, err = load(tx, knownKey(a), &row)
	return row, err
}

// recent tells whether the address verified within knownFor.
func (row *knownRow) recent(now Time) bool { return row.Last != 0 && now.Sub(row.Last) < knownFor }

// from tells whether it did so from this source.
func (row *knownRow) from(source string, now Time) bool {
	return source != "" && slices.ContainsFunc(row.Sources, func(s knownSource) bool {
		return string(s.Source) == source && now.Sub(s.At) < knownFor
	})
}

// verified records a verification.
func (row *knownRow) verified(tx Tx, a Address, source string, now Time) {
	row.Last = now
	if source != "" {
		row.Sources = slices.DeleteFunc(row.Sources, func(s knownSource) bool { return string(s.Source) == source })
		if len(row.Sources) == knownSources {
			row.Sources = row.Sources[1:]
		}
		row.Sources = append(row.Sources, knownSource{Source: cbor.ByteString(source), At: now})
	}
	save(tx, knownKey(a), row, now.Add(knownFor))
}
