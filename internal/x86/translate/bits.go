package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Bit tests and scans.

var bitOps = [...]amd64.Op{uop.BitTest: amd64.BT, uop.BitSet: amd64.BTS, uop.BitReset: amd64.BTR, uop.BitComplement: amd64.BTC}

func (g *Generator) bit(_ int, u *uop.Uop) (result, bool) {
	switch u.Op {
	case uop.Bit:
		return g.bitTest(u), true
	case uop.BitScan:
		return g.bitScan(u), true
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

// bitScan changes ZF alone, and nothing but ZF where there is no bit, except that 32 bits clear the upper half. TZCNT and
// LZCNT are left to the interpreter.
func (g *Generator) bitScan(u *uop.Uop) result {
	n := int(u.Aux & 0xFF)
	if n != 4 && n != 8 || u.Aux>>9&1 != 0 {
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
