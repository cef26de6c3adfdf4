package kv_test

import (
	"bytes"
	"testing"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/otp"
)

// FuzzKeys: a key in the engine is its kind's prefix and its part, and nothing
// else has the same one; a list of keys is read as it was written, and any
// other bytes are refused or read, never more.
func FuzzKeys(f *testing.F) {
	f.Add(byte(1), "epoch", byte(2), "", []byte{})
	f.Add(byte(3), "app\x00+41791234567", byte(3), "app\x00", []byte{3, 'a', 'b', 'c'})
	f.Add(byte(9), "\xff\xff", byte(10), "\xff", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	kinds := otp.Kinds()
	f.Fuzz(func(t *testing.T, kind1 byte, part1 string, kind2 byte, part2 string, list []byte) {
		one := otp.Key{Kind: kinds[int(kind1)%len(kinds)], Part: part1}
		two := otp.Key{Kind: kinds[int(kind2)%len(kinds)], Part: part2}
		a, b := kv.AppendKey(nil, one), kv.AppendKey(nil, two)
		if string(a[1:]) != part1 || bytes.Equal(a, b) != (one == two) {
			t.Errorf("%v and %v have the keys %x and %x", one, two, a, b)
		}
		got, ok := kv.Targets(kv.AppendTarget(kv.AppendTarget(nil, a), b))
		if !ok || len(got) != 2 || !bytes.Equal(got[0], a) || !bytes.Equal(got[1], b) {
			t.Errorf("a list of two keys is read as %d", len(got))
		}
		if keys, ok := kv.Targets(list); ok {
			var again []byte
			for _, key := range keys {
				again = kv.AppendTarget(again, key)
			}
			if n, _ := kv.Targets(again); len(n) != len(keys) || len(again) > len(list) {
				t.Errorf("a list of %d keys is read again as %d", len(keys), len(n))
			}
		}
	})
}
