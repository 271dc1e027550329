package alloc

// This file works on the pages of one unit: 512 bits, a set bit for a page that cannot be handed out. Blocks are
// aligned to their size, so one of up to 64 pages lies in a word, and larger ones are words.

type pages [unitPages / 64]uint64

const ones = ^uint64(0)

// aligned has the bits at which a block can begin, for each order up to that of a word.
var aligned = [7]uint64{ones, ones / 0x3, ones / 0xf, ones / 0xff, ones / 0xffff, ones / 0xffff_ffff, 1}

// mask returns the bits of a block of at most 64 pages in its word.
func mask(page uint64, order int) uint64 { return (1<<(1<<order) - 1) << (page % 64) }

// find returns the first page of the first free block, or none.
func (p *pages) find(order int) uint64 {
	if order >= 6 {
		for page := uint64(0); page < unitPages; page += 1 << order {
			if p.free(page, order) {
				return page
			}
		}
		return none
	}
	for i, word := range p {
		word = ^word
		for k := 0; k < order; k++ { // a bit stays set if it and the 2ᵏ after it are
			word &= word >> (1 << k)
		}
		if word &= aligned[order]; word != 0 {
			return uint64(i)*64 + trailingZeros(word)
		}
	}
	return none
}

// largest returns the order of the largest free block that is smaller than 1<<below pages; -1 if no page is free.
func (p *pages) largest(below int) int {
	for order := below - 1; order >= 0; order-- {
		if p.find(order) != none {
			return order
		}
	}
	return -1
}

// free reports whether no page of a block is used.
func (p *pages) free(page uint64, order int) bool {
	if order <= 6 {
		return p[page/64]&mask(page, order) == 0
	}
	for _, word := range p[page/64 : (page+1<<order)/64] {
		if word != 0 {
			return false
		}
	}
	return true
}

// used reports whether all pages of a block are used.
func (p *pages) used(page uint64, order int) bool {
	if order <= 6 {
		return ^p[page/64]&mask(page, order) == 0
	}
	for _, word := range p[page/64 : (page+1<<order)/64] {
		if word != ones {
			return false
		}
	}
	return true
}

// flip changes a block from free to used, or back.
func (p *pages) flip(page uint64, order int) {
	if order <= 6 {
		p[page/64] ^= mask(page, order)
		return
	}
	for i := page / 64; i < (page+1<<order)/64; i++ {
		p[i] = ^p[i]
	}
}

// joined returns the order of the largest free block that a free one is part of.
func (p *pages) joined(page uint64, order int) int {
	for order < MaxOrder && p.free(page^1<<order, order) {
		page &^= 1 << order
		order++
	}
	return order
}

// onlyLast reports whether the last page is used and no other.
func (p *pages) onlyLast() bool {
	return p[0]|p[1]|p[2]|p[3]|p[4]|p[5]|p[6] == 0 && p[7] == lastPage
}

// lastPage is the bit of a unit's last page in its last word.
const lastPage = 1 << 63

// trailingZeros is bits.TrailingZeros64 for a package that imports nothing of the standard library; x is not 0.
// A de Bruijn sequence holds each number of six bits once: shifted by a bit's place, its upper six tell the place.
func trailingZeros(x uint64) uint64 { return uint64(places[x&-x*deBruijn>>58]) }

const deBruijn = 0x03f79d71b4cb0a89

// places is written out, since a kernel can have page faults before its packages are initialised.
var places = [64]uint8{
	0, 1, 48, 2, 57, 49, 28, 3, 61, 58, 50, 42, 38, 29, 17, 4,
	62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5,
	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11,
	46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9, 13, 8, 7, 6,
}
