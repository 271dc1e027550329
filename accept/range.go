package accept

const (
	// PageSize is the smallest piece of memory that can be accepted, in bytes.
	PageSize = 4 << 10

	// UnitSize is the memory that one bit of a [Bitmap] stands for, in bytes: 2 MiB, what one entry of
	// an x86-64 page directory maps (EFI_UNACCEPTED_UNIT_SIZE in Linux's include/linux/efi.h).
	UnitSize = 2 << 20
)

// A Range is the guest-physical memory from Start up to, and not including, End, in bytes.
// Its methods follow those of [image.Rectangle]: a range whose End is not above its Start is empty,
// and an operation with nothing to return returns the zero Range.
//
// [image.Rectangle]: https://pkg.go.dev/image#Rectangle
type Range struct {
	Start, End uint64
}

// Empty reports whether r holds no memory.
func (r Range) Empty() bool { return r.End <= r.Start }

// Len returns the size of r in bytes, 0 if r is empty.
func (r Range) Len() uint64 {
	if r.Empty() {
		return 0
	}
	return r.End - r.Start
}

// In reports whether all of r lies in s. An empty range lies in every range.
func (r Range) In(s Range) bool {
	return r.Empty() || s.Start <= r.Start && r.End <= s.End
}

// Intersect returns the memory that r and s share.
func (r Range) Intersect(s Range) Range {
	return Range{max(r.Start, s.Start), min(r.End, s.End)}.orZero()
}

// Union returns the smallest range that holds both r and s, and with them any gap between the two.
// An empty range adds nothing.
func (r Range) Union(s Range) Range {
	switch {
	case s.Empty():
		return r.orZero()
	case r.Empty():
		return s
	}
	return Range{min(r.Start, s.Start), max(r.End, s.End)}
}

// Contains reports whether the n bytes from addr on lie in one of ranges, which are ascending and disjoint: the memory
// that a machine has, for instance. It is false of no bytes outside all of them, and of bytes beyond 2⁶⁴.
func Contains(ranges []Range, addr, n uint64) bool {
	for _, r := range ranges {
		if addr < r.End {
			return addr >= r.Start && n <= r.End-addr
		}
	}
	return false
}

// AlignIn returns the largest part of r whose ends are multiples of align, a power of two.
func (r Range) AlignIn(align uint64) Range {
	start := up(r.Start, align)
	if start < r.Start { // the next multiple is 2⁶⁴
		return Range{}
	}
	return Range{start, down(r.End, align)}.orZero()
}

// AlignOut returns the smallest range that holds r and whose ends are multiples of align, a power of two.
// The last align bytes below 2⁶⁴, which no range can hold to their end, are left out.
func (r Range) AlignOut(align uint64) Range {
	if r.Empty() {
		return Range{}
	}
	end := up(r.End, align)
	if end < r.End {
		end = down(r.End, align)
	}
	return Range{down(r.Start, align), end}.orZero()
}

// String returns r in the form "[0x100000000, 0x180000000)".
func (r Range) String() string {
	return "[" + hex(r.Start) + ", " + hex(r.End) + ")"
}

func (r Range) orZero() Range {
	if r.Empty() {
		return Range{}
	}
	return r
}

func down(addr, align uint64) uint64 { return addr &^ (align - 1) }
func up(addr, align uint64) uint64   { return down(addr+align-1, align) }
