package otp

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// Notice is something that an operator may want to see happen. It holds no code
// and no text, and numbers are masked.
type Notice struct {
	Seq uint64 // 1 is the first since the start of the box
	At  Time
	// Type is "verification." or "message." and a state, "verification.refused",
	// "inbound.received", "route." and a state, "operator.refused", or "admin."
	// and an action.
	Type  string
	App   string
	ID    ID     // of the verification, message or received SMS
	Route string // of a message or a route
	To    string // a masked number
	// Reason is why: of a message or a route, or the code of a refusal.
	Reason string
	// Text says more, where there is more: the target of an action, the address of
	// who tried to get in.
	Text string
	// Times is how often the same happened in a row.
	Times int
}

// feedLength is how many notices are kept.
const feedLength = 256

// feedFold is how close two refusals of one kind come to be shown as one: a
// flood of them must not wash away what else happens.
const feedFold = 30 * time.Second

// Feed is the last that happened, in memory. The nil Feed keeps nothing. Its
// methods may be called from any goroutine, and from within a closure: they
// never wait.
type Feed struct {
	mu      sync.Mutex
	notices []Notice // the newest last
	seq     uint64
	readers map[chan struct{}]bool
}

// NewFeed returns an empty feed.
func NewFeed() *Feed { return &Feed{readers: map[chan struct{}]bool{}} }

func (f *Feed) tell(n Notice) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seq++
	n.Seq, n.Times = f.seq, 1
	if last := len(f.notices) - 1; last >= 0 && f.notices[last].folds(&n) {
		n.Times += f.notices[last].Times
		f.notices = f.notices[:last]
	}
	f.notices = append(f.notices, n)
	if len(f.notices) == 2*feedLength {
		f.notices = append(f.notices[:0], f.notices[feedLength:]...)
	}
	for reader := range f.readers {
		select {
		case reader <- struct{}{}:
		default: // it knows already
		}
	}
}

// folds tells whether next is one more of the same refusal.
func (n *Notice) folds(next *Notice) bool {
	return n.Type == noticeRefused && next.Type == n.Type && next.App == n.App && next.Reason == n.Reason && next.At.Sub(n.At) < feedFold
}

const noticeRefused = "verification.refused"

// Since returns the notices behind seq, the oldest first, and at most the last
// limit of them.
func (f *Feed) Since(seq uint64, limit int) []Notice {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.notices
	for len(all) > 0 && (all[0].Seq <= seq || len(all) > limit) {
		all = all[1:]
	}
	return append([]Notice{}, all...)
}

// Recall puts what became of the last messages into an empty feed, so that an
// operator sees more than nothing after a restart.
func (f *Feed) Recall(ctx context.Context, d *Desk) error {
	page, _, err := d.Messages(ctx, Filter{}, recalled, "")
	slices.SortFunc(page, func(a, b Message) int { return cmp.Compare(a.Updated, b.Updated) })
	for i := range page {
		if m := &page[i]; m.State != MessageAccepted && m.State != MessageSending {
			f.tell(noticeOf(m, m.Updated))
		}
	}
	return err
}

// recalled is how many messages are looked at after a restart.
const recalled = 20

// Watch returns a channel that holds a token whenever something has happened,
// and what ends it.
func (f *Feed) Watch() (news <-chan struct{}, stop func()) {
	reader := make(chan struct{}, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers[reader] = true
	return reader, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.readers, reader)
	}
}

// started shows and counts a start, or its refusal.
func (b *Box) started(c Caller, p *Progress, err error) {
	if err == nil {
		v := &p.Verification
		b.Feed.tell(Notice{At: v.Created, Type: "verification.started", App: v.App, ID: v.ID, To: v.Address.Masked()})
		return
	}
	switch code := AsError(err).Code; code {
	case LimitPhone, LimitAddress, LimitBox, CountryRefused, NumberRefused, ChannelUnavailable, Busy, StorageLow:
		b.Chart.count(Tally{Refused: 1})
		b.Feed.tell(Notice{At: b.Clock.Now(), Type: noticeRefused, App: c.App.ID, Reason: string(code)})
	}
}

// ended shows that a verification has ended, and counts an approval.
func (b *Box) ended(v *Verification) {
	if v.Status == Approved {
		b.Chart.count(Tally{Approved: 1})
	}
	b.Feed.tell(Notice{At: v.Ended, Type: "verification." + string(v.Status), App: v.App, ID: v.ID, To: v.Address.Masked()})
}

// moved shows and counts the state that a message has reached.
func (b *Box) moved(m *Message, now Time) {
	switch m.State {
	case MessageSent:
		b.Chart.count(Tally{Sent: 1})
	case MessageDelivered:
		b.Chart.count(Tally{Delivered: 1})
	}
	b.Feed.tell(noticeOf(m, now))
}

// noticeOf is the notice of the state of a message.
func noticeOf(m *Message, at Time) Notice {
	return Notice{
		At: at, Type: "message." + string(m.State), App: m.App, ID: m.ID, Route: m.Route, To: m.Address.Masked(), Reason: string(m.Reason),
	}
}
