package x86

import (
	"bytes"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// The aggregations of the string comparisons are functions of package bytes on strings that end within the register.
func TestStringCompare(t *testing.T) {
	m := newVectorMachine(t)
	r := seeded(t)
	text := func(n int, letters string) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[r.Intn(len(letters))]
		}
		return b
	}
	register := func(s []byte) XMM {
		var b [16]byte
		copy(b[:], s)
		return xmmOf(&b)
	}
	index := func(a, b []byte, imm uint8) int {
		m.vectorOp(uop.PCMPISTRI, register(a), register(b), imm)
		return int(m.R[uop.RCX])
	}
	found := func(i int) int {
		if i < 0 {
			return 16
		}
		return i
	}
	for range 3000 {
		b := text(r.Intn(17), "abcdefgh")
		set := text(1+r.Intn(5), "abcdefgh")
		if got, want := index(set, b, strEqualAny<<2), found(bytes.IndexAny(b, string(set))); got != want {
			t.Fatalf("any of %q in %q: %d, want %d", set, b, got, want)
		}
		if got, want := index([]byte("bceg"), b, strRanges<<2), found(bytes.IndexAny(b, "bcefg")); got != want {
			t.Fatalf("b to c and e to g in %q: %d, want %d", b, got, want)
		}
		sub := text(1+r.Intn(3), "abcd")
		b = text(r.Intn(17), "abcd")
		want := bytes.Index(b, sub)
		for n := len(sub) - 1; want < 0 && n > 0 && len(b) == 16; n-- { // what begins at the register's end may go on after it
			if bytes.HasSuffix(b, sub[:n]) {
				want = 16 - n
			}
		}
		if got := index(sub, b, strEqualOrdered<<2); got != found(want) {
			t.Fatalf("%q in %q: %d, want %d", sub, b, got, found(want))
		}
		a := bytes.Clone(b)
		want = 16
		if i := r.Intn(16); i < len(a) {
			a[i] ^= 1
			want = i
		}
		if got := index(a, b, strEqualEach<<2|strNegative); got != want {
			t.Fatalf("first difference of %q and %q: %d, want %d", a, b, got, want)
		}
		if zf, sf := m.flags.zf(), m.flags.sf(); zf != (len(b) < 16) || sf != (len(a) < 16) {
			t.Fatalf("%q and %q: ZF %v, SF %v", a, b, zf, sf)
		}
	}
}

// Explicit lengths are absolute values that count up to the register's size; REX.W makes them 64 bits.
func TestStringLengths(t *testing.T) {
	for _, c := range []struct {
		v    uint64
		wide bool
		n    int
		want int
	}{
		{5, false, 16, 5},
		{17, false, 16, 16},
		{0xFFFFFFFF_FFFFFFFD, false, 16, 3},
		{0x1_00000003, false, 16, 3},
		{0x1_00000003, true, 16, 16},
		{0x80000000, false, 8, 8},
		{0x80000000_00000000, true, 8, 8},
		{0x80000000_00000000, false, 8, 0},
	} {
		if got := explicitLength(c.v, c.wide, c.n); got != c.want {
			t.Errorf("length %#x, 64 bits %v, of %d: %d, want %d", c.v, c.wide, c.n, got, c.want)
		}
	}
}
