package accept

// A Bitmap says, for every unit of a stretch of guest-physical memory, whether it is still unaccepted.
// Its bits are the caller's, in the layout that Linux has them in memory: a set bit is an unaccepted unit,
// the first bit (the least significant of the first byte) is the unit at the start of [Bitmap.Span].
// [Header.Bitmap] makes one.
//
// Memory outside the span is not tracked; every method takes it for accepted.
//
// A Bitmap is a view of the bits, cheap to copy. Changes from several processors need a lock around them, also of
// different units, which may share a byte. Of bits that change during a call, as those in the memory of a running
// guest may, each is read as it was or as it became.
//
// The zero Bitmap tracks nothing.
type Bitmap struct {
	base uint64 // a multiple of UnitSize
	bits []byte
}

// Span returns the memory that b has bits for. Its ends are multiples of [UnitSize].
func (b Bitmap) Span() Range {
	return Range{b.base, b.base + uint64(len(b.bits))*8*UnitSize}
}

// Mark records that the units which lie wholly in r are unaccepted. A unit of which r holds a part
// has no place in a bitmap: [Split] tells what to do with it.
func (b Bitmap) Mark(r Range) {
	i, n := b.units(r.AlignIn(UnitSize))
	set(b.bits, i, n, 0xff)
}

// Clear records that the units which lie wholly in r have been accepted.
func (b Bitmap) Clear(r Range) {
	i, n := b.units(r.AlignIn(UnitSize))
	set(b.bits, i, n, 0)
}

// Any reports whether any of r is unaccepted.
func (b Bitmap) Any(r Range) bool {
	i, n := b.units(r)
	return find(b.bits, i, n, 0) < n
}

// All reports whether all of r is unaccepted. It is true of an empty range.
func (b Bitmap) All(r Range) bool {
	i, n := b.units(r)
	return r.In(b.Span()) && find(b.bits, i, n, ones) == n
}

// Count returns how many unaccepted units r touches.
func (b Bitmap) Count(r Range) uint64 {
	i, n := b.units(r)
	return count(b.bits, i, n)
}

// Runs yields the unaccepted memory that r touches, in ascending order, in whole units and in the longest
// ranges possible. The ends of r are thus rounded outward. The body of the loop may clear the run it was given.
func (b Bitmap) Runs(r Range) func(yield func(Range) bool) {
	return func(yield func(Range) bool) {
		for {
			run := b.first(r, ^uint64(0))
			if run.Empty() || !yield(run) {
				return
			}
			r.Start = run.End
		}
	}
}

// first returns the first run of unaccepted memory that r touches, in whole units, and at most so many bytes of it,
// a unit or more. It is empty where there is none.
func (b Bitmap) first(r Range, most uint64) Range {
	i, n := b.units(r)
	start := find(b.bits, i, n, 0)
	if start == n {
		return Range{}
	}
	end := find(b.bits, start+1, min(n, start+most/UnitSize), ones)
	return Range{b.base + start*UnitSize, b.base + end*UnitSize}
}

// units returns the indices [i, n) of the units that r touches.
func (b Bitmap) units(r Range) (i, n uint64) {
	r = r.Intersect(b.Span())
	if r.Empty() {
		return 0, 0
	}
	return (r.Start - b.base) / UnitSize, (r.End - b.base + UnitSize - 1) / UnitSize
}
