package kv

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/pinferry/pinferry/otp"
)

// queue is where closures wait for the writer.
type queue struct {
	mu     sync.Mutex
	calls  []*call // guarded by mu
	closed bool    // guarded by mu; nothing queues any more

	wake  chan struct{} // holds a token when the queue may have grown
	spare sync.Pool     // of *call
}

// call is one Update on its way.
type call struct {
	fn     func(otp.Tx) error
	state  atomic.Int32
	answer chan error // holds one
}

// The states of a call. Whoever moves it out of queued decides its fate: the
// writer runs it, its caller removes it.
const (
	queued int32 = iota
	running
	removed
)

func newQueue() *queue {
	return &queue{
		wake:  make(chan struct{}, 1),
		spare: sync.Pool{New: func() any { return &call{answer: make(chan error, 1)} }},
	}
}

// update queues fn and waits for its answer.
func (q *queue) update(ctx context.Context, fn func(otp.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := q.spare.Get().(*call)
	c.fn = fn
	c.state.Store(queued)
	if !q.push(c) {
		q.release(c)
		return errClosed()
	}
	select {
	case err := <-c.answer:
		q.release(c)
		return err
	case <-ctx.Done():
	}
	if c.state.CompareAndSwap(queued, removed) {
		return ctx.Err() // the writer releases the call when it meets it
	}
	err := <-c.answer
	q.release(c)
	return err
}

// push appends a call; false says that the queue is closed.
func (q *queue) push(c *call) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.calls = append(q.calls, c)
	q.signal()
	return true
}

// release makes a call that nobody waits for any more ready for another use.
func (q *queue) release(c *call) {
	c.fn = nil
	q.spare.Put(c)
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// close refuses further calls.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

// waiting returns how many calls there are and whether no more will come.
func (q *queue) waiting() (calls int, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.calls), q.closed
}

// take returns all calls, in order. empty is an empty slice whose memory the
// queue goes on with.
func (q *queue) take(empty []*call) []*call {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken := q.calls
	q.calls = empty
	return taken
}
