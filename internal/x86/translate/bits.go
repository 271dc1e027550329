package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Bit tests and scans.

var bitOps = [...]amd64.Op{uop.BitTest: amd64.BT, uop.BitSet: amd64.BTS, uop.BitReset: amd64.BTR, uop.BitComplement: amd64.BTC}

func (g *Generator) bit(k int, u *uop.Uop) (result, bool) {
	switch u.Op {
	case uop.Bit:
		return g.bitTest(u), true
	case uop.BitAddress:
		return g.bitAddress(u), true
	case uop.BitScan:
		if u.Aux>>9&1 != 0 {
			return g.bitCount(u), true
		}
		return g.bitScan(u), true
	case uop.Popcnt:
		n := int(u.Aux)
		if n != 4 && n != 8 || !g.host.POPCNT {
			return leaves, true
		}
		g.count(amd64.POPCNT, n, u, axZF)
		return goesOn, true
	case uop.BMI:
		return g.bmi(k, u), true
	}
	return 0, false
}

// bitTest changes CF alone.
func (g *Generator) bitTest(u *uop.Uop) result {
	n, kind := int(u.Aux>>8), u.Aux&0xFF
	if n != 4 && n != 8 || kind >= uint32(len(bitOps)) || !isZero(u.Src) && u.Imm != 0 {
		return leaves
	}
	op := bitOps[kind]
	g.spill()
	d, put := g.dst(u.Dst, true)
	if isZero(u.Src) {
		g.Imm(op+amd64.BTimm-amd64.BT, n, amd64.R(d), int32(u.Imm)&int32(8*n-1))
	} else {
		g.RegRM(op, n, g.get(u.Src, tmpA), amd64.R(d))
	}
	if kind != uop.BitTest {
		put()
	}
	// CF to its place in AX.
	g.Set(amd64.B, amd64.R(tmpA))
	g.RegRM(amd64.MOVZX8, 4, tmpA, amd64.R(tmpA))
	g.Imm(amd64.SHLimm, 4, amd64.R(tmpA), 8)
	g.Imm(amd64.ANDimm, 4, amd64.R(rAX), ^axCF)
	g.RegRM(amd64.OR, 4, rAX, amd64.R(tmpA))
	return goesOn
}

// bitAddress puts the address of the operand that holds bit R[Src] of a bit string into R[Dst]: one of n bytes, so many
// operands from the string's beginning as the bit's number says, which has a sign.
func (g *Generator) bitAddress(u *uop.Uop) result {
	n := int(u.Aux & 0xFF)
	if n != 4 && n != 8 || u.Aux>>8 != uop.Address64 {
		return leaves
	}
	g.spill()
	at := *u
	at.Seg = uop.Zero // the access adds the segment's base
	g.address(&at, tmpA)
	if n == 8 {
		g.RegRM(amd64.MOV, 8, tmpB, g.slot(u.Src))
	} else {
		g.RegRM(amd64.MOVSXD, 8, tmpB, g.slot(u.Src))
	}
	g.Imm(amd64.SARimm, 8, amd64.R(tmpB), 3+int32(log2(n)))
	g.RegRM(amd64.LEA, 8, tmpA, amd64.Indexed(tmpA, tmpB, log2(n), 0))
	g.setSlot(u.Dst, tmpA)
	return goesOn
}

// bitScan changes ZF alone, and nothing but ZF where there is no bit, except that 32 bits clear the upper half.
func (g *Generator) bitScan(u *uop.Uop) result {
	n := int(u.Aux & 0xFF)
	if n != 4 && n != 8 {
		return leaves
	}
	op := amd64.BSF
	if u.Aux>>8&1 != 0 {
		op = amd64.BSR
	}
	g.spill()
	g.RegRM(op, n, tmpA, g.slot(u.Src)) // where there is no bit tmpA is undefined
	d, put := g.dst(u.Dst, true)
	g.Cmov(amd64.NE, n, d, amd64.R(tmpA))
	put()
	g.Set(amd64.E, amd64.R(tmpA))
	g.RegRM(amd64.MOVZX8, 4, tmpA, amd64.R(tmpA))
	g.Imm(amd64.SHLimm, 4, amd64.R(tmpA), 14)
	g.Imm(amd64.ANDimm, 4, amd64.R(rAX), ^axZF)
	g.RegRM(amd64.OR, 4, rAX, amd64.R(tmpA))
	return goesOn
}

// bitCount is TZCNT, and LZCNT by way of BSR. CF says that there is no bit, ZF that the result is 0; the others are 0.
func (g *Generator) bitCount(u *uop.Uop) result {
	n := int(u.Aux & 0xFF)
	if n != 4 && n != 8 || !g.host.BMI1 {
		return leaves
	}
	if u.Aux>>8&1 == 0 {
		g.count(amd64.TZCNT, n, u, axCF|axZF)
		return goesOn
	}
	w := int32(8 * n)
	g.MovImm(tmpB, uint64(2*w-1)) // what BSR is to give where there is no bit: w, after the exclusive or
	g.RegRM(amd64.BSR, n, tmpA, g.slot(u.Src))
	g.Cmov(amd64.E, n, tmpA, amd64.R(tmpB))
	g.Imm(amd64.XORimm, 4, amd64.R(tmpA), w-1)
	d, put := g.dst(u.Dst, false)
	g.RegRM(amd64.MOV, 4, d, amd64.R(tmpA))
	put()
	g.addImm(amd64.CMPimm, 4, amd64.R(tmpA), w) // CF is set below w, ZF at w
	g.Set(amd64.E, amd64.R(tmpB))
	g.RegRM(amd64.TEST, 4, tmpA, amd64.R(tmpA))
	g.Lahf()
	g.Imm(amd64.ANDimm, 4, amd64.R(rAX), axZF)
	g.RegRM(amd64.MOVZX8, 4, tmpB, amd64.R(tmpB))
	g.Imm(amd64.SHLimm, 4, amd64.R(tmpB), 8)
	g.RegRM(amd64.OR, 4, rAX, amd64.R(tmpB))
	g.inAX()
	return goesOn
}

// count emits an instruction that counts bits. It makes the flags of mask and clears the others.
func (g *Generator) count(op amd64.Op, n int, u *uop.Uop, mask int32) {
	d, put := g.dst(u.Dst, false)
	g.RegRM(op, n, d, g.slot(u.Src))
	put()
	g.Lahf()
	g.Imm(amd64.ANDimm, 4, amd64.R(rAX), mask)
	g.inAX()
}
