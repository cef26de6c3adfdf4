package modem

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxHeld bounds the parts in a hold: the row is written anew for each.
const maxHeld = 64

// hold keeps parts of SMS that no stick has any more and the sink not yet, so
// that they outlive the process. Sticks are asked to store what comes, and keep
// it until the sink has it whole; but some push it all the same, as they do an
// SMS that is to be shown at once, and forget it with the acknowledgement. What
// they say is enciphered. Only the gateway's owner may use it.
type hold struct {
	memory Memory
	key    string // of its row
	cipher cipher.AEAD
	filled bool // as far as is known, there is something in the row
	read   bool // the row of an earlier process was taken over
}

// newHold returns the hold of a gateway. seal is that of [Config].
func newHold(name string, memory Memory, seal func(label string, parts ...[]byte) [32]byte) *hold {
	secret := seal("pinferry parts of SMS v1", []byte(name))
	block, err := aes.NewCipher(secret[:])
	if err == nil {
		var aead cipher.AEAD
		if aead, err = cipher.NewGCM(block); err == nil {
			return &hold{memory: memory, key: "parts\x00" + name, cipher: aead}
		}
	}
	panic(fmt.Sprintf("a key of 32 octets is refused: %v", err)) // cannot be
}

// keep has the row hold these parts, the last of them if there are too many, and
// no others.
func (h *hold) keep(ctx context.Context, parts []*delivery) error {
	if len(parts) == 0 && !h.filled {
		return nil
	}
	var lines []byte
	for _, p := range parts[max(0, len(parts)-maxHeld):] {
		lines = fmt.Appendf(lines, "%d %s\n", p.raw.length, p.raw.pdu)
	}
	if len(lines) > 0 {
		nonce := make([]byte, h.cipher.NonceSize(), h.cipher.NonceSize()+len(lines)+h.cipher.Overhead())
		rand.Read(nonce)
		lines = h.cipher.Seal(nonce, nonce, lines, []byte(h.key))
	}
	if err := h.memory.Save(ctx, h.key, lines); err != nil {
		return fmt.Errorf("keep parts of an SMS: %w", err)
	}
	h.filled = len(lines) > 0
	return nil
}

var errHold = errors.New("the parts that were kept cannot be read")

// recall returns the parts in the row.
func (h *hold) recall(ctx context.Context) ([]*delivery, error) {
	sealed, err := h.memory.Load(ctx, h.key)
	if err != nil {
		return nil, fmt.Errorf("recall parts of an SMS: %w", err)
	}
	n := h.cipher.NonceSize()
	if len(sealed) == 0 {
		return nil, nil
	}
	h.filled = true
	if len(sealed) < n {
		return nil, errHold
	}
	lines, err := h.cipher.Open(nil, sealed[:n], sealed[n:], []byte(h.key))
	if err != nil {
		return nil, errHold // under another box key, as after a restore without it
	}
	var parts []*delivery
	for line := range strings.Lines(string(lines)) {
		length, pdu, _ := strings.Cut(strings.TrimSpace(line), " ")
		octets, err := strconv.Atoi(length)
		if err != nil {
			return nil, errHold
		}
		d, err := parseDelivery(octets, pdu)
		if err != nil {
			return nil, errHold
		}
		parts = append(parts, &d)
	}
	return parts, nil
}

// recall takes over what an earlier process held. It does so once; a store that
// cannot be read is asked again at the next session.
func (m *mailbox) recall(ctx context.Context) {
	if m.hold.read {
		return
	}
	parts, err := m.hold.recall(ctx)
	if m.hold.read = err == nil || errors.Is(err, errHold); err != nil && ctx.Err() == nil {
		m.log.Error().Err(err).Msg("parts of received SMS are missing")
	}
	for _, d := range parts {
		if l, _ := m.sets.add(d, place{}); l != nil {
			m.ready = append(m.ready, l)
		}
	}
}

// secure has the hold keep what no stick has: parts of SMS that are not whole,
// and SMS that the sink has not taken yet.
func (m *mailbox) secure(ctx context.Context) error {
	var apart []*delivery
	for _, l := range m.ready {
		apart = append(apart, l.apart...)
	}
	for _, one := range m.sets.all {
		for n, p := range one.parts {
			if p != nil && one.places[n] == (place{}) {
				apart = append(apart, p)
			}
		}
	}
	limited, cancel := context.WithTimeout(ctx, keepLimit)
	defer cancel()
	return m.hold.keep(limited, apart)
}
