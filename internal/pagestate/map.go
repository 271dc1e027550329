// Package pagestate remembers in what state each page of guest memory is, for the platforms that have such states.
package pagestate

import "unsafe"

const (
	fanoutBits = 9
	fanout     = 1 << fanoutBits
	levels     = 4

	// Pages is how many pages a Map has: 256 TiB of address space in pages of 4 KiB.
	Pages = 1 << (fanoutBits * levels)
)

// A Map holds the state of each page of 256 TiB (36 bits of page number). It is a radix tree in which a subtree of one
// state takes no node, so that terabytes of one state take a few bytes, and a guest that fragments its memory as much
// as it can makes it grow to little more than one byte a page (576 bytes for 2 MiB).
type Map[S ~uint8] struct {
	root  node[S]
	count [256]uint64       // pages in each state
	grew  func(bytes int64) // nil where it does not matter
}

// A node divides what it stands for into 512 parts: pages in a node of the lowest level, else what a child stands for.
type node[S ~uint8] struct {
	state [fanout]S  // of the parts that are of one state
	child []*node[S] // nil, or fanout entries, where an entry that is not nil has the states
	split int        // number of children
}

// New returns a map all of whose pages are in state 0.
func New[S ~uint8]() *Map[S] {
	m := &Map[S]{}
	m.count[0] = Pages
	return m
}

// OnGrowth has grew hear how many bytes of the host's memory the map takes more, or less, than before: for what it has
// divided, as it divides it. What it gives back is counted as free at once; the garbage collector comes later.
func (m *Map[S]) OnGrowth(grew func(bytes int64)) { m.grew = grew }

// sized tells of n nodes and lists of children more.
func (m *Map[S]) sized(nodes, lists int64) {
	if m.grew != nil {
		m.grew(nodes*int64(unsafe.Sizeof(node[S]{})) + lists*fanout*int64(unsafe.Sizeof(&m.root)))
	}
}

// Count returns how many pages are in state s.
func (m *Map[S]) Count(s S) uint64 { return m.count[s] }

// At returns the state of a page, by its number, which is below [Pages].
func (m *Map[S]) At(page uint64) S {
	n := &m.root
	for shift := fanoutBits * (levels - 1); ; shift -= fanoutBits {
		i := page >> shift % fanout
		if n.child == nil || n.child[i] == nil {
			return n.state[i]
		}
		n = n.child[i]
	}
}

// Update replaces the state of each page in [first, end) by what f makes of it. f must depend on nothing but the state.
// A range that is not within the map is left alone.
func (m *Map[S]) Update(first, end uint64, f func(S) S) {
	if first < end && end <= Pages {
		m.update(&m.root, fanoutBits*(levels-1), first, end, f)
	}
}

// update does Update for the part [first, end) of n, counted in pages from n's first page. A part of n has 1<<shift
// pages.
func (m *Map[S]) update(n *node[S], shift int, first, end uint64, f func(S) S) {
	part := uint64(1) << shift
	for i := first >> shift; i<<shift < end; i++ {
		lo, hi := max(first, i<<shift)-i<<shift, min(end, (i+1)<<shift)-i<<shift
		child := n.at(i)
		if child == nil {
			from := n.state[i]
			to := f(from)
			if to == from {
				continue
			}
			if lo == 0 && hi == part {
				m.count[from] -= part
				m.count[to] += part
				n.state[i] = to
				continue
			}
			child = m.divide(n, i)
		}
		m.update(child, shift-fanoutBits, lo, hi, f)
		if s, uniform := child.uniform(); uniform {
			m.merge(n, i, s)
		}
	}
}

// Any says whether any page in [first, end) satisfies f. Of a range that is not within the map, none does.
func (m *Map[S]) Any(first, end uint64, f func(S) bool) bool {
	return first < end && end <= Pages && m.root.any(fanoutBits*(levels-1), first, end, f)
}

func (n *node[S]) any(shift int, first, end uint64, f func(S) bool) bool {
	for i := first >> shift; i<<shift < end; i++ {
		if c := n.at(i); c != nil {
			lo, hi := max(first, i<<shift)-i<<shift, min(end, (i+1)<<shift)-i<<shift
			if c.any(shift-fanoutBits, lo, hi, f) {
				return true
			}
		} else if f(n.state[i]) {
			return true
		}
	}
	return false
}

func (n *node[S]) at(i uint64) *node[S] {
	if n.child == nil {
		return nil
	}
	return n.child[i]
}

// divide gives part i of n a node of its own.
func (m *Map[S]) divide(n *node[S], i uint64) *node[S] {
	lists := int64(0)
	if n.child == nil {
		n.child = make([]*node[S], fanout)
		lists = 1
	}
	c := &node[S]{}
	for k := range c.state {
		c.state[k] = n.state[i]
	}
	n.child[i] = c
	n.split++
	m.sized(1, lists)
	return c
}

// merge takes the node of part i of n away.
func (m *Map[S]) merge(n *node[S], i uint64, s S) {
	lists := int64(0)
	n.state[i] = s
	n.child[i] = nil
	if n.split--; n.split == 0 {
		n.child = nil
		lists = -1
	}
	m.sized(-1, lists)
}

// uniform says whether all of n is in one state.
func (n *node[S]) uniform() (S, bool) {
	s := n.state[0]
	if n.split != 0 || n.state[fanout-1] != s { // most are found out here: memory is used from one end
		return 0, false
	}
	for _, v := range n.state[1:] {
		if v != s {
			return 0, false
		}
	}
	return s, true
}
