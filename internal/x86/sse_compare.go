package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Packed integer comparisons, minimum and maximum.
var packedCompareHandlers = map[uop.Op]handler{
	uop.PCMPEQB: pcmpeqb,
	uop.PCMPEQW: quads(func(a, b uint64) uint64 { return zeroLanes(signs16, 16, a^b) }),
	uop.PCMPEQD: quads(func(a, b uint64) uint64 { return zeroLanes(signs32, 32, a^b) }),
	uop.PCMPEQQ: quads(func(a, b uint64) uint64 { return allOnes(a == b) }),
	uop.PCMPGTB: quads(func(a, b uint64) uint64 { return ^atLeast(b^signs8, a^signs8) }),
	uop.PCMPGTW: quads(func(a, b uint64) uint64 { return lanes(a, b, greater[int16]) }),
	uop.PCMPGTD: quads(func(a, b uint64) uint64 { return lanes(a, b, greater[int32]) }),
	uop.PCMPGTQ: quads(func(a, b uint64) uint64 { return allOnes(int64(a) > int64(b)) }),

	uop.PMINUB: quads(func(a, b uint64) uint64 { return a - subSaturatedBytes(a, b) }), // no lane borrows: what is taken is at most a
	uop.PMAXUB: quads(func(a, b uint64) uint64 { return b + subSaturatedBytes(a, b) }),
	uop.PMINUW: quads(func(a, b uint64) uint64 { return lanes(a, b, least[uint16]) }),
	uop.PMAXUW: quads(func(a, b uint64) uint64 { return lanes(a, b, greatest[uint16]) }),
	uop.PMINUD: quads(func(a, b uint64) uint64 { return lanes(a, b, least[uint32]) }),
	uop.PMAXUD: quads(func(a, b uint64) uint64 { return lanes(a, b, greatest[uint32]) }),
	uop.PMINSB: quads(func(a, b uint64) uint64 { return lanes(a, b, least[int8]) }),
	uop.PMAXSB: quads(func(a, b uint64) uint64 { return lanes(a, b, greatest[int8]) }),
	uop.PMINSW: quads(func(a, b uint64) uint64 { return lanes(a, b, least[int16]) }),
	uop.PMAXSW: quads(func(a, b uint64) uint64 { return lanes(a, b, greatest[int16]) }),
	uop.PMINSD: quads(func(a, b uint64) uint64 { return lanes(a, b, least[int32]) }),
	uop.PMAXSD: quads(func(a, b uint64) uint64 { return lanes(a, b, greatest[int32]) }),

	uop.PHMINPOSUW: whole(phminposuw),
}

func pcmpeqb(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	d[0], d[1] = zeroLanes(signs8, 8, d[0]^s[0]), zeroLanes(signs8, 8, d[1]^s[1])
	return true
}

// zeroLanes has all bits set in the lanes of n bits in which v is zero.
func zeroLanes(signs uint64, n int, v uint64) uint64 {
	t := ^((v&^signs + ^signs) | v) & signs // top bit: no bit of the lane is set
	return t<<1 - t>>(n-1)
}

func allOnes(b bool) uint64 {
	if b {
		return ^uint64(0)
	}
	return 0
}

func greater[T int16 | int32](a, b T) T {
	if a > b {
		return -1
	}
	return 0
}

func least[T lane](a, b T) T    { return min(a, b) }
func greatest[T lane](a, b T) T { return max(a, b) }

// phminposuw finds the smallest of eight words and its place, the lowest where there are several.
func phminposuw(_, s XMM) XMM {
	best := 0
	for i := 1; i < 8; i++ {
		if s.word(i) < s.word(best) {
			best = i
		}
	}
	return XMM{uint64(s.word(best)) | uint64(best)<<16}
}
