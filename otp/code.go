package otp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Keys are the keys that stand outside the database, all derived from the box
// key. Whoever holds a dump of the database without them holds no code.
type Keys struct {
	code, idempotency []byte
	// seals is what the key of each label of Seal is derived from.
	seals       []byte
	texts       cipher.AEAD
	fingerprint [8]byte
}

// NewKeys derives the keys from the box key, which must hold at least 32 bytes.
func NewKeys(box []byte) (*Keys, error) {
	if len(box) < 32 {
		return nil, fmt.Errorf("the box key has %d bytes, 32 are needed", len(box))
	}
	derive := func(label string) []byte {
		return must(hkdf.Key(sha256.New, box, nil, label, 32))
	}
	k := &Keys{
		code:        derive("pinferry code v1"),
		idempotency: derive("pinferry idempotency v1"),
		seals:       derive("pinferry seals v1"),
		texts:       must(cipher.NewGCM(must(aes.NewCipher(derive("pinferry texts v1"))))),
	}
	copy(k.fingerprint[:], derive("pinferry fingerprint v1"))
	return k, nil
}

// epoch dies with every restore, change of the box key and loss of data, and
// all live codes with it.
type epoch struct {
	_     struct{} `cbor:",toarray"`
	Value [16]byte
	Key   [8]byte // fingerprint of the box key it belongs to
}

var epochKey = Key{KindMeta, "epoch"}

// Open makes sure that the store has an epoch of this box key. lost says that
// rows may be missing: every live code dies. It reports whether the epoch was
// replaced.
func (k *Keys) Open(tx Tx, lost bool) (replaced bool, err error) {
	var e epoch
	found, err := load(tx, epochKey, &e)
	if err != nil {
		return false, err
	}
	if found && e.Key == k.fingerprint && !lost {
		return false, nil
	}
	e = epoch{Key: k.fingerprint}
	rand.Read(e.Value[:])
	save(tx, epochKey, e, 0)
	return true, nil
}

func replaceEpoch(tx Tx) error {
	var e epoch
	if _, err := load(tx, epochKey, &e); err != nil {
		return err
	}
	rand.Read(e.Value[:])
	save(tx, epochKey, e, 0)
	return nil
}

// Derive returns the digits of a verification's live code:
//
//	dec(HMAC-SHA-256(K, "pinferry code v1" | epoch[16] | id[16] | generation u32 | length u8) mod 10^length)
//
// left-padded with zeros. The result must not leave the message that is being
// encoded or the comparison that is being made.
func (k *Keys) Derive(tx Tx, v *Verification) (string, error) {
	e, err := loadEpoch(tx)
	if err != nil {
		return "", err
	}
	return k.derive(e, v), nil
}

// loadEpoch reads the epoch, for closures that derive many codes.
func loadEpoch(tx Tx) (e epoch, err error) {
	found, err := load(tx, epochKey, &e)
	if err == nil && !found {
		err = errors.New("the store has no epoch")
	}
	return e, err
}

func (k *Keys) derive(e epoch, v *Verification) string {
	mac := hmac.New(sha256.New, k.code)
	mac.Write([]byte("pinferry code v1"))
	mac.Write(e.Value[:])
	mac.Write(v.ID[:])
	var tail [5]byte
	binary.BigEndian.PutUint32(tail[:4], v.Generation)
	tail[4] = v.Length
	mac.Write(tail[:])
	return decimalCode(mac.Sum(nil), int(v.Length))
}

// decimalCode reduces a 256-bit number modulo 10^length: the bias is below
// 2^-220, where `byte % 10` would favour 0 to 5.
func decimalCode(sum []byte, length int) string {
	modulus := uint64(1)
	for range length {
		modulus *= 10
	}
	var rest uint64
	for ; len(sum) > 0; sum = sum[8:] {
		_, rest = bits.Div64(rest, binary.BigEndian.Uint64(sum), modulus)
	}
	digits := strconv.FormatUint(rest, 10)
	return strings.Repeat("0", length-len(digits)) + digits
}

// sealText encrypts the text of a plain message at rest, bound to its id.
func (k *Keys) sealText(message ID, text string) []byte {
	nonce := make([]byte, k.texts.NonceSize(), k.texts.NonceSize()+len(text)+k.texts.Overhead())
	rand.Read(nonce)
	return k.texts.Seal(nonce, nonce, []byte(text), message[:])
}

// openText decrypts what sealText made.
func (k *Keys) openText(message ID, sealed []byte) (string, error) {
	n := k.texts.NonceSize()
	if len(sealed) < n {
		return "", fmt.Errorf("the sealed text of message %s is cut short", message)
	}
	text, err := k.texts.Open(nil, sealed[:n], sealed[n:], message[:])
	if err != nil {
		return "", fmt.Errorf("open the sealed text of message %s: %w", message, err)
	}
	return string(text), nil
}

// digest returns a keyed digest of a client's idempotency key or body, so that
// the store holds neither.
func (k *Keys) digest(parts ...string) [32]byte { return macOf(k.idempotency, parts) }

// Seal returns HMAC-SHA-256 over parts, each behind its length, under a key of
// its own for each label, such as "pinferry refresh v1". What is sealed with it
// dies with the box key.
func (k *Keys) Seal(label string, parts ...[]byte) [32]byte {
	return macOf(must(hkdf.Expand(sha256.New, k.seals, label, 32)), parts)
}

// macOf puts a length before each part: no two lists of parts look the same.
func macOf[T string | []byte](key []byte, parts []T) [32]byte {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		var size [4]byte
		binary.BigEndian.PutUint32(size[:], uint32(len(p)))
		mac.Write(size[:])
		mac.Write([]byte(p))
	}
	return [32]byte(mac.Sum(nil))
}
