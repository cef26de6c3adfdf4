package kv

// write is the last thing that was done to a key. A nil row is a delete.
type write struct {
	key string
	row []byte
}

// overlay holds writes that are not committed yet, the newest for each key.
// One stands for a closure under way, one for the closures of the batch that
// succeeded before it. Both belong to the writer goroutine.
type overlay struct {
	index  map[string]int // place in writes by key
	writes []write
	bytes  int // what the writes weigh in a commit, expiry rows included
	keys   int
	expiry map[uint32][]byte // what the batch puts into each slot: values of expiry rows
}

// The bounds of a commit. The writer ends a batch at them, and no closure may
// pass them alone, so a commit weighs less than twice as much, and an expiry
// row for each key of the last closure. The engine takes 15 % of a memtable,
// and a key for every 96 bytes of that. A commit that it refuses would cost the
// box its writes until the next Open.
const (
	maxCalls = 256
	maxBytes = 128 << 10
	maxKeys  = 1000
)

// keyWeight is what a key costs beside its bytes: version, header, checksum.
const keyWeight = 32

func newOverlay() *overlay {
	return &overlay{index: map[string]int{}, expiry: map[uint32][]byte{}}
}

// put records a write. It keeps row.
func (o *overlay) put(key string, row []byte) {
	o.bytes += len(key) + len(row) + keyWeight
	o.keys++
	if rowSlot(row) != 0 { // a place in an expiry row may follow
		o.bytes += len(key) + 2
	}
	if at, ok := o.index[key]; ok {
		o.writes[at].row = row
		return
	}
	o.index[key] = len(o.writes)
	o.writes = append(o.writes, write{key, row})
}

// expire lists the key of a write that is about to be put for the sweep,
// unless the batch has listed it under that slot already. What an earlier
// commit listed is listed again: to look would cost more than the bytes.
func (o *overlay) expire(wr write) {
	slot := rowSlot(wr.row)
	if slot == 0 {
		return
	}
	if at, ok := o.index[wr.key]; ok && rowSlot(o.writes[at].row) == slot {
		return
	}
	if o.expiry[slot] == nil { // a batch may hold as many slots as keys
		o.bytes += len(expiryKey(slot, 0)) + keyWeight
		o.keys++
	}
	o.expiry[slot] = appendTarget(o.expiry[slot], []byte(wr.key))
}

// find returns the write to a key, if there is one; a nil row is a delete.
func (o *overlay) find(key []byte) (row []byte, ok bool) {
	at, ok := o.index[string(key)]
	if !ok {
		return nil, false
	}
	return o.writes[at].row, true
}

// full tells whether the bounds of a commit are reached.
func (o *overlay) full() bool { return o.bytes >= maxBytes || o.keys >= maxKeys }

// reset empties the overlay and keeps its memory, unless it has grown beyond
// what the next batch is likely to need.
func (o *overlay) reset() {
	if len(o.writes) > maxKeys {
		*o = *newOverlay()
		return
	}
	clear(o.index)
	clear(o.writes)
	clear(o.expiry)
	o.writes, o.bytes, o.keys = o.writes[:0], 0, 0
}
