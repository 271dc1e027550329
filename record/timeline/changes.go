package timeline

import (
	"cmp"
	"slices"
)

// maxChanges bounds how many changes are kept.
const maxChanges = 8192

// changed takes a change of one unit.
func (s *space) changed(c Change) {
	if n := len(s.changes) - 1; n >= 0 {
		if l := &s.changes[n]; l.To == c.To && l.NS>>s.shift == c.NS>>s.shift {
			switch {
			case l.First+l.Units == c.First:
				l.Units++
				s.joined++
				return
			case c.First+1 == l.First:
				l.First, l.Units = c.First, l.Units+1
				s.joined++
				return
			}
		}
	}
	if len(s.changes) == maxChanges {
		s.thin()
	}
	s.changes = append(s.changes, c)
}

// thin makes the changes at most half as many: of those that happen within some time, what comes of them stays.
func (s *space) thin() {
	before := len(s.changes)
	for s.shift = max(s.shift, firstShift-1); len(s.changes) > maxChanges/2 && s.shift < lastShift; {
		s.shift++
		var kept []Change
		for all := s.changes; len(all) > 0; {
			n := slices.IndexFunc(all, func(c Change) bool { return c.NS>>s.shift != all[0].NS>>s.shift })
			if n < 0 {
				n = len(all)
			}
			kept = append(kept, settled(all[:n])...)
			all = all[n:]
		}
		s.changes = kept
	}
	if len(s.changes) > maxChanges/2 { // a pattern all over memory: the largest stay
		slices.SortStableFunc(s.changes, func(a, b Change) int { return cmp.Compare(b.Units, a.Units) })
		s.changes = s.changes[:maxChanges/2]
		slices.SortStableFunc(s.changes, func(a, b Change) int { return cmp.Or(cmp.Compare(a.NS, b.NS), cmp.Compare(a.First, b.First)) })
	}
	s.joined += uint64(before - len(s.changes))
}

// settled returns what comes of changes that happen one after the other, as if it happened with the last.
func settled(all []Change) []Change {
	if len(all) == 1 {
		return all
	}
	// Between two neighbouring edges, all units become the same: what the last change says that is about them.
	var edges []uint32
	for _, c := range all {
		edges = append(edges, c.First, c.First+c.Units)
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	to := make([]State, len(edges))
	open := make([]int, len(edges)) // the first from here on that has no state yet
	for i := range open {
		to[i], open[i] = States, i
	}
	next := func(i int) int {
		for open[i] != i {
			open[i] = open[open[i]]
			i = open[i]
		}
		return i
	}
	for _, c := range slices.Backward(all) {
		first, _ := slices.BinarySearch(edges, c.First)
		for i := next(first); edges[i] < c.First+c.Units; i = next(i) {
			to[i], open[i] = c.To, i+1
		}
	}
	var kept []Change
	for i, state := range to[:len(to)-1] {
		first, units := edges[i], edges[i+1]-edges[i]
		if n := len(kept) - 1; n >= 0 && kept[n].To == state && kept[n].First+kept[n].Units == first {
			kept[n].Units += units
		} else if state != States {
			kept = append(kept, Change{all[len(all)-1].NS, first, units, state})
		}
	}
	return kept
}
