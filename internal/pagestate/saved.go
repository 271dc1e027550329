package pagestate

import "github.com/tacit-vm/tacit/internal/state"

// Carry carries the states of all pages, as runs of pages of one state. It counts with the versions of the parts that have
// a map. States from limit on do not exist. A map that
// reads has to be new.
func (m *Map[S]) Carry(s *state.Stream, limit S) {
	if !s.Reading() {
		m.Runs(func(first, end uint64, of S) {
			n := end - first
			state.Numbers(s, &n)
			state.Numbers(s, &of)
		})
		return
	}
	for at := uint64(0); at < Pages && s.Err() == nil; {
		var n uint64
		var of S
		state.Numbers(s, &n)
		state.Numbers(s, &of)
		if n == 0 || n > Pages-at || of >= limit {
			s.Fail("pages %d to %d in state %d", at, at+n, of)
			return
		}
		m.Update(at, at+n, func(S) S { return of })
		at += n
	}
}

// Runs calls f for each run of pages of one state, [first, end), in ascending order; all pages are in one.
func (m *Map[S]) Runs(f func(first, end uint64, s S)) {
	first, of := uint64(0), m.At(0)
	m.root.runs(0, fanoutBits*(levels-1), func(at uint64, s S) {
		if s != of {
			f(first, at, of)
			first, of = at, s
		}
	})
	f(first, Pages, of)
}

// runs calls f for each part of n that is of one state; n begins at page at.
func (n *node[S]) runs(at uint64, shift int, f func(at uint64, s S)) {
	for i := range uint64(fanout) {
		if c := n.at(i); c != nil {
			c.runs(at+i<<shift, shift-fanoutBits, f)
		} else {
			f(at+i<<shift, n.state[i])
		}
	}
}
