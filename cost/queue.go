package cost

import "math"

// A Queue says how long processors of one machine wait for each other's locks. It follows from the order in which
// they come and from their virtual time, and from nothing else.
//
// Processors are simulated one after the other, so one can come that is some microseconds behind those that have been
// before it. It gets the first gap in which there is room for it, and need not wait for what came later than it.
type Queue struct {
	holds [events]Hold
	halt  Hold
	busy  [locks][]span
}

// NewQueue returns one for a machine that is charged by this model.
func NewQueue(m Model) *Queue {
	q := &Queue{halt: m.HaltHold()}
	for _, e := range Events() {
		q.holds[e] = m.Hold(e)
	}
	return q
}

// Wait has a processor come at now, in virtual nanoseconds, for n events. It returns what it waits for, and for how long.
func (q *Queue) Wait(e Event, n uint64, now int64) (l Lock, ns int64) {
	if e >= events {
		return Unlocked, 0
	}
	h := q.holds[e]
	if h.NS > 0 && n > uint64(math.MaxInt64/h.NS) {
		return h.Lock, 0 // time is over before that
	}
	return h.Lock, q.take(h.Lock, now, h.NS*int64(n))
}

// A span is when a lock is held.
type span struct{ start, end int64 }

// spans bounds how many spans of a lock are kept, of those that do not touch each other: the latest. More than that are
// never within reach of a processor that is behind.
const spans = 256

// Halt has a processor come at now, in virtual nanoseconds, to be put aside by the host. It returns what it waits for,
// and for how long.
func (q *Queue) Halt(now int64) (l Lock, ns int64) {
	return q.halt.Lock, q.take(q.halt.Lock, now, q.halt.NS)
}

// take has a processor that comes at now hold the lock for ns, as soon as it is free, and returns how long it waits for
// that. A processor that holds nothing, or for no time, does not wait.
func (q *Queue) take(l Lock, now, ns int64) (waits int64) {
	if l == Unlocked || l >= locks || ns <= 0 || now < 0 || now > math.MaxInt64/4 || ns > math.MaxInt64/4 {
		return 0
	}
	busy := q.busy[l]
	start, at := now, len(busy) // where the new span goes: before busy[at]
	for at > 0 && busy[at-1].end > now {
		at--
	}
	for ; at < len(busy) && busy[at].start < start+ns; at++ {
		start = max(start, busy[at].end)
	}
	end := start + ns
	before, after := at > 0 && busy[at-1].end == start, at < len(busy) && busy[at].start == end
	switch {
	case before && after:
		busy[at-1].end = busy[at].end
		busy = append(busy[:at], busy[at+1:]...)
	case before:
		busy[at-1].end = end
	case after:
		busy[at].start = start
	default:
		busy = append(busy, span{})
		copy(busy[at+1:], busy[at:])
		busy[at] = span{start, end}
		if len(busy) > spans {
			busy = busy[:copy(busy, busy[1:])]
		}
	}
	q.busy[l] = busy
	return start - now
}
