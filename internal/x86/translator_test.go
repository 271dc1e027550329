package x86

import (
	"math/rand/v2"
	"testing"
)

// Flags go to code and come back, whatever they are and however they came about.
func TestPackedFlags(t *testing.T) {
	for of := range uint32(2) {
		for ah := range uint32(256) {
			v := ah&0xD5<<8 | of
			var f, g lazyFlags
			f.unpack(v | ^uint32(0xD501))
			g.set(uint64(ah) | uint64(of)<<11)
			if f != g || f.packed() != v {
				t.Errorf("%#x became %+v and %#x, want %+v", v, f, f.packed(), g)
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		var f lazyFlags
		a, b := r.Uint64()>>r.IntN(64), r.Uint64()>>r.IntN(64)
		switch r.IntN(5) {
		case 0:
			f.add64(a, b)
		case 1:
			f.sub32(a, b)
		case 2:
			f.logic64(a & b)
		case 3:
			f.product(int64(a), b&1 != 0)
		case 4:
			subBorrow(&f, uint8(a), uint8(b), 0)
		}
		v := f.packed()
		if want := f.get(); uint64(v>>8)|uint64(v&1)<<11 != want {
			t.Fatalf("%+v is packed as %#x, want %#x", f, v, want)
		}
	}
}
