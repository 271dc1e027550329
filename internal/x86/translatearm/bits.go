package translatearm

import (
	"math/bits"

	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Bit tests, scans and counts, of 4 and 8 bytes.

func (g *Generator) bit(k int, u *uop.Uop) (result, bool) {
	switch u.Op {
	case uop.Bit:
		return g.bitTest(u), true
	case uop.BitAddress:
		return g.bitAddress(u), true
	case uop.BitScan:
		return g.bitScan(k, u), true
	}
	return 0, false
}

// bitTest changes CF alone.
func (g *Generator) bitTest(u *uop.Uop) result {
	n, kind := int(u.Aux>>8), u.Aux&0xFF
	if n != 4 && n != 8 || kind > uop.BitComplement {
		return leaves
	}
	which, ok := g.src(u, tmpB)
	if !ok {
		return leaves
	}
	d, put := g.dst(u.Dst, tmpA, true)
	g.Three(arm64.LSR, n, tmpC, d, which) // which is taken modulo the size
	if kind != uop.BitTest {
		g.MovImm(tmpD, 1)
		g.Three(arm64.LSL, n, tmpD, tmpD, which)
		op := [...]arm64.Op{uop.BitSet: arm64.ORR, uop.BitReset: arm64.BIC, uop.BitComplement: arm64.EOR}[kind]
		g.Shifted(op, n, d, d, tmpD, 0)
		put()
	}
	g.setCarry()
	return goesOn
}

// bitAddress puts the address of the operand that holds bit R[Src] of a bit string into R[Dst]: one of n bytes, so many
// operands from the string's beginning as the bit's number says, which has a sign.
func (g *Generator) bitAddress(u *uop.Uop) result {
	n := int(u.Aux & 0xFF)
	if n != 4 && n != 8 || u.Aux>>8 != uop.Address64 {
		return leaves
	}
	size := bits.TrailingZeros(uint(n))
	of := *u
	of.Seg = uop.Zero // the access adds the segment's base
	at := g.address(&of)
	g.signedBits(8, tmpB, g.get(u.Src, tmpB), 3+size, 8*n-3-size)
	g.Shifted(arm64.ADD, 8, tmpA, at, tmpB, uint8(size))
	g.set(u.Dst, tmpA)
	return goesOn
}

// bitScan is BSF and BSR, which change ZF alone, and nothing but ZF where there is no bit, except that 32 bits clear the
// upper half; and TZCNT and LZCNT, of which CF says that there is no bit, ZF that the result is 0, and the other flags are 0.
func (g *Generator) bitScan(k int, u *uop.Uop) result {
	n, reverse, counts := int(u.Aux&0xFF), u.Aux>>8&1 != 0, u.Aux>>9&1 != 0
	if n != 4 && n != 8 {
		return leaves
	}
	live := !g.dead(k)
	s := g.get(u.Src, tmpA)
	if n == 4 {
		g.mov(4, tmpA, s)
		s = tmpA
	}
	if live || !counts {
		g.test(s)
		g.Select(arm64.CSINC, 8, tmpB, arm64.ZR, arm64.ZR, arm64.NE) // there is no bit
		g.flags = inRegisters
	}
	switch {
	case reverse:
		g.Two(arm64.CLZ, n, tmpC, s)
		if !counts {
			g.Bitmask(arm64.EORI, n, tmpC, tmpC, uint64(8*n-1))
		}
	default:
		g.Two(arm64.RBIT, n, tmpC, s)
		g.Two(arm64.CLZ, n, tmpC, tmpC)
	}
	if counts {
		g.set(u.Dst, tmpC)
		if live {
			g.test(tmpC)
			g.mov(8, tmpC, tmpB)
			g.Select(arm64.CSINC, 8, tmpB, arm64.ZR, arm64.ZR, arm64.NE)
			g.counted()
		}
		return goesOn
	}
	d, put := g.dst(u.Dst, tmpA, true)
	g.Select(arm64.CSEL, n, d, tmpC, d, arm64.NE)
	put()
	if live {
		g.setZero()
	}
	return goesOn
}
