package mem

import "math/bits"

// A bitmap holds one bit a frame. It is made lazily in chunks, so that a terabyte of address space of which little is
// used takes little.
type bitmap struct {
	chunk [][]uint64
}

const (
	chunkShift = 15 // bits a chunk: 32768, one 4 KiB block of words for 128 MiB of guest memory
	chunkBits  = 1 << chunkShift
	chunkWords = chunkBits / 64
)

func newBitmap(n uint64) bitmap {
	return bitmap{chunk: make([][]uint64, (n+chunkBits-1)>>chunkShift)}
}

func (b *bitmap) get(i uint64) bool {
	c := b.chunk[i>>chunkShift]
	return c != nil && c[i%chunkBits/64]>>(i%64)&1 != 0
}

// set sets a bit and says whether it was clear.
func (b *bitmap) set(i uint64) bool {
	c := b.chunk[i>>chunkShift]
	if c == nil {
		c = make([]uint64, chunkWords)
		b.chunk[i>>chunkShift] = c
	}
	w := &c[i%chunkBits/64]
	was := *w
	*w |= 1 << (i % 64)
	return *w != was
}

func (b *bitmap) clear(i uint64) {
	if c := b.chunk[i>>chunkShift]; c != nil {
		c[i%chunkBits/64] &^= 1 << (i % 64)
	}
}

func (b *bitmap) clearRun(first, n uint64) {
	for i := first; i < first+n; i++ {
		b.clear(i)
	}
}

func (b *bitmap) count() uint64 {
	var n int
	for _, c := range b.chunk {
		for _, w := range c {
			n += bits.OnesCount64(w)
		}
	}
	return uint64(n)
}

// nextRun returns the first run of set bits in [from, to), cut at to; n is 0 where there is none.
func (b *bitmap) nextRun(from, to uint64) (first, n uint64) {
	for from < to && !b.get(from) {
		switch c := b.chunk[from>>chunkShift]; {
		case c == nil:
			from = (from>>chunkShift + 1) << chunkShift
		case c[from%chunkBits/64]>>(from%64) == 0:
			from = (from/64 + 1) * 64
		default:
			from++
		}
	}
	for first = from; from < to && b.get(from); from++ {
		n++
	}
	return first, n
}
