package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// XADD, and CMPXCHG of 4 and 8 bytes on memory. Their operand is in Tmp0, and what is to be stored goes to Tmp1. CMPXCHG16B
// does all by itself.

func (g *Generator) exchange(k int, u *uop.Uop) (result, bool) {
	switch u.Op {
	case uop.Xadd:
		return g.exchangeAdd(u), true
	case uop.Cmpxchg:
		return g.compareExchange(u), true
	case uop.Cmpxchg16b:
		g.compareExchange16(k, u)
		return goesOn, true
	}
	return 0, false
}

func (g *Generator) exchangeAdd(u *uop.Uop) result {
	n := int(u.Aux)
	if n != 4 && n != 8 {
		return leaves
	}
	g.RegRM(amd64.MOV, 8, tmpA, g.slot(uop.Tmp0))
	g.RegRM(amd64.ADD, n, tmpA, g.slot(u.Src))
	g.setSlot(uop.Tmp1, tmpA)
	g.made(junkNone)
	return goesOn
}

// compareExchange takes either value by a conditional move, and so the accumulator, whose upper half stays where the
// comparison succeeds.
func (g *Generator) compareExchange(u *uop.Uop) result {
	n := int(u.Aux)
	if n != 4 && n != 8 || u.Dst != 0 {
		return leaves
	}
	acc, old := hostReg[uop.RAX], g.slot(uop.Tmp0) // which a load has extended with zeros
	g.RegRM(amd64.CMP, n, acc, old)
	g.made(junkNone)
	g.RegRM(amd64.MOV, 8, tmpA, g.slot(u.Src))
	g.Cmov(amd64.NE, 8, tmpA, old)
	g.setSlot(uop.Tmp1, tmpA)
	g.Cmov(amd64.NE, 8, acc, old)
	return goesOn
}

// compareExchange16 changes ZF alone. What does not compare equal is stored again, which nothing can tell from not storing it.
func (g *Generator) compareExchange16(k int, u *uop.Uop) {
	const bytes = 16
	acc := hostReg[uop.RAX]
	g.spill()
	g.address(u, tmpA)
	g.RegRM(amd64.MOV, 4, tmpB, amd64.R(tmpA))
	g.Imm(amd64.ANDimm, 4, amd64.R(tmpB), bytes-1)
	g.Jcc(amd64.NE, g.leaveAt(k))
	g.reach(u, g.layout.Write, bytes, g.leaving(k))
	different, done := g.Label(), g.Label()
	low, high := amd64.At(tmpA, 0), amd64.At(tmpA, 8)
	g.RegRM(amd64.CMP, 8, acc, low)
	g.Jcc(amd64.NE, different)
	g.RegRM(amd64.CMP, 8, amd64.RDX, high)
	g.Jcc(amd64.NE, different)
	g.RegRM(amd64.MOVto, 8, amd64.RBX, low)
	g.RegRM(amd64.MOVto, 8, amd64.RCX, high)
	g.Imm(amd64.ORimm, 4, amd64.R(rAX), axZF)
	g.Jmp(done)
	g.Bind(different)
	g.RegRM(amd64.MOV, 8, acc, low)
	g.RegRM(amd64.MOV, 8, amd64.RDX, high)
	g.Imm(amd64.ANDimm, 4, amd64.R(rAX), ^axZF)
	g.Bind(done)
}
