package modem

import (
	"context"
	"errors"

	"github.com/pinferry/pinferry/otp"
)

// Memory keeps what a gateway must know after a restart of the box: which PINs
// a SIM has refused, which service centre it had, and parts of SMS that no stick
// has any more. A box that forgot the first would block the SIM, one wrong PIN at
// each start (F9).
type Memory interface {
	// Load returns the value under key, nil if there is none.
	Load(ctx context.Context, key string) ([]byte, error)
	// Save keeps value under key, durably when it returns nil. A value of no
	// octets forgets the key.
	Save(ctx context.Context, key string, value []byte) error
}

// NewMemory returns a memory in the rows of [otp.KindModem].
func NewMemory(store otp.Store) Memory { return lasting{store} }

// memoryVersion stands before every value, so that a later build can tell a
// shape of ours from its own.
const memoryVersion = 1

var errMemory = errors.New("the value is of another version")

// lasting is a memory in the box's store.
type lasting struct{ store otp.Store }

func (m lasting) Load(ctx context.Context, key string) (value []byte, err error) {
	err = m.store.View(ctx, func(tx otp.Tx) error {
		row, found := tx.Get(otp.Key{Kind: otp.KindModem, Part: key})
		if !found {
			return nil
		}
		if len(row) == 0 || row[0] != memoryVersion {
			return errMemory
		}
		value = row[1:]
		return nil
	})
	return value, err
}

func (m lasting) Save(ctx context.Context, key string, value []byte) error {
	row := append([]byte{memoryVersion}, value...)
	return m.store.Update(ctx, func(tx otp.Tx) error {
		k := otp.Key{Kind: otp.KindModem, Part: key}
		if len(value) == 0 {
			tx.Delete(k)
		} else {
			tx.Put(k, row, 0)
		}
		return nil
	})
}

// fleeting is the memory of a gateway that was given none: it lives as long as
// the gateway. Only the gateway's owner may use it.
type fleeting map[string][]byte

func (m fleeting) Load(_ context.Context, key string) ([]byte, error) { return m[key], nil }

func (m fleeting) Save(_ context.Context, key string, value []byte) error {
	m[key] = value
	return nil
}
