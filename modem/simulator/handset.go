package simulator

import (
	"context"
	"slices"
	"sync"
	"time"
)

// SMS is one message as the handset's owner reads it.
type SMS struct {
	// To is the number it was sent to: +E.164, or bare digits if the sender
	// gave no international number.
	To string `json:"to"`
	// Text is the whole text; the parts of a long message are joined.
	Text string `json:"text"`
	// At is when the last part arrived; zero if the modem has no clock.
	At time.Time `json:"at,omitzero"`
}

// maxKept is how many messages a handset keeps; the oldest go first.
const maxKept = 10000

// maxPartial is how many incomplete long messages a handset keeps; the oldest
// go first.
const maxPartial = 64

// Handset is the phone that every message arrives at. It is safe for
// concurrent use.
type Handset struct {
	mu      sync.Mutex // guards everything below
	kept    []SMS
	dropped int // how many went before kept[0]
	partial []*partial
	arrived chan struct{} // closed and replaced at each arrival
}

// partial is a long message some of whose parts are missing.
type partial struct {
	to    string
	set   concatenation
	parts []*userData // by sequence number less one; nil: missing
}

func newHandset() *Handset { return &Handset{arrived: make(chan struct{})} }

// Messages returns the messages that arrived, oldest first. A long message
// arrives with its last part.
func (h *Handset) Messages() []SMS {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.kept)
}

// Wait returns the first message, kept or yet to come, that match accepts, or
// ctx's error. match is not called concurrently.
func (h *Handset) Wait(ctx context.Context, match func(SMS) bool) (SMS, error) {
	for next := 0; ; {
		batch, end, arrived := h.since(next)
		if i := slices.IndexFunc(batch, match); i >= 0 {
			return batch[i], nil
		}
		next = end
		select {
		case <-arrived:
		case <-ctx.Done():
			return SMS{}, ctx.Err()
		}
	}
}

// Watch calls fn for each message, kept or yet to come, in order, until ctx
// ends.
func (h *Handset) Watch(ctx context.Context, fn func(SMS)) {
	// No message is the one that is waited for.
	_, _ = h.Wait(ctx, func(s SMS) bool {
		fn(s)
		return false
	})
}

// since returns the messages from number next on, the number after the last,
// and a channel that is closed when another arrives.
func (h *Handset) since(next int) ([]SMS, int, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	first := min(max(next-h.dropped, 0), len(h.kept))
	return slices.Clone(h.kept[first:]), h.dropped + len(h.kept), h.arrived
}

// receive takes one part; a message of one part is complete with it.
func (h *Handset) receive(s submission, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	parts := []*userData{&s.data}
	if s.set.total > 1 {
		if parts = h.collect(s); parts == nil {
			return
		}
	}
	h.kept = append(h.kept, SMS{To: s.to, Text: join(parts), At: at})
	if len(h.kept) > maxKept {
		h.kept = slices.Delete(h.kept, 0, 1)
		h.dropped++
	}
	close(h.arrived)
	h.arrived = make(chan struct{})
}

// collect adds a part and returns all parts once none is missing, else nil. A
// part that comes twice replaces the first: a sender may reuse a reference.
func (h *Handset) collect(s submission) []*userData {
	i := slices.IndexFunc(h.partial, func(p *partial) bool {
		return p.to == s.to && p.set == s.set
	})
	if i < 0 {
		if len(h.partial) == maxPartial {
			h.partial = slices.Delete(h.partial, 0, 1)
		}
		h.partial = append(h.partial, &partial{to: s.to, set: s.set, parts: make([]*userData, s.set.total)})
		i = len(h.partial) - 1
	}
	parts := h.partial[i].parts
	parts[s.sequence-1] = &s.data
	if slices.Contains(parts, nil) {
		return nil
	}
	h.partial = slices.Delete(h.partial, i, i+1)
	return parts
}
