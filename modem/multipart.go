package modem

import (
	"bytes"
	"slices"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// The bounds of long SMS of which parts are missing.
const (
	maxSets = 100
	setLife = 10 * time.Minute // from its first part; then what came of it is dropped
)

// setName tells the parts of one long SMS from those of another.
type setName struct {
	from      string
	reference int
	wide      bool // the reference has 16 bits
	total     int
}

// place is where an SMS is stored: an index of a memory. The zero place is
// nowhere.
type place struct {
	memory string
	index  int
}

// set is a long SMS some of whose parts are missing.
type set struct {
	name   setName
	parts  []*delivery // by number less one; nil: missing
	places []place     // where they are stored, alike
	old    <-chan time.Time
}

// letter is a whole SMS for the box, with the places that it frees.
type letter struct {
	in      otp.Incoming
	places  []place
	parts   []*delivery
	apart   []*delivery // those that are stored nowhere
	confirm bool        // the network waits for an acknowledgement
}

// sets are the long SMS that are being put together. Only the gateway's owner
// may use them.
type sets struct {
	all  []*set // the oldest first
	lost int    // how many were dropped
}

// add takes a part, and returns the whole SMS if it was the last one missing;
// an SMS that stands alone is whole at once. dropped are the places of parts
// that are wanted no more.
func (s *sets) add(d *delivery, at place) (whole *letter, dropped []place) {
	if d.set.total == 0 {
		return newLetter([]*delivery{d}, []place{at}), nil
	}
	i := slices.IndexFunc(s.all, func(old *set) bool { return old.name == d.set })
	if i < 0 {
		if len(s.all) == maxSets {
			dropped = s.drop(0)
		}
		s.all = append(s.all, &set{
			name: d.set, parts: make([]*delivery, d.set.total), places: make([]place, d.set.total), old: time.After(setLife),
		})
		i = len(s.all) - 1
	}
	this := s.all[i]
	n := d.number - 1
	if old := this.places[n]; old != (place{}) && old != at {
		dropped = append(dropped, old) // it came twice, or its sender has used the reference again
	}
	if at == (place{}) && this.parts[n] != nil && bytes.Equal(this.parts[n].body.units, d.body.units) {
		at = this.places[n]
	}
	this.parts[n], this.places[n] = d, at
	if slices.Contains(this.parts, nil) {
		return nil, dropped
	}
	s.all = slices.Delete(s.all, i, i+1)
	return newLetter(this.parts, this.places), dropped
}

func newLetter(parts []*delivery, places []place) *letter {
	bodies := make([]body, len(parts))
	var apart []*delivery
	for i, p := range parts {
		bodies[i] = p.body
		if places[i] == (place{}) {
			apart = append(apart, p)
		}
	}
	return &letter{
		in: otp.Incoming{
			From: parts[0].from, Local: parts[0].local, National: parts[0].within, Text: textOf(bodies), At: parts[0].at, Parts: len(parts),
		},
		places: slices.DeleteFunc(slices.Clone(places), func(p place) bool { return p == place{} }),
		parts:  parts, apart: apart,
	}
}

// expire drops the sets that have waited too long, and returns the places that
// they free.
func (s *sets) expire() (freed []place) {
	for len(s.all) > 0 {
		select {
		case <-s.all[0].old:
			freed = append(freed, s.drop(0)...)
		default:
			return freed
		}
	}
	return freed
}

// drop forgets set i and returns the places that it frees.
func (s *sets) drop(i int) []place {
	freed := slices.DeleteFunc(s.all[i].places, func(p place) bool { return p == place{} })
	s.all = slices.Delete(s.all, i, i+1)
	s.lost++
	return freed
}

// unplace forgets where the parts are stored: another SIM may stand behind the
// next session.
func (s *sets) unplace() {
	for _, one := range s.all {
		clear(one.places)
	}
}
