package modem_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// pushing is a box whose stick stores nothing and forgets each SMS as soon as it
// has pushed it.
func pushing(t *testing.T, store otp.Store, key string) (b *bench, push func(pdu []byte)) {
	t.Helper()
	p := &peer{answer: obliging}
	b = &bench{sink: &sink{}, Gateway: modem.New("gsm0", p.open, modem.Config{
		Memory: modem.NewMemory(store),
		Seal: func(label string, parts ...[]byte) [32]byte {
			return sha256.Sum256([]byte(key + label + string(slices.Concat(parts...))))
		},
	})}
	b.stop = start(t, b.Gateway, b.sink)
	b.await(t, otp.RouteReady, "", 3*time.Second)
	return b, func(pdu []byte) {
		p.say(fmt.Sprintf("\r\n+CMT: ,%d\r\n00%X\r\n", len(pdu), pdu))
		time.Sleep(50 * time.Millisecond)
	}
}

// remembered returns what the modems remember.
func remembered(t *testing.T, store otp.Store) (all []string) {
	t.Helper()
	err := store.View(context.Background(), func(tx otp.Tx) error {
		return tx.Scan(otp.Key{Kind: otp.KindModem}, otp.Key{}, 0, func(k otp.Key, row []byte) bool {
			all = append(all, k.Part+" "+string(row))
			return true
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Parts that no stick has any more outlive the box, enciphered, until their SMS
// is whole and the sink has it.
func TestPushedPartsOutliveTheBox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := otptest.NewMemory()
		b, push := pushing(t, store, "key")
		push(part(false, 1, 3, 1, 'a'))
		push(part(false, 1, 3, 3, 'c'))
		b.stop()
		kept := remembered(t, store)
		if len(kept) != 1 || strings.Contains(kept[0], "aaa") || strings.Contains(strings.ToUpper(kept[0]), hex.EncodeToString([]byte("aaa"))) || strings.Contains(kept[0], "9721") {
			t.Fatalf("%d rows, or one that can be read", len(kept))
		}
		b, push = pushing(t, store, "key")
		defer b.stop()
		push(part(false, 1, 3, 2, 'b'))
		b.wantTexts(t, "aaabbbccc")
		if n := len(remembered(t, store)); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

// So does a pushed SMS that the sink could not take.
func TestPushedSMSOutlivesTheBox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := otptest.NewMemory()
		b, push := pushing(t, store, "key")
		b.sink.refuse(true)
		push(part(false, 0, 1, 1, 'a'))
		push(part(false, 1, 2, 1, 'b'))
		b.stop()
		b, push = pushing(t, store, "key")
		defer b.stop()
		push(part(false, 1, 2, 2, 'c'))
		b.wantTexts(t, "aaa", "bbbccc")
		if n := len(remembered(t, store)); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

// What cannot be read, as under another key, ends nothing: it is gone, and the
// next parts are kept again.
func TestHoldUnderAnotherKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := otptest.NewMemory()
		b, push := pushing(t, store, "key")
		push(part(false, 1, 2, 1, 'a'))
		b.stop()
		b, push = pushing(t, store, "another")
		push(part(false, 1, 2, 2, 'b'))
		push(part(false, 2, 2, 1, 'c'))
		b.wantTexts(t)
		b.stop()
		b, push = pushing(t, store, "another")
		defer b.stop()
		push(part(false, 2, 2, 2, 'd'))
		b.wantTexts(t, "cccddd")
	})
}
