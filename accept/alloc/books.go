package alloc

import "github.com/tacit-vm/tacit/accept"

// books are what the allocator writes down, in memory of the caller's that was all zeros: for each unit its pages and a
// state, and sets of units. Units are counted from the one at base. All zeros is what they are before a unit is
// touched, so that of a large machine's books only those pages are written that are about memory in use.
type books struct {
	base   uint64 // address of the first unit
	units  uint64
	pages  []uint64 // eight words a unit
	states []uint64 // a byte a unit
	sets   [kinds][]uint64
	shape  shape
	listed uint64 // a bit for each set that has members
}

const (
	unitPages = accept.UnitSize / accept.PageSize
	pageWords = unitPages / 64
)

// A kind is what a unit can give. Kinds from one up to guarded have a set each.
type kind uint8

const (
	raw     kind = iota // unaccepted, or no memory of ours
	order0              // the largest free block is a page at most; larger ones follow
	order8  kind = order0 + 8
	whole   kind = order8 + 1 // accepted, and no page is used
	guarded kind = whole + 1  // the same but for the last page, which is held back
	full    kind = guarded + 1
	coming  kind = full + 1 // being accepted: nothing of it is free, nothing in use
	kinds        = guarded + 1

	kindMask = 0x0f
	held     = 0x10 // the last page is marked used, since the unit after it is unaccepted
	edge     = 0x20 // some pages are no memory of ours, and marked used
)

// Words returns how many words of books an allocator needs for ram: little more than eight for each 2 MiB between its
// lowest and its highest address, 0.0033 % of that.
func Words(ram []accept.Range) uint64 {
	var b books
	return b.lay(span(ram))
}

// span returns the smallest range of units that has all of ram.
func span(ram []accept.Range) (s accept.Range) {
	for _, r := range ram {
		s = s.Union(r.AlignIn(accept.PageSize))
	}
	return s.AlignOut(accept.UnitSize)
}

// lay sizes b for the units of span, and returns how many words they take.
func (b *books) lay(span accept.Range) uint64 {
	if span.Empty() {
		return 0
	}
	b.base, b.units = span.Start, span.Len()/accept.UnitSize
	b.shape = shapeFor(b.units)
	return b.units*pageWords + (b.units+7)/8 + uint64(kinds)*b.shape.words()
}

// put makes words, which are as many as lay said, the memory of b.
func (b *books) put(words []uint64) {
	b.pages, words = words[:b.units*pageWords], words[b.units*pageWords:]
	b.states, words = words[:(b.units+7)/8], words[(b.units+7)/8:]
	for i := range b.sets {
		b.sets[i], words = words[:b.shape.words()], words[b.shape.words():]
	}
}

// unit returns the memory of unit u.
func (b *books) unit(u uint64) accept.Range {
	return accept.Range{Start: b.base + u*accept.UnitSize, End: b.base + (u+1)*accept.UnitSize}
}

func (b *books) page(u uint64) *pages { return (*pages)(b.pages[u*pageWords:]) }

func (b *books) flags(u uint64) uint8 { return uint8(b.states[u/8]>>(u%8*8)) &^ kindMask }

// kind returns the kind of unit u. Whole and raw units are both zeros in the books, but for the set of the whole ones.
func (b *books) kind(u uint64) kind {
	k := kind(b.states[u/8]>>(u%8*8)) & kindMask
	if k == raw && has(b.sets[whole], u) {
		return whole
	}
	return k
}

// become makes u a unit of another kind, with these flags.
func (b *books) become(u uint64, k kind, flags uint8) {
	if old := b.kind(u); old != k {
		if inSet(old) && b.shape.remove(b.sets[old], u) {
			b.listed &^= 1 << old
		}
		if inSet(k) && b.shape.add(b.sets[k], u) {
			b.listed |= 1 << k
		}
	}
	state := uint8(k) | flags
	if k == whole {
		state = 0
	}
	word := &b.states[u/8]
	*word = *word&^(0xff<<(u%8*8)) | uint64(state)<<(u%8*8)
}

func inSet(k kind) bool { return k != raw && k < kinds }

// sort makes u a unit of the kind that its pages are of.
func (b *books) sort(u uint64, flags uint8) {
	p := b.page(u)
	switch {
	case flags == 0 && p.free(0, MaxOrder):
		b.become(u, whole, 0)
	case flags == held && p.onlyLast():
		b.become(u, guarded, held)
	default:
		b.become(u, largestKind(p, MaxOrder), flags)
	}
}

// largestKind returns the kind of a unit of which blocks of fewer than 1<<below pages are free, or none.
func largestKind(p *pages, below int) kind {
	order := p.largest(below)
	if order < 0 {
		return full
	}
	return order0 + kind(order)
}
