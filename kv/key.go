package kv

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// layout is the version of everything this file and the row header decide. A
// database or backup with a higher one is refused.
const layout = 1

// The first byte of every key in the engine. A byte that has once been used
// must never stand for anything else.
const (
	enginePrefix byte = 0x01 // rows of this package: the layout and the sequence
	expiryPrefix byte = 0x02 // slot (4 bytes), number of the commit (8 bytes), both big-endian: see sweep.go
)

// prefixes gives each kind its first byte. It is a table, not arithmetic:
// a kind inserted into the list of kinds must not move the rows of another.
// '!' is the engine's own.
var prefixes = [...]byte{
	otp.KindMeta:         'M',
	otp.KindVerification: 'v',
	otp.KindLive:         'l',
	otp.KindSlot:         's',
	otp.KindMessage:      'm',
	otp.KindOutbox:       'o',
	otp.KindMessageList:  'n',
	otp.KindReference:    'r',
	otp.KindQuota:        'q',
	otp.KindKnown:        'k',
	otp.KindIdempotency:  'i',
	otp.KindUser:         'u',
	otp.KindUserName:     'a',
	otp.KindSession:      'f',
	otp.KindExchange:     'x',
	otp.KindInbound:      'b',
	otp.KindInboundList:  'c',
	otp.KindOptOut:       'p',
	otp.KindTextBack:     't',
	otp.KindEvent:        'e',
	otp.KindDeadEvent:    'd',
	otp.KindModem:        'g',
	otp.KindProof:        'w',
	otp.KindTextBackList: 'L',
	otp.KindAudit:        'h',
	otp.KindChart:        'z',
	otp.KindOperator:     'y',
	otp.KindSignIn:       'j',
}

var (
	layoutKey   = []byte{enginePrefix, 'l'}
	sequenceKey = []byte{enginePrefix, 's'}
)

// maxPart bounds Key.Part, well below what the engine can hold: one closure's
// oversized key must fail that closure and not the commit of its neighbours.
const maxPart = 4096

// appendKey appends the engine's key of k. A kind without a prefix is a defect
// of this build, found by the test over otp.Kinds.
func appendKey(dst []byte, k otp.Key) []byte {
	if int(k.Kind) >= len(prefixes) || prefixes[k.Kind] == 0 {
		panic(fmt.Sprintf("kind %d has no prefix", k.Kind))
	}
	return append(append(dst, prefixes[k.Kind]), k.Part...)
}

// known tells whether a key begins as one that this build writes.
func known(key []byte) bool {
	return len(key) > 0 && key[0] != 0 &&
		(key[0] == enginePrefix || key[0] == expiryPrefix || bytes.IndexByte(prefixes[:], key[0]) >= 0)
}

// A row is its slot in 4 bytes, big-endian, and then the value. The slot says
// when the sweep may take the row: when slot x slotWidth has passed in box
// time; slot 0 is never.
const (
	rowHeader = 4
	slotWidth = 10 * time.Minute
)

// slotOf returns the slot of a row that must be kept until the given time. It
// is coarse so that a row whose until moves with every event, as a quota's
// does, rewrites its expiry row once per width and not once per event.
func slotOf(until otp.Time) uint32 {
	const width = otp.Time(slotWidth / time.Millisecond)
	switch {
	case until == 0 || until/width >= math.MaxUint32:
		return 0
	case until < 0:
		return 1
	}
	return uint32((until-1)/width) + 1
}

// ended tells whether all of a slot has passed at now.
func ended(slot uint32, now otp.Time) bool {
	return slot != 0 && otp.Time(slot)*otp.Time(slotWidth/time.Millisecond) < now
}

// newRow returns the row of a value.
func newRow(slot uint32, value []byte) []byte {
	row := make([]byte, rowHeader, rowHeader+len(value))
	binary.BigEndian.PutUint32(row, slot)
	return append(row, value...)
}

// rowSlot returns the slot of a row; one too short to have a header has none.
func rowSlot(row []byte) uint32 {
	if len(row) < rowHeader {
		return 0
	}
	return binary.BigEndian.Uint32(row)
}

// expiryKey returns the key of the row that lists what a commit put into slot.
func expiryKey(slot uint32, commit uint64) []byte {
	key := binary.BigEndian.AppendUint32([]byte{expiryPrefix}, slot)
	return binary.BigEndian.AppendUint64(key, commit)
}

// expirySlot returns the slot in an expiry row's key.
func expirySlot(key []byte) (slot uint32, ok bool) {
	if len(key) != 1+4+8 || key[0] != expiryPrefix {
		return 0, false
	}
	return binary.BigEndian.Uint32(key[1:]), true
}

// appendTarget appends a key to the value of an expiry row.
func appendTarget(list, key []byte) []byte {
	return append(binary.AppendUvarint(list, uint64(len(key))), key...)
}

// targets reads the value of an expiry row.
func targets(list []byte) (keys [][]byte, ok bool) {
	for len(list) > 0 {
		n, width := binary.Uvarint(list)
		if width <= 0 || n == 0 || n > uint64(len(list)-width) {
			return nil, false
		}
		end := width + int(n)
		keys = append(keys, list[width:end:end])
		list = list[end:]
	}
	return keys, true
}
