package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Packed addition and subtraction: wrapping, saturating, averaging, horizontal, and sums of differences.
var packedAddHandlers = map[uop.Op]handler{
	uop.PADDB: func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		d[0], d[1] = add(signs8, d[0], s[0]), add(signs8, d[1], s[1])
		return true
	},
	uop.PADDW: func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		d[0], d[1] = add(signs16, d[0], s[0]), add(signs16, d[1], s[1])
		return true
	},
	uop.PADDD: func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		d[0], d[1] = add(signs32, d[0], s[0]), add(signs32, d[1], s[1])
		return true
	},
	uop.PADDQ: func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		d[0], d[1] = d[0]+s[0], d[1]+s[1]
		return true
	},
	uop.PSUBB: quads(func(a, b uint64) uint64 { return sub(signs8, a, b) }),
	uop.PSUBW: quads(func(a, b uint64) uint64 { return sub(signs16, a, b) }),
	uop.PSUBD: quads(func(a, b uint64) uint64 { return sub(signs32, a, b) }),
	uop.PSUBQ: quads(func(a, b uint64) uint64 { return a - b }),

	uop.PADDSB: quads(func(a, b uint64) uint64 {
		return lanes(a, b, func(a, b int8) int8 { return saturate8(int32(a) + int32(b)) })
	}),
	uop.PADDSW:  quads(func(a, b uint64) uint64 { return lanes(a, b, addSaturated16) }),
	uop.PADDUSB: quads(func(a, b uint64) uint64 { return lanes(a, b, func(a, b uint8) uint8 { return a + min(b, ^a) }) }),
	uop.PADDUSW: quads(func(a, b uint64) uint64 { return lanes(a, b, func(a, b uint16) uint16 { return a + min(b, ^a) }) }),
	uop.PSUBSB: quads(func(a, b uint64) uint64 {
		return lanes(a, b, func(a, b int8) int8 { return saturate8(int32(a) - int32(b)) })
	}),
	uop.PSUBSW:  quads(func(a, b uint64) uint64 { return lanes(a, b, subSaturated16) }),
	uop.PSUBUSB: quads(subSaturatedBytes),
	uop.PSUBUSW: quads(func(a, b uint64) uint64 { return lanes(a, b, func(a, b uint16) uint16 { return a - min(a, b) }) }),
	uop.PAVGB:   quads(func(a, b uint64) uint64 { return average(signs8, a, b) }),
	uop.PAVGW:   quads(func(a, b uint64) uint64 { return average(signs16, a, b) }),

	uop.PABSB:  quads(func(_, b uint64) uint64 { return lanes(b, b, func(a, b int8) int8 { return withSign(a, b) }) }),
	uop.PABSW:  quads(func(_, b uint64) uint64 { return lanes(b, b, func(a, b int16) int16 { return withSign(a, b) }) }),
	uop.PABSD:  quads(func(_, b uint64) uint64 { return lanes(b, b, func(a, b int32) int32 { return withSign(a, b) }) }),
	uop.PSIGNB: quads(func(a, b uint64) uint64 { return lanes(a, b, withSign[int8]) }),
	uop.PSIGNW: quads(func(a, b uint64) uint64 { return lanes(a, b, withSign[int16]) }),
	uop.PSIGND: quads(func(a, b uint64) uint64 { return lanes(a, b, withSign[int32]) }),

	uop.PHADDW:  whole(func(a, b XMM) XMM { return horizontal(a, b, func(a, b int16) int16 { return a + b }) }),
	uop.PHADDD:  whole(func(a, b XMM) XMM { return horizontal(a, b, func(a, b int32) int32 { return a + b }) }),
	uop.PHADDSW: whole(func(a, b XMM) XMM { return horizontal(a, b, addSaturated16) }),
	uop.PHSUBW:  whole(func(a, b XMM) XMM { return horizontal(a, b, func(a, b int16) int16 { return a - b }) }),
	uop.PHSUBD:  whole(func(a, b XMM) XMM { return horizontal(a, b, func(a, b int32) int32 { return a - b }) }),
	uop.PHSUBSW: whole(func(a, b XMM) XMM { return horizontal(a, b, subSaturated16) }),

	uop.PSADBW:  quads(sumOfDifferences),
	uop.MPSADBW: wholeImm(mpsadbw),
}

// The top bits of all lanes of a quadword. Lane-wise arithmetic on a whole quadword keeps them out of the sum, so that
// no carry leaves its lane, and adds them without carry.
const (
	signs8  = 0x8080808080808080
	signs16 = 0x8000800080008000
	signs32 = 0x8000000080000000
)

func add(signs, a, b uint64) uint64 { return (a&^signs + b&^signs) ^ (a^b)&signs }
func sub(signs, a, b uint64) uint64 { return ((a | signs) - b&^signs) ^ ^(a^b)&signs }

// average is (a+b+1)/2 per lane.
func average(signs, a, b uint64) uint64 { return sub(signs, a|b, (a^b)>>1&^signs) }

// atLeast has all bits set in the bytes in which a >= b, unsigned.
func atLeast(a, b uint64) uint64 {
	d := (a | signs8) - b&^signs8 // top bit: a's low seven bits are at least b's
	t := (a&^b | ^(a^b)&d) & signs8
	return t >> 7 * 0xFF
}

func subSaturatedBytes(a, b uint64) uint64 { return sub(signs8, a, b) & atLeast(a, b) }

func saturate8(v int32) int8   { return int8(max(-1<<7, min(v, 1<<7-1))) }
func saturate16(v int32) int16 { return int16(max(-1<<15, min(v, 1<<15-1))) }

func addSaturated16(a, b int16) int16 { return saturate16(int32(a) + int32(b)) }
func subSaturated16(a, b int16) int16 { return saturate16(int32(a) - int32(b)) }

// withSign is PSIGN: a negated, cleared or kept as b is negative, zero or positive. On two equal operands it is the
// absolute value.
func withSign[T int8 | int16 | int32](a, b T) T {
	switch {
	case b < 0:
		return -a
	case b == 0:
		return 0
	}
	return a
}

// horizontal applies f to neighbouring lanes, those of a giving the low half of the result.
func horizontal[T int16 | int32](a, b XMM, f func(a, b T) T) XMM {
	n := laneBits[T]()
	mask := uint64(1)<<n - 1
	half := func(x XMM) (r uint64) {
		for i := 0; i < 128; i += 2 * n {
			q := x[i>>6] >> (i & 63)
			r |= (uint64(f(T(q), T(q>>n))) & mask) << (i / 2)
		}
		return r
	}
	return XMM{half(a), half(b)}
}

// sumOfDifferences is PSADBW on a quadword: the absolute differences of bytes, added.
func sumOfDifferences(a, b uint64) uint64 {
	d := subSaturatedBytes(a, b) | subSaturatedBytes(b, a)
	const even = 0x00FF00FF00FF00FF
	return (d&even + d>>8&even) * 0x0001000100010001 >> 48
}

// mpsadbw compares the four bytes of b at 4*imm[1:0] with those of a at eight places, from 4*imm[2] on.
func mpsadbw(a, b XMM, imm uint8) (r XMM) {
	from, with := int(imm>>2&1)*4, int(imm&3)*4
	for i := range 8 {
		var sum uint16
		for j := range 4 {
			x, y := a.byte(from+i+j), b.byte(with+j)
			sum += uint16(max(x, y) - min(x, y))
		}
		r.setWord(i, sum)
	}
	return r
}
