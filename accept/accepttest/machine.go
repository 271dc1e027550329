package accepttest

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/tacit-vm/tacit/accept"
)

// A Machine is a guest's memory as its firmware leaves it.
type Machine struct {
	Accepted, Unaccepted []accept.Range // what an allocator gets
	Foreign              []accept.Range // unaccepted, and somebody else's
}

// RandomMachine returns a machine with so many units of memory or a few more, in several ranges of all shapes: some in
// whole units, some of a few pages, with gaps between and without.
func RandomMachine(r *rand.Rand, units int) (m Machine) {
	at := r.Uint64N(4) * accept.UnitSize
	for end := at + uint64(units)*accept.UnitSize; at < end; {
		if r.IntN(3) == 0 { // a gap, or another size of range
			at += r.Uint64N(3*accept.UnitSize) &^ (accept.PageSize - 1)
		}
		size := (1 + r.Uint64N(uint64(units))) * accept.UnitSize
		switch r.IntN(4) {
		case 0:
			size = 1 + r.Uint64N(4*accept.UnitSize)
		case 1:
			size -= at % accept.UnitSize // up to the end of a unit
		}
		piece := accept.Range{Start: at, End: at + max(size&^(accept.PageSize-1), accept.PageSize)}
		at = piece.End
		switch n := r.IntN(8); {
		case n >= 3 || len(m.Unaccepted) == 0:
			m.Unaccepted = append(m.Unaccepted, piece)
		case n > 0:
			m.Accepted = append(m.Accepted, piece)
		default:
			m.Foreign = append(m.Foreign, piece)
		}
	}
	return m
}

// RAM returns all memory of m that is for an allocator.
func (m Machine) RAM() []accept.Range {
	return append(append([]accept.Range(nil), m.Accepted...), m.Unaccepted...)
}

// joined returns the memory of a and b in ascending order, with ranges that touch made one, as firmware does.
func joined(a, b []accept.Range) (all []accept.Range) {
	sorted := append(append([]accept.Range(nil), a...), b...)
	slices.SortFunc(sorted, func(x, y accept.Range) int { return cmp.Compare(x.Start, y.Start) })
	for _, r := range sorted {
		if n := len(all); n > 0 && all[n-1].End == r.Start {
			all[n-1].End = r.End
			continue
		}
		all = append(all, r)
	}
	return all
}

// Start does what a guest does first: it makes a bitmap of what is unaccepted and has accepted what has no place there.
// The tracker has so many slots for claims.
func (m Machine) Start(slots int) (*Memory, *accept.Tracker, error) {
	unaccepted := joined(m.Unaccepted, m.Foreign)
	memory := NewMemory(m.Accepted, unaccepted)
	for _, r := range m.Foreign {
		memory.change(r, foreign, 0)
	}
	var span accept.Range
	for _, r := range unaccepted {
		span = span.Union(r)
	}
	h := accept.HeaderFor(span)
	bitmap, err := h.Bitmap(make([]byte, h.Size))
	if err != nil {
		return nil, nil, err
	}
	for _, r := range unaccepted {
		head, tracked, tail := accept.Split(r, bitmap.Span())
		for _, piece := range []accept.Range{head, tail} {
			if piece.Empty() {
				continue
			}
			if err := memory.Accept(piece); err != nil {
				return nil, nil, err
			}
		}
		bitmap.Mark(tracked)
	}
	return memory, &accept.Tracker{Bitmap: bitmap, Lock: NewMonitor(), Claims: make([]accept.Range, slots)}, nil
}
