package snp

import (
	"unsafe"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/physical"
)

// A page that changes owner changes the key that its contents are read with, so that its new owner reads junk. It is
// a function of the seed and the frame, and it is written down when the page is first touched: memory that is not
// touched takes none of the host's.

// touch makes the contents of page, which is in state s, real in plane pl.
func (p *Platform) touch(pl physical.Plane, page uint64, s pageState) {
	if s&fresh == 0 {
		return
	}
	p.fill(mem.FrameOf(pl, page))
	n := page / mem.PageSize
	p.rmp.Update(n, n+1, func(s pageState) pageState { return s &^ fresh })
}

// fill writes junk to a frame.
func (p *Platform) fill(f mem.Frame) {
	p.mem.Back(f)
	// Not through a pointer to an array: Go would look whether it is nil by reading from it, the host would map its page of
	// zeros, and the store after that would have it flush the TLBs of all its processors.
	words := unsafe.Slice((*uint64)(unsafe.Pointer(p.mem.Page(f))), mem.PageSize/8)
	state := mix(p.cfg.Seed) ^ mix(uint64(f)+1)
	for i := range words {
		state += golden
		words[i] = mix(state)
	}
}

// golden and mix are SplitMix64 (Steele et al., OOPSLA 2014).
const golden = 0x9E37_79B9_7F4A_7C15

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58_476D_1CE4_E5B9
	z = (z ^ z>>27) * 0x94D0_49BB_1331_11EB
	return z ^ z>>31
}
