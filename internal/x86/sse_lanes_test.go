package x86

import (
	"encoding/binary"
	"math"
	"math/rand"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Operations on whole quadwords do to each lane what the manual says of one lane.
func TestLanes(t *testing.T) {
	le := binary.LittleEndian
	bytes := func(f func(a, b int) int) func(a, b []byte) []byte {
		return func(a, b []byte) []byte {
			r := make([]byte, 16)
			for i := range r {
				r[i] = byte(f(int(a[i]), int(b[i])))
			}
			return r
		}
	}
	words := func(f func(a, b int) int) func(a, b []byte) []byte {
		return func(a, b []byte) []byte {
			var r []byte
			for i := 0; i < 16; i += 2 {
				r = le.AppendUint16(r, uint16(f(int(le.Uint16(a[i:])), int(le.Uint16(b[i:])))))
			}
			return r
		}
	}
	dwords := func(f func(a, b int) int) func(a, b []byte) []byte {
		return func(a, b []byte) []byte {
			var r []byte
			for i := 0; i < 16; i += 4 {
				r = le.AppendUint32(r, uint32(f(int(le.Uint32(a[i:])), int(le.Uint32(b[i:])))))
			}
			return r
		}
	}
	all := func(b bool) int {
		if b {
			return -1
		}
		return 0
	}
	clamp := func(v, lo, hi int) int { return max(lo, min(v, hi)) }
	s8 := func(v int) int { return int(int8(v)) }
	s16 := func(v int) int { return int(int16(v)) }
	s32 := func(v int) int { return int(int32(v)) }

	r := seeded(t)
	m := newVectorMachine(t)
	for _, c := range []struct {
		name string
		op   uop.Op
		want func(a, b []byte) []byte
	}{
		{"PADDB", uop.PADDB, bytes(func(a, b int) int { return a + b })},
		{"PADDW", uop.PADDW, words(func(a, b int) int { return a + b })},
		{"PADDD", uop.PADDD, dwords(func(a, b int) int { return a + b })},
		{"PSUBB", uop.PSUBB, bytes(func(a, b int) int { return a - b })},
		{"PSUBW", uop.PSUBW, words(func(a, b int) int { return a - b })},
		{"PSUBD", uop.PSUBD, dwords(func(a, b int) int { return a - b })},
		{"PADDSB", uop.PADDSB, bytes(func(a, b int) int { return clamp(s8(a)+s8(b), -128, 127) })},
		{"PADDUSB", uop.PADDUSB, bytes(func(a, b int) int { return clamp(a+b, 0, 255) })},
		{"PADDSW", uop.PADDSW, words(func(a, b int) int { return clamp(s16(a)+s16(b), -32768, 32767) })},
		{"PADDUSW", uop.PADDUSW, words(func(a, b int) int { return clamp(a+b, 0, 65535) })},
		{"PSUBSB", uop.PSUBSB, bytes(func(a, b int) int { return clamp(s8(a)-s8(b), -128, 127) })},
		{"PSUBUSB", uop.PSUBUSB, bytes(func(a, b int) int { return clamp(a-b, 0, 255) })},
		{"PSUBUSW", uop.PSUBUSW, words(func(a, b int) int { return clamp(a-b, 0, 65535) })},
		{"PAVGB", uop.PAVGB, bytes(func(a, b int) int { return (a + b + 1) / 2 })},
		{"PAVGW", uop.PAVGW, words(func(a, b int) int { return (a + b + 1) / 2 })},
		{"PCMPEQB", uop.PCMPEQB, bytes(func(a, b int) int { return all(a == b) })},
		{"PCMPEQW", uop.PCMPEQW, words(func(a, b int) int { return all(a == b) })},
		{"PCMPEQD", uop.PCMPEQD, dwords(func(a, b int) int { return all(a == b) })},
		{"PCMPGTB", uop.PCMPGTB, bytes(func(a, b int) int { return all(s8(a) > s8(b)) })},
		{"PCMPGTW", uop.PCMPGTW, words(func(a, b int) int { return all(s16(a) > s16(b)) })},
		{"PCMPGTD", uop.PCMPGTD, dwords(func(a, b int) int { return all(s32(a) > s32(b)) })},
		{"PMINUB", uop.PMINUB, bytes(func(a, b int) int { return min(a, b) })},
		{"PMAXUB", uop.PMAXUB, bytes(func(a, b int) int { return max(a, b) })},
		{"PMINSB", uop.PMINSB, bytes(func(a, b int) int { return min(s8(a), s8(b)) })},
		{"PMAXSW", uop.PMAXSW, words(func(a, b int) int { return max(s16(a), s16(b)) })},
		{"PMULHW", uop.PMULHW, words(func(a, b int) int { return s16(a) * s16(b) >> 16 })},
		{"PMULHUW", uop.PMULHUW, words(func(a, b int) int { return a * b >> 16 })},
		{"PMULHRSW", uop.PMULHRSW, words(func(a, b int) int { return (s16(a)*s16(b)>>14 + 1) >> 1 })},
		{"PMULLD", uop.PMULLD, dwords(func(a, b int) int { return a * b })},
	} {
		for range 2000 {
			a, b := laneXMM(r), laneXMM(r)
			x, y := a.bytes(), b.bytes()
			m.X[3], m.X[4] = a, b
			handlers[c.op](m.CPU, &uop.Uop{Op: c.op, Dst: 3, Src: 4})
			if want := xmmFrom(c.want(x[:], y[:])); m.X[3] != want {
				t.Errorf("%s of %x and %x: %x, want %x", c.name, a, b, m.X[3], want)
				break
			}
		}
	}
}

// laneXMM draws lanes near the ends of their ranges more often than others.
func laneXMM(r *rand.Rand) XMM {
	var b [16]byte
	for i := range b {
		b[i] = []byte{0, 1, 0x7F, 0x80, 0xFF, byte(r.Intn(256)), byte(r.Intn(256))}[r.Intn(7)]
	}
	return xmmOf(&b)
}

func singleOf(v uint32) float64 { return float64(math.Float32frombits(v)) }

// The relative error of RCPPS and RSQRTPS is at most 1.5 × 2^-12 (SDM vol. 2), all over two binades; and some values
// are those of a Sapphire Rapids.
func TestApproximations(t *testing.T) {
	for exp := uint32(126); exp <= 127; exp++ {
		for m := uint32(0); m < 1<<23; m += 97 {
			bits := exp<<23 | m
			x := singleOf(bits)
			if e := singleOf(reciprocal(bits))*x - 1; e > 1.5/4096 || e < -1.5/4096 {
				t.Fatalf("RCPSS of %v has an error of %v", x, e)
			}
			if y := singleOf(reciprocalRoot(bits)); y*y*x-1 > 3.0/4096 || y*y*x-1 < -3.0/4096 {
				t.Fatalf("RSQRTSS of %v is %v", x, y)
			}
		}
	}
	for _, c := range []struct{ x, rcp, rsqrt uint32 }{
		{0x3F800000, 0x3F7FF000, 0x3F7FF000},
		{0x00800000, 0x7E7FF000, 0x5EFFF000},
		{0x00400000, 0x7F800000, 0x7F800000}, // denormal
		{0x80000000, 0xFF800000, 0xFF800000},
		{0x7E7FFFFF, 0x00800800, 0x20000800},
		{0x7E800000, 0x00000000, 0x1FFFF000}, // a denormal result is zero
		{0x7F7FFFFF, 0x00000000, 0x1F800800},
		{0x7F800001, 0x7FC00001, 0x7FC00001},
		{0xBF800000, 0xBF7FF000, 0xFFC00000},
	} {
		if got := reciprocal(c.x); got != c.rcp {
			t.Errorf("RCPSS of %#x: %#x, want %#x", c.x, got, c.rcp)
		}
		if got := reciprocalRoot(c.x); got != c.rsqrt {
			t.Errorf("RSQRTSS of %#x: %#x, want %#x", c.x, got, c.rsqrt)
		}
	}
}
