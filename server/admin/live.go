package admin

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// The figures of the live streams.
const (
	maxStreams  = 8
	streamLife  = 5 * time.Minute  // then the page asks anew: a connection that died unnoticed frees its place
	streamBeat  = 15 * time.Second // between two signs of life
	streamEvery = 2 * time.Second  // between two looks at the overview
	streamLooks = 15               // after which it is sent though nothing has changed
	streamRetry = 3000             // milliseconds until the page connects again
	streamNews  = 50               // events at most at once
)

// LiveTime bounds the answer to GET /admin/live, with what ends it.
const LiveTime = streamLife + time.Minute

// isLive tells the one call that lasts, and is no activity of a person.
func isLive(c *web.Call) bool { return string(c.HTTP.Path()) == LivePath }

// streams are the live streams under way.
type streams struct {
	mu   sync.Mutex
	open []*stream // the oldest first
	shut bool
}

// stream is one of them. end ends it and says why.
type stream struct{ end context.CancelCauseFunc }

// endReason is why a stream has ended, in a word for the page.
type endReason string

func (r endReason) Error() string { return string(r) }

// enter takes a place; the oldest stream gives up its own if there is none.
func (s *streams) enter(life context.Context) (ctx context.Context, leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithCancelCause(life)
	one := &stream{cancel}
	if s.shut {
		cancel(endReason("stopping"))
	}
	if len(s.open) == maxStreams {
		s.open[0].end(endReason("displaced"))
		s.open = s.open[1:]
	}
	s.open = append(s.open, one)
	return ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		cancel(nil)
		for i, other := range s.open {
			if other == one {
				s.open = append(s.open[:i:i], s.open[i+1:]...)
				return
			}
		}
	}
}

// Close ends every live stream, and those that begin later: a page that looks on
// must not hold up a stop.
func (o *Console) Close() {
	o.streams.mu.Lock()
	defer o.streams.mu.Unlock()
	o.streams.shut = true
	for _, s := range o.streams.open {
		s.end(endReason("stopping"))
	}
}

// Live answers GET /admin/live: server-sent events, until the sign-in ends.
func (o *Console) Live(c *web.Call) error {
	life, token, page := c.Life, cookie(c), c.Client.IsValid()
	c.HTTP.SetContentType("text/event-stream")
	c.HTTP.Response.Header.Set("Cache-Control", "no-store")
	c.HTTP.Response.Header.Set("X-Accel-Buffering", "no") // a proxy in between must not wait for the end
	if c.HTTP.IsHead() {
		return nil
	}
	c.HTTP.SetBodyStreamWriter(func(w *bufio.Writer) {
		ctx, leave := o.streams.enter(life)
		defer leave()
		l := live{o: o, w: w}
		if page {
			l.token = token
		}
		l.run(ctx)
	})
	return nil
}

// live is one stream; it belongs to the goroutine that writes it.
type live struct {
	o     *Console
	w     *bufio.Writer
	token string // of the sign-in; "" on the admin socket
	seq   uint64 // of the last event that was sent
	shown string // the overview as it was sent last, but for what moves by itself
	looks int    // at the overview since then
	err   error  // the reader is gone
}

func (l *live) run(ctx context.Context) {
	news, stop := l.o.actions.Feed.Watch()
	defer stop()
	look, beat := time.NewTicker(streamEvery), time.NewTicker(streamBeat)
	defer look.Stop()
	defer beat.Stop()
	over := time.NewTimer(streamLife)
	defer over.Stop()
	fmt.Fprintf(l.w, "retry: %d\n\n", streamRetry)
	for _, n := range l.o.actions.Feed.Since(0, 1) {
		l.seq = n.Seq // what was before is in the overview
	}
	l.overview(ctx)
	for l.err == nil {
		select {
		case <-ctx.Done():
			l.end(context.Cause(ctx))
			return
		case <-over.C:
			l.end(endReason("renew"))
			return
		case <-news:
			if l.events() && l.left(ctx) {
				return
			}
		case <-look.C:
			// What ended it may have been told before it was written.
			if l.left(ctx) {
				return
			}
			l.overview(ctx)
		case <-beat.C:
			fmt.Fprint(l.w, ": beat\n\n")
			l.flush()
		}
	}
}

// left ends the stream if its sign-in has ended, and tells whether it did.
func (l *live) left(ctx context.Context) bool {
	if l.token == "" {
		return false
	}
	_, err := l.o.actions.Operators.Present(ctx, l.token, false)
	if err == nil || otp.AsError(err).Code != otp.Unauthorized {
		return false
	}
	l.end(endReason("signed_out"))
	return true
}

// events sends what has happened. It tells whether something was done to the
// operators' account, by which the sign-in may have ended.
func (l *live) events() (account bool) {
	for _, n := range l.o.actions.Feed.Since(l.seq, streamNews) {
		l.seq = n.Seq
		l.send("event", noticeOf(&n))
		account = account || strings.HasPrefix(n.Type, "admin.operator.")
	}
	l.flush()
	return account
}

// overview sends the overview if it has changed.
func (l *live) overview(ctx context.Context) {
	w, err := l.o.overview(ctx)
	if err != nil {
		return // the next look may do better
	}
	// What moves by itself is no news, but must not stand still for ever.
	same := w
	same.Now, same.Disk.Free, same.Sentence.Detail = 0, 0, ""
	shown, err := json.Marshal(same)
	if l.looks++; err != nil || string(shown) == l.shown && l.looks < streamLooks {
		return
	}
	l.shown, l.looks = string(shown), 0
	l.send("overview", w)
	l.flush()
}

func (l *live) end(why error) {
	reason, ok := why.(endReason)
	if !ok {
		reason = "stopping"
	}
	l.send("end", struct {
		Reason string `json:"reason"`
	}{string(reason)})
	l.flush()
}

// send writes one event. JSON has no line ends of its own here, so that one line
// is all of it.
func (l *live) send(event string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		return
	}
	fmt.Fprintf(l.w, "event: %s\ndata: %s\n\n", event, data)
}

func (l *live) flush() { l.err = l.w.Flush() }
