package otp

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// Kind says what a row is. The list is closed: a storage engine maps each kind
// to a prefix and knows nothing else of it.
type Kind uint8

// The kinds, and what Part is for each.
const (
	KindMeta         Kind = 1 + iota // a fixed name: "epoch", "clock", "schema"
	KindVerification                 // verification id
	KindLive                         // app, NUL (two for operators), address key: the live verifications of that address
	KindSlot                         // app, NUL, slot: the one verification that a door finds without a handle
	KindMessage                      // message id
	KindOutbox                       // message id, while the message is accepted or sending
	KindMessageList                  // app, NUL, creation time (8 bytes, big-endian), message id
	KindReference                    // route, NUL, digits, NUL, reference byte: the message a report belongs to
	KindQuota                        // class byte, subject: the times of the last events
	KindKnown                        // address key: when, and from where, it last verified here
	KindIdempotency                  // app, NUL, digest of the client's key
	KindUser                         // app, NUL, user id
	KindUserName                     // app, NUL, "+" and address key or "@" and lower-case login name: the user it names
	KindSession                      // family id
	KindExchange                     // SHA-256 of an exchange code
	KindInbound                      // id of a received SMS
	KindInboundList                  // time of arrival (8 bytes, big-endian, inverted), id of a received SMS
	KindOptOut                       // address key: a number that wants nothing from this box
	KindTextBack                     // digest of a text that a verification waits for: that verification
	KindEvent                        // app, NUL, due time (8 bytes, big-endian), event id: an event that the app has not taken yet
	KindDeadEvent                    // creation time (8 bytes, big-endian, inverted), event id: one that its app never took
	KindModem                        // "pin" or "smsc", NUL, what names a SIM, or "parts", NUL, route: what a modem must not forget
	KindProof                        // what names a captcha: one that was solved and shown
	KindTextBackList                 // app, NUL, creation time (8 bytes, big-endian, inverted), verification id: verifications that wait for a text
	KindAudit                        // number (8 bytes, big-endian, inverted): what somebody did to the box
	KindChart                        // beginning of a slot (8 bytes, big-endian): what was counted in it; empty: the last of each
	KindOperator                     // a fixed name: "account"
	KindSignIn                       // SHA-256 of the secret of an operator's sign-in
	kindEnd
)

// Kinds returns every kind, for an engine's table and its test.
func Kinds() []Kind {
	all := make([]Kind, 0, kindEnd-1)
	for k := Kind(1); k < kindEnd; k++ {
		all = append(all, k)
	}
	return all
}

// recordVersion stands before every record. A reader refuses a newer one
// rather than guess.
const recordVersion = 1

// The codec: definite lengths, integer keys, times as integers, and bounds
// small enough that a damaged row cannot ask for much memory.
var (
	recordEncoding = must(cbor.EncOptions{Sort: cbor.SortNone, IndefLength: cbor.IndefLengthForbidden}.UserBufferEncMode())
	recordDecoding = must(cbor.DecOptions{
		MaxArrayElements: 1 << 14, MaxMapPairs: 1 << 14, MaxNestedLevels: 8,
		IndefLength: cbor.IndefLengthForbidden, DupMapKey: cbor.DupMapKeyEnforcedAPF,
	}.DecMode())
)

// recordRooms are where records are encoded; each holds a [*bytes.Buffer].
var recordRooms = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// decodeRecord reads a row into record.
func decodeRecord(row []byte, record any) error {
	if len(row) == 0 {
		return fmt.Errorf("decode %T: the row is empty", record)
	}
	if row[0] != recordVersion {
		return fmt.Errorf("decode %T: the row has version %d, this build reads %d", record, row[0], recordVersion)
	}
	if err := recordDecoding.Unmarshal(row[1:], record); err != nil {
		return fmt.Errorf("decode %T: %w", record, err)
	}
	return nil
}

// load reads the record at k into record, and tells whether there is one.
func load(tx Tx, k Key, record any) (bool, error) {
	row, ok := tx.Get(k)
	if !ok {
		return false, nil
	}
	return true, decodeRecord(row, record)
}

// save writes record at k.
func save(tx Tx, k Key, record any, until Time) {
	room := recordRooms.Get().(*bytes.Buffer)
	room.Reset()
	room.WriteByte(recordVersion)
	if err := recordEncoding.MarshalToBuffer(record, room); err != nil {
		panic(fmt.Sprintf("record %T cannot be encoded: %v", record, err)) // a type of ours that CBOR has no form for
	}
	tx.Put(k, room.Bytes(), until) // the store copies it
	recordRooms.Put(room)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
