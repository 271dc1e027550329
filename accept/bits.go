package accept

// This file works on bits of a byte slice, least significant first, and knows nothing of memory.

// ones is a word of set bits: what a search for a clear bit skips.
const ones = ^uint64(0)

// find returns the first bit in [i, n) of p that is clear if skip is ones, set if skip is 0; n if there is none.
func find(p []byte, i, n, skip uint64) uint64 {
	p = p[:(n+7)/8]
	at, mask := i/64*8, ones<<(i%64)
	for at*8 < n {
		word := p[at:]
		if len(word) < 8 {
			word = padded(word)
		}
		if diff := (le64(word) ^ skip) & mask; diff != 0 {
			return min(at*8+trailingZeros(diff), n)
		}
		at, mask = find64(p, at+8, skip), ones
	}
	return n
}

// find64 returns the offset of the first word of p that is not skip, at or after at, which is a multiple of 8;
// or that of what is left at the end of p and fills no word.
func find64(p []byte, at, skip uint64) uint64 {
	for n := uint64(len(p)); at+8 <= n; {
		switch {
		case at%block == 0 && at+block <= n && blockIs((*[block]byte)(p[at:]), skip):
			at += block
		case at%line == 0 && at+line <= n && differs((*[line]byte)(p[at:]), skip) == 0:
			at += line
		case le64(p[at:]) == skip:
			at += 8
		default:
			return at
		}
	}
	return at
}

const (
	line   = 64   // what a cache fetches at a time
	stride = 4096 // what a prefetcher does not see beyond
	block  = 4 * stride
)

// blockIs reports whether all words of b are skip. One stream of loads would not keep memory busy:
// a processor looks only so many instructions ahead. So it reads four.
func blockIs(b *[block]byte, skip uint64) bool {
	for k := 0; k < stride; k += line {
		if differs((*[line]byte)(b[k:]), skip)|differs((*[line]byte)(b[k+stride:]), skip)|
			differs((*[line]byte)(b[k+2*stride:]), skip)|differs((*[line]byte)(b[k+3*stride:]), skip) != 0 {
			return false
		}
	}
	return true
}

// differs returns 0 if all words of b are skip.
func differs(b *[line]byte, skip uint64) uint64 {
	return (le64(b[0:]) ^ skip) | (le64(b[8:]) ^ skip) | (le64(b[16:]) ^ skip) | (le64(b[24:]) ^ skip) |
		(le64(b[32:]) ^ skip) | (le64(b[40:]) ^ skip) | (le64(b[48:]) ^ skip) | (le64(b[56:]) ^ skip)
}

// set makes the bits [i, n) of p ones, or zeros, as fill says.
func set(p []byte, i, n uint64, fill byte) {
	if i >= n {
		return
	}
	first, last, head, tail := edges(i, n)
	if first == last {
		head &= tail
	}
	p[first] = p[first]&^head | fill&head
	if first == last {
		return
	}
	p[last] = p[last]&^tail | fill&tail
	p = p[first+1 : last]
	if fill == 0 {
		clear(p)
		return
	}
	for ; len(p) >= 8; p = p[8:] {
		put64(p, ones)
	}
	for k := range p {
		p[k] = fill
	}
}

// count returns how many of the bits [i, n) of p are set.
func count(p []byte, i, n uint64) uint64 {
	if i >= n {
		return 0
	}
	first, last, head, tail := edges(i, n)
	if first == last {
		return onesCount(uint64(p[first] & head & tail))
	}
	return onesCount(uint64(p[first]&head)) + countAll(p[first+1:last]) + onesCount(uint64(p[last]&tail))
}

// edges returns the first and the last byte that hold bits of [i, n), and which of their bits these are.
func edges(i, n uint64) (first, last uint64, head, tail byte) {
	return i / 8, (n - 1) / 8, 0xff << (i % 8), 0xff >> (7 - (n-1)%8)
}

// countAll returns how many bits of p are set. In a bitmap most words are like those before, so it counts the bits
// of one and searches for the next that differs, at the speed of memory.
func countAll(p []byte) (total uint64) {
	for at := uint64(0); at < uint64(len(p)); {
		word := p[at:]
		if len(word) < 8 {
			word = padded(word)
		}
		x := le64(word)
		next := find64(p, at+8, x)
		total += onesCount(x) * ((next - at) / 8)
		at = next
	}
	return total
}

// onesCount is bits.OnesCount64 for a package that imports nothing.
func onesCount(x uint64) uint64 {
	const m1, m2, m4 = ones / 3, ones / 5, ones / 17
	x -= x >> 1 & m1
	x = x&m2 + x>>2&m2
	x = (x + x>>4) & m4
	return x * (ones / 255) >> 56
}

// trailingZeros is bits.TrailingZeros64: 64 if x is 0.
func trailingZeros(x uint64) uint64 { return onesCount(x&-x - 1) }
