package otp

import (
	"container/heap"
	"slices"
)

// entry is a queued message in the dispatcher's index. The record in the store
// is the truth; the entry only says where to look and when.
type entry struct {
	id       ID
	ticket   int64 // its place among those of its priority
	priority Priority
	channel  string
	since    Time // when it was accepted
	notBefore,
	deadline Time
	// due is until when it should be handed over: a pool that takes longer is
	// passed over for the next.
	due           Time
	avoid, barred []string
	here          string // the route that may try once more before another does
	test          bool   // of an app in test mode
	// maybe names the route and number of an attempt that may have reached the
	// handset, so that a late word from the network can find it.
	maybeRoute, maybeDial string
	gone                  bool // left the queue; the heaps drop it when they come to it
	ending                bool // has its place in the heap of deadlines
}

func newEntry(m *Message, test bool, ticket int64) *entry {
	e := &entry{
		id: m.ID, ticket: ticket, priority: m.Priority, channel: m.Channel, since: m.Created,
		deadline: m.Deadline, due: m.Created.Add(patience(m.Deadline.Sub(m.Created))),
		avoid: m.Avoid, barred: m.Barred, here: m.Here, test: test,
	}
	if m.MaybeSent > 0 {
		e.maybeRoute, e.maybeDial = m.MaybeRoute, m.Address.Dial
	}
	return e
}

// queue is the dispatcher's index of accepted messages. Codes come first, then
// messages of high, then of normal priority; each in the order of their tickets.
type queue struct {
	lines   [PriorityCode + 1][]*entry
	delayed timeHeap // by notBefore
	ends    timeHeap // by deadline; holds what is gone until it is compacted
	waiting map[ID]Priority
	counts  [PriorityCode + 1]int // of those that wait
}

// push queues an entry. A message that waits already is left where it is: one
// accepted while the index was being rebuilt is told of twice.
func (q *queue) push(e *entry, now Time) {
	if _, twice := q.waiting[e.id]; twice {
		return
	}
	if q.waiting == nil {
		q.waiting = map[ID]Priority{}
	}
	q.waiting[e.id] = e.priority
	q.counts[e.priority]++
	if !e.ending { // one that comes back after a fault has its place still
		e.ending = true
		q.ends.compact(2 * len(q.waiting))
		heap.Push(&q.ends, timed{e.deadline, e})
	}
	if e.notBefore > now {
		heap.Push(&q.delayed, timed{e.notBefore, e})
		return
	}
	q.line(e)
}

// line puts e into its line: at the end, unless somebody admitted later has been
// told of sooner.
func (q *queue) line(e *entry) {
	line := q.lines[e.priority]
	i := len(line)
	for i > 0 && line[i-1].ticket > e.ticket {
		i--
	}
	q.lines[e.priority] = slices.Insert(line, i, e)
}

// ripen moves what was delayed until now into its line.
func (q *queue) ripen(now Time) {
	for len(q.delayed) > 0 && q.delayed[0].at <= now {
		if e := heap.Pop(&q.delayed).(timed).e; !e.gone {
			q.line(e)
		}
	}
}

// expired takes out the entries whose deadline has passed.
func (q *queue) expired(now Time) (out []*entry) {
	for len(q.ends) > 0 && (q.ends[0].at <= now || q.ends[0].e.gone) {
		e := heap.Pop(&q.ends).(timed).e
		e.ending = false
		if !e.gone {
			q.remove(e)
			out = append(out, e)
		}
	}
	return out
}

// oldest returns since when the oldest entry waits, 0 if none does. What is gone
// at the head of a line is dropped: nobody needs to pass it again.
func (q *queue) oldest() (since Time) {
	older := func(e *entry) {
		if since == 0 || e.since < since {
			since = e.since
		}
	}
	for p, line := range q.lines {
		for len(line) > 0 && line[0].gone {
			line = line[1:]
		}
		if q.lines[p] = line; len(line) > 0 {
			older(line[0])
		}
	}
	for _, t := range q.delayed {
		if !t.e.gone {
			older(t.e)
		}
	}
	return since
}

// next returns when ripen or expired have something to do, 0 for never.
func (q *queue) next() Time {
	var t Time
	for _, h := range []timeHeap{q.delayed, q.ends} {
		if len(h) > 0 && (t == 0 || h[0].at < t) {
			t = h[0].at
		}
	}
	return t
}

// take shows the entries to wants in order of priority, and takes out those
// that it wants, until it wants no more.
func (q *queue) take(wants func(*entry) (taken, more bool)) {
	more := true
	for p := len(q.lines) - 1; p >= 0 && more; p-- {
		line := q.lines[p]
		kept := 0 // entries before i that stay
		i := 0
		for ; i < len(line) && more; i++ {
			e, taken := line[i], false
			if e.gone {
				continue
			}
			if taken, more = wants(e); taken {
				q.remove(e)
				continue
			}
			line[kept] = e
			kept++
		}
		switch {
		case i == kept: // nothing taken
		case kept == 0:
			clear(line[:i])
			q.lines[p] = line[i:]
		default:
			q.lines[p] = slices.Delete(line, kept, i)
		}
		if len(q.lines[p]) == 0 {
			q.lines[p] = nil
		}
	}
}

// remove marks e as gone.
func (q *queue) remove(e *entry) {
	e.gone = true
	delete(q.waiting, e.id)
	q.counts[e.priority]--
}

type timed struct {
	at Time
	e  *entry
}

// timeHeap is a heap of entries by a moment of theirs.
type timeHeap []timed

// compact drops what is gone once it outweighs the rest: under load most
// entries leave long before their deadline.
func (h *timeHeap) compact(most int) {
	if len(*h) <= max(most, 256) {
		return
	}
	*h = slices.DeleteFunc(*h, func(t timed) bool {
		t.e.ending = !t.e.gone
		return t.e.gone
	})
	heap.Init(h)
}

func (h timeHeap) Len() int           { return len(h) }
func (h timeHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h timeHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *timeHeap) Push(x any)        { *h = append(*h, x.(timed)) }
func (h *timeHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	(*h)[last] = timed{}
	*h = (*h)[:last]
	return x
}
