package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// XADD, and CMPXCHG of 4 and 8 bytes on memory. Their operand is in Tmp0, and what is to be stored goes to Tmp1.

func (g *Generator) exchange(_ int, u *uop.Uop) (result, bool) {
	switch u.Op {
	case uop.Xadd:
		return g.exchangeAdd(u), true
	case uop.Cmpxchg:
		return g.compareExchange(u), true
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
