//go:build linux && amd64

package kernel

import (
	"math/rand/v2"
	"testing"
)

// Whatever is mapped and unmapped, an address space says of each page what was said last, its areas ascend, and room is
// where nothing is.
func TestAddressSpace(t *testing.T) {
	const pages, base = 64, firstRoom
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		s := &addressSpace{next: base}
		var model [pages]uint8
		for range 200 {
			start := r.Uint64N(pages)
			n := 1 + r.Uint64N(min(pages-start, 12))
			kind := uint8(r.IntN(3))
			if r.IntN(4) == 0 {
				kind = usable
				hint := base + start*pageSize
				va := s.room(hint, n*pageSize)
				if !s.isFree(va, va+n*pageSize) {
					t.Fatalf("seed %d: room for %d pages at %#x, where there is something", seed, n, va)
				}
				if start = (va - base) / pageSize; start+n > pages {
					s.next = base
					continue
				}
			}
			if !s.set(base+start*pageSize, base+(start+n)*pageSize, kind) {
				t.Fatalf("seed %d: too many areas", seed)
			}
			for i := start; i < start+n; i++ {
				model[i] = kind
			}
			for i, want := range model {
				if got := s.find(base + uint64(i)*pageSize).kind; got != want {
					t.Fatalf("seed %d: page %d is of kind %d, want %d", seed, i, got, want)
				}
			}
			for i := 1; i < s.n; i++ {
				a, b := s.areas[i-1], s.areas[i]
				if a.end > b.start || a.end == b.start && a.kind == b.kind || b.start >= b.end {
					t.Fatalf("seed %d: %+v and %+v", seed, a, b)
				}
			}
		}
	}
}
