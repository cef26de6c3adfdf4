package otp_test

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// A code is what its formula says, computed here by other means.
func TestCodeFollowsItsFormula(t *testing.T) {
	box := slices.Repeat([]byte{7}, 32)
	keys, err := otp.NewKeys(box)
	must(t, err)
	store := otptest.NewMemory()
	var epoch []byte
	must(t, store.Update(context.Background(), func(tx otp.Tx) error { _, err := keys.Open(tx, false); return err }))
	must(t, store.View(context.Background(), func(tx otp.Tx) error {
		row, _ := tx.Get(otp.Key{Kind: otp.KindMeta, Part: "epoch"})
		var fields []any
		if err := cbor.Unmarshal(row[1:], &fields); err != nil {
			return err
		}
		epoch = fields[0].([]byte)
		return nil
	}))
	k, err := hkdf.Key(sha256.New, box, nil, "pinferry code v1", 32)
	must(t, err)
	for n := range 500 {
		v := otp.Verification{ID: otp.NewID(), Generation: uint32(n), Length: uint8(6 + n%5)}
		mac := hmac.New(sha256.New, k)
		mac.Write([]byte("pinferry code v1"))
		mac.Write(epoch)
		mac.Write(v.ID[:])
		mac.Write(binary.BigEndian.AppendUint32(nil, v.Generation))
		mac.Write([]byte{v.Length})
		number := new(big.Int).SetBytes(mac.Sum(nil))
		number.Mod(number, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(v.Length)), nil))
		want := fmt.Sprintf("%0*d", v.Length, number)
		must(t, store.View(context.Background(), func(tx otp.Tx) error {
			got, err := keys.Derive(tx, &v)
			if got != want {
				t.Errorf("length %d, generation %d: the code differs from its formula", v.Length, v.Generation)
			}
			return err
		}))
	}
}

// A seal is what its formula says, and each label has a key of its own.
func TestSealFollowsItsFormula(t *testing.T) {
	box := slices.Repeat([]byte{7}, 32)
	keys, err := otp.NewKeys(box)
	must(t, err)
	middle, err := hkdf.Key(sha256.New, box, nil, "pinferry seals v1", 32)
	must(t, err)
	key, err := hkdf.Expand(sha256.New, middle, "pinferry refresh v1", 32)
	must(t, err)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("\x00\x00\x00\x02ab\x00\x00\x00\x00\x00\x00\x00\x01c"))
	got := keys.Seal("pinferry refresh v1", []byte("ab"), nil, []byte("c"))
	if !hmac.Equal(got[:], mac.Sum(nil)) {
		t.Error("the seal differs from its formula")
	}
	other, err := otp.NewKeys(slices.Repeat([]byte{8}, 32))
	must(t, err)
	for name, seal := range map[string][32]byte{
		"another label":    keys.Seal("pinferry refresh v2", []byte("ab"), nil, []byte("c")),
		"another cut":      keys.Seal("pinferry refresh v1", []byte("a"), []byte("b"), []byte("c")),
		"another box key":  other.Seal("pinferry refresh v1", []byte("ab"), nil, []byte("c")),
		"one part less":    keys.Seal("pinferry refresh v1", []byte("ab"), []byte("c")),
		"one empty part":   keys.Seal("pinferry refresh v1", []byte("ab"), nil, []byte("c"), nil),
		"parts in a row":   keys.Seal("pinferry refresh v1", []byte("abc")),
		"nothing, at last": keys.Seal("pinferry refresh v1"),
	} {
		if seal == got {
			t.Errorf("%s has the same seal", name)
		}
	}
}
