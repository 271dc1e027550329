package timeline

import "github.com/tacit-vm/tacit/record"

// A span is one or several operations on memory.
type span struct {
	first, last, cost      int64
	gpa, bytes, operations uint64
	stack                  *record.Stack
}

// spans are in the order of time, and do not overlap. Where they become too many, neighbours are joined.
type spans struct {
	all    []span
	shift  int // those that continue each other are joined if they begin in the same 1<<shift nanoseconds
	joined uint64
}

// maxSpans bounds them: a boot of Linux accepts some hundred times, and one of 64 GiB some thousand times.
const maxSpans = 4096

// blunt is how much finer time is divided where spans are joined that do not continue each other.
const blunt = 6

func (s *spans) add(n span) {
	if k := len(s.all) - 1; k >= 0 && s.all[k].continuedBy(n) && s.all[k].first>>s.shift == n.first>>s.shift {
		s.all[k].join(n)
		s.joined++
		return
	}
	if len(s.all) == maxSpans {
		s.thin()
	}
	s.all = append(s.all, n)
}

// thin makes them at most half as many.
func (s *spans) thin() {
	for s.shift = max(s.shift, firstShift-1); len(s.all) > maxSpans/2; {
		s.shift++
		s.joinAll(s.shift, span.continuedBy)
		s.joinAll(s.shift-blunt, func(span, span) bool { return true })
	}
}

func (s *spans) joinAll(shift int, may func(a, b span) bool) {
	kept := s.all[:1]
	for _, n := range s.all[1:] {
		if last := &kept[len(kept)-1]; last.first>>shift == n.first>>shift && may(*last, n) {
			last.join(n)
			s.joined++
		} else {
			kept = append(kept, n)
		}
	}
	s.all = kept
}

// continuedBy says whether n lies at an end of s and has the same reason.
func (s span) continuedBy(n span) bool {
	return s.stack == n.stack && (s.gpa+s.bytes == n.gpa || n.gpa+n.bytes == s.gpa)
}

func (s *span) join(n span) {
	s.last, s.cost = n.last, s.cost+n.cost
	s.gpa, s.bytes, s.operations = min(s.gpa, n.gpa), s.bytes+n.bytes, s.operations+n.operations
	if s.stack != n.stack {
		s.stack = nil
	}
}
