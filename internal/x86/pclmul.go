package x86

import (
	"math/bits"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// PCLMULQDQ: the product without carries of one quadword of each operand; imm[0] and imm[4] choose the high ones.
var carrylessHandlers = map[uop.Op]handler{
	uop.PCLMULQDQ: wholeImm(func(a, b XMM, imm uint8) XMM { return carryless(a[imm&1], b[imm>>4&1]) }),
}

// carryless multiplies polynomials over GF(2). The high half is the low half of the mirrored product, which has 127
// bits.
func carryless(a, b uint64) XMM {
	return XMM{carrylessLow(a, b), bits.Reverse64(carrylessLow(bits.Reverse64(a), bits.Reverse64(b))) >> 1}
}

// carrylessLow computes the low 64 bits with ordinary multiplications of every fourth bit of the operands: a column
// then sums at most 16 products, which carry into the three bits to its left, where nothing is looked for. (Only the
// column at the top could carry further, out of the quadword.)
func carrylessLow(a, b uint64) uint64 {
	const m0, m1, m2, m3 = 0x1111111111111111, 0x2222222222222222, 0x4444444444444444, 0x8888888888888888
	a0, a1, a2, a3 := a&m0, a&m1, a&m2, a&m3
	b0, b1, b2, b3 := b&m0, b&m1, b&m2, b&m3
	return (a0*b0^a1*b3^a2*b2^a3*b1)&m0 |
		(a0*b1^a1*b0^a2*b3^a3*b2)&m1 |
		(a0*b2^a1*b1^a2*b0^a3*b3)&m2 |
		(a0*b3^a1*b2^a2*b1^a3*b0)&m3
}
