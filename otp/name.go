package otp

import "encoding/base64"

// sealName encrypts the name of a row, so that it can be handed out and come
// back. The same name is sealed the same way: its nonce is derived from it, under
// a key of its own, so no nonce meets two names.
func (k *Keys) sealName(name string) string {
	d := k.Seal("pinferry name v1", []byte(name))
	nonce := d[:k.texts.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(k.texts.Seal(nonce, nonce, []byte(name), []byte(nameLabel)))
}

const nameLabel = "name"

// openName decrypts what sealName made.
func (k *Keys) openName(sealed string) (name string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || base64.RawURLEncoding.EncodeToString(raw) != sealed {
		return "", false // one name has one spelling
	}
	if n := k.texts.NonceSize(); len(raw) >= n {
		plain, err := k.texts.Open(nil, raw[:n], raw[n:], []byte(nameLabel))
		return string(plain), err == nil
	}
	return "", false
}
